"""A person's taste among releases: what is taken without asking, and in which order; everywhere, or for one show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual import work

from uuutorrent.anime.anime import Anime
from uuutorrent.desk import Desk
from uuutorrent.errors import Conflict, UuuError
from uuutorrent.releases.release import Taste
from uuutorrent.tui.form import Field, FormDialog
from uuutorrent.tui.wishes import WISHES, read

UNBOUND = "any"
"""Shown for a preference that a show does not have although it has one everywhere."""


class TasteDialog(FormDialog[Taste]):
    """What somebody likes, whatever the show; the answer is the taste, which is remembered by then.

    `name` is of whom an admin settles it for.
    """

    def __init__(self, desk: Desk, taste: Taste, *, name: str = "") -> None:
        title = f"What {name or 'you'} {'likes' if name else 'like'} among releases"
        super().__init__(title, WISHES, {wish.name: wish.of(taste) for wish in WISHES})
        self.desk = desk
        self._name = name

    async def keep(self, typed: Mapping[str, str]) -> Taste:
        """It is the taste for every show that has none of its own."""
        taste, tastes = Taste(**read(typed)), self.desk.releases.tastes
        if self._name:
            await tastes.set_theirs(await self.desk.admin(), self._name, taste)
        else:
            await tastes.set(self.desk.user, taste)
        return taste


class ShowTasteDialog(FormDialog[Taste]):
    """What somebody likes otherwise for one show: an empty line is as everywhere, which stands there dimmed."""

    def __init__(self, desk: Desk, anime: Anime) -> None:
        super().__init__(f"What you like of {anime.title}; empty: as everywhere", WISHES, {})
        self.desk = desk
        self._anime = anime
        self.is_read = False

    def on_mount(self) -> None:
        """Read what there is."""
        self._fill()

    async def keep(self, typed: Mapping[str, str]) -> Taste:
        """Only what was typed is this show's own."""
        if not self.is_read:
            raise Conflict("your taste is still being read: a moment, then again")
        tastes, user, media_id = self.desk.releases.tastes, self.desk.user, self._anime.media_id
        changes = read({name: text for name, text in typed.items() if text.strip()})
        await tastes.set_show(user, media_id, changes)
        return await tastes.of(user, media_id)

    @work(group="fill", exclusive=True)
    async def _fill(self) -> None:
        tastes, user, media_id = self.desk.releases.tastes, self.desk.user, self._anime.media_id
        try:
            everywhere, changed = await tastes.of(user), await tastes.show(user, media_id)
        except UuuError as e:
            self.failed(e)
            return
        for wish in WISHES:
            self._put(wish, everywhere, changed)
        self.is_read = True

    def _put(self, wish: Field, everywhere: Taste, changed: Mapping[str, Any]) -> None:
        field = self.line(wish.name)
        field.placeholder = wish.of(everywhere) or wish.hint
        # What is typed while this is read stays.
        if wish.name in changed and not field.value:
            field.value = wish.show(changed[wish.name]) or UNBOUND

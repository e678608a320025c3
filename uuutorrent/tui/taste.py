"""A person's taste among releases: what is taken without asking, and in which order; everywhere, or for one show."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.events import DescendantFocus
from textual.widgets import Input

from uuutorrent.anime.anime import Anime
from uuutorrent.desk import Desk
from uuutorrent.errors import Conflict, Invalid, UuuError
from uuutorrent.releases.release import Taste
from uuutorrent.tui.dialogs import Dialog, Typed
from uuutorrent.tui.line import Line, Span
from uuutorrent.tui.wishes import BY_NAME, WISHES, Wish, read

LONGEST = 4000
UNBOUND = "any"
"""Shown for a preference that a show does not have although it has one everywhere."""


class Fields(VerticalScroll, can_focus=False, inherit_bindings=False):
    """Lines to type into; the arrows go from one to the next rather than scroll."""


class Form(Dialog[Taste]):
    """A line for each preference; the answer is the taste, which is remembered by then."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", "Up", id="taste.up", show=False),
        Binding("down", "app.focus_next", "Down", id="taste.down", show=False),
    ]

    def __init__(self, desk: Desk, title: str) -> None:
        super().__init__(title)
        self.desk = desk
        self.add_class("form")

    @abstractmethod
    async def remember(self, typed: Mapping[str, str]) -> Taste:
        """Remember what was typed.

        Raises:
            UuuError: it cannot be.
        """

    def body(self) -> ComposeResult:
        """The preferences, and words about the one that is typed at."""
        with Fields():
            for wish in WISHES:
                with Horizontal(classes="field"):
                    yield Line(wish.label, classes="label")
                    yield self.field(wish)
        yield Line(id="hint")

    def field(self, wish: Wish) -> Typed:
        """Where a preference is typed."""
        return Typed(placeholder=wish.hint, id=wish.name, compact=True, max_length=LONGEST)

    @on(DescendantFocus)
    def _explain(self, event: DescendantFocus) -> None:
        wish = BY_NAME.get(event.widget.id or "")
        self.query_one("#hint", Line).set(Span(f"  {wish.about}" if wish else "", "dim"))

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_save()

    def action_save(self) -> None:
        """Remember it."""
        self._save({wish.name: self.query_one(f"#{wish.name}", Input).value for wish in WISHES})

    @work(group="save", exclusive=True)
    async def _save(self, typed: Mapping[str, str]) -> None:
        self.busy("Saving…")
        try:
            self.dismiss(await self.remember(typed))
        except UuuError as e:
            self.failed(e)
            if isinstance(e, Invalid) and e.field in BY_NAME:
                self.query_one(f"#{e.field}").focus()


class TasteDialog(Form):
    """What somebody likes, whatever the show."""

    def __init__(self, desk: Desk, taste: Taste) -> None:
        super().__init__(desk, "What you like among releases")
        self._taste = taste

    def field(self, wish: Wish) -> Typed:
        """It holds the preference."""
        field = super().field(wish)
        field.value = wish.of(self._taste)
        return field

    async def remember(self, typed: Mapping[str, str]) -> Taste:
        """It is the taste for every show that has none of its own."""
        taste = Taste(**read(typed))
        await self.desk.releases.tastes.set(self.desk.user, taste)
        return taste


class ShowTasteDialog(Form):
    """What somebody likes otherwise for one show: an empty line is as everywhere, which stands there dimmed."""

    def __init__(self, desk: Desk, anime: Anime) -> None:
        super().__init__(desk, f"What you like of {anime.title}; empty: as everywhere")
        self._anime = anime
        self.is_read = False

    def on_mount(self) -> None:
        """Read what there is."""
        self._fill()

    async def remember(self, typed: Mapping[str, str]) -> Taste:
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

    def _put(self, wish: Wish, everywhere: Taste, changed: Mapping[str, Any]) -> None:
        field = self.query_one(f"#{wish.name}", Input)
        field.placeholder = wish.of(everywhere) or wish.hint
        # What is typed while this is read stays.
        if wish.name in changed and not field.value:
            field.value = wish.show(changed[wish.name]) or UNBOUND

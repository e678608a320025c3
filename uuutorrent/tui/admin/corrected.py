"""Corrections: what people say of releases, who says it, and whether it counts for everybody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from uuutorrent.desk import Desk
from uuutorrent.releases.corrections import Standing
from uuutorrent.tui.admin import search
from uuutorrent.tui.admin.section import Section, sure
from uuutorrent.tui.cells import Column, Piece, Row
from uuutorrent.tui.correcting import in_words
from uuutorrent.tui.dialogs import Ask, Choice
from uuutorrent.tui.figures import count, day
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Said, said
from uuutorrent.tui.screen import DeskScreen
from uuutorrent.users import Admin

MOST_NAMES = 8
"""Names that are listed; the rest is counted."""


class CorrectionsSection(Section):
    """Everything that anybody says of releases."""

    title = "Corrections"
    columns: ClassVar[Sequence[Column]] = (
        Column("show", "Show", 12, flex=1),
        Column("says", "It says", 20, flex=2),
        Column("by", "First said by", 13, priority=1),
        Column("accepted", "Accept", 6, align="right"),
        Column("for", "For", 9),
    )
    empty = "Nobody corrected anything."
    acts = True
    searches = True

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._standing: Mapping[str, Standing] = {}
        self._words = ""

    async def look(self, by: Admin, width: int) -> Sequence[Row]:
        """By show."""
        every = await self.desk.releases.corrections.standing(by)
        found = [one for one in every if search.fits(self._words, *self._texts(one))]
        self._standing = {str(one.offer.id): one for one in found}
        return [self._row(one) for one in found]

    def about(self, key: str) -> Sequence[Said]:
        """Who accepts it."""
        if (one := self._standing.get(key)) is None:
            return ()
        names = ", ".join(one.accepted_by[:MOST_NAMES]) or "nobody any more"
        more = len(one.accepted_by) - MOST_NAMES
        by = f"{names} and {more} more" if more > 0 else names
        return (
            said(Span(self._show(one), "accent"), f": {in_words(one.offer.correction)}", wraps=True),
            said(f"Accepted by {by}; {count(one.declined, 'person')} declined", wraps=True),
            said(Span(f"Since {day(one.made_at)}", "dim"), right=[*search.only(self._words)]),
        )

    async def open(self, screen: DeskScreen, key: str) -> None:
        """Let it count for everybody or not, or delete it."""
        if (one := self._standing.get(key)) is None:
            return
        share = (
            Choice("n", "Let it count only for those who accept it", "off")
            if one.offer.is_for_all
            else Choice("e", "Accept: let it count for everybody", "on")
        )
        choices = (share, Choice("x", "Reject: delete it, whoever accepts it", "reject", is_grave=True))
        text = said(Span(self._show(one), "accent"), f": {in_words(one.offer.correction)}", wraps=True)
        match await screen.app.push_screen_wait(Ask("What about this correction?", text, choices=choices)):
            case "on" | "off" as switch:
                await self._share(screen, one, on=switch == "on")
            case "reject":
                await self._reject(screen, one)

    async def search(self, screen: DeskScreen) -> None:
        """Ask what to look for."""
        self._words = await search.ask(screen, self._words)

    async def _share(self, screen: DeskScreen, one: Standing, *, on: bool) -> None:
        text = "It counts for everybody who does not decline it. What contradicts it counts no more."
        if not on or await sure(screen, "Accept it for everybody?", text, do="Accept it"):
            await self.desk.releases.corrections.set_for_all(await screen.admin(), one.offer.id, on=on)
            screen.shell.toast("It is accepted for everybody." if on else "It counts for those who accept it.")

    async def _reject(self, screen: DeskScreen, one: Standing) -> None:
        text = f"It counts for nobody any more, {count(len(one.accepted_by), 'person')} who accepted it among them."
        if await sure(screen, "Reject this correction?", text, do="Reject it"):
            await self.desk.releases.corrections.reject(await screen.admin(), one.offer.id)
            screen.shell.toast("It is gone.")

    def _show(self, one: Standing) -> str:
        media_id = one.offer.correction.media_id
        anime = self.desk.watchlists.known(media_id)
        return anime.title if anime is not None else f"Anime {media_id}"

    def _texts(self, one: Standing) -> Sequence[str]:
        media_id = str(one.offer.correction.media_id)
        return self._show(one), media_id, in_words(one.offer.correction), *one.accepted_by

    def _row(self, one: Standing) -> Row:
        first = one.accepted_by[0] if one.accepted_by else "nobody"
        counts = Piece("everybody", "good") if one.offer.is_for_all else Piece("them", "dim")
        cells = (self._show(one), in_words(one.offer.correction), first, str(len(one.accepted_by)), counts)
        return Row(str(one.offer.id), cells)

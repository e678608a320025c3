"""The audit: who did what to what, newest first, and looking for something in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from uuutorrent.audit import OK, Note
from uuutorrent.desk import Desk
from uuutorrent.tui.admin.section import Section
from uuutorrent.tui.cells import Column, Piece, Row
from uuutorrent.tui.figures import moment
from uuutorrent.tui.form import Field, FormDialog, taken
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Said, said
from uuutorrent.tui.screen import DeskScreen
from uuutorrent.users import Admin

SHOWN = 200
"""Notes at a time; the verb `audit` shows more."""
FIELDS = (
    Field(
        "text", "With these words", "everything", "In the act, on what it was, from where, or more about it.", str, str
    ),
    Field(
        "user",
        "About",
        "everybody",
        "What this user did, or what was done to them; operator: the one at the machine.",
        str,
        str,
    ),
)


class NotesSection(Section):
    """What was done, as far as it is noted."""

    title = "Audit"
    columns: ClassVar[Sequence[Column]] = (
        Column("at", "When", 17),
        Column("who", "Who", 10),
        Column("act", "Did", 14, flex=1),
        Column("target", "To", 10, flex=1),
        Column("outcome", "", 7, priority=1),
        Column("source", "From", 15, priority=2),
    )
    empty = "Nothing like that was noted."
    searches = True

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._notes: Mapping[str, Note] = {}
        self._wanted: Mapping[str, str] = {"text": "", "user": ""}

    async def look(self, by: Admin, width: int) -> Sequence[Row]:
        """The newest that fit what is looked for."""
        notes = await self.desk.audit.search(by, self._wanted["text"], user=self._wanted["user"], limit=SHOWN)
        self._notes = {str(one.id): one for one in notes}
        return [_row(one) for one in notes]

    def about(self, key: str) -> Sequence[Said]:
        """One note whole."""
        if (one := self._notes.get(key)) is None:
            return ()
        wanted = ", ".join(word for word in self._wanted.values() if word)
        right = [Span(f"only: {wanted}", "warn")] if wanted else []
        return (
            said(Span(one.who or "nobody", "accent"), f" {one.act} {one.target}: {one.outcome}", right=right),
            said(Span(f"{one.detail} {f'from {one.source}' if one.source else ''}".strip(), "dim"), wraps=True),
        )

    async def search(self, screen: DeskScreen) -> None:
        """Ask what to look for."""
        wanted = await screen.app.push_screen_wait(SearchDialog(self._wanted))
        if wanted is not None:
            self._wanted = wanted


class SearchDialog(FormDialog[Mapping[str, str]]):
    """What to look for in the audit; nothing is everything."""

    DOING = "Looking…"

    def __init__(self, before: Mapping[str, str]) -> None:
        super().__init__("Look for", FIELDS, before)

    async def keep(self, typed: Mapping[str, str]) -> Mapping[str, str]:
        """That is the answer."""
        return taken(self.fields, typed)


def _row(one: Note) -> Row:
    outcome = Piece(one.outcome, "dim" if one.outcome == OK else "warn")
    cells = (moment(one.at), one.who, one.act, one.target, outcome, Piece(one.source, "dim"))
    return Row(str(one.id), cells)

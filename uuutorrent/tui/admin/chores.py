"""The jobs: what each daemon does by itself, and how the last turn at each went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from uuutorrent.automation.upkeep.around import Chore
from uuutorrent.desk import Desk
from uuutorrent.tui.admin.section import Section
from uuutorrent.tui.cells import Column, Piece, Row
from uuutorrent.tui.figures import ago, took
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Said, said
from uuutorrent.users import Admin

WORDS = {"ok": "went well", "failed": "not this time", "broken": "broke", "cancelled": "was cut short"}


class ChoresSection(Section):
    """Every job of which this daemon took a turn."""

    title = "Jobs"
    columns: ClassVar[Sequence[Column]] = (
        Column("mark", "", 1),
        Column("name", "Job", 12, flex=1),
        Column("state", "Last turn", 13),
        Column("took", "Took", 8, align="right", priority=1),
        Column("failed", "Failed", 14, align="right", priority=2),
        Column("when", "When", 12),
    )
    empty = "This daemon took no turn yet."

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._chores: Mapping[str, Chore] = {}

    async def look(self, by: Admin, width: int) -> Sequence[Row]:
        """What went wrong comes first, then by name."""
        self._chores, now = {one.name: one for one in self.desk.around.jobs(by)}, datetime.now(UTC)
        return [self._row(one, now) for one in self._chores.values()]

    def about(self, key: str) -> Sequence[Said]:
        """Why the last turn came to nothing, and when one went well."""
        if (one := self._chores.get(key)) is None:
            return ()
        when = ago(one.well_at, datetime.now(UTC)) if one.well_at else "never since the daemon began"
        why = one.last.why or ("The log says how." if one.last.outcome == "broken" else "")
        return (said(Span(key, "accent"), f" went well {when}"), said(Span(why, "bad"), wraps=True))

    def _row(self, one: Chore, now: datetime) -> Row:
        name, turn, is_ok = one.name, one.last, one.last.outcome == "ok"
        cells = (
            Piece("●", "good") if is_ok else Piece("✗", "bad" if turn.outcome == "broken" else "warn"),
            name,
            Piece(WORDS.get(turn.outcome, turn.outcome), "" if is_ok else "warn"),
            took(turn.seconds * 1000),
            f"{one.failed} of {one.turns}",
            ago(datetime.fromtimestamp(turn.at, UTC), now),
        )
        return Row(name, cells)

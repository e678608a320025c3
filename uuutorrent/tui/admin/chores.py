"""The jobs: what each daemon does by itself, and how the last turn at each went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from uuutorrent.desk import Desk
from uuutorrent.tally import Last
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
        self._turns: Mapping[str, Last] = {}

    async def look(self, by: Admin, width: int) -> Sequence[Row]:
        """What went wrong comes first, then by name."""
        self._turns, now = dict(self.desk.tally.turns), datetime.now(UTC)
        order = sorted(self._turns, key=lambda name: (self._turns[name].outcome == "ok", name))
        return [self._row(name, now) for name in order]

    def about(self, key: str) -> Sequence[Said]:
        """Why the last turn came to nothing, and when one went well."""
        if (turn := self._turns.get(key)) is None:
            return ()
        well = self.desk.tally.counters.get(("job_last_success_timestamp_seconds", (key,)), 0)
        when = ago(datetime.fromtimestamp(well, UTC), datetime.now(UTC)) if well else "never since the daemon began"
        why = turn.why or ("The log says how." if turn.outcome == "broken" else "")
        return (said(Span(key, "accent"), f" went well {when}"), said(Span(why, "bad"), wraps=True))

    def _row(self, name: str, now: datetime) -> Row:
        turn, is_ok = self._turns[name], self._turns[name].outcome == "ok"
        counted = {outcome: self.desk.tally.counters.get(("jobs", (name, outcome)), 0) for outcome in WORDS}
        every = sum(counted.values())
        cells = (
            Piece("●", "good") if is_ok else Piece("✗", "bad" if turn.outcome == "broken" else "warn"),
            name,
            Piece(WORDS.get(turn.outcome, turn.outcome), "" if is_ok else "warn"),
            took(turn.seconds * 1000),
            f"{every - counted['ok']:.0f} of {every:.0f}",
            ago(datetime.fromtimestamp(turn.at, UTC), now),
        )
        return Row(name, cells)

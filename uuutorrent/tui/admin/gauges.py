"""The machine: how it does now, over the last hour and the last day, as plots of one line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from uuutorrent.automation.upkeep.traffic import Month
from uuutorrent.desk import Desk
from uuutorrent.machine import DAY, FIGURES, HOUR, Sample
from uuutorrent.tui.admin.course import plotted
from uuutorrent.tui.admin.section import Section
from uuutorrent.tui.cells import GUTTER, Bar, Column, Piece, Row, StyleName
from uuutorrent.tui.figures import percent, size, took
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import INDENT, Said, said
from uuutorrent.users import Admin

TRAFFIC = "traffic"
NAMED = {
    "cpu": "Processors",
    "memory": "Memory",
    "disk": "Disk",
    "received_bps": "Line in",
    "sent_bps": "Line out",
    "lag_s": "Event loop",
}
_NAME, _NOW = 11, 11
_STEPS = "▁▂▃▄▅▆▇█"


class GaugesSection(Section):
    """Processors, memory, disk, line, event loop, and what left of what may in this month."""

    title = "Machine"
    columns: ClassVar[Sequence[Column]] = (
        Column("name", "", _NAME),
        Column("now", "Now", _NOW, align="right"),
        Column("hour", "The last hour", 10, flex=1),
    )
    empty = "Nothing was measured yet."

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._width = 0
        self._month: Month | None = None

    async def look(self, by: Admin, width: int) -> Sequence[Row]:
        """A line for each figure."""
        self._width, self._month = width, await self.desk.traffic.month(by)
        hour, month = self.desk.machine.hour(), self._month
        left = f"{percent(month.share)} used" if month.budget_bytes else "no budget"
        traffic = Row(TRAFFIC, ("Traffic", left, Bar(month.share) if month.budget_bytes else ""))
        return [*([self._row(name, hour) for name in FIGURES] if hour else []), traffic]

    def about(self, key: str) -> Sequence[Said]:
        """The last day of a figure."""
        if key == TRAFFIC:
            return self._about_traffic()
        day = [getattr(one, key) for one in self.desk.machine.day()]
        known = [value for value in day if value is not None]
        if not known:
            return (said(Span("The plot of the day begins five minutes after the daemon.", "dim"), wraps=True),)
        plot = sparkline(day, DAY, self._width - 2 * INDENT, most=_scale(key, known))
        most = f"at most {shown(key, max(known))}, {shown(key, sum(known) / len(known))} on average"
        return said(Span("The last day", "dim"), right=[Span(most, "dim")]), said(Span(plot, "accent"))

    def _about_traffic(self) -> Sequence[Said]:
        if (month := self._month) is None:
            return ()
        of = f" of {size(month.budget_bytes)}" if month.budget_bytes else ""
        left = f"{size(month.used_bytes)}{of} left this machine in {month.name}"
        pace = said(Span(f"{size(month.projected_bytes)} by the end of the month at this pace", "dim"))
        if not month.budget_bytes:
            return said(left), pace
        rows = plotted(month.course, month.days, month.budget_bytes, self._width - 2 * INDENT)
        return said(left), *(said(*row) for row in rows), pace

    def _row(self, key: str, hour: Sequence[Sample]) -> Row:
        values = [getattr(one, key) for one in hour]
        known, now = [value for value in values if value is not None], values[-1]
        room = self._width - GUTTER - _NAME - _NOW - 2
        plot = sparkline(values, HOUR, room, most=_scale(key, known))
        style: StyleName = "bad" if key in ("memory", "disk") and now is not None and now > 0.95 else "accent"
        return Row(key, (NAMED[key], shown(key, now), Piece(plot, style)))


def sparkline(values: Sequence[float | None], slots: int, width: int, *, most: float) -> str:
    """The values as a plot of one line, the newest at the right, the highest of each cell; `slots` fill the width."""
    padded = [*([None] * (slots - len(values))), *values[-slots:]]
    cells = []
    for cell in range(max(1, width)):
        begin = cell * slots // max(1, width)
        end = max(begin + 1, (cell + 1) * slots // max(1, width))
        known = [value for value in padded[begin:end] if value is not None]
        share = min(1.0, max(known) / most) if known and most > 0 else 0.0
        cells.append(_STEPS[min(7, math.floor(share * 8))] if known else " ")
    return "".join(cells)


def shown(key: str, value: float | None) -> str:
    """A figure as people read it."""
    if value is None:
        return ""
    if key == "lag_s":
        return f"≤ {took(value * 1000)}"
    return f"{size(int(value))}/s" if key.endswith("_bps") else percent(value)


def _scale(key: str, known: Sequence[float]) -> float:
    """What the top of a plot stands for: all of it for shares, else the highest there was."""
    least = {"lag_s": 0.1, "received_bps": 1024.0, "sent_bps": 1024.0}
    return max([least[key], *known]) if key in least else 1.0

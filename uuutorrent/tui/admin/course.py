"""The month's traffic as a plot: what left so far, day by day, beside the line that leads to the budget."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from uuutorrent.tui.line import LineStyle, Span

ROWS = 3
_STEPS = " ▁▂▃▄▅▆▇█"
_LINE = "·"


def plotted(course: Sequence[int], days: int, budget_bytes: int, width: int) -> tuple[tuple[Span, ...], ...]:
    """Rows of the plot, the highest first; its top is the budget, its right edge the last day.

    `course` is what had left by the end of each day so far. Days above the line are painted as a warning.
    """
    cells = [_cell(course, place * days // max(1, width), days, budget_bytes) for place in range(max(1, width))]
    return tuple(tuple(_spans([column[row] for column in cells])) for row in reversed(range(ROWS)))


def _cell(course: Sequence[int], day: int, days: int, budget_bytes: int) -> list[tuple[str, LineStyle]]:
    """One column from the bottom up."""
    pace = (day + 1) / days
    used = course[day] / budget_bytes if day < len(course) else 0.0
    filled, on_line = round(min(1.0, used) * ROWS * 8), min(ROWS - 1, int(pace * ROWS))
    style: LineStyle = "warn" if used > pace else "accent"
    column: list[tuple[str, LineStyle]] = []
    for row in range(ROWS):
        level = max(0, min(8, filled - row * 8))
        column.append((_STEPS[level], style) if level or row != on_line else (_LINE, "dim"))
    return column


def _spans(cells: Sequence[tuple[str, LineStyle]]) -> list[Span]:
    return [Span("".join(char for char, _ in run), style) for style, run in groupby(cells, key=lambda cell: cell[1])]

"""Text for people at a prompt: columns and folded lines, with nothing in them that drives their terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.cells import cell_len, chop_cells, set_cell_size

from uuutorrent.tui.plain import plain, stripped

GAP = "  "
NARROWEST = 20
"""Cells that a folded column keeps, however little room there is."""
INDENT = "    "


def printable(text: str) -> str:
    """Text from outside without the characters that drive a terminal; newlines stay."""
    return "\n".join(map(stripped, text.split("\n")))


def fold(text: str, width: int) -> list[str]:
    """Lines of at most `width` cells, broken between words where that is possible; at least one line."""
    lines, line = [], ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if cell_len(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *whole, line = chop_cells(word, width) or [""]
        lines += whole
    return [*lines, line]


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str, width: int | None = None) -> str:
    """Columns in aligned text; wide (Japanese) characters count two cells.

    With `width` the last column is folded to fit, so that it is the one for names.
    """
    if not rows:
        return empty
    shown = [[plain(cell) for cell in row] for row in (headings, *rows)]
    *sizes, longest = (max(cell_len(row[column]) for row in shown) for column in range(len(headings)))
    margin = sum(size + len(GAP) for size in sizes)
    room = longest if width is None else max(NARROWEST, width - margin)
    lines = []
    for *cells, last in shown:
        first, *more = fold(last, room)
        lines.append(GAP.join([*map(set_cell_size, cells, sizes), first]).rstrip())
        lines += [" " * margin + line for line in more]
    return "\n".join(lines)


def listing(items: Sequence[Sequence[str]], *, empty: str, width: int) -> str:
    """Items below each other: the first line of each at the margin, its other lines indented; long ones are folded."""
    lines = []
    for head, *rest in items:
        lines += fold(plain(head), width)
        room = max(NARROWEST, width - len(INDENT))
        lines += [INDENT + line for text in rest if text for line in fold(plain(text), room)]
    return "\n".join(lines) or empty


def instant(at: datetime | None) -> str | None:
    """UTC ISO 8601 with a Z, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None

"""What a table shows: rows of cells under columns, laid out into a width and painted into strips.

Painting is pure: the same row under the same `Look` gives the same strip, which is why sessions can share strips.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from uuutorrent.tui.plain import plain

StyleName = Literal["", "good", "bad", "warn", "dim", "accent", "bar"]
"""How a piece of text stands out; the theme says what that looks like."""

STYLE_NAMES: tuple[StyleName, ...] = ("", "good", "bad", "warn", "dim", "accent", "bar")
GUTTER = 2
"""Cells at the left of every row for the cursor and the mark."""
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that stands out."""

    text: str
    style: StyleName = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A progress bar as wide as its column; `fraction` is 0..1."""

    fraction: float
    style: StyleName = "bar"
    until: float = 0.0
    """0..1; from `fraction` to here the bar is hatched: there, but not done."""


Cell = str | Piece | Bar


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: a key that stays with the thing shown, and a cell for each column."""

    key: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `width` cells, or at least that many and a share of what is left when `flex` is given."""

    id: str
    title: str
    width: int
    flex: int = 0
    align: Literal["left", "right"] = "left"
    priority: int = 0
    """0: always shown; else the highest goes first when the terminal is narrow."""


class RowState(StrEnum):
    """How a row is painted."""

    HEADER = "header"
    ROW = "row"
    MARKED = "marked"
    CURSOR = "cursor"
    RESTING = "resting"
    """Under the cursor of a table that has no focus."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A column's place in a laid-out row: which column, how many cells, which side."""

    column: int
    width: int
    right: bool


Layout = tuple[Slot, ...]
Palette = tuple[tuple[tuple[RowState, StyleName], Style], ...]


class Look:
    """A layout with a palette: everything but the row that decides how a line looks. Compared by identity."""

    __slots__ = ("layout", "styles", "width")

    def __init__(self, width: int, layout: Layout, palette: Palette) -> None:
        self.width = width
        self.layout = layout
        self.styles: Mapping[tuple[RowState, StyleName], Style] = dict(palette)


class StripCache:
    """Painted lines that the sessions of one process share; the least used go first."""

    def __init__(self, limit: int = 4096, looks: int = 256) -> None:
        self._strips: OrderedDict[tuple[Look, RowState, bool, tuple[Cell, ...]], Strip] = OrderedDict()
        self._looks: OrderedDict[tuple[int, Layout, Palette], Look] = OrderedDict()
        self._limit = limit
        self._look_limit = looks
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return len(self._strips)

    def look(self, width: int, layout: Layout, palette: Palette) -> Look:
        """The one look with this width, layout and palette."""
        key = (width, layout, palette)
        look = self._looks.get(key)
        if look is None:
            look = self._looks[key] = Look(*key)
            if len(self._looks) > self._look_limit:
                self._looks.popitem(last=False)
        else:
            self._looks.move_to_end(key)
        return look

    def strip(self, look: Look, cells: tuple[Cell, ...], state: RowState, *, marked: bool = False) -> Strip:
        """The painted line of these cells."""
        key = (look, state, marked, cells)
        strip = self._strips.get(key)
        if strip is None:
            self.misses += 1
            strip = self._strips[key] = paint(look, cells, state, marked=marked)
            if len(self._strips) > self._limit:
                self._strips.popitem(last=False)
        else:
            self.hits += 1
            self._strips.move_to_end(key)
        return strip


def lay_out(columns: Sequence[Column], width: int) -> Layout:
    """Which columns fit into `width` cells, and how wide each is."""
    shown = list(range(len(columns)))
    while _needs(columns, shown) > width and (last := _least_wanted(columns, shown)) is not None:
        shown.remove(last)
    spare = max(0, width - _needs(columns, shown))
    shares = sum(columns[i].flex for i in shown)
    slots = []
    for i in shown:
        column = columns[i]
        more = spare * column.flex // shares if shares else 0
        spare, shares = spare - more, shares - column.flex
        slots.append(Slot(i, column.width + more, column.align == "right"))
    return tuple(slots)


def paint(look: Look, cells: tuple[Cell, ...], state: RowState, *, marked: bool = False) -> Strip:
    """One line as wide as the look: the gutter, then every shown cell, one blank between neighbours."""
    base = look.styles[state, ""]
    segments = [Segment(_gutter(state, marked), base)]
    for place, slot in enumerate(look.layout):
        if place:
            segments.append(Segment(" ", base))
        segments.extend(_cell(look, cells[slot.column] if slot.column < len(cells) else "", slot, state))
    joined = Segment.simplify(segment for segment in segments if segment.text)
    return Strip(joined).adjust_cell_length(look.width, base)


def fit(text: str, width: int, *, right: bool = False) -> str:
    """The text in exactly `width` cells, on one line; what does not fit ends in an ellipsis."""
    text = plain(text)
    length = cell_len(text)
    if length > width:
        return set_cell_size(set_cell_size(text, width - 1).rstrip() + "…", width) if width > 0 else ""
    return " " * (width - length) + text if right else text + " " * (width - length)


def _needs(columns: Sequence[Column], shown: Sequence[int]) -> int:
    return GUTTER + sum(columns[i].width for i in shown) + max(0, len(shown) - 1)


def _least_wanted(columns: Sequence[Column], shown: Sequence[int]) -> int | None:
    droppable = [i for i in shown if columns[i].priority > 0]
    return max(droppable, key=lambda i: (columns[i].priority, i), default=None)


def _gutter(state: RowState, marked: bool) -> str:
    if marked:
        return "✓ "
    return "› " if state is RowState.CURSOR else "  "


def _cell(look: Look, cell: Cell, slot: Slot, state: RowState) -> Iterator[Segment]:
    if isinstance(cell, Bar):
        yield from _bar(look, cell, slot.width, state)
    elif isinstance(cell, Piece):
        yield Segment(fit(cell.text, slot.width, right=slot.right), look.styles[state, cell.style])
    else:
        yield Segment(fit(cell, slot.width, right=slot.right), look.styles[state, ""])


def _bar(look: Look, bar: Bar, width: int, state: RowState) -> Iterator[Segment]:
    eighths = int(min(1.0, max(0.0, bar.fraction)) * width * 8)
    full, part = divmod(eighths, 8)
    filled = "█" * full + (_EIGHTHS[part] if part else "")
    hatched = "▒" * (math.ceil(min(1.0, max(0.0, bar.until)) * width) - len(filled))
    yield Segment(filled, look.styles[state, bar.style])
    yield Segment(hatched, look.styles[state, "warn"])
    yield Segment("·" * (width - len(filled) - len(hatched)), look.styles[state, "dim"])

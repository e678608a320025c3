"""A terminal's picture as SVG: text stays text, in whatever monospace font the reader has; nothing is fetched.

Every run of characters is told how wide it is, so that columns stay columns in any font. Blocks and lines are drawn,
because fonts leave gaps between them.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

CELL_W, CELL_H, BASELINE, FONT_PX = 8.4, 18.0, 13.2, 14
PAD, BAR_H, RADIUS = 10.0, 30.0, 9
FONTS = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Noto Sans Mono CJK JP',monospace"
INK, GROUND, FRAME, TITLE_INK = "#d8dee9", "#121212", "#2a2c33", "#9aa0ac"
BUTTONS = ("#ff5f57", "#febc2e", "#28c840")
NAMED = {
    "black": "#000000",
    "red": "#cd3131",
    "green": "#0dbc79",
    "brown": "#e5e510",
    "blue": "#2472c8",
    "magenta": "#bc3fbc",
    "cyan": "#11a8cd",
    "white": "#e5e5e5",
}
"""The eight colours of a terminal, as pyte calls them."""
BLOCKS: Mapping[str, tuple[float, float, float, float]] = {
    "█": (0, 0, 1, 1),
    "▀": (0, 0, 1, 0.5),
    "▔": (0, 0, 1, 0.125),
    "▐": (0.5, 0, 0.5, 1),
    "▕": (0.875, 0, 0.125, 1),
    "▒": (0, 0, 1, 1),
    **{char: (0, 1 - n / 8, 1, n / 8) for n, char in enumerate("▁▂▃▄▅▆▇", 1)},
    **{char: (0, 0, n / 8, 1) for n, char in enumerate("▏▎▍▌▋▊▉", 1)},
}
"""What a block fills of its cell: left, top, width, height."""
SHADES = {"▒": 0.45}
LINES: Mapping[str, str] = {
    "─": "lr",
    "│": "tb",
    "┌": "rb",
    "┐": "lb",
    "└": "rt",
    "┘": "lt",
    "╭": "rb",
    "╮": "lb",
    "╰": "rt",
    "╯": "lt",
    "├": "tbr",
    "┤": "tbl",
    "┬": "lrb",
    "┴": "lrt",
    "┼": "lrtb",
}
"""To which edges a line goes from the middle of its cell."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One place on the screen. `columns` is 2 for a wide character, and 0 for the place that one covers."""

    text: str
    columns: int = 1
    ink: str = INK
    ground: str = GROUND
    bold: bool = False
    italic: bool = False
    underlined: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring cells that look alike, from column `at` on."""

    at: int
    cells: tuple[Cell, ...]

    @property
    def text(self) -> str:
        """What is written."""
        return "".join(cell.text for cell in self.cells)

    @property
    def columns(self) -> int:
        """How wide it is."""
        return sum(cell.columns for cell in self.cells)


def colour(name: str, otherwise: str) -> str:
    """A colour as pyte names it, as SVG has it."""
    if name == "default":
        return otherwise
    return NAMED.get(name.removeprefix("bright"), f"#{name}")


def svg(rows: Sequence[Sequence[Cell]], *, title: str, about: str) -> str:
    """The picture in a window's frame; `title` stands on its bar, `about` is read to those who do not see it."""
    columns = max(map(len, rows))
    width, height = columns * CELL_W + 2 * PAD, len(rows) * CELL_H + BAR_H + PAD
    ground = Counter(cell.ground for row in rows for cell in row).most_common(1)[0][0]
    body = "\n".join(line for y, row in enumerate(rows) for line in _row(row, y, ground))
    dots = "".join(f'<circle cx="{18 + 20 * n}" cy="15" r="6" fill="{fill}"/>' for n, fill in enumerate(BUTTONS))
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}" \
height="{_n(height)}" role="img" aria-label={quoteattr(about)}>
<style>text{{font:{FONT_PX}px {FONTS};white-space:pre}}.b{{font-weight:700}}.i{{font-style:italic}}\
.u{{text-decoration:underline}}g rect{{shape-rendering:crispEdges}}</style>
<rect width="{_n(width)}" height="{_n(height)}" rx="{RADIUS}" fill="{ground}"/>
<path d="M0 {BAR_H}V{RADIUS}a{RADIUS} {RADIUS} 0 0 1 {RADIUS} -{RADIUS}H{_n(width - RADIUS)}\
a{RADIUS} {RADIUS} 0 0 1 {RADIUS} {RADIUS}V{BAR_H}z" fill="{FRAME}"/>{dots}
<text x="{_n(width / 2)}" y="20" text-anchor="middle" fill="{TITLE_INK}">{escape(title)}</text>
<g transform="translate({PAD} {BAR_H + PAD / 2})">
{body}
</g>
</svg>
"""


def _row(row: Sequence[Cell], y: int, ground: str) -> Iterator[str]:
    for run in _runs(row, lambda cell: cell.ground):
        if run.cells[0].ground != ground:
            yield _rect(run.at, y, 0, 0, run.columns, 1, run.cells[0].ground)
    for run in _runs(row, _look):
        kind = _look(run.cells[0])[0]
        if kind == "block":
            left, top, width, high = BLOCKS[run.cells[0].text]
            whole = width == 1
            for n in range(1 if whole else len(run.cells)):
                yield _rect(
                    run.at + n, y, left, top, run.columns if whole else width, high, run.cells[0].ink, run.cells[0].text
                )
        elif kind == "line":
            yield _line(run, y)
        else:
            yield from _words(run, y)


def _look(cell: Cell) -> tuple[object, ...]:
    if cell.text in BLOCKS:
        return "block", cell.text, cell.ink
    if cell.text in LINES:
        return "line", cell.text, cell.ink
    wide = cell.columns == 2
    return "wide" if wide else "text", cell.ink, cell.bold, cell.italic, cell.underlined


def _runs(row: Sequence[Cell], key: object) -> Iterator[Run]:
    assert callable(key)
    at = 0
    for _, cells in itertools.groupby((cell for cell in row if cell.columns), key):
        run = Run(at, tuple(cells))
        yield run
        at += run.columns


def _words(run: Run, y: int) -> Iterator[str]:
    """Split where two blanks or more are: a font's idea of a blank must not move what follows."""
    first = run.cells[0]
    per = first.columns
    for found in re.finditer(r"\S+(?: \S+)*", run.text):
        marks = "".join(mark for mark, on in (("b", first.bold), ("i", first.italic), ("u", first.underlined)) if on)
        kind = f' class="{" ".join(marks)}"' if marks else ""
        x, wide = (run.at + found.start() * per) * CELL_W, len(found[0]) * per * CELL_W
        yield (
            f'<text x="{_n(x)}" y="{_n(y * CELL_H + BASELINE)}" textLength="{_n(wide)}" fill="{first.ink}"{kind}>'
            f"{escape(found[0])}</text>"
        )


def _line(run: Run, y: int) -> str:
    parts = []
    for n, cell in enumerate(run.cells):
        x0, y0 = (run.at + n) * CELL_W, y * CELL_H
        middle = f"M{_n(x0 + CELL_W / 2)} {_n(y0 + CELL_H / 2)}"
        to = {"l": f"H{_n(x0)}", "r": f"H{_n(x0 + CELL_W)}", "t": f"V{_n(y0)}", "b": f"V{_n(y0 + CELL_H)}"}
        parts += [middle + to[edge] for edge in LINES[cell.text]]
    return f'<path d="{"".join(parts)}" stroke="{run.cells[0].ink}" fill="none"/>'


def _rect(at: float, y: int, left: float, top: float, width: float, high: float, fill: str, char: str = "") -> str:
    place = f'x="{_n((at + left) * CELL_W)}" y="{_n((y + top) * CELL_H)}"'
    shade = f' opacity="{SHADES[char]}"' if char in SHADES else ""
    return f'<rect {place} width="{_n(width * CELL_W)}" height="{_n(high * CELL_H)}" fill="{fill}"{shade}/>'


def _n(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")

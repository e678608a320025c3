"""A QR code on the terminal: two rows of it in a line of half blocks, light on dark whatever the theme."""

from __future__ import annotations

import segno
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

_HALVES = {(True, True): " ", (False, True): "▀", (True, False): "▄", (False, False): "█"}
"""By whether the upper and the lower square are dark."""


def halves(text: str, *, border: int = 2) -> tuple[str, ...]:
    """A text as a QR code, in half blocks that stand for light; `border` is in squares."""
    rows = [[bool(square) for square in row] for row in segno.make(text, error="l", micro=False).matrix_iter(1, border)]
    if len(rows) % 2:
        rows.append([True] * len(rows[0]))
    return tuple(
        "".join(_HALVES[pair] for pair in zip(above, below, strict=True))
        for above, below in zip(rows[::2], rows[1::2], strict=True)
    )


class Qr(Widget):
    """Shows a text to a phone's camera. Its size is that of the code."""

    ALLOW_SELECT = False

    def __init__(self, text: str, *, border: int = 2, id: str | None = None) -> None:
        super().__init__(id=id)
        self._border = border
        self._rows: tuple[str, ...] = ()
        self.encode(text)

    def encode(self, text: str) -> None:
        """Show this text; nothing for none."""
        self._rows = halves(text, border=self._border) if text else ()
        self.refresh(layout=True)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """As wide as the code."""
        return len(self._rows[0]) if self._rows else 0

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As high as the code."""
        return len(self._rows)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of `crop`: there is no border or padding to add."""
        return [self.render_line(y).crop(crop.x, crop.right) for y in range(crop.y, crop.bottom)]

    def render_line(self, y: int) -> Strip:
        """Two rows of squares."""
        if y >= len(self._rows):
            return Strip.blank(self.size.width, self.rich_style)
        # A camera wants white and black, which no theme promises; without colours the terminal's own have to do.
        ink = Style(color=Color.from_rgb(255, 255, 255), bgcolor=Color.from_rgb(0, 0, 0))
        return Strip([Segment(self._rows[y], ink)]).adjust_cell_length(self.size.width, self.rich_style)

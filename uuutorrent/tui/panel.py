"""A block of lines in words: what is under the cursor, what is going on, what went wrong.

Like a `Line` it paints itself and, unless its height is `auto`, never asks for a new layout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from uuutorrent.tui.inks import inks_of
from uuutorrent.tui.line import LineStyle, Span
from uuutorrent.tui.plain import plain

WHEEL = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
WHEEL_S = 0.125
INDENT = 2
"""Blank cells at the left, so that words stand under a table's words."""


@dataclass(frozen=True, slots=True)
class Said:
    """One thing said: spans from the left and against the right edge. `wraps`: what does not fit goes on below.

    What wraps may have a `bullet` before it; its later lines stand under its words.
    """

    left: tuple[Span, ...] = ()
    right: tuple[Span, ...] = ()
    wraps: bool = False
    bullet: Span | None = None


Painted = tuple[tuple[Span, ...], Strip]


def said(*left: Span | str, right: Sequence[Span | str] = (), wraps: bool = False) -> Said:
    """Something to say, made harmless for a terminal."""
    return Said(_harmless(left), _harmless(right), wraps)


def point(*words: Span | str, bullet: Span) -> Said:
    """One of several things to say, each with a bullet before it."""
    return Said(_harmless(words), wraps=True, bullet=bullet)


class Panel(Widget):
    """Lines of spans; clicking a span that has an action runs it."""

    ALLOW_SELECT = False

    def __init__(self, *lines: Said, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._said = lines
        self._painted: tuple[int, list[Painted]] | None = None

    @property
    def text(self) -> str:
        """What the panel says."""
        return "\n".join("".join(span.text for span in (*line.left, *line.right)) for line in self._said)

    def fill(self, *lines: Said) -> None:
        """Say this instead. Nothing is painted when nothing changed."""
        if lines == self._said:
            return
        before = self._height(self.size.width)
        self._said, self._painted = lines, None
        is_auto = self.styles.height is not None and self.styles.height.is_auto
        self.refresh(layout=is_auto and self._height(self.size.width) != before)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of `crop`: there is no border or padding to add."""
        return [self.render_line(y).crop(crop.x, crop.right) for y in range(crop.y, crop.bottom)]

    def render_line(self, y: int) -> Strip:
        """The line at `y` cells below the top."""
        lines = self._lines(self.size.width)
        return lines[y][1] if y < len(lines) else Strip.blank(self.size.width, self.rich_style)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as there is to say, for a panel whose height is `auto`."""
        return self._height(width)

    def notify_style_update(self) -> None:
        """The theme or a class changed: paint anew."""
        super().notify_style_update()
        self._painted = None

    async def on_click(self, event: events.Click) -> None:
        """Run the action of the span under the mouse."""
        lines = self._lines(self.size.width)
        at = INDENT
        for span in lines[event.y][0] if event.y < len(lines) else ():
            at += cell_len(span.text)
            if event.x < at:
                if span.action:
                    event.stop()
                    await self.run_action(span.action)
                return

    def _segments(self, spans: Sequence[Span]) -> list[Segment]:
        return [Segment(span.text, self._style(span.style)) for span in spans if span.text]

    def _style(self, name: LineStyle) -> Style:
        return inks_of(self).style(name, self.rich_style)

    def _height(self, width: int) -> int:
        return len(self._lines(width)) if width > 0 else len(self._said)

    def _lines(self, width: int) -> list[Painted]:
        if self._painted is None or self._painted[0] != width:
            self._painted = (width, [painted for line in self._said for painted in self._paint(line, width)])
        return self._painted[1]

    def _paint(self, line: Said, width: int) -> list[Painted]:
        base, room = self.rich_style, max(1, width - 2 * INDENT)
        edge = Segment(" " * INDENT, base)
        if line.wraps:
            return [((), strip.adjust_cell_length(width, base)) for strip in self._wrapped(line, room)]
        right = Strip(self._segments(line.right)).adjust_cell_length(min(room, _cells(line.right)), base)
        space = room - right.cell_length - (1 if line.right else 0)
        left = Strip(self._segments(line.left))
        if left.cell_length > space:
            left = Strip.join([left.crop(0, max(0, space - 1)), Strip([Segment("…", base)])])
        left = left.adjust_cell_length(room - right.cell_length, base)
        return [(line.left, Strip.join([Strip([edge]), left, right]).adjust_cell_length(width, base))]

    def _wrapped(self, line: Said, room: int) -> list[Strip]:
        base, console = self.rich_style, self.app.console
        words = Text.assemble(*((span.text, self._style(span.style)) for span in line.left), style=base)
        bullet = line.bullet or Span("")
        hang = cell_len(bullet.text)
        first = [Segment(" " * INDENT, base), *self._segments([bullet])]
        more = [Segment(" " * (INDENT + hang), base)]
        rows = words.wrap(console, max(1, room - hang))
        return [Strip([*(more if n else first), *row.render(console)]).simplify() for n, row in enumerate(rows)]


class Status(Panel):
    """What is going on or went wrong, where one looks for it; takes no room while there is nothing to say."""

    WHEELS: ClassVar[str] = WHEEL

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._words: tuple[str, LineStyle] = ("", "")
        self._turning: Timer | None = None
        self._frame = 0
        self.display = False

    def say(self, text: str, style: LineStyle = "warn", *, busy: bool = False) -> None:
        """Say this, turning a wheel while `busy`; nothing takes the line away."""
        self._words = (text, "" if busy else style)
        self.display = bool(text)
        if busy and self._turning is None:
            self._turning = self.set_interval(WHEEL_S, self._turn)
        elif not busy and self._turning is not None:
            self._turning.stop()
            self._turning = None
        self._show()

    def _turn(self) -> None:
        self._frame = (self._frame + 1) % len(WHEEL)
        self._show()

    def _show(self) -> None:
        text, style = self._words
        wheel = f"{WHEEL[self._frame]} " if self._turning is not None else ""
        self.fill(*([said(Span(wheel + text, style), wraps=True)] if text else []))


def _harmless(spans: Sequence[Span | str]) -> tuple[Span, ...]:
    every = (Span(span) if isinstance(span, str) else span for span in spans)
    return tuple(Span(plain(span.text), span.style, span.action) for span in every)


def _cells(spans: Sequence[Span]) -> int:
    return sum(cell_len(span.text) for span in spans)

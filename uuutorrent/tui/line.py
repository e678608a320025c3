"""Widgets one line high that never ask for a new layout: status lines, the top line, the bar of keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from uuutorrent.tui.inks import InkName, inks_of
from uuutorrent.tui.plain import plain

LineStyle = InkName


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a line; clicking it runs `action`, if there is one."""

    text: str
    style: LineStyle = ""
    action: str = ""


class Line(Widget):
    """One line of spans: some from the left, some against the right edge. The left gives way when it is narrow."""

    ALLOW_SELECT = False

    def __init__(self, *left: Span | str, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._left = _spans(left)
        self._right: tuple[Span, ...] = ()
        self._painted: Strip | None = None

    @property
    def text(self) -> str:
        """What the line says."""
        return "".join(span.text for span in (*self._left, *self._right))

    def set(self, *left: Span | str, right: Sequence[Span | str] = ()) -> None:
        """Say this instead. Nothing is painted when nothing changed."""
        said = (_spans(left), _spans(right))
        if said != (self._left, self._right):
            self._left, self._right = said
            self._painted = None
            self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of `crop`: there is no border or padding to add."""
        return [self.render_line(y).crop(crop.x, crop.right) for y in range(crop.y, crop.bottom)]

    def render_line(self, y: int) -> Strip:
        """The line itself, and nothing below it."""
        width = self.size.width
        if y > 0:
            return Strip.blank(width, self.rich_style)
        if self._painted is None or self._painted.cell_length != width:
            self._painted = self._paint(width)
        return self._painted

    def notify_style_update(self) -> None:
        """The theme or a class changed: paint anew."""
        super().notify_style_update()
        self._painted = None

    async def on_click(self, event: events.Click) -> None:
        """Run the action of the span under the mouse."""
        if (span := self._span_at(event.x)) is not None and span.action:
            event.stop()
            await self.run_action(span.action)

    def _paint(self, width: int) -> Strip:
        ground, inks = self.rich_style, inks_of(self)
        right, left = (
            Strip([Segment(span.text, inks.style(span.style, ground)) for span in spans if span.text])
            for spans in (self._right, self._left)
        )
        left = left.adjust_cell_length(max(0, width - right.cell_length), ground)
        return Strip.join([left, right]).adjust_cell_length(width, ground)

    def _span_at(self, x: int) -> Span | None:
        right_from = self.size.width - sum(cell_len(span.text) for span in self._right)
        spans, at = (self._right, right_from) if x >= right_from else (self._left, 0)
        for span in spans:
            at += cell_len(span.text)
            if x < at:
                return span
        return None


def _spans(given: Sequence[Span | str]) -> tuple[Span, ...]:
    said = (Span(span) if isinstance(span, str) else span for span in given)
    return tuple(Span(plain(span.text), span.style, span.action) for span in said)

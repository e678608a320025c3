"""A table on Textual's line API: painted line by line from rows, with strips that sessions share.

It shows what it is given and says what was asked. Only lines whose content changed are painted again, and the cursor
stays on its row while rows come, go and change places around it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer

from uuutorrent.tui.cells import GUTTER, Column, Look, Row, RowState, StripCache, fit, lay_out
from uuutorrent.tui.inks import InkName, inks_of

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_SPINNER_S = 0.125


@runtime_checkable
class Sharing(Protocol):
    """An app whose tables share their painted lines with other sessions."""

    strips: StripCache


class Table(ScrollView, can_focus=True):
    """Rows under a header, with a cursor, marks and a line for trouble."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="table.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="table.down"),
        Binding("pageup,ctrl+b", "page(-1.0)", "Page up", show=False, id="table.page_up"),
        Binding("pagedown,ctrl+f", "page(1.0)", "Page down", show=False, id="table.page_down"),
        Binding("ctrl+u", "page(-0.5)", "Half a page up", show=False, id="table.half_up"),
        Binding("ctrl+d", "page(0.5)", "Half a page down", show=False, id="table.half_down"),
        Binding("home,g", "first", "First", show=False, id="table.first"),
        Binding("end,G", "last", "Last", show=False, id="table.last"),
        Binding("enter", "select", "Choose", show=False, id="table.select"),
        Binding("space", "mark", "Mark", show=False, id="table.mark"),
        Binding("ctrl+a", "mark_all", "Mark all", show=False, id="table.mark_all"),
        Binding("escape", "clear_marks", "Clear marks", show=False, id="table.clear_marks"),
    ]

    @dataclass
    class About(Message):
        """Something about a table."""

        table: Table

        @property
        def control(self) -> Table:
            """The table it came from."""
            return self.table

    @dataclass
    class Highlighted(About):
        """The cursor is on another row; `key` is None when there are no rows."""

        key: str | None

    @dataclass
    class Selected(About):
        """Enter was pressed on a row, or it was double-clicked."""

        key: str

    @dataclass
    class Marked(About):
        """Other rows are marked than before."""

        keys: tuple[str, ...]

    @dataclass
    class SortAsked(About):
        """A column's title was clicked."""

        column: str

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        empty: str = "There is nothing here.",
        marks: bool = False,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.columns = tuple(columns)
        self.rows: tuple[Row, ...] = ()
        self.empty = empty
        self._can_mark = marks
        self._cursor = 0
        self._places: dict[str, int] = {}
        self._marks: set[str] = set()
        self._sort: tuple[str, bool] | None = None
        self._said = ""
        self._busy: Timer | None = None
        self._frame = 0
        self._strips = StripCache(limit=256)
        self._look: Look | None = None

    # --- what is shown

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self.rows[self._cursor] if self.rows else None

    @property
    def key(self) -> str | None:
        """The key of the row under the cursor."""
        return self.rows[self._cursor].key if self.rows else None

    @property
    def marked(self) -> tuple[str, ...]:
        """The keys of the marked rows, in the order of the rows."""
        return tuple(row.key for row in self.rows if row.key in self._marks) if self._marks else ()

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows. Cheap when little changed: only lines that differ are painted again."""
        old, key = self.rows, self.key
        self.rows = tuple(rows)
        self._places = {row.key: place for place, row in enumerate(self.rows)}
        self._cursor = max(0, min(self._places.get(key or "", self._cursor), len(self.rows) - 1))
        gone = self._marks - self._places.keys()
        self._marks -= gone
        if len(old) != len(self.rows):
            self._resize_content()
            self.refresh()
        else:
            self._refresh_rows(place for place, row in enumerate(self.rows) if row != old[place])
        self._keep_cursor_in_sight()
        if self.key != key:
            self.post_message(self.Highlighted(self, self.key))
        if gone:
            self.post_message(self.Marked(self, self.marked))

    def set_columns(self, columns: Sequence[Column], *, empty: str, marks: bool) -> None:
        """Become a table of something else, with no rows as yet."""
        self.columns, self.empty, self._can_mark, self._look = tuple(columns), empty, marks, None
        self._marks.clear()
        self._cursor = 0
        self.show_sort(None)
        self.set_rows(())
        self.refresh()

    def say_empty(self, text: str) -> None:
        """What to say instead of rows when there are none."""
        if text != self.empty:
            self.empty = text
            self.refresh()

    def go(self, key: str) -> bool:
        """Put the cursor on the row with this key; False when there is none."""
        place = self._places.get(key)
        if place is None:
            return False
        self._move_to(place)
        return True

    def clear_marks(self) -> None:
        """Unmark everything."""
        if self._marks:
            self._remark(set())

    def show_sort(self, column: str | None, *, descending: bool = False) -> None:
        """Show by which column the rows are sorted; the rows come sorted."""
        self._sort = (column, descending) if column else None
        self._refresh_fixed()

    def say(self, text: str, *, busy: bool = False) -> None:
        """A line under the header: trouble, or what is going on (`busy` turns a wheel). Empty takes the line away."""
        lines, self._said = self._fixed, text
        self._spin(on=busy and bool(text))
        if lines != self._fixed:
            self._resize_content()
            self.refresh()
        else:
            self._refresh_fixed()

    # --- painting

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of `crop`, straight from the shared strips: there is no border or padding to add."""
        look, top = self._look_now(), self.scroll_offset.y
        lines = [self._line(y, look, top) for y in range(crop.y, crop.bottom)]
        if crop.x == 0 and crop.width == self.size.width:
            return lines
        return [line.crop(crop.x, crop.right) for line in lines]

    def render_line(self, y: int) -> Strip:
        """The line at `y` cells below the table's top."""
        return self._line(y, self._look_now(), self.scroll_offset.y)

    def _line(self, y: int, look: Look, top: int) -> Strip:
        if y == 0:
            return self._strips.strip(look, self._titles(), RowState.HEADER)
        if y < self._fixed:
            return self._words(self._spun(), "warn")
        place = y - self._fixed + top
        if place < len(self.rows):
            row = self.rows[place]
            return self._strips.strip(look, row.cells, self._state(place), marked=row.key in self._marks)
        if not self.rows and place == 1 and not self._said:
            return self._words(self.empty, "dim")
        return Strip.blank(self.size.width, look.styles[RowState.ROW, ""])

    def notify_style_update(self) -> None:
        """The theme or a class changed: look the styles up again."""
        super().notify_style_update()
        self._look = None

    # --- what the person does

    def action_move(self, by: int) -> None:
        """Move the cursor by so many rows."""
        self._move_to(self._cursor + by)

    def action_page(self, pages: float) -> None:
        """Move the cursor by so many screenfuls."""
        self._move_to(self._cursor + int(pages * max(2, self.size.height - self._fixed)))

    def action_first(self) -> None:
        """Move the cursor to the first row."""
        self._move_to(0)

    def action_last(self) -> None:
        """Move the cursor to the last row."""
        self._move_to(len(self.rows) - 1)

    def action_select(self) -> None:
        """Choose the row under the cursor."""
        if (key := self.key) is not None:
            self.post_message(self.Selected(self, key))

    def action_mark(self) -> None:
        """Mark or unmark the row under the cursor, and go on to the next."""
        if (key := self.key) is not None:
            self._remark(self._marks ^ {key})
            self._move_to(self._cursor + 1)

    def action_mark_all(self) -> None:
        """Mark every row."""
        self._remark(set(self._places))

    def action_clear_marks(self) -> None:
        """Unmark everything."""
        self.clear_marks()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys for marks only where there is something to mark or unmark: Escape is the screen's otherwise."""
        if action in ("mark", "mark_all"):
            return self._can_mark
        return bool(self._marks) if action == "clear_marks" else True

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is; twice chooses; on a title asks for sorting."""
        if event.y == 0:
            if (column := self._column_at(event.x)) is not None:
                self.post_message(self.SortAsked(self, column))
            return
        place = event.y - self._fixed + self.scroll_offset.y
        if event.y >= self._fixed and place < len(self.rows):
            self._move_to(place)
            if event.chain == 2:
                self.action_select()

    def on_mount(self) -> None:
        """Share painted lines with the other sessions, where the app has them."""
        if isinstance(self.app, Sharing):
            self._strips = self.app.strips

    def on_resize(self) -> None:
        """Lay the columns out anew."""
        self._look = None
        self._resize_content()
        self._keep_cursor_in_sight()

    def on_focus(self) -> None:
        """Show the cursor awake."""
        self._refresh_rows((self._cursor,))

    def on_blur(self) -> None:
        """Show the cursor resting."""
        self._refresh_rows((self._cursor,))

    # --- how

    @property
    def _fixed(self) -> int:
        """Lines above the rows: the header, and what is being said."""
        return 2 if self._said else 1

    def _resize_content(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, self._fixed + len(self.rows))

    def _move_to(self, place: int) -> None:
        place = max(0, min(place, len(self.rows) - 1))
        if place == self._cursor or not self.rows:
            return
        old, self._cursor = self._cursor, place
        self._refresh_rows((old, place))
        self._keep_cursor_in_sight()
        self.post_message(self.Highlighted(self, self.key))

    def _keep_cursor_in_sight(self) -> None:
        room = self.size.height - self._fixed
        if room <= 0 or not self.rows:
            return
        top = self.scroll_offset.y
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False)
        elif self._cursor >= top + room:
            self.scroll_to(y=self._cursor - room + 1, animate=False)

    def _remark(self, marks: set[str]) -> None:
        changed = marks ^ self._marks
        self._marks = marks
        self._refresh_rows(self._places[key] for key in changed if key in self._places)
        self.refresh_bindings()
        self.post_message(self.Marked(self, self.marked))

    def _refresh_rows(self, places: Iterable[int]) -> None:
        (width, height), fixed = self.size, self._fixed
        offset = fixed - self.scroll_offset.y
        if regions := [Region(0, place + offset, width, 1) for place in places if fixed <= place + offset < height]:
            self.refresh(*regions)

    def _refresh_fixed(self) -> None:
        self.refresh(Region(0, 0, self.size.width, self._fixed))

    def _spin(self, *, on: bool) -> None:
        if on and self._busy is None:
            self._busy = self.set_interval(_SPINNER_S, self._turn)
        elif not on and self._busy is not None:
            self._busy.stop()
            self._busy = None

    def _turn(self) -> None:
        self._frame = (self._frame + 1) % len(_SPINNER)
        self.refresh(Region(0, 1, self.size.width, 1))

    def _spun(self) -> str:
        return f"{_SPINNER[self._frame]} {self._said}" if self._busy is not None else self._said

    def _words(self, text: str, ink: InkName) -> Strip:
        width = self.size.width
        return Strip([Segment(fit("  " + text, width), inks_of(self).style(ink, self.rich_style))], width)

    def _titles(self) -> tuple[str, ...]:
        arrows = {self._sort[0]: " ▼" if self._sort[1] else " ▲"} if self._sort else {}
        return tuple(column.title + arrows.get(column.id, "") for column in self.columns)

    def _state(self, place: int) -> RowState:
        if place == self._cursor:
            return RowState.CURSOR if self.has_focus else RowState.RESTING
        return RowState.MARKED if self.rows[place].key in self._marks else RowState.ROW

    def _column_at(self, x: int) -> str | None:
        left = GUTTER
        for slot in self._look_now().layout:
            if left <= x < left + slot.width:
                return self.columns[slot.column].id
            left += slot.width + 1
        return None

    def _look_now(self) -> Look:
        width = self.scrollable_content_region.width
        if self._look is None or self._look.width != width:
            self._look = self._strips.look(width, lay_out(self.columns, width), inks_of(self).palette(self.rich_style))
        return self._look

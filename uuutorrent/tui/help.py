"""The help screen: every key that does something where you are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.screen import ModalScreen

from uuutorrent.tui.cells import Column, Piece, Row
from uuutorrent.tui.line import Line, Span
from uuutorrent.tui.table import Table

_COLUMNS = (
    Column("keys", "Keys", 16),
    Column("what", "What it does", 20, flex=1),
    Column("more", "", 20, flex=2, priority=1),
)

_LAST = {"app": 1, "table": 2}
"""Where the first word of a binding's id puts it; whatever is not named comes first."""


class HelpScreen(ModalScreen[None]):
    """Lists the keys that were active when it was opened."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss", "Close", id="help.close"),
    ]

    def __init__(self, rows: tuple[Row, ...]) -> None:
        super().__init__()
        self._rows = rows

    def compose(self) -> ComposeResult:
        """The keys under a title."""
        yield Line(Span(" Keys ", "accent"), Span("Escape closes this", "dim"))
        yield Table(_COLUMNS)

    def on_mount(self) -> None:
        """Fill the table."""
        self.query_one(Table).set_rows(self._rows)


@dataclass(frozen=True, slots=True)
class Doable:
    """Something that can be done here: its name, more about it, and the keys that do it."""

    action: str
    what: str
    more: str
    keys: tuple[str, ...]
    """As Textual names them."""


def doable(bindings: Mapping[str, ActiveBinding]) -> tuple[Doable, ...]:
    """What the active keys do: the screen's own things first, then the app's, then moving about in tables.

    Keys that Textual brings along have no id, and are left out.
    """
    found: dict[str, Doable] = {}
    for _node, binding, enabled, tooltip in bindings.values():
        if enabled and binding.description and binding.id:
            known = found.get(binding.action, Doable(binding.action, binding.description, "", ()))
            more, keys = known.more or tooltip, dict.fromkeys((*known.keys, binding.key))
            found[binding.action] = Doable(binding.action, known.what, more, tuple(keys))
    rooms = {active.binding.action: (active.binding.id or "").partition(".")[0] for active in bindings.values()}
    return tuple(sorted(found.values(), key=lambda one: _LAST.get(rooms[one.action], 0)))


def key_rows(app: App[None], bindings: Mapping[str, ActiveBinding]) -> tuple[Row, ...]:
    """A row of the help screen for each thing that can be done."""
    return tuple(
        Row(one.action, (Piece(_shown(app, one.keys), "accent"), one.what, Piece(one.more, "dim")))
        for one in doable(bindings)
    )


def _shown(app: App[None], keys: tuple[str, ...]) -> str:
    return "  ".join(dict.fromkeys(app.get_key_display(Binding(key, "")) for key in keys))

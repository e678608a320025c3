"""What is shown on a terminal too small for the screens."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static

MIN_WIDTH, MIN_HEIGHT = 40, 12
"""Below this the screens do not fit."""
NARROW, LOW = 70, 18
"""Columns and rows below which screens leave out what they can; they have the classes -narrow and -low then."""


class SmallScreen(ModalScreen[None]):
    """Says how large the terminal must be; goes by itself once it is."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "app.quit", "Quit", id="small.quit")]

    def compose(self) -> ComposeResult:
        """One sentence in the middle."""
        yield Static(
            f"uuutorrent needs a terminal of at least {MIN_WIDTH} columns and {MIN_HEIGHT} rows. "
            "Please make this one larger, or press q to leave.",
            markup=False,
        )

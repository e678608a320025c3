"""Filtering what a table shows: a line to type into, there only while one filters."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

LONGEST_FILTER = 100


class Filter(Input):
    """Says at every keystroke what is looked for; Enter goes back to the rows, Escape shows all of them again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "Show all", id="filter.clear"),
        Binding("enter,down", "submit", "To the rows", id="filter.done"),
    ]

    @dataclass
    class Cleared(Message):
        """Nothing is looked for any more."""

        filter: Filter

    def __init__(self, needle: str = "") -> None:
        super().__init__(
            needle, placeholder="filter: words of the name", max_length=LONGEST_FILTER, select_on_focus=False
        )

    def action_clear(self) -> None:
        """Look for nothing."""
        self.post_message(self.Cleared(self))


def matches(needle: str, *texts: str) -> bool:
    """Whether every word of `needle` is in one of the texts, however they are written."""
    if not needle:
        return True
    hay = " ".join(_folded(text) for text in texts)
    return all(word in hay for word in _folded(needle).split())


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()

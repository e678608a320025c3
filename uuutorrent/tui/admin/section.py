"""A part of the admins' screen: rows about one subject, words about each, and what can be done with it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from uuutorrent.desk import Desk
from uuutorrent.tui.cells import Column, Row
from uuutorrent.tui.dialogs import Ask, Choice
from uuutorrent.tui.panel import Said, said
from uuutorrent.tui.screen import DeskScreen
from uuutorrent.users import Admin


class Section(ABC):
    """One subject. It reads with an `Admin` just proved, and asks the screen for one before it does anything."""

    title: ClassVar[str]
    columns: ClassVar[Sequence[Column]]
    empty: ClassVar[str] = "Nothing."
    adds: ClassVar[str] = ""
    """What `a` does here; empty: nothing."""
    acts: ClassVar[bool] = False
    """Whether Enter does something with a row."""

    searches: ClassVar[bool] = False
    """Whether something can be looked for in it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @abstractmethod
    async def look(self, by: Admin, width: int) -> Sequence[Row]:
        """The rows as they are now, on a screen so many cells wide.

        Raises:
            UuuError: they cannot be read.
        """

    @abstractmethod
    def about(self, key: str) -> Sequence[Said]:
        """Words about one row of the last look."""

    async def open(self, screen: DeskScreen, key: str) -> None:
        """Ask what to do with a row, and do it.

        Raises:
            UuuError: it cannot be done.
        """
        raise NotImplementedError

    async def add(self, screen: DeskScreen) -> None:
        """Make something new.

        Raises:
            UuuError: it cannot be done.
        """
        raise NotImplementedError

    async def search(self, screen: DeskScreen) -> None:
        """Ask what to look for."""
        raise NotImplementedError


async def sure(screen: DeskScreen, title: str, *text: str, do: str) -> bool:
    """Whether somebody really wants it. Not with the key that asked for it: two presses of that would do it."""
    lines = [said(line, wraps=True) for line in text]
    choices = (Choice("y", do, "yes", is_grave=True),)
    return await screen.app.push_screen_wait(Ask(title, *lines, choices=choices)) == "yes"

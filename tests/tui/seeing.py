"""An admin who looks at what somebody else sees: the apps that follow one another at one terminal, and every key."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.screen import Screen
from textual.widgets import Input

from tests.desks import Built
from tests.people import PATIENCE_S
from tests.tui.office import go_to
from tests.tui.screen import Glass, Seat
from uuutorrent.accounts import User
from uuutorrent.presence import Here
from uuutorrent.tui.app import UuuApp
from uuutorrent.tui.dialogs import Ask, Dialog
from uuutorrent.tui.handover import in_turn
from uuutorrent.tui.shell import Shell
from uuutorrent.tui.terminal import Terminal, TerminalInfo

LEAD_AWAY = {"q", "ctrl+q", "ctrl+p", "question_mark", "escape", "ctrl+c", "1", "2", "3", "4", "5", "6"}
GO_ABOUT = {"down", "up", "j", "k", "g", "G", "home", "end", "pageup", "pagedown", "left", "right", "tab", "shift+tab"}
"""In a table, or from one field to the next."""
STAYING = {"default", "inbox", "allowed", "follow", "fetch"}
"""Workers that are at work for as long as their screen is there."""
DEEPEST = 2

Path = tuple[str, ...]


class Onlooker(Seat[UuuApp]):
    """Somebody at a terminal whose app may hand it to another."""

    def shows(self, app: Shell) -> None:
        assert isinstance(app, UuuApp)
        self.app = app

    async def press(self, key: str) -> None:
        self.app.simulate_key(key)
        await self.rests()

    async def rests(self) -> None:
        """Wait until nothing is to be heard and nothing is done on account of it."""
        quiet = 0
        for _ in range(200):
            await asyncio.sleep(0.005)
            at_work = any(one.is_running and one.group not in STAYING for one in self.app.workers if not self._asks)
            quiet = quiet + 1 if self._is_idle and not at_work else 0
            if quiet == 3:
                return

    @property
    def _asks(self) -> bool:
        """A worker waits for the answer of a dialog."""
        return isinstance(self.app.screen, Dialog)

    async def see(self, name: str) -> None:
        """Press what shows an admin somebody's screens."""
        self.type("6")
        await go_to(self, name)
        self.type("\r")
        await self.sees("See what they see")
        self.type("s")
        await self.sees(f"You see what {name} sees; nothing can be changed")

    async def press_everything(self, mode: str) -> dict[Path, str]:
        """Press every key of a screen, and of the dialogs that this opens; what was said on the way, by the keys."""
        said: dict[Path, str] = {}
        known: set[str] = set()
        open_: list[Path] = [()]
        while open_:
            path = open_.pop()
            await self._go(mode, path)
            here = self.app.screen
            for key in self._keys(here):
                if self.app.screen is not here:
                    await self._go(mode, path)
                    here = self.app.screen
                await self.press(key)
                said[(*path, key)] = self.glass.text
                there = self.app.screen
                name = f"{type(there).__name__} {there.heading}" if isinstance(there, Dialog) else ""
                if there is not here and name and name not in known and len(path) < DEEPEST:
                    known.add(name)
                    open_.append((*path, key))
        await self._go(mode, ())
        return said

    async def _go(self, mode: str, path: Path) -> None:
        for _ in range(10):
            if self.app.current_mode == mode and len(self.app.screen_stack) == 1:
                break
            if len(self.app.screen_stack) > 1:
                await self.press("escape")
            else:
                # Not by calling the app: what it begins then would be of this context, and not of its own.
                await self.press(next(place.key for place in self.app.places if place.mode == mode))
        for key in path:
            await self.press(key)

    @staticmethod
    def _keys(screen: Screen[object]) -> list[str]:
        bound = [key for key, one in screen.active_bindings.items() if one.enabled and one.binding.id]
        if isinstance(screen.focused, Input):
            return [*(key for key in bound if len(key) > 1 and key not in LEAD_AWAY | GO_ABOUT), "enter"]
        choices = [choice.key for choice in screen.choices] if isinstance(screen, Ask) else []
        return [key for key in dict.fromkeys((*choices, *bound)) if key in choices or key not in LEAD_AWAY | GO_ABOUT]


@asynccontextmanager
async def at_office(house: Built, user: User, *, width: int = 110, height: int = 32) -> AsyncIterator[Onlooker]:
    """Somebody at their terminal in a session that the others know of; what follows on it is followed."""
    info = TerminalInfo(width=width, height=height)
    glass = Glass(*info.size)
    terminal = Terminal(info, glass)
    here = Here(user, "192.0.2.1")
    house.services.presence.came(here)
    first = UuuApp(house.services.desk(user, here), terminal)
    seat = Onlooker(first, terminal, glass)
    run = in_turn(first, seat.shows)
    task = asyncio.get_running_loop().create_task(run, context=contextvars.Context())
    try:
        await seat.sees("? Help")
        yield seat
        assert not seat.app.broke
    finally:
        seat.app.leave()
        async with asyncio.timeout(PATIENCE_S):
            await task

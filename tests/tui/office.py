"""An admin at their terminal, on the screen 6 Admin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.desks import Built
from tests.tui.evening import TAB
from tests.tui.screen import Seat, seated
from uuutorrent.accounts import User
from uuutorrent.presence import Here
from uuutorrent.tui.admin.screen import AdminScreen
from uuutorrent.tui.app import UuuApp
from uuutorrent.tui.terminal import TerminalInfo


@asynccontextmanager
async def at_admin(
    house: Built, user: User, here: Here | None = None, *, width: int = 110, height: int = 32
) -> AsyncIterator[Seat[UuuApp]]:
    """Somebody who pressed 6."""
    desk, size = house.services.desk(user, here), TerminalInfo(width=width, height=height)
    async with seated(lambda terminal: UuuApp(desk, terminal), size) as seat:
        await seat.sees("? Help")
        await seat.settled()
        seat.type("6")
        yield seat
        assert not seat.app.broke


async def go_to(seat: Seat[UuuApp], name: str) -> None:
    """Put the cursor on a row."""
    await seat.sees(name)
    key, at = "g", ""
    for _ in range(40):
        seat.type(key)
        await seat.settled()
        before, at = at, next((line for line in seat.glass.lines if line.startswith("›")), "")
        if name in at:
            return
        key = "g" if at == before else "j"
    raise AssertionError(f"{name} is in no row:\n{seat.glass.text}")


async def turn_to(seat: Seat[UuuApp], title: str) -> None:
    """Tab to a section."""
    for _ in range(20):
        await seat.settled()
        assert isinstance(seat.app.screen, AdminScreen)
        if seat.app.screen.here.title == title:
            assert title in seat.glass.lines[1]
            return
        seat.type(TAB)
    raise AssertionError(f"there is no section {title}")

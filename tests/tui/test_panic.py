"""The panic key on the screen 6 Admin, and the banner that everybody sees."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.desks import Built, built
from tests.tui.evening import ENTER
from tests.tui.office import at_admin
from tests.tui.screen import seated
from uuutorrent.accounts import Admin, User
from uuutorrent.store.database import Database
from uuutorrent.tui.app import UuuApp
from uuutorrent.tui.terminal import TerminalInfo


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is stored is tested with the library."""
    return sqlite_url


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[Built]:
    async with built(database, tmp_path) as opened:
        yield opened


async def test_an_admin_presses_it_and_everybody_reads_why(house: Built, ann: User, boss: Admin) -> None:
    panic, size = house.services.library.panic, TerminalInfo(width=60, height=16)
    desk = house.services.desk(ann)
    async with (
        at_admin(house, boss.user, width=60, height=16) as seat,
        seated(lambda terminal: UuuApp(desk, terminal), size) as hers,
    ):
        await seat.settled()
        seat.type("!")
        await seat.sees("Panic: pause everything, for everybody?")
        seat.type("!!")
        await seat.settled()
        seat.type("y")
        await seat.sees("Why is everything paused?")
        assert await panic.look() is None
        seat.type("a letter came" + ENTER)
        await seat.sees("An admin paused everything (a letter came), since")
        for key in "12345":
            hers.type(key)
            await hers.sees("An admin paused everything (a letter came)")
            await hers.sees("UTC.")
        seat.type("!")
        await seat.sees("By boss.")
        seat.type("y")
        await seat.sees("Everything goes on.")
        await hers.sees_no("An admin paused")
        assert await panic.look() is None


async def test_escape_at_either_question_pauses_nothing(house: Built, boss: Admin) -> None:
    async with at_admin(house, boss.user) as seat:
        for answers in ("", "y"):
            await seat.settled()
            seat.type("!")
            await seat.sees("Panic: pause everything")
            seat.type(answers)
            await seat.sees("Why is everything" if answers else "Pause everything")
            seat.type("\x1b")
            await seat.sees_no("pause everything, for everybody?")
            await seat.settled()
    assert await house.services.library.panic.look() is None

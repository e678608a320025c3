from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import get_args

import pytest
from textual.app import SystemCommand

from tests.desks import Built, built
from tests.tui.screen import Seat, seated
from uuutorrent.accounts import User
from uuutorrent.store.database import Database
from uuutorrent.tui import app
from uuutorrent.tui.app import ADMIN, PLACES, UuuApp
from uuutorrent.tui.colours import Colours
from uuutorrent.tui.terminal import TerminalInfo


@pytest.fixture
async def house(database: Database, tmp_path: Path) -> AsyncIterator[Built]:
    async with built(database, tmp_path) as opened:
        yield opened


def at_desk(house: Built, user: User, info: TerminalInfo | None = None) -> AbstractAsyncContextManager[Seat[UuuApp]]:
    return seated(lambda terminal: UuuApp(house.services.desk(user), terminal), info)


async def test_the_first_screen_is_the_watchlist_and_the_digits_lead_to_all(house: Built, ann: User) -> None:
    async with at_desk(house, ann) as seat:
        await seat.sees("5 Account")
        assert seat.glass.cell_at("Watchlist").underscore
        for place in (*PLACES[1:], PLACES[0]):
            seat.type(place.key)
            await seat.until(lambda: seat.glass.cell_at(place.title).underscore, place.title)  # noqa: B023 - now
            assert seat.app.current_mode == place.mode


async def test_the_tabs_can_be_clicked(house: Built, ann: User) -> None:
    async with at_desk(house, ann) as seat:
        await seat.sees("5 Account")
        x = seat.glass.lines[0].index("Torrents") + 2
        seat.type(f"\x1b[<0;{x};1M\x1b[<0;{x};1m")
        await seat.until(lambda: seat.app.current_mode == "torrents", "the torrents")


async def test_help_lists_the_keys_that_work_here_and_only_those(house: Built, ann: User) -> None:
    async with at_desk(house, ann, TerminalInfo(width=110, height=50)) as seat:
        await seat.sees("? Help")
        seat.type("2")
        await seat.until(lambda: seat.app.current_mode == "torrents")
        await seat.settled()
        seat.type("?")
        await seat.sees("Escape closes this")
        await seat.sees("Every key that does something here")
        await seat.sees("End this session")
        assert "[b]" not in seat.glass.text
        seat.type("?")
        await seat.sees_no("Escape closes this")
        assert seat.app.current_mode == "torrents"


async def test_every_binding_has_an_id_of_its_own() -> None:
    ids = [binding.id for bindings in UuuApp._merge_bindings().key_to_bindings.values() for binding in bindings]
    named = [one for one in ids if one and one.startswith("app.")]
    assert len(named) == len((*PLACES, ADMIN)) + 4


async def test_the_palette_offers_our_commands_and_nothing_of_the_servers(house: Built, ann: User) -> None:
    async with at_desk(house, ann) as seat:
        await seat.sees("5 Account")
        with seat.app._context():
            commands: list[SystemCommand] = list(seat.app.get_system_commands(seat.app.screen))
        titles = {command.title for command in commands}
        assert {"Theme", "Help", "Quit", *(f"Colours: {colours}" for colours in get_args(Colours))} <= titles
        assert not titles & {"Screenshot", "Maximize", "Keys"}
        assert len(titles) == len(commands)
        seat.type("\x10")
        await seat.sees("Search")
        seat.type("torrents")
        await seat.until(lambda: seat.glass.text.count("Torrents") > 1, "the command found")
        seat.type("\r")
        await seat.until(lambda: seat.app.current_mode == "torrents", "the torrents")


async def test_no_theme_asks_for_the_terminals_own_colours(house: Built, ann: User) -> None:
    async with at_desk(house, ann) as seat:
        assert len(seat.app.available_themes) > 10
        assert not [name for name, theme in seat.app.available_themes.items() if theme.ansi]


async def test_trouble_with_the_engine_stands_at_the_top_of_every_screen(
    house: Built, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "LOOK_S", 0.05)
    async with at_desk(house, ann) as seat:
        await seat.sees("5 Account")
        await house.services.live.refresh()
        house.engine.go_down()
        await house.services.live.refresh()
        await seat.until(lambda: house.services.live.snapshot.trouble[:11] in seat.glass.lines[0], "the trouble")
        seat.type("5")
        await seat.until(lambda: seat.app.current_mode == "account")
        await seat.until(lambda: house.services.live.snapshot.trouble[:11] in seat.glass.lines[0], "the trouble")
        house.engine.come_back()
        await house.services.live.refresh()
        await seat.until(lambda: not seat.app.trouble, "no trouble")


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 12), (200, 60)])
async def test_every_screen_fits_and_keeps_its_bars(house: Built, ann: User, width: int, height: int) -> None:
    async with at_desk(house, ann, TerminalInfo(width=width, height=height)) as seat:
        await seat.sees("? Help")
        for place in PLACES:
            seat.type(place.key)
            await seat.until(lambda: seat.app.current_mode == place.mode)  # noqa: B023 - now
            await seat.settled()
            await seat.until(lambda: "uuutorrent" in seat.glass.lines[0], "the bar at the top")
            await seat.until(lambda: seat.glass.lines[height - 1].endswith("? Help"), "the bar at the bottom")
        assert not seat.app.broke


async def test_what_is_not_seen_is_not_followed(house: Built, ann: User) -> None:
    live = house.services.live
    async with at_desk(house, ann) as seat:
        await seat.sees("5 Account")
        seat.type("2")
        await seat.until(lambda: live.lookers == 1, "somebody looking")
        seat.type("5")
        await seat.until(lambda: live.lookers == 0, "nobody looking")
        seat.type("2")
        await seat.until(lambda: live.lookers == 1, "somebody looking")
    assert live.lookers == 0

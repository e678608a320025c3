"""Files that the browser saves, where the screens are in one."""

from __future__ import annotations

import pytest

from tests.torrents import metainfos
from tests.tui.evening import ENTER, TAB, Evening
from tests.tui.screen import Seat
from uuutorrent.torrents.engine import InfoHash
from uuutorrent.tui.app import UuuApp
from uuutorrent.tui.terminal import Browser


@pytest.fixture
async def episode(evening: Evening) -> InfoHash:
    """Ann's finished one, and above it one that is on its way."""
    infohash = await evening.fetch(1, 13)
    await evening.fetch(1, 14)
    evening.engine.complete(infohash)
    await evening.services.live.refresh()
    return infohash


async def to_the_finished_one(seat: Seat[UuuApp]) -> None:
    seat.type("2")
    await seat.sees("› Sousou no Frieren - 14")
    seat.type("j")
    await seat.sees("› Sousou no Frieren - 13")


def in_browser(seat: Seat[UuuApp]) -> list[tuple[str, bool]]:
    """Have the screens be in a browser from now on; returns what is opened there."""
    opened: list[tuple[str, bool]] = []
    seat.terminal.browser = Browser(
        lambda url, new_tab: opened.append((url, new_tab)), lambda infohash, index, name: f"{infohash}/{index}/{name}"
    )
    return opened


async def test_in_a_browser_a_finished_file_is_saved_by_it(evening: Evening, episode: InfoHash) -> None:
    async with evening.sit(width=160) as seat:
        opened = in_browser(seat)
        await to_the_finished_one(seat)
        await seat.sees("D Download")
        seat.type("D")
        await seat.sees("Your browser saves [SubsPlease] Sousou no Frieren - 13")
        await seat.until(lambda: len(opened) == 1)
        ((url, new_tab),) = opened
        assert url.startswith(f"{episode}/0/[SubsPlease] Sousou no Frieren - 13")
        assert new_tab
        seat.type("k")
        await seat.sees_no("D Download")


async def test_the_key_is_offered_as_soon_as_the_file_is_there(evening: Evening) -> None:
    infohash = await evening.fetch(1, 13)
    async with evening.sit(width=160) as seat:
        in_browser(seat)
        seat.type("2")
        await seat.sees("› Sousou no Frieren - 13")
        await seat.settled()
        assert "D Download" not in seat.glass.text
        evening.engine.complete(infohash)
        await seat.sees("D Download")


async def test_of_several_files_the_browser_saves_the_one_that_is_chosen(evening: Evening) -> None:
    sizes = {"01.mkv": 3, "02.mkv": 4}
    added = await evening.services.library.add_given(evening.ann, metainfos.several("Season", sizes))
    contents = {f"Season/{name}": bytes(size) for name, size in sizes.items()}
    evening.engine.complete(added.infohash, contents)
    await evening.services.live.refresh()
    await evening.services.library.reconcile()
    async with evening.sit(width=160) as seat:
        opened = in_browser(seat)
        seat.type("2")
        await seat.sees("› Season")
        seat.type("D")
        await seat.sees("Save which file of Season?")
        await seat.sees("› 01.mkv")
        seat.type("j")
        await seat.sees("› 02.mkv")
        seat.type(ENTER)
        await seat.until(lambda: opened == [(f"{added.infohash}/1/02.mkv", True)])
        seat.type(ENTER)
        await seat.sees("files 2")
        seat.type(TAB + "D")
        await seat.until(lambda: opened[1:] == [(f"{added.infohash}/0/01.mkv", True)])


async def test_over_ssh_nothing_is_saved_by_a_browser(evening: Evening, episode: InfoHash) -> None:
    async with evening.sit(width=160) as seat:
        await to_the_finished_one(seat)
        seat.type("D")
        await seat.settled()
        assert "D Download" not in seat.glass.text
        assert "browser" not in seat.glass.text

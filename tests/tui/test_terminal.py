from __future__ import annotations

import asyncio
import base64
import io
import time
from pathlib import Path

import pytest
from textual import events, on

from tests.tui.screen import Glass, ShowsApp, seated, shows
from uuutorrent.tui.terminal import ENTER, MAX_HEIGHT, MAX_WIDTH, RESIZE_S, RESTORE, Terminal, TerminalInfo


@pytest.mark.parametrize(
    ("claimed", "taken"),
    [
        ((2**31, 2**31), (MAX_WIDTH, MAX_HEIGHT)),
        ((0, 0), (80, 24)),
        ((-5, 7), (80, 7)),
        ((120, 40), (120, 40)),
    ],
)
def test_a_claimed_size_is_kept_within_bounds(claimed: tuple[int, int], taken: tuple[int, int]) -> None:
    assert TerminalInfo(width=claimed[0], height=claimed[1]).size == taken


@pytest.mark.parametrize("term", ["", "dumb", "unknown"])
def test_a_dumb_terminal_is_not_for_screens(term: str) -> None:
    assert not TerminalInfo(term=term).usable


async def test_the_screen_is_taken_and_given_back_once() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 0")
        assert seat.glass.raw.startswith(ENTER.encode())
        seat.type("q")
        await seat.end()
        assert seat.glass.raw.endswith(RESTORE.encode())
        seat.terminal.restore()
        assert seat.glass.raw.count(b"\x1b[?1049l") == 1
        assert seat.app.return_code == 0


async def test_everything_switched_on_is_switched_off() -> None:
    for mode in ("1049", "1000", "1003", "1006", "2004"):
        assert f"\x1b[?{mode}h" in ENTER
        assert f"\x1b[?{mode}l" in RESTORE
    assert RESTORE.index("\x1b[<u") < RESTORE.index("\x1b[?1049l")


async def test_sizes_are_never_asked_for_in_the_input() -> None:
    assert "2048" not in ENTER


async def test_a_terminal_without_an_app_has_nothing_to_restore() -> None:
    glass = Glass()
    terminal = Terminal(TerminalInfo(), glass)
    terminal.feed(b"abc")
    terminal.resized(100, 30)
    terminal.set_blocked(True)
    terminal.restore()
    assert glass.raw == b""


async def test_keys_reach_the_table() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("› Show 0")
        seat.type("jj")
        await seat.sees("› Show 2")
        seat.type("\x1b[A")
        await seat.sees("› Show 1")


async def test_a_new_size_is_painted() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 20")
        seat.resize(60, 16)
        await seat.sees_no("Show 20")
        await seat.until(lambda: "Quit" in seat.glass.lines[15], "the keys at the bottom")
        seat.terminal.resized(0, 0)
        assert seat.terminal.size == (60, 16)


async def test_a_window_that_is_dragged_about_is_laid_out_now_and_then_and_at_its_last_size() -> None:
    class Counts(ShowsApp):
        sizes = 0

        @on(events.Resize)
        def counts(self) -> None:
            self.sizes += 1

    async with seated(Counts) as seat:
        await seat.sees("Show 20")
        before, began = seat.app.sizes, time.monotonic()
        for width in range(60, 110):
            seat.resize(width, 16)
            await asyncio.sleep(0.002)
        await seat.until(lambda: seat.app.size == (109, 16), "its last size")
        assert seat.app.sizes - before <= 2 + (time.monotonic() - began) / RESIZE_S


async def test_a_blocked_terminal_is_sent_nothing_and_then_the_newest_picture() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 5")
        seat.terminal.set_blocked(True)
        seat.terminal.set_blocked(True)
        sent = len(seat.glass.raw)
        for turn in range(5):
            seat.app.call_later(seat.app.table.set_rows, shows(50, prefix=f"Turn{turn}"))
            await seat.until(lambda turn=turn: seat.app.table.rows[0].cells[0] == f"Turn{turn} 0")  # type: ignore[misc]
        seat.type("j")
        await seat.until(lambda: seat.app.table.key == "k1")
        assert len(seat.glass.raw) == sent
        seat.terminal.set_blocked(False)
        await seat.sees("› Turn4 1")
        assert "Show" not in "\n".join(seat.glass.lines[1:])
        assert not seat.glass.raw[sent:].count(b"Turn3")


async def test_a_resize_while_blocked_is_painted_afterwards() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 5")
        seat.terminal.set_blocked(True)
        seat.resize(60, 16)
        seat.terminal.set_blocked(False)
        await seat.until(lambda: "Quit" in seat.glass.lines[15], "the keys at the bottom")


async def test_the_app_can_end_while_blocked() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 5")
        seat.terminal.set_blocked(True)
        seat.app.leave("Bye.", code=3)
        await seat.end()
        seat.terminal.set_blocked(False)
        assert (seat.app.return_code, seat.app.farewell) == (3, "Bye.")


async def test_a_click_outside_the_terminal_does_nothing() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("› Show 0")
        seat.type("\x1b[<0;99999;99999M\x1b[<0;99999;99999m\x1b[<0;5;5M\x1b[<0;5;5m")
        await seat.sees("› Show 2")


async def test_copying_goes_to_the_persons_clipboard() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 5")
        seat.app.call_later(seat.app.copy, "sftp ann@host", "the address")
        await seat.sees("Copied the address")
        assert b"\x1b]52;c;" + base64.b64encode(b"sftp ann@host") + b"\x07" in seat.glass.raw


async def test_nothing_is_opened_or_saved_on_the_server(tmp_path: Path) -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 5")
        seat.app.call_later(seat.app.open_url, "https://example.org/[/i]")
        await seat.sees("https://example.org/[/i]")
        target = tmp_path / "x.bin"
        seat.app.call_later(
            seat.app.deliver_binary, io.BytesIO(b"x"), save_directory=str(tmp_path), save_filename="x.bin"
        )
        await seat.sees("fetched with sftp")
        assert not target.exists()

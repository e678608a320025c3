from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine

import pytest
import structlog
from structlog.testing import capture_logs
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.worker import Worker

from tests.tui.screen import PATIENCE_S, Seat, ShowsApp, seated
from uuutorrent.errors import BadConfig, Conflict, Invalid, Missing, Refused, Unexpected, Unreachable, UuuError
from uuutorrent.tui.bars import KeyBar
from uuutorrent.tui.pace import Gate, Pace, Studio
from uuutorrent.tui.shell import BROKE
from uuutorrent.tui.terminal import TerminalInfo


def work(seat: Seat[ShowsApp], job: Coroutine[None, None, None]) -> None:
    def start() -> Worker[None]:
        return seat.app.run_worker(job)

    seat.app.call_later(start)


async def fail(error: Exception, secret: str = "hunter2") -> None:
    raise error


async def test_the_top_line_says_where_and_who() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("ann")
        await seat.settled()
        assert seat.glass.lines[0].split() == ["uuutorrent", "1", "Shows", "ann"]
        assert seat.glass.cell_at("Shows").underscore


async def test_trouble_is_shown_at_the_top_and_goes_again() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 1")
        seat.app.call_later(setattr, seat.app, "trouble", "qBittorrent does not answer [/i]")
        await seat.until(lambda: "qBittorrent does not answer [/i]" in seat.glass.lines[0], "the trouble")
        assert seat.glass.lines[0].endswith("ann")
        seat.app.call_later(setattr, seat.app, "trouble", "")
        await seat.sees_no("qBittorrent")


async def test_on_a_narrow_terminal_trouble_and_name_win_over_the_tabs() -> None:
    async with seated(ShowsApp, TerminalInfo(width=40, height=12)) as seat:
        await seat.sees("Show 1")
        seat.app.call_later(setattr, seat.app, "trouble", "qBittorrent does not answer")
        await seat.until(lambda: seat.glass.lines[0].endswith("qBittorrent does not answer  ann"), "the trouble")


async def test_the_bar_at_the_bottom_shows_keys_and_pressing_works_with_the_mouse() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("q Quit")
        x = seat.glass.lines[23].index("Quit") + 1
        seat.type(f"\x1b[<0;{x};24M\x1b[<0;{x};24m")
        await seat.end()
        assert seat.app.return_code == 0


class Flash(ModalScreen[None]):
    """A dialog with a bar of keys, closed as soon as it is open."""

    BINDINGS = [Binding("escape", "dismiss", "Close", id="flash.close")]  # noqa: RUF012 - as the base has it

    def compose(self) -> ComposeResult:
        yield KeyBar()

    def on_mount(self) -> None:
        self.refresh_bindings()
        self.dismiss()


async def test_a_dialog_closed_before_its_keys_are_painted_does_no_harm() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("› Show 0")
        for _ in range(5):
            seat.app.call_later(seat.app.push_screen, Flash())
        seat.type("jj")
        await seat.settled()
        await seat.until(lambda: not seat.app.screen.is_modal, "the dialogs to be closed")
        seat.type("jj")
        await seat.until(lambda: seat.app.table.key in ("k2", "k3", "k4"), "the table to hear keys")
        assert not seat.app.broke


@pytest.mark.parametrize("key", ["q", "\x11"])
async def test_quitting_is_one_key(key: str) -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 1")
        seat.type(key)
        await seat.end()
        assert (seat.app.return_code, seat.app.broke) == (0, False)


@pytest.mark.parametrize(("width", "height"), [(39, 24), (80, 11), (1, 1), (10, 5)])
async def test_a_terminal_too_small_is_told_so_politely(width: int, height: int) -> None:
    async with seated(ShowsApp, TerminalInfo(width=width, height=height)) as seat:
        await seat.settled()
        if width >= 30:
            await seat.sees("40 columns and 12")
        seat.resize(80, 24)
        await seat.sees("› Show 0")
        seat.resize(width, height)
        await seat.settled()
        seat.type("q")
        await seat.end()
        assert (seat.app.return_code, seat.app.broke) == (0, False)


async def test_forty_by_twelve_is_enough() -> None:
    async with seated(ShowsApp, TerminalInfo(width=40, height=12)) as seat:
        await seat.sees("› Show 0")
        await seat.sees("q Quit")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Refused("That torrent is not yours."), "That torrent is not yours."),
        (Missing("There is no such torrent."), "There is no such torrent."),
        (Conflict("It is there already."), "It is there already."),
        (Invalid("That is no number.", field="episode"), "That is no number."),
        (Unreachable("AniList", "no answer in 15 s"), "AniList: no answer in 15 s"),
        (Unexpected("Nyaa", "it answered [/i]"), "Nyaa: it answered [/i]"),
        (BadConfig("client_id is empty"), "client_id is empty"),
    ],
)
async def test_every_error_is_told_in_its_own_words(error: UuuError, said: str) -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 1")
        seat.app.call_later(seat.app.tell, error)
        await seat.sees(said)
        seat.type("jj")
        await seat.sees("› Show 2")


async def test_an_error_of_ours_in_a_worker_is_told_and_the_session_lives() -> None:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 1")
        work(seat, fail(Refused("Over quota.")))
        await seat.sees("Over quota.")
        seat.type("j")
        await seat.sees("› Show 1")


async def test_an_unknown_error_in_a_worker_is_logged_without_values_and_the_session_lives() -> None:
    with capture_logs() as logs:
        async with seated(ShowsApp) as seat:
            await seat.sees("Show 1")
            work(seat, fail(KeyError("x")))
            await seat.sees("Something broke")
            seat.type("j")
            await seat.sees("› Show 1")
        assert not seat.app.broke
    entry = next(entry for entry in logs if entry["event"] == "worker broke")
    assert isinstance(entry["exc_info"], KeyError)
    assert entry["user"] == "ann"
    assert "hunter2" not in str(entry)
    assert BROKE.startswith("Something broke")


async def test_a_crash_ends_this_session_only_and_shows_no_traceback() -> None:
    password = "hunter2-secret"

    def crash() -> None:
        secret = password
        raise KeyError(len(secret))

    studio = Studio()
    with capture_logs() as logs:
        async with (
            seated(lambda terminal: ShowsApp(terminal, studio)) as other,
            seated(lambda terminal: ShowsApp(terminal, studio)) as seat,
        ):
            await seat.sees("Show 1")
            seat.app.call_later(crash)
            await seat.end()
            assert (seat.app.return_code, seat.app.broke) == (1, True)
            assert seat.glass.raw.endswith(b"\x1b[?25h")
            for word in (b"Traceback", b"KeyError", password.encode()):
                assert word not in seat.glass.raw
            other.type("j")
            await other.sees("› Show 1")
    assert [entry["event"] for entry in logs] == ["session broke"]
    assert password not in str(logs)


async def test_a_crash_prints_nothing_on_the_server(capfd: pytest.CaptureFixture[str]) -> None:
    structlog.configure(processors=[structlog.testing.LogCapture()])
    try:
        async with seated(ShowsApp) as seat:
            await seat.sees("Show 1")
            seat.app.call_later(divmod, 1, 0)
            await seat.end()
    finally:
        structlog.reset_defaults()
    assert capfd.readouterr() == ("", "")


def test_each_session_looks_at_its_own_moment_of_the_period() -> None:
    pace = Pace(0.25, Gate(), period_s=2.0)
    assert pace.wait_s(0.0) == pytest.approx(0.5)
    assert pace.wait_s(0.75) == pytest.approx(1.75)
    assert pace.wait_s(100.501) == pytest.approx(1.999)


def test_a_timer_that_fires_early_does_not_give_the_same_turn_twice() -> None:
    assert Pace(0.25, Gate()).wait_s(0.2499) == pytest.approx(1.0001)


def test_slots_spread_evenly_however_many_there_are() -> None:
    for count in (2, 5, 50, 200):
        studio = Studio()
        slots = sorted(studio.slot() for _ in range(count))
        gaps = [after - before for before, after in zip(slots, [*slots[1:], slots[0] + 1], strict=True)]
        assert max(gaps) < 2.7 / count


async def test_a_hurried_session_looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("uuutorrent.tui.pace.HURRY_S", 3600)
    now = asyncio.get_running_loop().time()
    pace = Pace((now / 3600 - 0.01) % 1.0, Gate(), period_s=3600)
    turn = asyncio.ensure_future(pace.turn())
    await asyncio.sleep(0.02)
    assert not turn.done()
    pace.hurry()
    async with asyncio.timeout(PATIENCE_S):
        await turn
        await pace.turn()


async def test_a_source_left_early_is_closed_at_once() -> None:
    closed = False

    async def source() -> AsyncGenerator[int]:
        nonlocal closed
        try:
            for n in range(100):
                yield n
        finally:
            closed = True

    seen: list[int] = []
    sees = asyncio.Event()

    async def follow() -> None:
        async for n in Pace(0.5, Gate(), period_s=3600).paced(source()):
            seen.append(n)
            sees.set()

    task = asyncio.ensure_future(follow())
    await sees.wait()
    await asyncio.sleep(0.02)
    assert seen == [0]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert closed


async def test_sessions_that_are_late_look_one_by_one_and_others_run_in_between() -> None:
    gate, passed, ticks = Gate(), list[tuple[int, int]](), 0

    async def session(n: int) -> None:
        await gate.through()
        passed.append((n, ticks))

    sessions = [asyncio.ensure_future(session(n)) for n in range(6)]
    await asyncio.sleep(0)
    sessions[3].cancel()
    async with asyncio.timeout(PATIENCE_S):
        while len(passed) < 5:
            ticks += 1
            await asyncio.sleep(0)
    assert [n for n, _tick in passed] == [0, 1, 2, 4, 5]
    assert len({tick for _n, tick in passed}) == 5
    await asyncio.sleep(0.01)
    async with asyncio.timeout(PATIENCE_S):
        await gate.through()

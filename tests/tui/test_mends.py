from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from collections.abc import Callable

import pytest
import textual
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._styles_cache import StylesCache
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.color import Color
from textual.strip import Strip

from tests.tui.screen import PATIENCE_S, Seat, ShowsApp, seated, shows
from uuutorrent.tui import mends
from uuutorrent.tui.cells import Row
from uuutorrent.tui.plain import stripped

HOSTILE = (
    "[/i][b]markup",
    "clip\x1b]52;c;QUFB\x07board",
    "title\x1b]0;owned\x07",
    "c1\x9b31mred\x9d52;c;QUFB\x9c",
    "bidi\u202egnp.exe\u202c\u2066\u200f",
    "lines\r\nand\ttabs\x00",
    "sep\u2028arated",
)
HARMFUL = ("\x1b]52", "\x1b]0", "\x9b", "\x9d", "\u202e", "\u2066", "\u200f", "\u2028", "\x00")


def test_another_textual_is_refused_until_somebody_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textual, "__version__", "8.3.0")
    with pytest.raises(RuntimeError, match=r"8\.3\.0: look at tui/mends\.py"):
        mends.apply()


def test_mending_twice_changes_nothing() -> None:
    before = (Strip.render, Strip.__init__, StylesCache.get_inner_outer, XTermParser._parse_extended_key)
    mends.apply()
    assert before == (Strip.render, Strip.__init__, StylesCache.get_inner_outer, XTermParser._parse_extended_key)


def test_a_parser_is_forgotten_with_its_keys() -> None:
    parser = XTermParser()
    assert [type(message).__name__ for message in parser.feed("\x1b[97;5u")] == ["Key"]
    gone = weakref.ref(parser)
    del parser
    gc.collect()
    assert gone() is None


def test_a_widgets_painted_lines_are_forgotten_with_it() -> None:
    cache = StylesCache()
    inner, outer = cache.get_inner_outer(Color.parse("#101010"), Color.parse("#202020"))
    assert (inner.background, outer.background) == (Color.parse("#202020"), Color.parse("#101010"))
    gone = weakref.ref(cache)
    del cache
    gc.collect()
    assert gone() is None


def test_a_fresh_line_has_no_caches_and_grows_them_when_used() -> None:
    strip = Strip([Segment("abcdef")])
    with pytest.raises(AttributeError):
        Strip.__dict__["_crop_cache"].__get__(strip)
    assert strip.crop(1, 3).text == "bc"
    assert strip.crop(1, 3) is strip.crop(1, 3)
    assert not hasattr(strip, "no_such_thing")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_painted_line_carries_nothing_that_drives_a_terminal(text: str) -> None:
    console = Console(color_system="truecolor", force_terminal=True)
    for style in (None, Style(color="red", bold=True), Style(link=f"https://example.org/{text}")):
        painted = Strip([Segment(text, style)]).render(console)
        assert not [harm for harm in HARMFUL if harm in painted]
        assert "]8;" not in painted


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_name_from_outside_is_shown_and_not_obeyed(text: str) -> None:
    rows = (Row("a", (text, text, text)), *shows(3))
    async with seated(lambda terminal: ShowsApp(terminal, rows=rows)) as seat:
        await seat.sees("Show 2")
        start = stripped(text)[:3]
        await seat.sees(start)
        seat.app.call_later(seat.app.toast, text, title=text)
        await seat.until(lambda: seat.glass.text.count(start) > 3, "the toast")
        assert not [harm for harm in HARMFUL if harm in seat.glass.text_sent.replace("\x1b]22;", "")]


async def test_many_apps_leave_stdout_as_it_was() -> None:
    out, err = sys.stdout, sys.stderr
    async with seated(ShowsApp) as first:
        async with seated(ShowsApp) as second:
            await first.sees("Show 1")
            await second.sees("Show 1")
            first.app.leave()
            await first.end()
        assert sys.stdout is out
    assert (sys.stdout, sys.stderr) == (out, err)


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb"), ("COLUMNS", "20"), ("COLORTERM", "")])
async def test_the_servers_environment_is_not_the_persons(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("LINES", "5")
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 20")
        assert not seat.app.no_color
        assert "\x1b[38;5;" in seat.glass.text_sent or ";38;5;" in seat.glass.text_sent


async def test_the_loop_makes_tasks_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands for Python 3.12 and newer, where Textual would make every task of the loop eager."""
    loop = asyncio.get_running_loop()
    before = loop.get_task_factory()

    def eager(*_args: object, **_options: object) -> asyncio.Task[object]:
        raise AssertionError("a task was made eagerly")

    monkeypatch.setattr(asyncio, "eager_task_factory", eager, raising=False)
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 1")
        assert loop.get_task_factory() is before


def quit_by_key(seat: Seat[ShowsApp]) -> None:
    seat.type("q")


def leave_from_outside(seat: Seat[ShowsApp]) -> None:
    seat.app.leave("Bye.")


def lose_the_connection(seat: Seat[ShowsApp]) -> None:
    assert seat.ended is not None
    seat.ended.cancel()


def crash(seat: Seat[ShowsApp]) -> None:
    seat.app.call_later(divmod, 1, 0)


async def one_session(end: Callable[[Seat[ShowsApp]], None]) -> weakref.ref[App[None]]:
    async with seated(ShowsApp) as seat:
        await seat.sees("Show 1")
        seat.type("jk\x1b[97;5u\x1b[<35;5;5M")
        seat.app.call_later(seat.app.toast, "hello")
        await seat.sees("hello")
        end(seat)
        await seat.until(lambda: seat.ended is not None and seat.ended.done(), "the end")
        return weakref.ref(seat.app)


@pytest.mark.parametrize("end", [quit_by_key, leave_from_outside, lose_the_connection, crash])
async def test_no_session_outlives_its_end(end: Callable[[Seat[ShowsApp]], None]) -> None:
    gone = [await one_session(end) for _ in range(3)]
    async with asyncio.timeout(PATIENCE_S):
        while any(app() for app in gone):
            await asyncio.sleep(0.05)
            gc.collect()

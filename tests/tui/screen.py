"""A person's screen without a network: the real driver on a fake transport, with pyte as the terminal."""

from __future__ import annotations

import asyncio
import contextvars
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Generic, TypeVar

import pyte
from textual.app import ComposeResult
from textual.screen import Screen

import uuutorrent.tui
from uuutorrent.tui.bars import KeyBar, TopLine
from uuutorrent.tui.cells import Bar, Column, Piece, Row
from uuutorrent.tui.pace import Studio
from uuutorrent.tui.shell import Place, Shell
from uuutorrent.tui.table import Table
from uuutorrent.tui.terminal import Terminal, TerminalInfo

STYLES = Path(uuutorrent.tui.__file__).parent / "app.tcss"
PATIENCE_S = 30
QUIET_TURNS = 10
"""So many looks in a row at which nobody had anything to do: then nothing more comes of what was typed."""
_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>][0-9;]*[a-zA-Z]|\x1b\]22;[^\x07]*\x07|\x1b\[\?2026\$p")

ShellT = TypeVar("ShellT", bound=Shell)


class Glass:
    """The far end of a session: keeps what was sent, and shows it as a terminal would."""

    def __init__(self, width: int = 80, height: int = 24) -> None:
        self.screen = pyte.Screen(width, height)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.is_paused = False
        self.pauses = 0

    def write(self, data: bytes) -> None:
        self.raw += data
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data))

    def pause_reading(self) -> None:
        self.is_paused = True
        self.pauses += 1

    def resume_reading(self) -> None:
        self.is_paused = False

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def text_sent(self) -> str:
        return self.raw.decode()

    def cell_at(self, word: str) -> pyte.screens.Char:
        """The first character of a word on the screen, with its colours."""
        for y, line in enumerate(self.screen.display):
            if (x := line.find(word)) >= 0:
                return self.screen.buffer[y][x]
        raise AssertionError(f"{word!r} is not on the screen:\n{self.text}")


class Seat(Generic[ShellT]):
    """Someone at a terminal with an app on it."""

    def __init__(self, app: ShellT, terminal: Terminal, glass: Glass) -> None:
        self.app = app
        self.terminal = terminal
        self.glass = glass
        self.ended: asyncio.Task[None] | None = None

    def type(self, keys: str) -> None:
        self.terminal.feed(keys.encode())

    def resize(self, width: int, height: int) -> None:
        self.glass.screen.resize(height, width)
        self.terminal.resized(width, height)

    async def sees(self, text: str) -> None:
        """Wait until the text is on the screen."""
        await self.until(lambda: text in self.glass.text, f"{text!r} on the screen")

    async def sees_no(self, text: str) -> None:
        await self.until(lambda: text not in self.glass.text, f"no {text!r} on the screen")

    async def settled(self) -> int:
        """Wait until every key is heard and nothing more is painted; how much was sent so far.

        A service's answer may still be on its way: wait for what it brings with `sees`.
        """
        quiet, sent = 0, -1
        async with asyncio.timeout(PATIENCE_S):
            while quiet < QUIET_TURNS:
                quiet = quiet + 1 if sent == len(self.glass.raw) and self._is_idle else 0
                sent = len(self.glass.raw)
                await asyncio.sleep(0.01)
        return sent

    @property
    def _is_idle(self) -> bool:
        keyboard = self.terminal.keyboard
        if keyboard._raw or keyboard._waiting or keyboard._tick:
            return False
        widgets = (widget for screen in self.app._screen_stack for widget in screen.walk_children(with_self=True))
        return not self.app.message_queue_size and not any(widget.message_queue_size for widget in widgets)

    async def clears(self) -> None:
        """Empty the line. Its key goes another way than letters, which would overtake it."""
        self.type("\x15")
        await self.settled()

    async def until(self, holds: Callable[[], bool], what: str = "it") -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not holds():  # noqa: ASYNC110 - the screen is only looked at
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise AssertionError(f"waited in vain for {what}; the screen:\n{self.glass.text}") from None

    async def end(self) -> None:
        """Wait until the app has ended."""
        assert self.ended is not None
        async with asyncio.timeout(PATIENCE_S):
            await self.ended


@asynccontextmanager
async def seated(app_on: Callable[[Terminal], ShellT], info: TerminalInfo | None = None) -> AsyncIterator[Seat[ShellT]]:
    """An app running on a terminal, in a context of its own as over SSH; it is ended at the end."""
    info = info or TerminalInfo()
    glass = Glass(*info.size)
    terminal = Terminal(info, glass)
    seat = Seat(app_on(terminal), terminal, glass)
    run = seat.app.run_async(size=terminal.size)
    seat.ended = asyncio.get_running_loop().create_task(run, context=contextvars.Context())
    try:
        yield seat
    finally:
        if not seat.ended.done():
            seat.app.leave()
        await seat.end()


COLUMNS = (
    Column("name", "Name", 10, flex=1),
    Column("done", "Done", 10, priority=1),
    Column("down", "Down", 10, align="right", priority=2),
)


def shows(count: int, *, prefix: str = "Show") -> tuple[Row, ...]:
    return tuple(
        Row(f"k{n}", (f"{prefix} {n}", Bar(n / max(1, count)), Piece(f"{n} MB/s", "good"))) for n in range(count)
    )


class ShowsScreen(Screen[None]):
    AUTO_FOCUS = "Table"

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield Table(COLUMNS, marks=True, empty="No shows yet.")
        yield KeyBar()

    def on_mount(self) -> None:
        app = self.app
        assert isinstance(app, ShowsApp)
        self.query_one(Table).set_rows(app.rows)


class ShowsApp(Shell):
    """The shell with one screen that is a table."""

    CSS_PATH = STYLES
    DEFAULT_MODE = "shows"
    MODES = {"shows": ShowsScreen}  # noqa: RUF012 - as the base has it

    def __init__(
        self, terminal: Terminal | None = None, studio: Studio | None = None, *, rows: tuple[Row, ...] = shows(50)
    ) -> None:
        super().__init__(terminal, studio, who="ann")
        self.rows = rows
        self.places = (Place("shows", "1", "Shows"),)

    @property
    def table(self) -> Table:
        return self.screen.query_one(Table)

"""One person's terminal at the other end of a channel, and the Textual driver that speaks to it.

No tty, no threads, no signals, nothing of the server's environment: bytes come in from a transport and go out to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol, TextIO

from textual import events
from textual.app import App
from textual.driver import Driver
from textual.geometry import Size
from textual.message import Message

from uuutorrent.torrents.engine import InfoHash
from uuutorrent.tui.colours import Colours, colours_of, downgrade
from uuutorrent.tui.keyboard import MESSAGES_AT_ONCE, Keyboard, Pausable
from uuutorrent.tui.order import Note, waits_for_it

MAX_WIDTH, MAX_HEIGHT = 500, 200
"""Larger claims are clamped: a screen costs memory for every cell."""
DEFAULT_WIDTH, DEFAULT_HEIGHT = 80, 24
RESIZE_S = 0.1
"""How often a window that is dragged about is laid out anew: nothing else that a client sends costs as much."""

_MOUSE_ON = "\x1b[?1000h\x1b[?1003h\x1b[?1015h\x1b[?1006h"
_MOUSE_OFF = "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l"
ENTER = (
    "\x1b[?1049h"  # the alternate screen
    "\x1b[?25l"  # no cursor
    f"{_MOUSE_ON}"
    "\x1b[>1u"  # kitty keyboard: tell apart what can be told apart
    "\x1b[?2026$p"  # can updates be synchronised?
    "\x1b[?2004h"  # mark pastes
    "\x1b[?7l"  # no wrapping
)
RESTORE = (
    "\x1b[?2026l\x1b[?2004l\x1b[?7h"
    f"{_MOUSE_OFF}"
    "\x1b[<u"  # belongs to the alternate screen, so before leaving it
    "\x1b]22;\x07"  # the mouse pointer's usual shape
    "\x1b[0m\x1b[?1049l\x1b[?25h"
)


class Transport(Pausable, Protocol):
    """The channel to the person."""

    def write(self, data: bytes) -> None:
        """Send; never blocks, and does nothing once the channel is closed."""
        ...


@dataclass(frozen=True, slots=True)
class TerminalInfo:
    """What a client says of its terminal."""

    term: str = "xterm-256color"
    env: Mapping[str, str] = field(default_factory=dict)
    width: int = DEFAULT_WIDTH
    height: int = DEFAULT_HEIGHT
    pixel_width: int = 0
    pixel_height: int = 0

    @property
    def usable(self) -> bool:
        """Screens can be shown on it."""
        return self.term not in ("", "dumb", "unknown")

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows, within bounds."""
        return clamped(self.width, self.height)

    @property
    def colours(self) -> Colours:
        """The colours it shows."""
        return colours_of(self.term, self.env)


def clamped(width: int, height: int) -> tuple[int, int]:
    """A size that can be painted, whatever was claimed; zero means unknown."""
    return (
        min(width, MAX_WIDTH) if width > 0 else DEFAULT_WIDTH,
        min(height, MAX_HEIGHT) if height > 0 else DEFAULT_HEIGHT,
    )


@dataclass(frozen=True, slots=True)
class Browser:
    """What a terminal can do that is shown by a browser."""

    open_url: Callable[[str, bool], None]
    """Open an address there; in a tab of its own or not."""
    link: Callable[[InfoHash, int, str], str]
    """The address of a file: of which torrent, its place in the torrent's list, and what it is called."""


class Terminal:
    """A person's terminal: bytes in and out, before, while and after an app runs on it. `browser`: it is in one."""

    def __init__(self, info: TerminalInfo, transport: Transport, browser: Browser | None = None) -> None:
        self.info = info
        self.browser = browser
        self.size = info.size
        self.colours: Colours = info.colours
        self.blocked = False
        self.keyboard = Keyboard(transport)
        self._transport = transport
        self._driver: SSHDriver | None = None
        self._entered = False

    def feed(self, data: bytes) -> None:
        """Bytes from the person. They wait until an app wants them."""
        self.keyboard.feed(data)

    def resized(self, width: int, height: int, pixel_width: int = 0, pixel_height: int = 0) -> None:
        """The window has another size."""
        if width <= 0 or height <= 0:
            return
        self.size = clamped(width, height)
        if self._driver is not None:
            self._driver.resized()

    def set_blocked(self, blocked: bool) -> None:
        """The person's side takes no more bytes, or takes them again: then the newest picture is painted once."""
        if blocked == self.blocked:
            return
        self.blocked = blocked
        if self._driver is not None:
            self._driver.hold() if blocked else self._driver.let_go()

    def write(self, text: str) -> None:
        """Send text in the colours the terminal shows."""
        self._transport.write(downgrade(text, self.colours).encode("utf-8", "replace"))

    def enter(self, driver: SSHDriver) -> None:
        """Give the screen to an app."""
        self._driver, self._entered = driver, True
        self.write(ENTER)
        if self.blocked:
            driver.hold()

    def pass_on(self) -> None:
        """Another app is to have it: what was typed for the one before is forgotten, and keys are heard again."""
        self.keyboard.close()
        self.keyboard = Keyboard(self._transport)

    def restore(self) -> None:
        """Give the screen back as it was. Does nothing the second time."""
        self.keyboard.close()
        self._driver = None
        if self._entered:
            self._entered = False
            self.write(RESTORE)


class SSHDriver(Driver):
    """Textual's end: paints to a `Terminal` and hears from it."""

    def __init__(
        self,
        app: App[Any],
        *,
        terminal: Terminal,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=False, mouse=mouse, size=size or terminal.size)
        self._terminal = terminal
        self._out: list[str] = []
        self._flush_is_due = False
        self._holding = False
        self._next_size: asyncio.TimerHandle | None = None

    # --- to the person

    def write(self, data: str) -> None:
        """Collect; what is not flushed by the end of this turn of the loop is flushed then."""
        self._out.append(data)
        if not self._flush_is_due:
            self._flush_is_due = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Send what was collected, in one piece."""
        self._flush_is_due = False
        if self._out:
            text = "".join(self._out)
            self._out.clear()
            self._terminal.write(text)

    def hold(self) -> None:
        """Paint nothing for now: the person's side is not reading."""
        if not self._holding:
            self._holding = True
            self._app._begin_batch()

    def let_go(self) -> None:
        """Paint the newest picture, once, and go on."""
        if not self._holding:
            return
        self._holding = False
        app = self._app
        with app._context():
            app._end_batch()
            if app._running and not app._exit:
                app.refresh(layout=True)

    # --- from the person

    def is_busy(self) -> bool:
        """The app has more to do than it can be given."""
        return self._app.message_queue_size > MESSAGES_AT_ONCE

    def hear(self, message: Message, done: Callable[[], None]) -> bool:
        """Give the app a message; whether the next must wait until `done` is called."""
        waits = waits_for_it(self._app, message)
        self.process_message(message)
        if waits:
            Note(self._app, message, done)
        return waits

    def send_message(self, message: Message) -> None:
        """Hand it to the app; we are on its loop."""
        if isinstance(message, events.MouseEvent) and not self._is_inside(message):
            return
        self._app.post_message(message)

    def resized(self) -> None:
        """Tell the app how large the terminal is, now or, if it was told just before, soon."""
        if self._next_size is None:
            self.post_size()
            self._next_size = self._loop.call_later(RESIZE_S, self._look_again)

    def _look_again(self) -> None:
        self._next_size = None
        if self._size != self._terminal.size:
            self.resized()

    def post_size(self) -> None:
        """Tell the app how large the terminal is."""
        self._size = self._terminal.size
        size = Size(*self._terminal.size)
        self._app.post_message(events.Resize(size, size))

    # --- application mode

    def start_application_mode(self) -> None:
        """Take the terminal and begin to listen."""
        self._terminal.enter(self)
        self.post_size()
        self._terminal.keyboard.open(self)

    def disable_input(self) -> None:
        """Hear nothing more."""
        self._terminal.keyboard.close()

    def stop_application_mode(self) -> None:
        """Give the terminal back."""
        if self._next_size is not None:
            self._next_size.cancel()
        self.flush()
        self._terminal.restore()

    def close(self) -> None:
        """Send what is left."""
        self.flush()

    # --- what would touch the machine the daemon runs on

    def open_url(self, url: str, new_tab: bool = True) -> None:  # noqa: FBT002 - as the base has it
        """The browser is on the person's side: open it where the screen is in one, else show the address."""
        if (browser := self._terminal.browser) is not None:
            browser.open_url(url, new_tab)
            return
        self._app.notify(url, title="Open this address", markup=False, timeout=20)

    def deliver_binary(
        self,
        binary: BinaryIO | TextIO,
        *,
        delivery_key: str,
        save_path: Path,
        open_method: Literal["browser", "download"] = "download",
        encoding: str | None = None,
        mime_type: str | None = None,
        name: str | None = None,
    ) -> None:
        """Nothing is written on the server; files are fetched over SFTP."""
        binary.close()
        self._app.notify("Files are fetched with sftp, not from a screen.", severity="warning", markup=False)

    def _is_inside(self, event: events.MouseEvent) -> bool:
        width, height = self._terminal.size
        return 0 <= event.x < width and 0 <= event.y < height

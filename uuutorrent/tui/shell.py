"""The app without its screens: one person's session in a process of many.

It reads nothing of the server's environment, prints nothing, touches no file, and outlives the errors of its workers.
"""

from __future__ import annotations

import asyncio
import io
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from itertools import chain
from typing import Any, ClassVar, Literal, TypeVar

import structlog
from rich.console import Console, ConsoleDimensions, RenderableType
from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.drivers.headless_driver import HeadlessDriver
from textual.reactive import reactive
from textual.worker import WorkerFailed

from uuutorrent.errors import Unexpected, Unreachable, UuuError
from uuutorrent.tui import mends
from uuutorrent.tui.colours import Colours
from uuutorrent.tui.inks import Inks
from uuutorrent.tui.pace import Pace, Studio
from uuutorrent.tui.plain import plain
from uuutorrent.tui.rules import SharedStylesheet
from uuutorrent.tui.small import LOW, MIN_HEIGHT, MIN_WIDTH, NARROW, SmallScreen
from uuutorrent.tui.terminal import SSHDriver, Terminal

mends.apply()

log = structlog.get_logger()

T = TypeVar("T")
Severity = Literal["information", "warning", "error"]

BROKE = "Something broke; it was logged. Try again, and tell an admin if it stays."
TOAST_S = 6.0
MESSAGE_S = 120.0
MOST_MESSAGES = 2
"""Of the admins' that stand at the same time: each may be half a small terminal, and nothing takes it away."""


@dataclass(frozen=True, slots=True)
class Place:
    """A screen one can go to: its mode, the key that leads there, and its title."""

    mode: str
    key: str
    title: str


class Shell(App[None]):
    """What every screen may ask of the app it is in."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit", id="app.quit", tooltip="End this session."),
        Binding("ctrl+q", "quit", "Quit", id="app.quit_now", show=False, priority=True),
    ]
    NOTIFICATION_TIMEOUT = TOAST_S
    ENABLE_SELECT_AUTO_SCROLL = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (NARROW, "-wide")]  # noqa: RUF012 - as the base has it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (LOW, "-high")]  # noqa: RUF012 - as the base has it

    trouble: reactive[str] = reactive("", repaint=False)
    """What is wrong with the engine, for the top line; empty while all is well."""
    halted: reactive[str] = reactive("", repaint=False)
    """That an admin paused everything, for the banner; empty while nobody did."""
    waiting: reactive[dict[str, int]] = reactive(dict[str, int], repaint=False)
    """How many things wait on which screen (by its mode), for the top line."""

    def __init__(self, terminal: Terminal | None = None, studio: Studio | None = None, *, who: str = "") -> None:
        super().__init__()
        self.terminal = terminal
        self.studio = studio or Studio()
        self.strips = self.studio.strips
        self.stylesheet = SharedStylesheet(self.studio.rules, self.get_css_variables())
        self.pace = Pace(self.studio.slot(), self.studio.gate)
        self.who = who
        self.places: tuple[Place, ...] = ()
        self.farewell = ""
        self.looks_at = ""
        """The name of the user who sees this, while an admin only looks; empty: it is theirs who sits here."""
        self.then: Callable[[], Shell] | None = None
        """What has the terminal once this has ended; None: nothing."""
        self.broke = False
        self._announced_at: list[float] = []
        self.animation_level = "none"
        self._disable_tooltips = True
        self._tasks_before: Callable[..., Any] | None = None
        self._forget_the_server()

    # --- what screens ask for

    @property
    def inks(self) -> Inks:
        """What the names of styles look like under the present theme."""
        return self.studio.inks.of(self.theme, self.get_css_variables, colourless=self.no_color)

    def tell(self, error: UuuError) -> None:
        """Show an error to the person: the one place where the tree of errors becomes toasts."""
        again = f" Press {key} to try again." if isinstance(error, Unreachable) and (key := self._retry_key()) else ""
        self.toast(error.message + again, severity="error" if isinstance(error, Unexpected) else "warning")

    def toast(self, text: str, *, severity: Severity = "information", title: str = "") -> None:
        """Say something for a few seconds. Text is never markup."""
        self.notify(plain(text), title=plain(title), severity=severity, markup=False)

    def announce(self, text: str) -> None:
        """Show what the admins say, long enough to be found by who was away from the screen for a moment."""
        now = time.monotonic()
        self._announced_at = [at for at in self._announced_at if now - at < MESSAGE_S]
        if len(self._announced_at) >= MOST_MESSAGES:
            self.call_later(self.clear_notifications)  # in their turn: what was said just now is on its way too
            self._announced_at.clear()
        self._announced_at.append(now)
        self.notify(plain(text), title="From the admins", severity="warning", timeout=MESSAGE_S, markup=False)

    def copy(self, text: str, what: str) -> None:
        """Put a text into the person's clipboard, through their terminal; `what` names it in the toast."""
        self.copy_to_clipboard(text)
        self.toast(f"Copied {what}. If nothing arrived, your terminal does not allow it.")

    def paced(self, source: AsyncIterator[T]) -> AsyncIterator[T]:
        """The first of `source` at once, then what is newest at each turn of this session."""
        return self.pace.paced(source)

    def hurry(self) -> None:
        """The person did something: show what comes of it at once."""
        self.pace.hurry()

    # --- what the session's owner asks for

    def leave(self, farewell: str = "", *, code: int = 0) -> None:
        """End the app from outside; `farewell` is for the person once the screen is theirs again."""
        self.farewell, self.then = farewell, None
        self.exit(return_code=code)

    def over(self) -> None:
        """It has ended, whichever way."""

    async def run_async(self, **options: Any) -> None:
        """Run until the person or the daemon ends it. The loop's way of making tasks stays as it is."""
        # Textual makes tasks eager for the whole loop on Python 3.12 and newer; `_process_messages` undoes that.
        self._tasks_before = asyncio.get_running_loop().get_task_factory()
        await super().run_async(**options)

    async def _process_messages(self, *args: Any, **options: Any) -> None:
        asyncio.get_running_loop().set_task_factory(self._tasks_before)
        await super()._process_messages(*args, **options)

    # --- when something breaks

    def _handle_exception(self, error: Exception) -> None:
        """A worker's error is told and the session lives; any other ends this session, and only this one."""
        if isinstance(error, WorkerFailed) and isinstance(error.error, Exception):
            self._worker_broke(error.error)
            return
        log.error("session broke", user=self.who, exc_info=error)
        self.broke = True
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._close_messages_no_wait()

    def _worker_broke(self, error: Exception) -> None:
        if isinstance(error, UuuError):
            self.tell(error)
            return
        log.error("worker broke", user=self.who, exc_info=error)
        self.toast(BROKE, severity="error")

    def panic(self, *renderables: RenderableType) -> None:
        """End the session; what went wrong is not for the person's eyes."""
        log.error("session panicked", user=self.who)
        self.broke = True
        self._return_code = 1
        self._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        self._exit_renderables.clear()

    # --- the terminal

    def get_driver_class(self) -> type[Driver]:
        """No terminal of the server's is ever looked for."""
        return HeadlessDriver

    def _build_driver(self, headless: bool, inline: bool, mouse: bool, size: tuple[int, int] | None) -> Driver:
        if headless or self.terminal is None:
            self._driver = HeadlessDriver(self, mouse=mouse, size=size)
        else:
            self._driver = SSHDriver(self, terminal=self.terminal, mouse=mouse, size=size)
        return self._driver

    def set_colours(self, colours: Colours) -> None:
        """Paint with these colours from now on, whatever the terminal said."""
        if self.terminal is not None:
            self.terminal.colours = colours
        self.no_color = colours == "none"
        self._ink_anew()

    def watch_theme(self, _theme: str) -> None:
        """Ink everything anew once the sheets are read again."""
        self.call_next(self._ink_anew)

    def on_resize(self, event: events.Resize) -> None:
        """Say so when the terminal is too small, and go on when it is not."""
        self.console.size = ConsoleDimensions(*event.size)
        small = event.size.width < MIN_WIDTH or event.size.height < MIN_HEIGHT
        if small and not isinstance(self.screen, SmallScreen):
            self.push_screen(SmallScreen())
        elif not small and isinstance(self.screen, SmallScreen):
            self.pop_screen()

    def _forget_the_server(self) -> None:
        """Textual asks the environment of the process; a session's terminal is somewhere else."""
        info = self.terminal.info if self.terminal else None
        width, height = self.terminal.size if self.terminal else (80, 24)
        self.console = Console(
            file=io.StringIO(),
            color_system="truecolor",
            force_terminal=True,
            legacy_windows=False,
            markup=False,
            emoji=False,
            highlight=False,
            safe_box=False,
            width=width,
            height=height,
            _environ={},
        )
        self.error_console = self.console
        self.no_color = info is not None and info.colours == "none"
        self.features = frozenset()
        self._filters = []
        # Textual puts its own capture in the place of stdout, and overlapping apps would not put it back.
        self._capture_stdout, self._capture_stderr = sys.stdout, sys.stderr  # type: ignore[assignment]  # only written to
        for name, theme in list(self.available_themes.items()):
            if theme.ansi:
                self.unregister_theme(name)

    def _ink_anew(self) -> None:
        """Forget painted lines: the sheets may say the same as before where the inks do not."""
        for screen in chain.from_iterable(self._screen_stacks.values()):
            for node in screen.walk_children(with_self=True):
                node.notify_style_update()
            screen.refresh()

    def _retry_key(self) -> str:
        for active in self.screen.active_bindings.values():
            if active.enabled and (active.binding.id or "").endswith(".refresh"):
                return self.get_key_display(active.binding)
        return ""

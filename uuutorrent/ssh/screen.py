"""The screens in a channel: one app on the person's terminal, until the terminal is theirs again."""

from __future__ import annotations

from collections.abc import Callable

from uuutorrent.desk import Desk
from uuutorrent.ssh.channel import Channel
from uuutorrent.ssh.door import CRASHED, Door
from uuutorrent.tally import Tally
from uuutorrent.tui.handover import in_turn
from uuutorrent.tui.shell import Shell
from uuutorrent.tui.terminal import Terminal, TerminalInfo

NO_TERMINAL = "this needs a real terminal; without one, type a verb after the host's name (help lists them)"
INTERRUPTED, HUNG_UP = 130, 129
"""Exit codes after a signal. Source: POSIX shells, 128 + the signal's number."""

OpenApp = Callable[[Desk, Terminal], Shell]
"""Makes the screens of one session."""


class Screen(Door):
    """Runs the app; it hears and is seen through its `Terminal`."""

    kind = "screen"

    def __init__(
        self, channel: Channel, tally: Tally, info: TerminalInfo, open_app: Callable[[Terminal], Shell]
    ) -> None:
        super().__init__(channel)
        self._tally = tally
        self._info = info
        self._open_app = open_app
        self._terminal = Terminal(info, channel)
        self._app: Shell | None = None

    async def run(self) -> int:
        """Show the screens until the person or the daemon ends them; returns the exit code."""
        if not self._info.usable:
            self.channel.say(NO_TERMINAL)
            return 1
        try:
            app = await in_turn(self._open_app(self._terminal), self._show)
        finally:
            self._terminal.restore()
            self._app = None
        if app.broke:
            self._tally.count("session_crashes", self.kind)
            self.channel.say(CRASHED)
        elif app.farewell:
            self.channel.say(app.farewell)
        return app.return_code or 0

    def received(self, data: bytes) -> None:
        """Keys, clicks and pastes."""
        self._terminal.feed(data)

    def blocked(self, on: bool) -> None:
        """Paint nothing for now, or the newest picture."""
        self._terminal.set_blocked(on)

    def resized(self, width: int, height: int, width_px: int, height_px: int) -> None:
        """Paint for another size."""
        self._terminal.resized(width, height, width_px, height_px)

    def interrupted(self) -> None:
        """End, as a program does that is sent a signal."""
        self._leave("", INTERRUPTED)

    def leave(self, sentence: str) -> None:
        """End at once; the sentence stands on the person's own screen."""
        self._leave(sentence, 0)

    def says(self, sentence: str) -> bool:
        """It stands there for a while."""
        if self._app is None:
            return False
        self._app.announce(sentence)
        return True

    def lost(self) -> None:
        """End; nobody looks."""
        self._leave("", HUNG_UP)

    def _show(self, app: Shell) -> None:
        self._app = app

    def _leave(self, farewell: str, code: int) -> None:
        if self._app is not None:
            self._app.leave(farewell, code=code)

"""One channel of a connection: finds out which door is wanted, and keeps what breaks in it from breaking more."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable, Mapping

import asyncssh
import structlog

from uuutorrent.config import Ssh
from uuutorrent.errors import Refused, UuuError
from uuutorrent.ssh import tcp
from uuutorrent.ssh.channel import Blocker, Channel
from uuutorrent.ssh.door import CRASHED, Door, Kind
from uuutorrent.ssh.visit import Visit

log = structlog.get_logger()

IDLE = "nothing was asked for in a long time"
LINGER_S = 5.0
"""How long a door may take to end after its client is gone."""


class Session(asyncssh.SSHServerSession[bytes]):
    """A channel and its door. `ended` is called once, when the door is closed."""

    def __init__(self, visit: Visit, ended: Callable[[Session], None]) -> None:
        self._visit = visit
        self._ended = ended
        self._open_door: Callable[[Channel], Door] | None = None
        self._door: Door | None = None
        self._channel: Channel | None = None
        self._exit_code = 1
        self._last_words = ""
        self._lingering: asyncio.TimerHandle | None = None
        self._asked_at = time.monotonic()
        self.task: asyncio.Task[None] | None = None
        """The door's life; None until the client has said which door."""

    @property
    def kind(self) -> Kind | None:
        """Which door is open."""
        return self._door.kind if self._door else None

    # What asyncssh tells

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        """The channel is open; what it is for comes next."""
        tcp.bound_environment(chan)
        self._channel = Channel(chan)

    def pty_requested(
        self, term_type: str, term_size: tuple[int, int, int, int], term_modes: Mapping[int, int]
    ) -> bool:
        """There is a terminal; asyncssh remembers which."""
        return True

    def shell_requested(self) -> bool:
        """The screens, or help when there is no terminal to show them on."""
        self._open_door = self._visit.shell
        return True

    def exec_requested(self, command: str) -> bool:
        """A verb."""
        self._open_door = lambda channel: self._visit.command(channel, command)
        return True

    def subsystem_requested(self, subsystem: str) -> bool:
        """Files."""
        self._open_door = self._visit.files
        return subsystem == "sftp"

    def session_started(self) -> None:
        """Open the door. It gets a context of its own: Textual keeps its active app in one."""
        assert self._open_door is not None
        self._door = door = self._open_door(self._have_channel())
        self._visit.tally.count("sessions", door.kind)
        self.task = asyncio.get_running_loop().create_task(
            self._live(door), name=f"{door.kind} of {self._visit.who}", context=contextvars.Context()
        )
        self.task.add_done_callback(self._over)

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        """Input."""
        self._asked_at = time.monotonic()
        self._tell(lambda door: door.received(data))

    def eof_received(self) -> bool:
        """No more input. Our side stays open."""
        self._tell(lambda door: door.input_ended())
        return True

    def terminal_size_changed(self, width: int, height: int, pixwidth: int, pixheight: int) -> None:
        """The person's window changed."""
        self._tell(lambda door: door.resized(width, height, pixwidth, pixheight))

    def signal_received(self, signal: str) -> None:
        """Sent by some clients in place of Ctrl+C."""
        if signal in ("INT", "TERM", "HUP", "QUIT", "KILL"):
            self._tell(lambda door: door.interrupted())

    def break_received(self, msec: int) -> bool:
        """A serial line's break means nothing here."""
        return False

    def pause_writing(self) -> None:
        """The client's window is full."""
        self.block("window", on=True)

    def resume_writing(self) -> None:
        """The client's window is open again."""
        self.block("window", on=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel is closed: the door ends by itself, or is ended."""
        if self._channel is not None:
            self._channel.lost()
        if self.task is None:
            self._ended(self)
        elif not self.task.done():
            self._lingering = asyncio.get_running_loop().call_later(LINGER_S, self._end)
            self._tell(lambda door: door.lost())

    # What the connection and the server tell

    def block(self, by: Blocker, *, on: bool) -> None:
        """Something between here and the client is full, or has drained."""
        channel = self._have_channel()
        before = channel.is_blocked
        channel.block(by, on)
        if channel.is_blocked != before:
            self._tell(lambda door: door.blocked(channel.is_blocked))

    def leave(self, sentence: str) -> None:
        """The server is about to stop; see `Door.leave`."""
        self._tell(lambda door: door.leave(sentence))

    def says(self, sentence: str) -> bool:
        """The admins say something; False: there is no screen to show it on."""
        return self._door is not None and self._door.says(sentence)

    def end_if_idle(self, now: float, limits: Ssh) -> str:
        """End what waits for its client for too long: screens and files at which nobody asked for anything, commands
        whose input does not end or whose output is not read. `now` is of the monotonic clock. Returns a word for the
        figures; empty: it goes on."""
        idle_s = now - self._asked_at
        if self.kind == "screen" and idle_s > limits.idle_screen_s:
            self.leave(IDLE)
            return "idle_screen"
        if self.kind == "sftp" and min(idle_s, now - self._have_channel().sent_at) > limits.idle_sftp_s:
            self.cut(IDLE, exit_code=Refused.exit_code)
            return "idle_sftp"
        if self._door is not None and self._door.waited_s(now) > limits.idle_sftp_s:
            self.cut(IDLE, exit_code=Refused.exit_code)
            return "idle_command"
        return ""

    def cut(self, sentence: str, *, exit_code: int) -> None:
        """It ends now, whatever is going on in it."""
        if self.task is not None and not self.task.done():
            self._last_words, self._exit_code = sentence, exit_code
            self._end()

    # The door's life

    async def _live(self, door: Door) -> None:
        try:
            code = await door.run()
            if not self._last_words:  # it was not cut; an app that is cancelled ends as if it were done
                self._exit_code = code
        except UuuError as e:
            self._last_words, self._exit_code = e.message, e.exit_code
        except Exception:  # the outermost handler of every door
            log.exception("session_crashed", kind=door.kind, user=self._visit.who)
            self._crashed(door)

    def _end(self) -> None:
        # Once is enough, and a second time would cut off the cleaning up after the first.
        if self.task is not None and not self.task.cancelling():
            self.task.cancel()

    def _over(self, _task: asyncio.Task[None]) -> None:
        """The door is closed, whichever way, even if it was ended before it began."""
        channel = self._have_channel()
        if self._last_words:
            channel.say(self._last_words)
        channel.exit(self._exit_code)
        self._door = None
        if self._lingering is not None:
            self._lingering.cancel()
        self._ended(self)

    def _tell(self, tell: Callable[[Door], None]) -> None:
        """Whatever a door raises when told something ends that door, not the connection with its other sessions."""
        door = self._door
        if door is None:
            return
        try:
            tell(door)
        except Exception:  # the outermost handler of every door
            log.exception("session_crashed", kind=door.kind, user=self._visit.who)
            self._crashed(door)
            self._end()

    def _crashed(self, door: Door) -> None:
        self._visit.tally.count("session_crashes", door.kind)
        self._last_words, self._exit_code = CRASHED, 1

    def _have_channel(self) -> Channel:
        assert self._channel is not None
        return self._channel

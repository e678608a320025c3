"""One channel as its door uses it: what came with it, writing that never fails, and knowing when nobody reads."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Literal

import asyncssh

from uuutorrent.ssh.sealing import Sealer
from uuutorrent.tui.terminal import TerminalInfo

HIGH_WATER, LOW_WATER = 64 * 1024, 16 * 1024
"""Bytes that may wait for the client's window before the door is asked to pause, and until it may go on."""
CLOSING_CHECK_S = 5.0
"""How often a door that waits for its client looks whether the client has closed the channel."""

Blocker = Literal["window", "socket"]


class Channel:
    """A session's channel. Writing after the client went away does nothing, since nobody can be told any more."""

    def __init__(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._chan = chan
        self._blocked_by: set[Blocker] = set()
        self._writable = asyncio.Event()
        self._writable.set()
        self.is_open = True
        self.sent_at = 0.0
        """When something was last written, by the monotonic clock: old clients of scp are silent while they fetch."""
        chan.set_write_buffer_limits(high=HIGH_WATER, low=LOW_WATER)

    @property
    def terminal(self) -> TerminalInfo | None:
        """What the client said of its terminal; None: it has none here. Its variables change nothing of ours."""
        term = self._chan.get_terminal_type()
        if term is None:
            return None
        return TerminalInfo(term, dict(self._chan.get_environment()), *self._chan.get_terminal_size())

    @property
    def is_blocked(self) -> bool:
        """The client does not take what is written: write no more than must be."""
        return bool(self._blocked_by)

    async def writable(self) -> None:
        """Wait until the client reads again, or is gone."""
        while self.is_blocked and self.is_open:
            try:
                async with asyncio.timeout(CLOSING_CHECK_S):
                    await self._writable.wait()
            except TimeoutError:
                # asyncssh keeps a client's close to itself while input that nobody reads waits before it.
                self.is_open = not self._chan.is_closing()

    def write(self, data: bytes) -> None:
        """Send to the client's stdout."""
        self._send(data, None)

    def write_err(self, data: bytes) -> None:
        """Send to the client's stderr, which is the same screen when there is a terminal."""
        self._send(data, asyncssh.EXTENDED_DATA_STDERR)

    def say(self, sentence: str) -> None:
        """Tell the person one sentence, on a line of its own."""
        self.write_err(sentence.encode() + (b"\n" if self._chan.get_terminal_type() is None else b"\r\n"))

    def pause_reading(self) -> None:
        """Take no more input; the client's window closes."""
        if self.is_open:
            self._chan.pause_reading()

    def resume_reading(self) -> None:
        """Take input again; what waited comes at once."""
        if self.is_open:
            self._chan.resume_reading()

    def block(self, by: Blocker, on: bool) -> None:
        """Something along the way is full (`on`), or has drained."""
        (self._blocked_by.add if on else self._blocked_by.discard)(by)
        if self._blocked_by and self.is_open:
            self._writable.clear()
        else:
            self._writable.set()

    def sealer(self) -> Sealer:
        """What sends much in it without asyncssh."""
        return Sealer(self._chan)

    def exit(self, code: int) -> None:
        """Send the exit status and close, once everything written is sent."""
        self.lost()
        self._chan.exit(code)
        # When the client closed first, `exit` does nothing and input that nobody reads would hold the channel.
        self._chan.close()

    def lost(self) -> None:
        """The client closed the channel, or is gone."""
        self.is_open = False
        self._writable.set()

    def _send(self, data: bytes, datatype: int | None) -> None:
        if self.is_open:
            self.sent_at = time.monotonic()
            with suppress(BrokenPipeError):
                self._chan.write(data, datatype)

"""Where answers leave: in packets that are sealed here, or through asyncssh where they cannot be.

`ready`, `lay` out, fill the places, `send`. Nothing is laid out that the client or the socket does not take now, so
what waits for a slow client is one batch.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from uuutorrent.ssh.channel import Channel
from uuutorrent.ssh.sealing import PACKET, PACKETS, Sealer, State
from uuutorrent.tally import Tally

BATCH = PACKETS * PACKET
"""Bytes of one batch, at most."""
CHECK_S = 0.005
"""How often it is looked whether new keys are there: they take some milliseconds, and asyncssh tells nobody."""
PATIENCE_S = 0.02
"""How long a window that is open a little may take to open further."""


class Outlet:
    """Sends in one channel."""

    def __init__(self, channel: Channel, tally: Tally, *, sealed: bool) -> None:
        self._channel = channel
        self._tally = tally
        self._sealer: Sealer | None = channel.sealer() if sealed else None
        self._buffer: memoryview | None = None
        self._places: Sequence[memoryview] = ()
        self._by_asyncssh = False

    async def ready(self, size: int) -> bool:
        """Wait until something of so many bytes can be sent; whether that took a while."""
        waited = False
        while self._channel.is_open and (state := self._state(size)) not in ("ready", "asyncssh"):
            waited = True
            if state == "window":
                await self._window_opens()
            elif self._channel.is_blocked:
                await self._channel.writable()
            else:
                await asyncio.sleep(CHECK_S)
        return waited

    def lay(self, size: int) -> Sequence[memoryview]:
        """Places for so many bytes, or fewer; none when nothing can be sent just now."""
        state = self._state(size) if self._channel.is_open else "socket"
        self._by_asyncssh = state == "asyncssh"
        if self._sealer is not None and state == "ready":
            self._places = self._sealer.lay(size)
        elif self._by_asyncssh:
            self._buffer = self._buffer or memoryview(bytearray(BATCH))
            self._places = (self._buffer[: min(size, BATCH)],)
        else:
            self._places = ()
        return self._places

    def send(self) -> int:
        """Send what was put into the places; how many bytes. 0: they do not fit any more, lay out anew."""
        size = sum(len(place) for place in self._places)
        if self._by_asyncssh:
            self._channel.write(bytes(self._places[0]))
        elif self._sealer is None or not self._sealer.send():
            return 0
        else:
            self._channel.sent_at = time.monotonic()
        self._tally.count("sftp_sent_bytes", "asyncssh" if self._by_asyncssh else "here", by=size)
        return size

    def free(self) -> None:
        """Hold no memory until the next time."""
        self._buffer, self._places = None, ()
        if self._sealer is not None:
            self._sealer.free()

    def _state(self, size: int) -> State:
        if self._channel.is_blocked:
            return "socket"
        return self._sealer.state(size) if self._sealer else "asyncssh"

    async def _window_opens(self) -> None:
        assert self._sealer is not None
        is_open_a_little = self._sealer.ask_for_window()
        self._channel.block("window", on=True)
        timer = asyncio.get_running_loop().call_later(PATIENCE_S, self._go_on) if is_open_a_little else None
        try:
            await self._channel.writable()
        finally:
            if timer is not None:
                timer.cancel()

    def _go_on(self) -> None:
        assert self._sealer is not None
        self._sealer.take_what_there_is()
        self._channel.block("window", on=False)

"""What the client sent, cut into packets. It holds no more than a bounded amount: the client's window closes then."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from uuutorrent.errors import Invalid
from uuutorrent.ssh import filexfer
from uuutorrent.ssh.channel import Channel

READ_AHEAD = 64 * 1024
"""Bytes of requests that may wait."""


@dataclass(slots=True)
class Inbox:
    """Bytes from the client, cut into packets."""

    channel: Channel
    bytes_: bytearray = field(default_factory=bytearray)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False
    paused: bool = False

    def put(self, data: bytes) -> None:
        """More came."""
        self.bytes_ += data
        self.came.set()
        if len(self.bytes_) > READ_AHEAD and not self.paused:
            self.paused = True
            self.channel.pause_reading()

    def take(self) -> bytes | None:
        """The next whole packet, if there is one.

        Raises:
            Invalid: it has a size that no request has.
        """
        if len(self.bytes_) < 4:
            return None
        size = int.from_bytes(self.bytes_[:4])
        if not 0 < size <= filexfer.MAX_PACKET:
            raise Invalid("that is not SFTP")
        if len(self.bytes_) < 4 + size:
            return None
        packet = bytes(self.bytes_[4 : 4 + size])
        del self.bytes_[: 4 + size]
        return packet

    def next_is(self, kind: int) -> bool:
        """Whether a whole request of this kind waits."""
        size = int.from_bytes(self.bytes_[:4])
        return len(self.bytes_) > 4 and self.bytes_[4] == kind and len(self.bytes_) >= 4 + size

    async def wait(self) -> None:
        """Until more came, or nothing more will."""
        self.came.clear()
        if self.paused:
            self.paused = False
            self.channel.resume_reading()
        if not self.ended:
            await self.came.wait()

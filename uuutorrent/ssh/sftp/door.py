"""The file door: takes one client's requests in turn and answers them.

One request is served at a time and nothing is read that the client does not take, so a client can hold this much and no
more: its open files, one packet, and one answer. A path is resolved when something is opened; after that it is plain
reads of a descriptor, which go on when the torrent is deleted meanwhile.
"""

from __future__ import annotations

import asyncio
import time

from uuutorrent.desk import Desk
from uuutorrent.errors import Refused, Unreachable
from uuutorrent.ssh.channel import Channel
from uuutorrent.ssh.door import Door
from uuutorrent.ssh.sftp.answers import Answers
from uuutorrent.ssh.sftp.handles import Handles
from uuutorrent.ssh.sftp.inbox import Inbox

TURN_S = 0.002
"""How long one session may serve before others have their turn."""
QUIET_S = 1.0
"""While the server stops: a client without open files that asks nothing for so long is not in a transfer."""

EXPIRED = "your password is a one-time password: sign in with ssh and choose another first"
FACTOR_DUE = "you need a second factor here: sign in with ssh and set one up first"


class Sftp(Door):
    """Serves one client's requests."""

    kind = "sftp"

    def __init__(self, channel: Channel, desk: Desk) -> None:
        super().__init__(channel)
        self._desk = desk
        self._inbox = Inbox(channel)
        self._handles = Handles(desk)
        self._answers = Answers(desk, self._handles)
        self._farewell = ""

    async def run(self) -> int:
        """Answer until the client has no more questions. Without an exit code of 0 `scp` calls its copy failed."""
        if self._desk.user.password_expired:
            raise Refused(EXPIRED)
        if await self._desk.second_factors.is_due(self._desk.user):
            raise Refused(FACTOR_DUE)
        try:
            return await self._serve()
        finally:
            self._handles.close_all()

    def received(self, data: bytes) -> None:
        """Requests, or parts of them."""
        self._inbox.put(data)

    def input_ended(self) -> None:
        """The client is done; what it asked is still answered."""
        self._inbox.ended = True
        self._inbox.came.set()

    def leave(self, sentence: str) -> None:
        """Transfers go on; a client that transfers nothing is told."""
        self._farewell = sentence
        self._inbox.came.set()

    def lost(self) -> None:
        """Nobody takes an answer."""
        self.input_ended()
        self._inbox.bytes_.clear()

    async def _serve(self) -> int:
        turn_began = time.monotonic()
        while (packet := await self._next()) is not None:
            self.channel.write(await self._answers.to(packet))
            await self.channel.writable()
            if time.monotonic() - turn_began > TURN_S:
                await asyncio.sleep(0)
                turn_began = time.monotonic()
        if self._farewell:
            self.channel.say(self._farewell)
            return Unreachable.exit_code
        return 0

    async def _next(self) -> bytes | None:
        """The next request; None at the end."""
        while (packet := self._inbox.take()) is None and not self._inbox.ended:
            try:
                async with asyncio.timeout(QUIET_S if self._farewell and not len(self._handles) else None):
                    await self._inbox.wait()
            except TimeoutError:
                return None
        return packet

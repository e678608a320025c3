"""The file door: takes one client's requests in turn, and sends the answers in batches.

Nothing is read that the client does not take, so a client can hold this much and no more: its open files, one packet of
its own, and one batch of answers. A path is resolved when something is opened; after that it is plain reads of a
descriptor, which go on when the torrent is deleted meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from uuutorrent.desk import Desk
from uuutorrent.errors import Unreachable
from uuutorrent.ssh.channel import Channel
from uuutorrent.ssh.door import Door
from uuutorrent.ssh.filexfer import Request
from uuutorrent.ssh.sftp.answers import Answers
from uuutorrent.ssh.sftp.depot import Depot
from uuutorrent.ssh.sftp.handles import Handles, OpenFile
from uuutorrent.ssh.sftp.inbox import Inbox
from uuutorrent.ssh.sftp.outlet import BATCH, Outlet
from uuutorrent.ssh.sftp.stream import Piece, Run, Stream

TURN_S = 0.001
"""How long one session may serve before others have their turn."""
AT_ONCE = 64
"""Reads that are answered together."""
QUIET_S = 1.0
"""While the server stops: a client without open files that asks nothing for so long is not in a transfer."""


class Sftp(Door):
    """Serves one client's requests."""

    kind = "sftp"

    def __init__(self, channel: Channel, desk: Desk, depot: Depot) -> None:
        super().__init__(channel)
        self._desk = desk
        self._depot = depot
        self._serving = desk.serving("sftp")
        self._inbox = Inbox(channel)
        self._handles = Handles(desk)
        self._answers = Answers(desk, self._handles, self._serving)
        self._stream = Stream()
        self._ahead: OpenFile | None = None
        """The one file of which more may be in memory than was asked for."""
        self._outlet = Outlet(channel, desk.tally, sealed=not depot.why_not_sealed)
        self._turn_ends = 0.0
        self._farewell = ""

    async def run(self) -> int:
        """Answer until the client has no more questions. Without an exit code of 0 `scp` calls its copy failed."""
        await self._desk.check_entrance()
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
        while self.channel.is_open and (packet := await self._next()) is not None:
            await self._answer(packet)
            await self._send()
        if self._farewell:
            self.channel.say(self._farewell)
            return Unreachable.exit_code
        return 0

    async def _next(self) -> bytes | None:
        """The next request; None at the end."""
        while (packet := self._inbox.take()) is None and not self._inbox.ended:
            if not len(self._handles):
                self._outlet.free()
            self._turn_ends = 0.0
            try:
                async with asyncio.timeout(QUIET_S if self._farewell and not len(self._handles) else None):
                    await self._inbox.wait()
            except TimeoutError:
                return None
        return packet

    async def _answer(self, packet: bytes) -> None:
        answer = await self._answers.to(packet)
        self._stream.add(answer if isinstance(answer, Piece) else Piece(answer))

    async def _send(self) -> None:
        """Send all that was answered, and what can be answered along with it."""
        while self._stream.size and self.channel.is_open:
            await self._wait()
            await self._gather()
            places = self._outlet.lay(min(self._stream.size, BATCH))
            if not places:
                continue
            runs = self._stream.spread(places)
            if await self._fill(runs) and (size := self._outlet.send()):
                self._serving.sent(self._stream.sent(size))
                self._forget(runs)
        self._stream.clear()

    def _forget(self, runs: Sequence[Run]) -> None:
        """These are sent. What threads read beyond them is kept of the last file alone."""
        if runs:
            before, self._ahead = self._ahead, runs[-1].file
            for file in {id(file): file for file in (before, *(run.file for run in runs)) if file}.values():
                if file is self._ahead:
                    file.forget(runs[-1].offset + runs[-1].size)
                else:
                    file.fetched.clear()

    async def _wait(self) -> None:
        """Until the client takes something, and it is this session's turn."""
        if await self._outlet.ready(min(self._stream.size, BATCH)) or time.monotonic() >= self._turn_ends:
            await self._depot.rounds.turn()
            self._turn_ends = time.monotonic() + TURN_S

    async def _gather(self) -> None:
        """Reads that wait are answered together."""
        while self._stream.size < BATCH and len(self._stream) < AT_ONCE and self._inbox.next_is(Request.READ):
            if self._serving.budget() <= self._stream.size or (packet := self._inbox.take()) is None:
                break
            await self._answer(packet)

    async def _fill(self, runs: Sequence[Run]) -> bool:
        """Put parts of files into their places. False: they were not in memory, and by now are: lay out anew."""
        for run in runs:
            try:
                if run.file.fill(run.places, run.offset, run.size):
                    continue
                if not await run.file.fetch(self._depot, run.offset, run.size, ahead=len(runs) == 1):
                    self._stream.shrink(run.file)
            except OSError as e:
                self._stream.fail(run.file, run.offset, run.size, e)
            return False
        return True

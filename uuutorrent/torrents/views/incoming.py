"""`/incoming`: what is on its way, with sizes that grow; readable where it is whole, if the configuration says so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from uuutorrent.accounts import User
from uuutorrent.errors import Missing, RemoteError, Unreachable
from uuutorrent.remote import Clock
from uuutorrent.torrents.engine import Engine, EngineId, Phase, Pieces, Torrent, TorrentFile
from uuutorrent.torrents.holdings import Claim, Finished, Stored
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.views.entry import Readable
from uuutorrent.torrents.views.room import Room
from uuutorrent.torrents.views.tree import Arriving, Folder, Leaf, tree

FRESH_S = 2.0
"""How long sizes are right that grow."""
STILL_S = 60.0
"""How long they are of what does not move."""
MOST_ASKED = 100
"""Torrents whose files are asked for in one go; the others' a moment later."""
LOOK_S = 1.0
"""How often the engine is asked which pieces have come, while somebody waits for one."""
_MOVING = (Phase.DOWNLOADING, Phase.STALLED, Phase.MOVING, Phase.CHECKING)


class Incoming(Room):
    """What is not whole yet of each user's torrents."""

    def __init__(
        self, library: Library, live: Live, engine: Engine, *, is_readable: bool = False, clock: Clock = time.monotonic
    ) -> None:
        self._library = library
        self._live = live
        self._engine = engine
        self._is_readable = is_readable
        self._clock = clock
        self._asked: dict[EngineId, tuple[float, tuple[TorrentFile, ...]]] = {}

    async def folder(self, user: User, finished: Sequence[Finished]) -> tuple[Folder, float]:
        """A folder for each torrent that is on its way, with the files that are wanted and not whole."""
        coming = self._coming(user, await self._library.of(user))
        await self._ask([there for _, _, there in coming])
        root = Folder()
        for stored, claim, there in coming:
            _, files = self._asked.get(there.id, (0.0, ()))
            leaves = {file.index: self._leaf(stored, claim, file) for file in files if _is_coming(file, claim)}
            name = root.names.give(stored.name, stored.infohash[:6])
            if leaves:
                root.folders[name] = tree(stored.folder, leaves)
                root.folders[name].place = None
                root.folders[name].modified_at = claim.claimed_at
                root.touch(claim.claimed_at)
        return root, FRESH_S

    async def readable(self, user: User, arriving: Arriving) -> Readable | None:
        """Which pieces of the file have come; None where it is not configured that such files can be read."""
        if not self._is_readable:
            return None
        stored = await self._library.claimed(user, arriving.infohash)
        there = self._live.snapshot.find(stored.v1, stored.v2) if stored else None
        if there is None:
            raise Missing("It is not arriving any more.")
        file = next((file for file in await self._engine.files(there.id) if file.index == arriving.index), None)
        if file is None:
            raise Missing("It is not arriving any more.")
        return InPieces(self._engine, there.id, file, clock=self._clock)

    def _coming(self, user: User, every: Sequence[Stored]) -> list[tuple[Stored, Claim, Torrent]]:
        found = []
        for stored in reversed(every):
            claim, there = stored.claim_of(user.id), self._live.snapshot.find(stored.v1, stored.v2)
            if claim and there and (there.progress < 1 or claim.is_part):
                found.append((stored, claim, there))
        return found

    async def _ask(self, every: Sequence[Torrent]) -> None:
        """Have the files of these, as new as they need to be."""
        now, due = self._clock(), []
        for there in every:
            asked_at, _ = self._asked.get(there.id, (-STILL_S, ()))
            if now - asked_at >= (FRESH_S if there.phase in _MOVING else STILL_S):
                due.append(there.id)
        with suppress(RemoteError, Missing):
            for which in due[:MOST_ASKED]:
                self._asked[which] = now, await self._engine.files(which)
        for which in self._asked.keys() - {there.id for there in self._live.snapshot.torrents}:
            del self._asked[which]

    def _leaf(self, stored: Stored, claim: Claim, file: TorrentFile) -> Leaf:
        # Who reads what has come must know how long the whole is, or would take a part for it.
        size = file.size_bytes if self._is_readable else int(file.size_bytes * file.progress)
        arriving = Arriving(stored.infohash, file.index, size, claim.claimed_at)
        return Leaf(f"{stored.folder}/{file.path}", arriving)


@dataclass(slots=True)
class InPieces:
    """A file that is arriving, and which of its pieces have come. It asks the engine when one is missing."""

    engine: Engine
    id: EngineId
    file: TorrentFile
    clock: Clock = time.monotonic
    _pieces: Pieces = field(default_factory=Pieces)
    _asked_at: float = -LOOK_S
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def whole(self, offset: int, length: int) -> int:
        """How many bytes from there on are here: at least one, at most `length`; 0 at the end of the file.

        Raises:
            Unreachable: none yet.
        """
        length = min(length, self.file.size_bytes - offset)
        if length <= 0:
            return 0
        here = self._here(offset, length)
        if not here:
            await self._look()
            here = self._here(offset, length)
        if not here:
            raise Unreachable("This part of the file", "it has not arrived yet")
        return here

    async def _look(self) -> None:
        async with self._asking:
            if self.clock() - self._asked_at >= LOOK_S:
                self._asked_at = self.clock()
                self._pieces = await self.engine.pieces(self.id)

    def _here(self, offset: int, length: int) -> int:
        """So many bytes from there on are in pieces that have come.

        Where in its first piece a file begins is not told, so a byte may be in either of two.
        """
        size, come, first, last = (
            self._pieces.size_bytes,
            self._pieces.come,
            self.file.first_piece,
            self.file.last_piece,
        )
        if not size or last < first or last >= len(come):
            return 0
        end = offset
        while end < offset + length:
            piece = first + end // size
            if not come[min(piece, last)] or not come[min(piece + 1, last)]:
                break
            end = (end // size + 1) * size
        return min(end, offset + length) - offset


def _is_coming(file: TorrentFile, claim: Claim) -> bool:
    return file.priority > 0 and file.progress < 1 and (not claim.is_part or file.index in claim.files)

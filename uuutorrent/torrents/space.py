"""Room on the disk: what is free beside what is on its way, and what therefore is refused or has to wait.

The disk is asked itself, not qBittorrent, whose figure is that of its default path only.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from uuutorrent.errors import Refused
from uuutorrent.torrents.claims import Claims
from uuutorrent.torrents.engine import Phase, Snapshot, Torrent
from uuutorrent.torrents.holdings import Part, Stored, amount
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.metainfo import Magnet, Metainfo

WRITING = frozenset({Phase.QUEUED, Phase.DOWNLOADING, Phase.STALLED, Phase.MOVING, Phase.ADDING})
"""Phases in which what is missing of a torrent is going to be written. One that is checked may have it all."""
TOUCH = 8
"""Of so many folders that must be there one is enough to know that it is still the same disk."""
PART_OF_FLOOR = 8
"""A download runs on until so much of the floor is gone, and waits until there is room without it."""


class NoRoom(Refused):
    """The disk is too full for it: later it may not be."""


@dataclass(frozen=True, slots=True)
class Disk:
    """How full a disk is, in bytes, and which one it is."""

    free_bytes: int
    total_bytes: int
    device: int


Look = Callable[[Path], Disk]
"""Looks at the disk that a folder is on; raises `OSError` when the folder is not there. It may block."""


@dataclass(frozen=True, slots=True)
class Download:
    """One that has a place in the queue."""

    id: int
    needed_bytes: int
    waits: bool
    """It is held back now."""


def look_at(root: Path) -> Disk:
    """The disk below a folder, as everybody but root may fill it."""
    seen = os.statvfs(root)
    return Disk(seen.f_bavail * seen.f_frsize, seen.f_blocks * seen.f_frsize, root.stat().st_dev)


def may_run(queue: Iterable[Download], room_bytes: int, slack_bytes: int) -> frozenset[int]:
    """Which downloads the room is enough for, the first in the queue first; smaller ones behind may go before.

    One that runs may use `slack_bytes` beyond the room, one that waits may not: else they would run and wait by turns.
    """
    left, running = room_bytes, set[int]()
    for download in queue:
        if download.needed_bytes <= left + (0 if download.waits else slack_bytes):
            running.add(download.id)
            left -= download.needed_bytes
    return frozenset(running)


class Space:
    """The disk of the downloads."""

    def __init__(self, claims: Claims, live: Live, root: Path, floor_bytes: int, *, look: Look = look_at) -> None:
        self._claims = claims
        self._live = live
        self._root = root
        self._look = look
        self._device: int | None = None
        self._is_doubtful = False
        """None of the files that it should hold were there when it was looked at last."""
        self.floor_bytes = floor_bytes
        """So much stays free; 0: there is no guard."""

    @property
    def slack_bytes(self) -> int:
        """What a running download may take of the floor."""
        return self.floor_bytes // PART_OF_FLOOR

    @property
    def was_seen(self) -> bool:
        """The disk was there once since the start: if it cannot be looked at now, it is gone."""
        return self._device is not None

    async def disk(self, every: Sequence[Stored] = ()) -> Disk | None:
        """The disk now; None when it cannot be looked at, or is not the one that holds `every` torrent's files."""
        there = [stored.folder for stored in every if stored.completed_at is not None][:TOUCH]
        disk = await asyncio.to_thread(self._seen, there)
        if there:
            self._is_doubtful = disk is None
        return disk

    async def check(
        self, source: Metainfo | Magnet, part: Part | None = None, *, instead_of: Stored | None = None
    ) -> None:
        """See whether there is room for a torrent, or a part of it, beside everything that is on its way.

        `instead_of`: what it takes the place of needs nothing more. Where the disk cannot be told, nothing is decided.

        Raises:
            NoRoom: there is not.
        """
        if not self.floor_bytes:
            return
        every, snapshot = await self._claims.unfinished(source.v1, source.v2), await self._live.recent()
        disk = await self.disk()
        if disk is None or self._is_doubtful:
            return
        known = next((one for one in every if _same(one, source)), None)
        more = await self._more(source, part, known, snapshot)
        gone = instead_of.id if instead_of else None
        on_its_way = sum(needed(one, snapshot) for one in every if is_running(one) and one.id != gone)
        free = max(0, disk.free_bytes - self.floor_bytes - on_its_way)
        beside = (
            f"{amount(free)} are free beside what is downloading and the {amount(self.floor_bytes)} that stay free."
        )
        if more is None and not free:
            raise NoRoom(f"Its size is not known yet; {beside}")
        if more is not None and more > free:
            raise NoRoom(f"It needs {amount(more)}; {beside}")

    async def _more(
        self, source: Metainfo | Magnet, part: Part | None, known: Stored | None, snapshot: Snapshot
    ) -> int | None:
        """The bytes that would be written beyond those that are counted already; None: nobody can tell."""
        there = snapshot.find(known.v1, known.v2) if known else None
        wanted = _wanted(source, part, known)
        if wanted is None:
            return 0 if there is not None else None
        counted = needed(known, snapshot) if known is not None and is_running(known) else 0
        if there is not None:
            return max(0, wanted - there.completed_bytes - counted)
        folder = known.folder if known else source.infohash
        on_disk = 0 if counted else await asyncio.to_thread(allocated, self._root / folder)
        return max(0, wanted - counted - on_disk)

    def _seen(self, folders: Sequence[str]) -> Disk | None:
        try:
            disk = self._look(self._root)
        except OSError:
            return None
        if folders and not any((self._root / folder).exists() for folder in folders):
            return None
        if self._device is None:
            self._device = disk.device
        return disk if disk.device == self._device else None


def needed(stored: Stored, snapshot: Snapshot) -> int:
    """The bytes that a torrent has yet to write to be whole, as far as that is known."""
    there = snapshot.find(stored.v1, stored.v2)
    if there is not None:
        return to_write(there)
    if stored.completed_at is not None or not stored.claims:
        return 0
    size = stored.size_bytes or 0
    parts = sum(claim.size_bytes or 0 for claim in stored.claims)
    return min(size, parts) if size and stored.wanted is not None else size or parts


def to_write(there: Torrent) -> int:
    """The bytes that a torrent has yet to write, if it runs or would but for the disk."""
    is_writing = there.phase in WRITING or there.phase in (Phase.PAUSED, Phase.ERROR)
    return max(0, there.size_bytes - there.completed_bytes) if is_writing else 0


def is_running(stored: Stored) -> bool:
    """Whether somebody wants it, and it may write what it needs without asking for room again."""
    return bool(stored.claims) and not stored.stopped and not stored.held_back


def allocated(folder: Path) -> int:
    """The bytes that a folder takes on the disk; blocks."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(place) / name).lstat().st_blocks * 512
            except OSError:
                continue
    return total


def _same(stored: Stored, source: Metainfo | Magnet) -> bool:
    return bool((source.v1 and source.v1 == stored.v1) or (source.v2 and source.v2 == stored.v2))


def _wanted(source: Metainfo | Magnet, part: Part | None, known: Stored | None) -> int | None:
    """The bytes of everything that would then be wanted of it."""
    has_all = known is not None and bool(known.claims) and known.wanted is None
    if part is not None and not part.whole and not has_all:
        return part.size_with(known.wanted or () if known and known.claims else ())
    if isinstance(source, Metainfo):
        return source.size_bytes
    return known.size_bytes if known else None

"""The guard of the disk: downloads that do not fit wait, and go on by themselves when there is room again.

What waits is written down before it is stopped, and forgotten after it was started: a turn that was cut short is
simply taken again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from uuutorrent.torrents.claims import Claims
from uuutorrent.torrents.engine import Engine, Phase, Snapshot, Torrent
from uuutorrent.torrents.holdings import Stored
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.placing import Placing, is_chosen
from uuutorrent.torrents.space import WRITING, Disk, Download, Space, may_run, needed, to_write

log = structlog.get_logger()

LOW_FOR_S = 900.0
"""For so long after the disk was low an error of a download is put down to that, and it is started again."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """What a turn saw."""

    disk: Disk
    waiting: tuple[Stored, ...]
    """All that is held back now, the first in the queue first."""
    changed: tuple[Stored, ...]
    """What was held back, or goes on, since the turn before."""


class Guard:
    """Holds downloads back and lets them go on, in the order in which they were added."""

    def __init__(
        self,
        claims: Claims,
        placing: Placing,
        engine: Engine,
        live: Live,
        space: Space,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._claims = claims
        self._placing = placing
        self._engine = engine
        self._live = live
        self._space = space
        self.clock = clock
        self._low_at: float | None = None
        self._waited = True
        """Something waited at the last turn, or may have."""

    @property
    def is_low(self) -> bool:
        """The disk had less than its floor a moment ago: what went wrong with downloads may be due to that."""
        return self._low_at is not None and self.clock() - self._low_at < LOW_FOR_S

    async def turn(self) -> Guarded | None:
        """Look at the disk, and stop or start what has to. None: nothing can be told just now, so nothing was done.

        Raises:
            RemoteError: the engine does not answer; the next turn goes on.
        """
        snapshot, disk = await self._live.recent(), await self._space.disk()
        if disk is not None and not self._waited and self._has_room_for_all(snapshot, disk):
            return Guarded(disk, (), ())
        every = await self._claims.every()
        disk = await self._space.disk(every)
        self._waited = True
        if disk is None or not snapshot.engine_up:
            return None
        if disk.free_bytes < self._space.floor_bytes:
            self._low_at = self.clock()
        queue = sorted((one for one in every if self._has_place(one, snapshot)), key=lambda one: (one.added_at, one.id))
        running = self._may_run(queue, snapshot, disk)
        changed = [one for one in queue if await self._settle(one, snapshot, runs=one.id in running)]
        if changed:
            self._live.poke()
        waiting = tuple(one for one in queue if one.id not in running)
        self._waited = bool(waiting)
        return Guarded(disk, waiting, tuple(changed))

    def _has_room_for_all(self, snapshot: Snapshot, disk: Disk) -> bool:
        """Whether the disk takes whatever any torrent may still write: then there is nothing to look up."""
        is_well = snapshot.engine_up and not any(there.phase is Phase.ERROR for there in snapshot.torrents)
        return is_well and sum(map(to_write, snapshot.torrents)) <= disk.free_bytes - self._space.floor_bytes

    def _has_place(self, stored: Stored, snapshot: Snapshot) -> bool:
        """Whether it is on its way, or waits."""
        there = snapshot.find(stored.v1, stored.v2)
        if not stored.claims or stored.stopped:
            return stored.held_back
        return stored.held_back or (there is not None and there.phase in WRITING | {Phase.ERROR} and there.progress < 1)

    def _may_run(self, queue: Sequence[Stored], snapshot: Snapshot, disk: Disk) -> frozenset[int]:
        if not self._space.floor_bytes:
            return frozenset(one.id for one in queue)
        ours = {one.id for one in queue}
        room = disk.free_bytes - self._space.floor_bytes
        downloads = [Download(one.id, needed(one, snapshot), one.held_back) for one in queue if one.id in ours]
        return may_run(downloads, room, self._space.slack_bytes)

    async def _settle(self, stored: Stored, snapshot: Snapshot, *, runs: bool) -> bool:
        there = snapshot.find(stored.v1, stored.v2)
        if runs and stored.held_back:
            await self._let_go(stored.id)
            return True
        if runs:
            if there is not None and there.phase is Phase.ERROR and self.is_low:
                await self._engine.start([there.id])
            return False
        if not stored.held_back or (there is not None and there.phase in WRITING):
            await self._hold_back(stored.id, there)
        return not stored.held_back

    async def _hold_back(self, torrent_id: int, there: Torrent | None) -> None:
        async with self._placing.lock(torrent_id):
            await self._claims.mark(torrent_id, held_back=True)
            if there is not None:
                await self._engine.stop([there.id])
        log.info("download held back", torrent=torrent_id)

    async def _let_go(self, torrent_id: int) -> None:
        async with self._placing.lock(torrent_id):
            stored = await self._claims.get(torrent_id)
            there = await self._placing.find(stored) if stored else None
            if stored is None:
                return
            # A part whose files are not chosen yet is started by `reconcile`, once they are.
            if there is not None and not stored.stopped and (stored.wanted is None or is_chosen(stored, there)):
                await self._engine.start([there.id])
            await self._claims.mark(torrent_id, held_back=False)
        log.info("download goes on", torrent=torrent_id)

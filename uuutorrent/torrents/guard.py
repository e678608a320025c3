"""Which downloads run: those that the disk has room for, and of these as many of each user as may run at the same time.

The others wait, and go on by themselves. What waits is written down before it is stopped, and forgotten after it was
started: a turn that was cut short is simply taken again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from uuutorrent.accounts import UserId
from uuutorrent.limits import Limits
from uuutorrent.torrents.claims import Claims
from uuutorrent.torrents.engine import Engine, Phase, Snapshot, Torrent
from uuutorrent.torrents.holdings import Stored
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.panic import Panic
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
    """All that waits for room, the first in the queue first."""
    changed: tuple[Stored, ...]
    """What began to wait, or goes on, since the turn before."""
    queued: tuple[Stored, ...] = ()
    """All that there is room for, and that waits until fewer downloads of its users run."""


def whose_turn(queue: Sequence[Stored], most: Mapping[UserId, int]) -> frozenset[int]:
    """Which downloads may run, the first in the queue first. `most` of each user may; 0 or not named: no limit.

    One that several users claim runs if any of them has room, and counts for each.
    """
    running, turns = Counter[UserId](), set[int]()
    for one in queue:
        users = [claim.user_id for claim in one.claims]
        if one.stopped or not users or any(not most.get(user) or running[user] < most[user] for user in users):
            turns.add(one.id)
            running.update(users if not one.stopped else ())
    return frozenset(turns)


def _needs_no_turn(stored: Stored, snapshot: Snapshot) -> bool:
    """Whether nothing comes of it, or nothing more has to."""
    there = snapshot.find(stored.v1, stored.v2)
    return there is not None and (there.phase is Phase.ERROR or there.is_complete)


def _in_order(stored: Stored) -> tuple[datetime, int]:
    return stored.added_at, stored.id


class Guard:
    """Holds downloads back and lets them go on, in the order in which they were added."""

    def __init__(
        self,
        claims: Claims,
        placing: Placing,
        engine: Engine,
        live: Live,
        space: Space,
        limits: Limits,
        panic: Panic,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._claims = claims
        self._placing = placing
        self._engine = engine
        self._live = live
        self._space = space
        self._limits = limits
        self._panic = panic
        self.clock = clock
        self._low_at: float | None = None
        self._waited = True
        """Something waited for the disk at the last turn, or may have."""
        self._queued = True
        """The same of what waits for its turn."""
        self._has_limits = True
        """Somebody was bound to a number of downloads at the last turn, or may have been."""

    @property
    def is_low(self) -> bool:
        """The disk had less than its floor a moment ago: what went wrong with downloads may be due to that."""
        return self._low_at is not None and self.clock() - self._low_at < LOW_FOR_S

    async def turn(self) -> Guarded | None:
        """Look at the disk, and stop or start what has to, unless everything stands still. None: nothing can be told
        just now, so nothing was done.

        Raises:
            RemoteError: the engine does not answer; the next turn goes on.
        """
        if await self._panic.look() is not None:
            return await self._look_only()
        snapshot, disk = await self._live.recent(), await self._space.disk()
        has_room = disk is not None and not self._waited and self._has_room_for_all(snapshot, disk)
        if disk is not None and has_room and not await self._may_wait():
            return Guarded(disk, (), ())
        every = await (self._claims.unfinished("", "") if has_room else self._claims.every())
        disk = await self._space.disk(every)
        self._waited = True
        if disk is None or not snapshot.engine_up:
            return None
        self._note_if_low(disk)
        queue = sorted((one for one in every if self._has_place(one, snapshot)), key=_in_order)
        guarded = await self._decide(queue, snapshot, disk)
        if guarded.changed:
            self._live.poke()
        self._waited = bool(guarded.waiting)
        self._queued = bool(guarded.queued)
        return guarded

    async def _look_only(self) -> Guarded | None:
        """Everything stands still: the disk may be full all the same, and what waited waits on."""
        self._waited = self._queued = True
        snapshot, every = await self._live.recent(), sorted(await self._claims.every(), key=_in_order)
        disk = await self._space.disk(every)
        if disk is None or not snapshot.engine_up:
            return None
        self._note_if_low(disk)
        waiting = tuple(one for one in every if one.claims and one.held_back)
        return Guarded(disk, waiting, (), tuple(one for one in every if one.claims and one.waits_turn))

    def _note_if_low(self, disk: Disk) -> None:
        if disk.free_bytes < self._space.floor_bytes:
            self._low_at = self.clock()

    async def _decide(self, queue: Sequence[Stored], snapshot: Snapshot, disk: Disk) -> Guarded:
        fit = self._may_run(queue, snapshot, disk)
        most = await self._limits.active({claim.user_id for one in queue for claim in one.claims})
        free = {one.id for one in queue if _needs_no_turn(one, snapshot)}
        turns = whose_turn([one for one in queue if one.id in fit - free], most) | free
        changed = [
            one for one in queue if await self._settle(one, snapshot, fits=one.id in fit, is_next=one.id in turns)
        ]
        waiting = tuple(one for one in queue if one.id not in fit)
        return Guarded(disk, waiting, tuple(changed), tuple(one for one in queue if one.id in fit - turns))

    async def _may_wait(self) -> bool:
        """Whether anything may wait for its turn, or have to: also what was claimed just before a limit was lifted."""
        had_limits, self._has_limits = self._has_limits, await self._limits.has_active()
        return had_limits or self._has_limits or self._queued

    def _has_room_for_all(self, snapshot: Snapshot, disk: Disk) -> bool:
        """Whether the disk takes whatever any torrent may still write: then there is nothing to look up."""
        is_well = snapshot.engine_up and not any(there.phase is Phase.ERROR for there in snapshot.torrents)
        return is_well and sum(map(to_write, snapshot.torrents)) <= disk.free_bytes - self._space.floor_bytes

    def _has_place(self, stored: Stored, snapshot: Snapshot) -> bool:
        """Whether it is on its way, or waits."""
        there = snapshot.find(stored.v1, stored.v2)
        waits = stored.held_back or stored.waits_turn
        if not stored.claims or stored.stopped:
            return waits
        return waits or (there is not None and there.phase in WRITING | {Phase.ERROR} and there.progress < 1)

    def _may_run(self, queue: Sequence[Stored], snapshot: Snapshot, disk: Disk) -> frozenset[int]:
        if not self._space.floor_bytes:
            return frozenset(one.id for one in queue)
        ours = {one.id for one in queue}
        room = disk.free_bytes - self._space.floor_bytes
        downloads = [Download(one.id, needed(one, snapshot), one.held_back) for one in queue if one.id in ours]
        return may_run(downloads, room, self._space.slack_bytes)

    async def _settle(self, stored: Stored, snapshot: Snapshot, *, fits: bool, is_next: bool) -> bool:
        there = snapshot.find(stored.v1, stored.v2)
        held_back, waits_turn = not fits, fits and not is_next
        is_other = (held_back, waits_turn) != (stored.held_back, stored.waits_turn)
        if held_back or waits_turn:
            if is_other or (there is not None and there.phase in WRITING):
                await self._hold_back(stored.id, there, held_back=held_back, waits_turn=waits_turn)
        elif is_other:
            await self._let_go(stored.id)
        elif there is not None and there.phase is Phase.ERROR and self.is_low:
            await self._engine.start([there.id])
        return is_other

    async def _hold_back(self, torrent_id: int, there: Torrent | None, *, held_back: bool, waits_turn: bool) -> None:
        async with self._placing.lock(torrent_id):
            await self._claims.mark(torrent_id, held_back=held_back, waits_turn=waits_turn)
            if there is not None:
                await self._engine.stop([there.id])
        log.info("download waits", torrent=torrent_id, why="room" if held_back else "turn")

    async def _let_go(self, torrent_id: int) -> None:
        async with self._placing.lock(torrent_id):
            stored = await self._claims.get(torrent_id)
            there = await self._placing.find(stored) if stored else None
            if stored is None:
                return
            # A part whose files are not chosen yet is started by `reconcile`, once they are.
            if there is not None and not stored.stopped and (stored.wanted is None or is_chosen(stored, there)):
                await self._engine.start([there.id])
            await self._claims.mark(torrent_id, held_back=False, waits_turn=False)
        log.info("download goes on", torrent=torrent_id)

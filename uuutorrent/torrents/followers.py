"""Everyone who follows their torrents: woken by each newer picture of the engine, and when their claims change."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from uuutorrent.accounts import UserId
from uuutorrent.torrents.engine import Snapshot
from uuutorrent.torrents.live import Live


class Followers:
    """Who follows, by user."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._events: dict[UserId, set[asyncio.Event]] = defaultdict(set)
        self.turns = 0
        """How often somebody's claims changed."""

    @property
    def count(self) -> int:
        """How many follow just now."""
        return sum(map(len, self._events.values()))

    def tell(self, user_ids: Iterable[UserId]) -> None:
        """The claims of these users changed."""
        self.turns += 1
        for user_id in user_ids:
            for follower in self._events.get(user_id, ()):
                follower.set()

    async def moments(self, user_id: UserId, silence_s: float) -> AsyncGenerator[tuple[Snapshot, bool]]:
        """Each newer snapshot; and the present one when claims changed (then True) or after `silence_s` without either.

        Leave it with `aclosing`.
        """
        changed = asyncio.Event()
        self._events[user_id].add(changed)
        try:
            async with aclosing(_merged(self._live, changed, silence_s)) as moments:
                async for moment in moments:
                    yield moment
        finally:
            self._events[user_id].discard(changed)
            if not self._events[user_id]:
                del self._events[user_id]


async def _merged(live: Live, changed: asyncio.Event, silence_s: float) -> AsyncGenerator[tuple[Snapshot, bool]]:
    async with aclosing(live.changes()) as snapshots:
        newer = asyncio.create_task(_next(snapshots), name="follow: next snapshot")
        told = asyncio.create_task(changed.wait(), name="follow: claims changed")
        try:
            while True:
                done, _ = await asyncio.wait({newer, told}, timeout=silence_s, return_when=asyncio.FIRST_COMPLETED)
                is_told = told in done
                if is_told:
                    changed.clear()
                    told = asyncio.create_task(changed.wait(), name="follow: claims changed")
                if newer in done:
                    newer = asyncio.create_task(_next(snapshots), name="follow: next snapshot")
                yield live.snapshot, is_told
        finally:
            newer.cancel()
            told.cancel()
            await asyncio.gather(newer, told, return_exceptions=True)


async def _next(snapshots: AsyncGenerator[Snapshot]) -> Snapshot:
    return await anext(snapshots)

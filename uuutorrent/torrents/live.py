"""The one poller: it asks the engine how things are, and everyone who shows torrents follows it.

`torrents/info` only. `sync/maindata` would send differences, but it keeps ghosts of hybrid magnets and crashes
qBittorrent 5.x. Source: qBittorrent issues 23833 and 24714.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from uuutorrent.errors import RemoteError
from uuutorrent.torrents.engine import MOVING_PHASES, Engine, Phase, Snapshot, Torrent

log = structlog.get_logger()

IDLE_S = 15.0
"""Pause between polls while nobody looks."""
FULL_S = 30.0
"""At least this often every torrent is asked for, not only what moves."""
FEW = 100
"""Up to so many torrents a full poll costs a few milliseconds, so every poll is one."""
SOON_S = (0.15, 0.5)
"""After a poke: when to look again, for what qBittorrent takes a moment to show."""
SETTLE_S = 0.2
"""A qBittorrent that has just come up is still loading its torrents while the list grows between two looks."""
RETRIES_S = (0.25, 0.5, 1.0, 2.0, 5.0)
"""Pauses while the engine is away; the last one stays."""

NEVER = Snapshot(seq=0, at=None, engine_up=False, trouble="qBittorrent was not asked yet.")


class Live:
    """The newest snapshot, and everyone who waits for the next one. `run` it in the daemon's task group."""

    def __init__(self, engine: Engine, poll_s: float = 1.0) -> None:
        self._engine = engine
        self._poll_s = poll_s
        self._snapshot = NEVER
        self._changed = asyncio.Event()
        self._wake = asyncio.Event()
        self._soon: list[float] = []
        self._polling = asyncio.Lock()
        self._full_begun = 0
        self._full_at = 0.0
        self._lookers = 0
        self._failures = 0

    @property
    def snapshot(self) -> Snapshot:
        """How things were when the engine last answered."""
        return self._snapshot

    @property
    def lookers(self) -> int:
        """How many follow it just now."""
        return self._lookers

    async def changes(self) -> AsyncGenerator[Snapshot]:
        """The present snapshot, then each newer one. Newest wins: who is slow skips those in between.

        While it is iterated the engine is asked more often; leave it with `aclosing` where you break out early.
        """
        self._lookers += 1
        try:
            if self._lookers == 1:
                self._wake.set()
            seen = -1
            while True:
                changed = self._changed
                if self._snapshot.seq == seen:
                    await changed.wait()
                else:
                    seen = self._snapshot.seq
                    yield self._snapshot
        finally:
            self._lookers -= 1

    def poke(self) -> None:
        """Look now, at everything: something was just added or changed."""
        self._soon = list(SOON_S)
        self._wake.set()

    async def refresh(self) -> Snapshot:
        """Look at everything once more, and return what was seen (`engine_up` says whether there was an answer).

        Callers who come while a poll runs share the next one.
        """
        begun = self._full_begun
        async with self._polling:
            if self._full_begun <= begun:
                await self._poll(full=True)
        return self._snapshot

    async def recent(self) -> Snapshot:
        """The snapshot, looked at anew if it is older than a poll: for who asks once and does not follow.

        While the engine is away nobody waits for it, but for the very first look.
        """
        known = self._snapshot
        if known is not NEVER and not known.engine_up:
            return known
        if known.at is not None and datetime.now(UTC) - known.at < timedelta(seconds=self._poll_s):
            return known
        return await self.refresh()

    async def run(self) -> None:
        """Poll for ever."""
        full = True
        while True:
            async with self._polling:
                await self._poll(full=full or self._is_full_due())
            full = bool(self._soon)
            pause_s = min(self._pause_s(), self._soon.pop(0)) if self._soon else self._pause_s()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()
                full = True
                self._wake.clear()

    def _pause_s(self) -> float:
        if self._failures:
            return RETRIES_S[min(self._failures, len(RETRIES_S)) - 1]
        return self._poll_s if self._lookers else max(IDLE_S, self._poll_s)

    def _is_full_due(self) -> bool:
        known = self._snapshot
        return not known.engine_up or len(known.torrents) <= FEW or time.monotonic() - self._full_at >= FULL_S

    async def _poll(self, *, full: bool) -> None:
        """One look. `_polling` is held."""
        try:
            if not full and await self._look_at_moving():
                return
            self._full_begun += 1
            self._full_at = time.monotonic()
            self._publish(await self._look_at_all())
        except RemoteError as e:
            self._publish_trouble(e.message)

    async def _look_at_all(self) -> tuple[Torrent, ...]:
        torrents, loading = await self._engine.torrents(), not self._snapshot.engine_up
        while loading:
            await asyncio.sleep(min(SETTLE_S, self._poll_s))
            fewer, torrents = torrents, await self._engine.torrents()
            loading = len(fewer) < len(torrents)
        return torrents

    async def _look_at_moving(self) -> bool:
        """Ask for what moves only; False when one of them is gone or has got another id, so all must be asked."""
        moving = {t.id for t in self._snapshot.torrents if t.phase in MOVING_PHASES or t.down_bps or t.up_bps}
        seen = {t.id: t for t in await self._engine.torrents(ids=moving)} if moving else {}
        if len(seen) < len(moving):
            return False
        self._publish(seen.get(t.id, t) for t in self._snapshot.torrents)
        return True

    def _publish(self, torrents: Iterable[Torrent]) -> None:
        before = {t.id: t for t in self._snapshot.torrents}
        now = tuple(sorted((_steady(t, before.get(t.id)) for t in torrents), key=lambda t: (t.added_at, t.id)))
        if self._failures or not self._snapshot.engine_up:
            log.info("engine.up", torrents=len(now))
        self._failures = 0
        self._replace(replace(self._snapshot, at=datetime.now(UTC), engine_up=True, trouble="", torrents=now))

    def _publish_trouble(self, why: str) -> None:
        if not self._failures:
            log.warning("engine.away", why=why)
        self._failures += 1
        self._replace(replace(self._snapshot, engine_up=False, trouble=why))

    def _replace(self, new: Snapshot) -> None:
        """Keep `new`; wake the followers only if it says something new (the time of the look alone is not)."""
        old = self._snapshot
        if (new.engine_up, new.trouble, new.torrents) == (old.engine_up, old.trouble, old.torrents):
            self._snapshot = replace(old, at=new.at)
            return
        index = {name: t for t in new.torrents for name in (t.id, t.v1, t.v2) if name}
        self._snapshot = replace(new, seq=old.seq + 1, _by_hash=index)
        self._changed.set()
        self._changed = asyncio.Event()


def _steady(now: Torrent, before: Torrent | None) -> Torrent:
    """A restarted qBittorrent reads 0 while it checks what it has; what was known stays until it has checked."""
    if now.phase is not Phase.CHECKING or before is None or before.progress <= now.progress:
        return now
    return replace(now, progress=before.progress, completed_bytes=max(before.completed_bytes, now.completed_bytes))

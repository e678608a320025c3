"""Ends the seeding of what was seeded enough. The files stay, and whoever starts it again keeps it seeding.

Done here and not by qBittorrent's own limits, which differ by version and know nothing of several claimants.
"""

from __future__ import annotations

from datetime import datetime

import structlog

from uuutorrent.torrents.claims import Claims
from uuutorrent.torrents.engine import Engine, Phase, Torrent
from uuutorrent.torrents.holdings import Stored
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.placing import Placing

log = structlog.get_logger()


class Seeding:
    """What is whole and seeds."""

    def __init__(self, claims: Claims, placing: Placing, engine: Engine, live: Live) -> None:
        self._claims = claims
        self._placing = placing
        self._engine = engine
        self._live = live

    async def running(self) -> tuple[tuple[Stored, Torrent], ...]:
        """Every claimed torrent that is whole and whose seeding was neither ended from here nor paused by anybody."""
        snapshot = await self._live.recent()
        if not snapshot.engine_up:
            return ()
        pairs = [(stored, snapshot.find(stored.v1, stored.v2)) for stored in await self._claims.every()]
        return tuple((stored, there) for stored, there in pairs if there is not None and _may_end(stored, there))

    async def end(self, torrent_id: int, at: datetime) -> bool:
        """Stop one, unless that has changed meanwhile.

        Raises:
            RemoteError: the engine does not answer.
        """
        async with self._placing.lock(torrent_id):
            stored = await self._claims.get(torrent_id)
            there = await self._placing.find(stored, thorough=False) if stored else None
            if stored is None or there is None or not _may_end(stored, there):
                return False
            # Stopped first: after a kill between the two it is found here again, and stopped once more.
            await self._engine.stop([there.id])
            await self._claims.mark(torrent_id, seeded_at=at)
        self._live.poke()
        log.info("seeding ended", infohash=stored.infohash, ratio=round(there.ratio, 2), seeded_s=there.seeding_s)
        return True


def _may_end(stored: Stored, there: Torrent) -> bool:
    is_whole = stored.completed_at is not None and there.is_complete and there.phase in (Phase.SEEDING, Phase.COMPLETE)
    return is_whole and bool(stored.claims) and not stored.stands_still and stored.seeded_at is None

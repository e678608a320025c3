"""Downloads that do well or do not, and somebody who looks at them by a clock that is moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.automation.evening import Clock
from tests.desks import Built
from tests.fakes import FakeEngine
from tests.torrents import metainfos
from uuutorrent.accounts import User
from uuutorrent.automation.health.ffprobe import FFprobe
from uuutorrent.automation.health.observations import Observations, Unwell
from uuutorrent.automation.health.probing import Probing
from uuutorrent.config import Health
from uuutorrent.store.database import Database
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.metainfo import parse_magnet, parse_torrent

EVERY_S = 60
SHOW = 101


@dataclass
class Ward:
    built: Built
    database: Database
    clock: Clock
    observations: Observations
    show: int = SHOW

    @property
    def engine(self) -> FakeEngine:
        return self.built.engine

    @property
    def library(self) -> Library:
        return self.built.services.library

    @property
    def downloads(self) -> Path:
        return self.built.services.config.download_dir

    def another(self, settings: Health | None = None, ffprobe: FFprobe | None = None) -> Observations:
        """Those of a daemon that was started anew, or goes by other settings."""
        services = self.built.services
        probing = Probing(self.engine, services.watchlists, self.downloads, ffprobe)
        return Observations(
            self.database, self.engine, services.live, self.library, probing, settings or Health(), every_s=EVERY_S,
            now=self.clock,
        )  # fmt: skip

    async def add(self, user: User, name: str, *, size: int = 1_000_000, episode: int | None = 1, **more: int) -> str:
        """Claimed for an episode, unless there is none; its infohash."""
        metainfo = parse_torrent(metainfos.several(name, more) if more else metainfos.single(name, size))
        media_id = self.show if episode else None
        return str((await self.library.add(user, metainfo, media_id=media_id, episode=episode)).infohash)

    async def add_magnet(self, user: User, infohash: str) -> str:
        link = parse_magnet(f"magnet:?xt=urn:btih:{infohash}")
        return str((await self.library.add(user, link, media_id=self.show, episode=1)).infohash)

    async def look(self, minutes: int = 1, observations: Observations | None = None) -> tuple[Unwell, ...]:
        """Look so many times, a minute apart; what is unwell after that."""
        for _ in range(minutes):
            self.clock.move(seconds=EVERY_S)
            await self.built.services.live.refresh()
            await (observations or self.observations).look_once()
        return await self.observations.unwell()

    async def finishes(self, infohash: str, contents: Mapping[str, bytes]) -> None:
        """All of it is here, with real files."""
        self.engine.complete(infohash, contents)
        await self.built.services.live.refresh()
        await self.library.reconcile()
        await self.look()

"""Downloads that do not do well, an index with other releases, and the healer, under a clock that tests move."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.automation.sky import Sky, under_the_sky
from tests.fakes import FakeEngine
from tests.servers.anilist_data import Media
from tests.servers.nyaa import Post
from uuutorrent.accounts import User
from uuutorrent.anime.anime import MediaId
from uuutorrent.automation.health.healing import Healing
from uuutorrent.automation.health.replacing import Replacing
from uuutorrent.automation.health.substitutes import Substitutes
from uuutorrent.automation.health.timeline import Line, Timeline
from uuutorrent.automation.health.treatments import Treatments
from uuutorrent.automation.inbox.inbox import Inbox, Kind
from uuutorrent.config import Health
from uuutorrent.desk import Services
from uuutorrent.store.database import Database
from uuutorrent.torrents.engine import Phase
from uuutorrent.torrents.grab import Grab

TURN_S = 120
STALLED = 9
"""Turns after which a download to which no byte comes is stalled, and something is done."""
WAIT = 3
"""Turns after which the next step follows."""
BEST, SECOND, THIRD = "Hoshizora", "Kazahana", "Tsukikage"
"""Groups, the best first: more people seed it."""


@dataclass
class Clinic:
    sky: Sky
    show: Media
    healing: Healing
    posts: dict[str, Post]

    @property
    def services(self) -> Services:
        return self.sky.services

    @property
    def engine(self) -> FakeEngine:
        return self.sky.engine

    def post(self, group: str, *, episode: int = 3, seeders: int = 100) -> Post:
        self.posts[group] = self.sky.post(self.show, episode, group=group, seeders=seeders)
        return self.posts[group]

    def hash(self, group: str) -> str:
        return self.posts[group].infohash

    async def get(self, user: User, episode: int = 3) -> Grab:
        """They fetch the episode; the hash of what they got."""
        return await self.services.grabs.get(user, self.show.id, episode)

    def another(self) -> Healing:
        """The healer of a daemon that was started anew."""
        its, now, database = self.services, self.sky.clock.now, self.sky.database
        timeline, inbox = Timeline(database, now=now), Inbox(database, now=now)
        treatments, blocks = Treatments(database, now=now), its.releases.blocks
        replacing = Replacing(database, its.library, its.grabs, blocks, timeline, inbox, now=now)
        substitutes = Substitutes(
            database, treatments, its.releases, replacing, timeline, inbox, settings=Health(), now=now
        )
        return Healing(
            database, its.observations, its.library, its.live, blocks, treatments, substitutes, replacing, timeline,
            settings=Health(), now=now,
        )  # fmt: skip

    async def turns(self, number: int = 1, healing: Healing | None = None) -> None:
        """Time passes, and everything takes its turns; what the engine was checking is checked."""
        for _ in range(number):
            self.sky.clock.passed_s += TURN_S
            await self.look()
            await (healing or self.healing).run_once()
            if self.services.live.snapshot.engine_up:
                await self.checked()
        await self.settle()

    async def look(self) -> None:
        await self.settle()
        await self.services.observations.look_once()

    async def settle(self) -> None:
        await self.services.live.refresh()
        await self.services.library.reconcile()
        await self.services.grabs.settle()

    async def checked(self) -> None:
        for one in await self.engine.torrents():
            if one.phase is Phase.CHECKING:
                self.engine.change(one.v1, phase=Phase.SEEDING if one.progress >= 1 else Phase.STALLED)

    async def has(self, user: User) -> list[str]:
        """The groups of what a user has."""
        held = [str(one.infohash) for one in await self.services.library.holdings(user)]
        return sorted(group for group, post in self.posts.items() if post.infohash in held)

    async def lines(self, user: User, group: str) -> list[Line]:
        return list(await self.services.timeline.of(user, self.hash(group)))

    async def steps(self, user: User, group: str) -> list[str]:
        return [line.step for line in await self.lines(user, group)]

    async def told(self, user: User, *kinds: Kind) -> list[str]:
        return await self.sky.told(user, *(kinds or (Kind.REPLACED, Kind.FAILED)))

    async def blocked(self, user: User) -> list[str]:
        active = await self.services.releases.blocks.active(user)
        return sorted(group for group, post in self.posts.items() if post.infohash in active)

    def later(self, **by: float) -> None:
        self.sky.clock.passed_s += timedelta(**by).total_seconds()

    @property
    def media_id(self) -> MediaId:
        return MediaId(self.show.id)


@asynccontextmanager
async def opened_clinic(database: Database, home: Path) -> AsyncGenerator[Clinic]:
    """Two releases of episode 3 are on the index."""
    async with under_the_sky(database, home) as sky:
        sky.clock.passed_s = 3600.0  # what the engine adds is younger than that
        clinic = Clinic(sky, sky.show(), sky.services.healing, {})
        clinic.post(BEST, seeders=900)
        clinic.post(SECOND, seeders=90)
        yield clinic

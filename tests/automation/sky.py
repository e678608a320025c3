"""Shows that air, an index where they are posted, and people with an autopilot, under a clock that tests move."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.desks import Built, built
from tests.fakes import FakeEngine
from tests.servers.anilist import FakeAniList
from tests.servers.anilist_data import Media, Member
from tests.servers.nyaa import FakeNyaa, Post
from tests.torrents import metainfos
from uuutorrent.accounts import User
from uuutorrent.anime.anime import MediaId
from uuutorrent.automation.autopilot.autopilot import Autopilot
from uuutorrent.automation.autopilot.pursuit import Confirmed, Plan, Pursuit
from uuutorrent.automation.inbox.inbox import Kind, Notice
from uuutorrent.automation.preferences import Mode
from uuutorrent.compose import Times
from uuutorrent.desk import Services
from uuutorrent.store.database import Database
from uuutorrent.tally import Tally
from uuutorrent.torrents.grabs import Grabs

WEEK = timedelta(weeks=1)
SHOW = "Umibe no Toshokan"


@dataclass
class SkyClock:
    """The hour, and the seconds since the start, moved together."""

    began: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    passed_s: float = 0.0

    def now(self) -> datetime:
        return self.began + timedelta(seconds=self.passed_s)

    def seconds(self) -> float:
        return 1000.0 + self.passed_s


@dataclass
class Sky:
    built: Built
    anilist: FakeAniList
    nyaa: FakeNyaa
    clock: SkyClock
    database: Database

    @property
    def services(self) -> Services:
        return self.built.services

    @property
    def autopilot(self) -> Autopilot:
        return self.built.services.autopilot

    @property
    def engine(self) -> FakeEngine:
        return self.built.engine

    # What happens outside

    def show(self, title: str = SHOW, *, aired: int = 5, episodes: int = 12, airs_in: float = 2.0) -> Media:
        """A show whose next episode airs in so many hours."""
        media = self.anilist.add_media(title, episodes=episodes, next_episode=aired + 1, year=self.clock.now().year)
        media.airs_at = int((self.clock.now() + timedelta(hours=airs_in)).timestamp())
        return media

    def over(self, title: str, *, episodes: int = 12) -> Media:
        """A show that is over."""
        return self.anilist.add_media(title, episodes=episodes, status="FINISHED", year=self.clock.now().year - 1)

    async def watches(self, user: User, *shows: Media, progress: int = 5, status: str = "CURRENT") -> Member:
        """The user has an AniList account with these shows on it."""
        member = self.anilist.add_user(f"{user.name.title()}OnAniList")
        for show in shows:
            self.anilist.list_entry(member, show, status, progress=progress)
        await self.services.watchlists.link(user, member.token)
        return member

    def airs(self, show: Media) -> int:
        """Its next episode airs now; which one that is."""
        assert show.next_episode is not None
        episode = show.next_episode
        self.clock.passed_s = max(self.clock.passed_s, show.airs_at - self.clock.began.timestamp())
        if episode == show.episodes:
            show.next_episode, show.status = None, "FINISHED"
        else:
            show.next_episode, show.airs_at = episode + 1, show.airs_at + int(WEEK.total_seconds())
        return episode

    def post(
        self, show: Media | str, episode: int, *, group: str = "Hoshizora", version: int = 1, seeders: int = 100
    ) -> Post:
        """Somebody posts an episode."""
        title = show if isinstance(show, str) else show.romaji
        v = f"v{version}" if version > 1 else ""
        name = f"[{group}] {title} - {episode:02}{v} (1080p) [3F2A91C7].mkv"
        return self.nyaa.post(name, posted_at=self.clock.now(), seeders=seeders)

    def batch(self, show: Media) -> str:
        """Somebody posts all of a show; the name of the torrent."""
        name = f"[Hoshizora] {show.romaji} (01-{show.episodes:02}) (1080p) [Batch]"
        files = {
            f"[Hoshizora] {show.romaji} - {at:02} (1080p).mkv": 300_000_000 for at in range(1, (show.episodes or 0) + 1)
        }
        self.nyaa.post(name, torrent=metainfos.several(name, files), posted_at=self.clock.now())
        return name

    # What the house does

    async def later(self, **by: float) -> None:
        """Time passes, and the job takes a turn."""
        self.clock.passed_s += timedelta(**by).total_seconds()
        await self.turn()

    async def turn(self) -> None:
        await self.autopilot.run_once()

    def another(self) -> Autopilot:
        """The autopilot of a second daemon on the same database."""
        its, tally = self.services, Tally()
        return Autopilot(
            self.database, its.watchlists, its.releases, its.library,
            Grabs(self.database, its.watchlists, its.releases, its.library, tally), its.preferences, its.inbox,
            its.timeline, its.replacing, its.uses, tally,
            every_s=900, gap_s=0, now=self.clock.now, clock=self.clock.seconds,
        )  # fmt: skip

    # What people do and see

    async def switch(self, user: User, mode: Mode = Mode.ON, confirmed: Confirmed = Confirmed.NEW) -> str:
        return await self.autopilot.switch(user, mode, confirmed=confirmed)

    async def plan(self, user: User) -> Plan:
        async with aclosing(self.autopilot.plan(user)) as plans:
            return [plan async for plan in plans][-1]

    async def has(self, user: User) -> list[str]:
        """What is in the user's library."""
        return sorted(one.name for one in await self.services.library.holdings(user))

    async def pursuit(self, user: User, show: Media, episode: int) -> Pursuit:
        every = await self.autopilot.pursuits(user)
        return next(one for one in every if (one.media_id, one.episode) == (MediaId(show.id), episode))

    async def states(self, user: User) -> dict[int, str]:
        return {one.episode: one.state.value for one in await self.autopilot.pursuits(user)}

    async def told(self, user: User, *kinds: Kind) -> list[str]:
        return [one.text for one in await self.notices(user, *kinds)]

    async def notices(self, user: User, *kinds: Kind) -> list[Notice]:
        return list(reversed(await self.services.inbox.of(user, kinds=kinds)))


@asynccontextmanager
async def under_the_sky(database: Database, home: Path) -> AsyncGenerator[Sky]:
    clock = SkyClock()
    times = Times(now=clock.now, clock=clock.seconds, index_gap_s=0, list_gap_s=0)
    with FakeAniList() as anilist, FakeNyaa() as nyaa:
        async with built(database, home, anilist_url=anilist.url, nyaa_url=nyaa.url, times=times) as opened:
            yield Sky(opened, anilist, nyaa, clock, database)

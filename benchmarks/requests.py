"""How often Nyaa and AniList are asked while the autopilot and feed rules look after many people.

Run: python -m benchmarks.requests [--users 50] [--shows 20] [--season 60] [--hours 24]

Everybody has an AniList account with so many shows of a season, the autopilot on, and a feed rule, all on one feed of
the index. The shows air spread over the week and are posted 40 minutes later. Time is moved a minute at a time; both
services are the tests' servers, which count what they are asked. Nobody is at a screen. The database is SQLite in a
scratch directory, the engine the tests' dictionary.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import structlog

from benchmarks.machine import machine
from tests.automation.sky import WEEK, Sky, under_the_sky
from tests.people import CHEAP_ROUNDS
from tests.servers.anilist_data import Media
from uuutorrent.accounts import Accounts, Operator, User
from uuutorrent.automation.feeds.feeds import Feeds
from uuutorrent.automation.feeds.rule import Saving, Terms
from uuutorrent.config import Config
from uuutorrent.store import migrate
from uuutorrent.store.database import Database

STEP_S = 60
POSTED_AFTER_S = 2400
FIRST_EPISODE = 5
FIRST = ("Akai", "Umi no", "Hoshi to", "Kaze no", "Yuki", "Mori no", "Sora", "Tsuki no", "Hana to", "Yoru no")
SECOND = ("Toshokan", "Tabibito", "Kissaten", "Yakusoku", "Densetsu", "Bouken", "Melody", "Gakuen", "Hakobune")


@dataclass
class Hour:
    """What was asked in one hour, by kind, and how many episodes aired."""

    nyaa: Counter[str] = field(default_factory=Counter)
    anilist: Counter[str] = field(default_factory=Counter)
    aired: int = 0


@dataclass
class Season:
    """The sky over many people, and what is still to be posted."""

    sky: Sky
    shows: Sequence[Media]
    posts: list[tuple[float, Media, int]] = field(default_factory=list)

    def goes_on(self) -> int:
        """What aired or is due to be posted by now; how many episodes aired."""
        now, aired = self.sky.clock.now().timestamp(), 0
        for show in self.shows:
            if show.airs_at <= now and show.next_episode is not None:
                self.posts.append((show.airs_at + POSTED_AFTER_S, show, show.next_episode))
                show.next_episode, show.airs_at, aired = show.next_episode + 1, show.airs_at + _WEEK_S, aired + 1
        for at, show, episode in [post for post in self.posts if post[0] <= now]:
            self.posts.remove((at, show, episode))
            self.sky.post(show, episode)
        return aired


_WEEK_S = int(WEEK.total_seconds())


async def measure(users: int, shows: int, season: int, hours: int) -> Sequence[Hour]:
    """Let so many hours pass; what was asked in each."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        async with Database(f"sqlite+aiosqlite:///{home}/bench.db") as database:
            await migrate.upgrade(database)
            async with under_the_sky(database, home) as sky:
                feeds = sky.services.feeds.paced(now=sky.clock.now, gap_s=0)
                going = Season(sky, _season(sky, season))
                await _people(going, feeds, Accounts(database, Config().accounts, rounds=CHEAP_ROUNDS), users, shows)
                return [await _hour(going, feeds) for _ in range(hours)]


def _season(sky: Sky, season: int) -> Sequence[Media]:
    titles = [f"{one} {two}" for one in FIRST for two in SECOND][:season]
    return [
        sky.show(title, aired=FIRST_EPISODE, airs_in=(number + 0.5) * WEEK / timedelta(hours=1) / season)
        for number, title in enumerate(titles)
    ]


async def _people(going: Season, feeds: Feeds, accounts: Accounts, users: int, shows: int) -> None:
    chance = random.Random(7)
    url = f"{going.sky.nyaa.url}/?page=rss&c=1_2&rules=1"
    for number in range(users):
        user: User = await accounts.create(Operator(), f"user{number}", password=None)
        await going.sky.watches(user, *chance.sample(going.shows, shows), progress=FIRST_EPISODE)
        await going.sky.switch(user)
        await feeds.add(user, url, Terms(include=("somebody's lecture", str(number))), Saving())
    going.sky.nyaa.requests.clear()
    going.sky.anilist.requests.clear()


async def _hour(going: Season, feeds: Feeds) -> Hour:
    sky, hour = going.sky, Hour()
    for _ in range(0, 3600, STEP_S):
        sky.clock.passed_s += STEP_S
        hour.aired += going.goes_on()
        await sky.turn()
        await feeds.poll_once()
    hour.nyaa.update(map(_kind, sky.nyaa.requests))
    hour.anilist.update(sky.anilist.operations)
    sky.nyaa.requests.clear()
    sky.anilist.requests.clear()
    return hour


def _kind(path: str) -> str:
    if "rules=1" in path:
        return "feed polls"
    if "/download/" in path:
        return ".torrent files"
    return "searches" if "q=" in path and "q=&" not in path and not path.endswith("q=") else "newest posts"


def _report(name: str, hours: Sequence[Counter[str]]) -> None:
    totals = [hour.total() for hour in hours]
    print(f"\n{name:28}{'an hour':>9}{'most':>9}{'in all':>9}")
    print(f"{'all':28}{sum(totals) / len(hours):9.1f}{max(totals):9}{sum(totals):9}")
    for kind in sorted({kind for hour in hours for kind in hour}):
        of = [hour[kind] for hour in hours]
        print(f"{kind:28}{sum(of) / len(hours):9.1f}{max(of):9}{sum(of):9}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--shows", type=int, default=20, help="of each user")
    parser.add_argument("--season", type=int, default=60, help="shows that air")
    parser.add_argument("--hours", type=int, default=24)
    chosen = parser.parse_args()
    structlog.configure(processors=[], wrapper_class=structlog.make_filtering_bound_logger(50))
    print(machine())
    hours = asyncio.run(measure(chosen.users, chosen.shows, chosen.season, chosen.hours))
    print(f"{chosen.users} users with {chosen.shows} of {chosen.season} shows each, {chosen.hours} h")
    print(f"episodes aired: {sum(hour.aired for hour in hours)}")
    _report("Nyaa", [hour.nyaa for hour in hours])
    _report("AniList", [hour.anilist for hour in hours])


if __name__ == "__main__":
    main()

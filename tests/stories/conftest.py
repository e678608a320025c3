"""A house with everything outside it: AniList, the index, a swarm with a seeder, all on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers.anilist import FakeAniList
from tests.servers.anilist_data import Media, Member
from tests.servers.nyaa import FakeNyaa
from tests.stories.hatchery import Hatchery
from tests.stories.hatchery import hatchery as opened_hatchery
from tests.stories.house import House
from tests.swarm import Made, Swarm

EPISODE_BYTES = 3_000_000
SLOW_BPS = 250_000
"""For downloads that are to be interrupted: they last until somebody has looked, however slow everything is."""


@dataclass
class Town:
    """The house and its neighbours."""

    house: House
    anilist: FakeAniList
    nyaa: FakeNyaa
    swarm: Swarm

    def airs(self, title: str, *, aired: int = 5, episodes: int = 12) -> Media:
        """A show that is airing."""
        return self.anilist.add_media(title, episodes=episodes, next_episode=aired + 1)

    def release(self, title: str, size: int = EPISODE_BYTES, *, limit_bps: int = 0, seed: bool = True) -> Made:
        """A release that the index lists and somebody seeds."""
        made = self.swarm.share(f"{title}.mkv", size, limit_bps=limit_bps, seed=seed)
        self.nyaa.post(f"{title}.mkv", torrent=made.metainfo, size=size)
        return made

    def moves_in(self, name: str) -> Member:
        """A user of the house, linked to an AniList account."""
        member = self.anilist.add_user(f"{name.title()}OnAniList")
        self.house.add_user(name)
        linked = self.house.json(name, "link", given=member.token.encode() + b"\n")
        assert linked["anilist"] == member.name
        return member


@pytest.fixture(scope="session")
def hatchery() -> Iterator[Hatchery]:
    """Where a story's processes come from, so that none of them has to import everything anew."""
    with opened_hatchery() as opened:
        yield opened


@contextmanager
def settled(place: Path, hatchery: Hatchery, **settings: Any) -> Iterator[Town]:
    """A town, its house started; what is not set by `settings` of the house is as in any other."""
    (place / "seeds").mkdir()
    with FakeAniList() as anilist, FakeNyaa() as nyaa, Swarm(place / "seeds") as swarm:
        house = House(place / "house", anilist_url=anilist.url, nyaa_url=nyaa.url, hatchery=hatchery, **settings)
        yield Town(house.start(), anilist, nyaa, swarm)
        if house.process is not None:
            house.stop()


@pytest.fixture
def town(request: pytest.FixtureRequest, tmp_path: Path, hatchery: Hatchery) -> Iterator[Town]:
    """With SQLite, started; a parameter is more of its configuration."""
    with settled(tmp_path, hatchery, extra=getattr(request, "param", "")) as town:
        yield town


@pytest.fixture
def town_on(database_url: str, tmp_path: Path, hatchery: Hatchery) -> Iterator[Town]:
    """On each kind of database, started."""
    with settled(tmp_path, hatchery, database_url=database_url) as town:
        yield town

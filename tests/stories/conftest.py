"""A house with everything outside it: AniList, the index, a swarm with a seeder, all on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.anilist import FakeAniList
from tests.servers.anilist_data import Media, Member
from tests.servers.nyaa import FakeNyaa
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


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """With SQLite, started."""
    (tmp_path / "seeds").mkdir()
    with FakeAniList() as anilist, FakeNyaa() as nyaa, Swarm(tmp_path / "seeds") as swarm:
        house = House(tmp_path / "house", anilist_url=anilist.url, nyaa_url=nyaa.url)
        yield Town(house.start(), anilist, nyaa, swarm)
        if house.process is not None:
            house.stop()


@pytest.fixture
def town_on(database_url: str, tmp_path: Path) -> Iterator[Town]:
    """On each kind of database, started."""
    (tmp_path / "seeds").mkdir()
    with FakeAniList() as anilist, FakeNyaa() as nyaa, Swarm(tmp_path / "seeds") as swarm:
        house = House(tmp_path / "house", anilist_url=anilist.url, nyaa_url=nyaa.url, database_url=database_url)
        yield Town(house.start(), anilist, nyaa, swarm)
        if house.process is not None:
            house.stop()

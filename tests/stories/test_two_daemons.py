"""Two daemons on one PostgreSQL and one qBittorrent: what a rule takes is taken once, though one of them is killed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.anilist import FakeAniList
from tests.servers.nyaa import FakeNyaa
from tests.servers.postgres import Postgres
from tests.stories.conftest import Town
from tests.stories.hatchery import Hatchery
from tests.stories.house import House
from tests.swarm import Made, RealQBittorrent, Swarm

pytestmark = pytest.mark.real

TITLE = "[Hoshizora] Umibe no Toshokan - 01 (1080p) [3F2A91C7]"
EPISODE_BYTES = 3_000_000


@dataclass
class Pair:
    """Two daemons and what is around them; `one` runs, `two` may be started."""

    town: Town
    one: House
    two: House
    qbittorrent: RealQBittorrent

    def release(self, title: str) -> Made:
        return self.town.release(title)

    def start_two(self) -> None:
        """The other daemon, with the keys of the first, and known to the same people."""
        (self.two.home / "data").mkdir(mode=0o700, exist_ok=True)
        for shared in ("data/keyring", "data/ssh_host_ed25519_key"):
            if (self.one.home / shared).exists() and not (self.two.home / shared).exists():
                shutil.copy(self.one.home / shared, self.two.home / shared)
        for key in self.one.home.glob("key-*"):
            shutil.copy(key, self.two.home / key.name)
        self.two.start()


Obstacle = Callable[[Pair], Callable[[], bool]]
"""Makes a step of a poll hang; answers a question: has the poll come as far as that step?"""


def the_feed_hangs(pair: Pair) -> Callable[[], bool]:
    pair.town.nyaa.fault = "hang"
    return lambda: bool(pair.town.nyaa.requests)


def the_torrent_file_hangs(pair: Pair) -> Callable[[], bool]:
    pair.town.nyaa.download_fault = "hang"
    return lambda: any("/download/" in path for path in pair.town.nyaa.requests)


def qbittorrent_hangs(pair: Pair) -> Callable[[], bool]:
    pair.qbittorrent.freeze()
    return lambda: any("/download/" in path for path in pair.town.nyaa.requests)


def nothing_hangs(pair: Pair) -> Callable[[], bool]:
    """Killed as soon as something was taken."""
    return lambda: bool(pair.one.json("ann", "torrents"))


def heal(pair: Pair) -> None:
    pair.town.nyaa.fault = None
    pair.town.nyaa.download_fault = None
    pair.qbittorrent.thaw()


@pytest.fixture
def pair(postgres_cluster: Postgres, tmp_path: Path, hatchery: Hatchery) -> Iterator[Pair]:
    url = postgres_cluster.fresh()
    (tmp_path / "seeds").mkdir()
    with (
        FakeAniList() as anilist,
        FakeNyaa() as nyaa,
        Swarm(tmp_path / "seeds") as swarm,
        RealQBittorrent(tmp_path / "qbittorrent") as real,
    ):
        shared = (
            f'url = "{real.url}"\nusername = "{real.username}"\npassword = "{real.password}"\n'
            f'download_dir = "{tmp_path / "downloads"}"'
        )
        one, two = (
            House(
                tmp_path / name,
                anilist_url=anilist.url,
                nyaa_url=nyaa.url,
                database_url=url,
                qbittorrent_settings=shared,
                hatchery=hatchery,
            )
            for name in ("one", "two")
        )
        yield Pair(Town(one.start(), anilist, nyaa, swarm), one, two, real)
        for house in (one, two):
            if house.process is not None:
                house.stop()
    postgres_cluster.drop(url)


@pytest.mark.parametrize("obstacle", [the_feed_hangs, the_torrent_file_hangs, qbittorrent_hangs, nothing_hangs])
def test_what_a_killed_daemon_was_taking_is_taken_once_by_the_other(pair: Pair, obstacle: Obstacle) -> None:
    one, two, nyaa = pair.one, pair.two, pair.town.nyaa
    one.add_user("ann")
    made = pair.release(TITLE)
    reached = obstacle(pair)
    one.json("ann", "feeds", "add", f"'{nyaa.url}/?page=rss'")
    one.until(reached, "the poll did not come so far")
    pair.start_two()
    one.kill()
    heal(pair)
    two.until(lambda: two.json("ann", "files", "/torrents"), "not taken over and completed")
    two.sftp("ann", f'get "/torrents/{made.name}/{made.name}" got')
    assert (two.home / "got").read_bytes() == made.files[made.name]
    two.until(lambda: [one["outcome"] for one in two.json("ann", "feeds", "log")] == ["taken"], "not taken once")
    assert [one["infohash"] for one in two.json("ann", "torrents")] == [made.infohash]

"""kill -9 of the daemon at every step of a grab: at the next start it is finished, never doubled, never lost."""

import os
import signal
import threading
from collections.abc import Callable

import pytest

from tests.stories.conftest import SLOW_BPS, Town
from tests.stories.house import DONE_S

pytestmark = pytest.mark.real

Obstacle = Callable[[Town], Callable[[], bool]]
"""Makes a step hang; answers a question: has the grab come as far as that step?"""


def anilist_hangs(town: Town) -> Callable[[], bool]:
    asked = len(town.anilist.requests)
    town.anilist.fault = "hang"
    return lambda: len(town.anilist.requests) > asked


def the_search_hangs(town: Town) -> Callable[[], bool]:
    town.nyaa.fault = "hang"
    return lambda: bool(town.nyaa.queries)


def the_torrent_file_hangs(town: Town) -> Callable[[], bool]:
    town.nyaa.download_fault = "hang"
    return lambda: any("/download/" in path for path in town.nyaa.requests)


def qbittorrent_hangs(town: Town) -> Callable[[], bool]:
    os.kill(town.house.qbittorrent(), signal.SIGSTOP)
    return lambda: any("/download/" in path for path in town.nyaa.requests)


def nothing_hangs(town: Town) -> Callable[[], bool]:
    """Killed as soon as the answer is there, when qBittorrent may not have written the torrent down yet."""
    return lambda: bool(town.house.json("ann", "torrents"))


def heal(town: Town) -> None:
    town.anilist.fault = None
    town.nyaa.fault = None
    town.nyaa.download_fault = None


@pytest.mark.parametrize(
    "obstacle", [anilist_hangs, the_search_hangs, the_torrent_file_hangs, qbittorrent_hangs, nothing_hangs]
)
def test_a_grab_interrupted_by_a_kill_is_finished_at_the_next_start(town: Town, obstacle: Obstacle) -> None:
    house = town.house
    show = town.airs("Sousou no Frieren", aired=5)
    made = town.release("[SubsPlease] Sousou no Frieren - 05 (1080p) [6EB72DA5]")
    town.anilist.list_entry(town.moves_in("ann"), show, progress=4)

    reached = obstacle(town)
    asking = threading.Thread(target=house.ssh, args=("ann", "get", str(show.id), "5"))
    asking.start()
    house.until(reached, "the grab did not come so far")
    house.kill()
    asking.join(timeout=DONE_S)
    heal(town)

    house.start()
    (torrent,) = house.until(lambda: house.json("ann", "torrents"), "the grab was lost")
    assert torrent["infohash"] == made.infohash
    house.until(lambda: house.json("ann", "files", "/torrents"), "never complete")
    house.until(lambda: [one["state"] for one in house.json("ann", "grabs")] == ["complete"], "not one complete grab")
    assert len(house.json("ann", "torrents")) == 1


def test_the_daemon_killed_mid_download_goes_on_where_it_was(town: Town) -> None:
    house = town.house
    house.add_user("ann")
    made = town.swarm.share("lecture.mkv", 6_000_000, limit_bps=SLOW_BPS)
    house.json("ann", "add", "-", given=made.metainfo)
    house.until(lambda: 0.1 < house.json("ann", "torrents")[0]["progress"] < 0.9, "no progress to interrupt")
    house.kill()
    town.swarm.limit(made, 0)
    house.until(lambda: not house.qbittorrents(), "its qBittorrent lives on without it")
    house.start()
    house.until(lambda: house.json("ann", "files", "/torrents"), "it did not go on")
    house.sftp("ann", "get /torrents/lecture.mkv/lecture.mkv got")
    assert (house.home / "got").read_bytes() == made.files[made.name]

"""What a person sees when something outside is slow, wrong or gone, and that it heals by itself."""

import http.client
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.postgres import Postgres
from tests.stories.conftest import SLOW_BPS, Town
from tests.stories.hatchery import Hatchery
from tests.stories.house import DONE_S, House

pytestmark = pytest.mark.real


@pytest.mark.parametrize(
    ("fault", "said"), [("outage", "AniList"), (503, "AniList"), ("html", "AniList"), ("throttled", "AniList")]
)
def test_anilist_away_shows_the_last_list_and_says_so(town: Town, fault: str | int, said: str) -> None:
    show = town.airs("Sousou no Frieren")
    town.anilist.list_entry(town.moves_in("ann"), show, progress=4)
    before = town.house.json("ann", "watchlist")
    town.house.stop()
    town.anilist.fault = fault
    town.house.start()
    done = town.house.ssh("ann", "watchlist", "--json")
    assert done.returncode == 0
    assert said in done.stderr.decode()
    assert "Traceback" not in town.house.log
    assert [entry["media_id"] for entry in town.house.json("ann", "watchlist")] == [before[0]["media_id"]]


def test_a_token_that_anilist_refuses_says_to_link_again(town: Town) -> None:
    show = town.airs("Sousou no Frieren")
    member = town.moves_in("ann")
    town.anilist.list_entry(member, show, progress=4)
    town.anilist.revoke(member)
    done = town.house.ssh("ann", "progress", str(show.id), "5", "--json")
    assert done.returncode in (3, 76)
    assert "link" in done.stderr.decode().lower()


@pytest.mark.parametrize(("fault", "code"), [(429, 75), (503, 75), ("html", 76)])
def test_nyaa_away_fails_the_grab_with_a_sentence(town: Town, fault: str | int, code: int) -> None:
    show = town.airs("Sousou no Frieren")
    town.anilist.list_entry(town.moves_in("ann"), show, progress=4)
    town.nyaa.fault = fault
    failed = town.house.json("ann", "get", str(show.id), "5", code=code)
    assert "Nyaa" in failed["error"]["message"]
    assert town.house.json("ann", "torrents") == []


def side_port(house: House, path: str) -> tuple[int, str]:
    """What the side port answers: the status, and the page."""
    asking = http.client.HTTPConnection("127.0.0.1", house.metrics_port, timeout=DONE_S)
    asking.request("GET", path)
    answer = asking.getresponse()
    page = answer.read().decode()
    asking.close()
    return answer.status, page


def test_a_hung_qbittorrent_is_said_and_heals(town: Town) -> None:
    house = town.house
    house.add_user("ann")
    made = town.swarm.share("lecture.mkv", 200_000)
    pid = house.qbittorrent()
    os.kill(pid, signal.SIGSTOP)
    try:
        done = house.ssh("ann", "add", "-", "--json", given=made.metainfo)
        assert done.returncode == 75
        assert b"qBittorrent" in done.stderr
    finally:
        os.kill(pid, signal.SIGCONT)
    house.until(lambda: house.json("ann", "files", "/torrents"), "it did not heal")


def test_qbittorrent_killed_mid_download_loses_nothing(town: Town) -> None:
    house = town.house
    house.add_user("ann")
    made = town.swarm.share("lecture.mkv", 6_000_000, limit_bps=SLOW_BPS)
    house.json("ann", "add", "-", given=made.metainfo)
    house.until(lambda: 0.1 < house.json("ann", "torrents")[0]["progress"] < 0.9, "no progress to interrupt")
    os.kill(house.qbittorrent(), signal.SIGKILL)
    town.swarm.limit(made, 0)
    house.until(lambda: house.json("ann", "files", "/torrents"), "it did not go on")
    house.sftp("ann", "get /torrents/lecture.mkv/lecture.mkv got")
    assert (house.home / "got").read_bytes() == made.files[made.name]
    _, scraped = side_port(house, "/metrics")
    assert re.search(r"uuutorrent_qbittorrent_restarts_total 1\.0", scraped)


@pytest.fixture
def on_postgres(postgres_cluster: Postgres, tmp_path: Path, hatchery: Hatchery) -> Iterator[House]:
    url = postgres_cluster.fresh()
    house = House(tmp_path / "house", database_url=url, hatchery=hatchery).start()
    yield house
    if house.process is not None:
        house.stop()
    postgres_cluster.drop(url)


def test_a_database_that_goes_away_is_said_and_heals(on_postgres: House, postgres_cluster: Postgres) -> None:
    house = on_postgres
    house.add_user("ann")
    assert house.json("ann", "whoami")["name"] == "ann"
    with house.screen("ann") as screen:
        screen.shows("Watchlist")
        postgres_cluster.stop()
        try:
            assert house.ssh("ann", "whoami").returncode == 255
            status, why = side_port(house, "/readyz")
            assert status == 503
            assert "database" in why
            screen.type("2")
            screen.shows("database")
        finally:
            postgres_cluster.start()
    assert house.until(lambda: house.ssh("ann", "whoami").returncode == 0, "the database did not come back")

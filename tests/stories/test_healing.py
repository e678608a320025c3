"""Downloads that get stuck, and what becomes of them by itself: real qBittorrent, real swarm, kills of the daemon."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.anilist_data import Media
from tests.stories.conftest import EPISODE_BYTES, SLOW_BPS, Town, settled
from tests.stories.hatchery import Hatchery
from tests.swarm import Made, mkv

pytestmark = pytest.mark.real
HASTY = "stalled_s = 4\nyoung_s = 0"


@pytest.fixture
def ward(request: pytest.FixtureRequest, tmp_path: Path, hatchery: Hatchery) -> Iterator[Town]:
    """A house that looks every second and loses patience soon, with two who watch shows."""
    settings = getattr(request, "param", f"{HASTY}\nprobe = false")
    with settled(tmp_path, hatchery, health_settings=settings, extra="[automation]\nhealth_every_s = 1") as town:
        town.moves_in("ann")
        town.moves_in("bob")
        yield town


def posted(ward: Town, group: str, content: int | bytes, *, seeders: int, limit_bps: int = 0) -> Made:
    name = f"[{group}] Umibe no Toshokan - 01 (1080p).mkv"
    made = ward.swarm.share(name, content, limit_bps=limit_bps)
    ward.nyaa.post(name, torrent=made.metainfo, size=made.size_bytes, seeders=seeders)
    return made


def stuck(ward: Town) -> tuple[Media, Made, Made]:
    """The best release, which ann is fetching, loses its only seeder; there is another."""
    show = ward.airs("Umibe no Toshokan")
    best = posted(ward, "Hoshizora", EPISODE_BYTES, seeders=900, limit_bps=SLOW_BPS)
    other = posted(ward, "Kazahana", EPISODE_BYTES, seeders=90)
    got = ward.house.json("ann", "get", str(show.id), "1")
    assert got["infohash"] == best.infohash
    ward.house.until(lambda: hers(ward, best)["progress"] > 0.02, "it does not begin")
    ward.swarm.leave(best)
    return show, best, other


def hers(ward: Town, made: Made, name: str = "ann") -> Any:
    return next((one for one in ward.house.json(name, "torrents") if one["infohash"] == made.infohash), None)


def steps(ward: Town, made: Made, name: str = "ann") -> list[str]:
    return [one["step"] for one in ward.house.json(name, "timeline", made.infohash)]


def arrives(ward: Town, made: Made) -> None:
    """It is the only torrent that ann has, is complete and can be read."""
    ward.house.until(lambda: (one := hers(ward, made)) and one["progress"] == 1, "the other one never comes")
    ward.house.until(lambda: len(ward.house.json("ann", "torrents")) == 1, "the old one never goes")
    ward.house.until(lambda: ward.house.json("ann", "files", "/torrents"), "no file is there")
    ward.house.sftp("ann", f'get "/torrents/{made.name}/{made.name}" got')
    assert (ward.house.home / "got").read_bytes() == made.files[made.name]


def told(ward: Town) -> list[Any]:
    return [one for one in ward.house.json("ann", "inbox") if one["kind"] == "replaced"]


def test_a_seeder_vanishes_and_another_release_takes_the_place(ward: Town) -> None:
    show, best, other = stuck(ward)
    arrives(ward, other)
    # qBittorrent tells the second in which it was complete, which may be that of the lines before.
    told_of = [step for step in steps(ward, other) if step != "complete"]
    assert told_of[-5:] == ["reannounced", "rechecked", "blocked", "replaced", "added"]
    assert (hers(ward, other)["media_id"], hers(ward, other)["episode"]) == (show.id, 1)
    assert not list(ward.house.home.rglob(best.name))
    assert [one["infohash"] for one in ward.house.json("ann", "blocks")] == [best.infohash]
    ward.house.until(lambda: len(told(ward)) == 1, "nobody says so")
    (grab,) = ward.house.json("ann", "grabs")
    assert (grab["state"], grab["infohash"]) == ("complete", other.infohash)

    line = next(one["line"] for one in ward.house.json("ann", "timeline", other.infohash) if one["step"] == "replaced")
    assert "is complete and stays too" in ward.house.json("ann", "undo", str(line))["message"]
    assert hers(ward, best) is not None
    assert ward.house.json("ann", "blocks") == []


@pytest.mark.parametrize("ward", [HASTY], indirect=True)
def test_a_program_by_the_name_of_an_episode_is_blocked_for_everybody_and_replaced(ward: Town) -> None:
    show = ward.airs("Umibe no Toshokan")
    show.duration = 3
    bad = posted(ward, "Trap", b"MZ\x90\0" + os.urandom(300_000), seeders=900)
    good = posted(ward, "Kazahana", mkv(2), seeders=90)
    assert ward.house.json("ann", "get", str(show.id), "1")["infohash"] == bad.infohash
    arrives(ward, good)
    (blocked,) = ward.house.json("bob", "blocks")
    assert (blocked["infohash"], blocked["for_all"]) == (bad.infohash, True)
    assert blocked["reason"].endswith("is a program")
    assert ward.house.json("bob", "search", str(show.id), "1")["best"] == good.infohash
    assert ward.house.json("bob", "blocks", "lift", bad.infohash)["infohash"] == bad.infohash
    assert ward.house.json("bob", "search", str(show.id), "1")["best"] == bad.infohash


def the_search_hangs(ward: Town) -> Callable[[Made, Made], bool]:
    ward.house.kill()  # what the index answered to ann is not remembered then
    asked = len(ward.nyaa.queries)
    ward.nyaa.fault = "hang"
    ward.house.start()
    return lambda _best, _other: len(ward.nyaa.queries) > asked


def the_torrent_file_hangs(ward: Town) -> Callable[[Made, Made], bool]:
    asked = sum("/download/" in path for path in ward.nyaa.requests)
    ward.nyaa.download_fault = "hang"
    return lambda _best, _other: sum("/download/" in path for path in ward.nyaa.requests) > asked


def the_files_are_checked(ward: Town) -> Callable[[Made, Made], bool]:
    return lambda best, _other: "rechecked" in steps(ward, best)


def the_claims_have_changed(ward: Town) -> Callable[[Made, Made], bool]:
    return lambda _best, other: hers(ward, other) is not None


def last_course(ward: Town, made: Made) -> list[str]:
    """The steps since it was last thought to be well: on a busy machine a late piece may look like that once."""
    done = steps(ward, made)
    return done[len(done) - done[::-1].index("recovered") :] if "recovered" in done else done


@pytest.mark.parametrize(
    "obstacle", [the_files_are_checked, the_search_hangs, the_torrent_file_hangs, the_claims_have_changed]
)
def test_a_replacement_interrupted_by_a_kill_is_finished_at_the_next_start(
    ward: Town, obstacle: Callable[[Town], Callable[[Made, Made], bool]]
) -> None:
    house = ward.house
    _, best, other = stuck(ward)
    reached = obstacle(ward)
    house.until(lambda: reached(best, other), "it did not come so far")
    house.kill()
    ward.nyaa.fault = ward.nyaa.download_fault = None
    house.start()
    arrives(ward, other)
    for step in ("reannounced", "rechecked", "blocked", "replaced"):
        assert last_course(ward, other).count(step) == 1
    house.until(lambda: len(told(ward)) == 1, "nobody says so")
    assert not list(house.home.rglob(best.name))

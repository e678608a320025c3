"""How downloads do, seen through the running daemon: real qBittorrent, a real swarm, real videos and false ones."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.stories.conftest import SLOW_BPS, Town, settled
from tests.stories.hatchery import Hatchery
from tests.swarm import Made, mkv
from uuutorrent.errors import Unreachable

pytestmark = pytest.mark.real
HASTY = "stalled_s = 4\nyoung_s = 0"
TITLE = "[Group] Umibe no Toshokan - {:02} (1080p)"


@pytest.fixture
def ward(tmp_path: Path, hatchery: Hatchery) -> Iterator[Town]:
    """A house that looks every second and loses patience soon; its admin is the boss."""
    with settled(tmp_path, hatchery, health_settings=HASTY, extra="[automation]\nhealth_every_s = 1") as town:
        town.house.add_user("boss", admin=True)
        yield town


def posted(ward: Town, episode: int, content: int | bytes, *, limit_bps: int = 0) -> Made:
    name = f"{TITLE.format(episode)}.mkv"
    made = ward.swarm.share(name, content, limit_bps=limit_bps)
    ward.nyaa.post(name, torrent=made.metainfo, size=made.size_bytes)
    return made


def hers(ward: Town, made: Made) -> Any:
    """How ann sees one of her torrents."""
    return shown(ward, "ann", "torrents", made)


def sick(ward: Town, made: Made) -> Any:
    """What the admin is told of a torrent."""
    return shown(ward, "boss", "health", made)


def done_and_sick(ward: Town, made: Made) -> Any:
    """The same once all of it is there: what it is may be seen by its first bytes."""
    told = sick(ward, made)
    return told if told and told["complete"] else None


def shown(ward: Town, name: str, verb: str, made: Made) -> Any:
    """What a verb lists of a torrent; nothing while a busy machine keeps qBittorrent from answering."""
    answer = ward.house.ssh(name, verb, "--json")
    assert answer.returncode in (0, Unreachable.exit_code), answer.stderr
    if answer.returncode != 0:
        return None
    told = json.loads(answer.stdout)
    listed = told["torrents"] if verb == "health" else told
    return next((one for one in listed if one["infohash"] == made.infohash), None)


def probings(ward: Town) -> float:
    """How often it was looked into what is complete."""
    page = httpx.get(f"http://127.0.0.1:{ward.house.metrics_port}/metrics", trust_env=False).text
    families = {family.name: family for family in text_string_to_metric_families(page)}
    samples = families["uuutorrent_jobs"].samples
    return sum(one.value for one in samples if one.labels.get("job") == "probe" and one.labels["outcome"] == "ok")


def test_a_program_by_the_name_of_an_episode_is_broken_and_a_real_video_is_well(ward: Town) -> None:
    show = ward.airs("Umibe no Toshokan")
    show.duration = 3
    ward.moves_in("ann")
    bad, good = posted(ward, 1, b"MZ\x90\0" + os.urandom(300_000)), posted(ward, 2, mkv(2))
    ward.house.json("ann", "get", str(show.id), "1", "--wait", "60")
    ward.house.json("ann", "get", str(show.id), "2", "--wait", "60")

    told = ward.house.until(lambda: done_and_sick(ward, bad), "nobody finds the program")
    assert (told["health"], told["cause"], told["complete"], told["episode"]) == ("broken", "content", True, 1)
    assert told["why"] == f"{TITLE.format(1)}.mkv is a program"
    assert told["owners"] == ["ann"]
    assert ward.house.until(lambda: hers(ward, bad), "her program is gone")["health"] == "broken"
    turns = probings(ward)
    ward.house.until(lambda: probings(ward) >= turns + 2, "nobody looks any more")
    assert ward.house.until(lambda: hers(ward, good), "her video is gone")["health"] == "well"
    assert sick(ward, good) is None


def test_a_seeder_that_vanishes_leaves_a_stalled_download(ward: Town) -> None:
    show = ward.airs("Umibe no Toshokan")
    ward.moves_in("ann")
    made = posted(ward, 1, 6_000_000, limit_bps=SLOW_BPS // 3)
    ward.house.json("ann", "get", str(show.id), "1")
    ward.house.until(lambda: (one := hers(ward, made)) and one["progress"] > 0, "it does not begin")
    ward.swarm.leave(made)
    told = ward.house.until(lambda: sick(ward, made), "nobody finds that it stalled")
    assert (told["health"], told["cause"], told["complete"]) == ("stalled", "still", False)
    assert told["why"].startswith("no byte came for ")


def test_a_torrent_that_its_tracker_does_not_know_is_broken(ward: Town) -> None:
    show = ward.airs("Umibe no Toshokan")
    ward.moves_in("ann")
    ward.swarm.tracker.failure = "Unregistered torrent"
    made = ward.release(TITLE.format(1), seed=False)
    ward.house.json("ann", "get", str(show.id), "1")
    told = ward.house.until(
        lambda: (one := sick(ward, made)) and one["cause"] == "unregistered" and one, "nobody asks the tracker"
    )
    assert told["health"] == "broken"
    assert told["why"] == "no byte comes, and its tracker does not know it: Unregistered torrent"

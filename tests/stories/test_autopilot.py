"""The autopilot on real parts: an episode airs, somebody posts it, and it is complete without anybody asking."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.servers.anilist_data import Media
from tests.stories.conftest import Town

pytestmark = [
    pytest.mark.real,
    pytest.mark.parametrize(
        "town", ["[automation]\nautopilot_every_s = 60"], indirect=True, ids=["as often as can be"]
    ),
]

SHOW = "Umibe no Toshokan"
SIXTH = f"[Hoshizora] {SHOW} - 06 (1080p) [3F2A91C7]"


def evening(town: Town) -> Media:
    """Ann watches a show whose sixth episode airs in a moment, with the autopilot on."""
    show = town.anilist.add_media(SHOW, episodes=12, next_episode=6, airs_in=timedelta(seconds=40))
    for episode in (4, 5):
        town.release(f"[Hoshizora] {SHOW} - {episode:02} (1080p)", seed=False)
    town.anilist.list_entry(town.moves_in("ann"), show, progress=3)
    return show


def test_an_episode_that_airs_is_complete_without_anybody_asking(town: Town) -> None:
    house = town.house
    show = evening(town)
    plan = house.json("ann", "autopilot", "on", code=5)["plan"]
    assert [one["episode"] for one in plan["episodes"]] == [4, 5]
    assert house.json("ann", "autopilot", "on", "--confirm", "new") == {"mode": "on"}
    made = town.release(SIXTH)
    (torrent,) = house.until(lambda: house.json("ann", "torrents"), "nothing was taken by itself")
    assert (torrent["infohash"], torrent["media_id"], torrent["episode"]) == (made.infohash, show.id, 6)
    house.until(lambda: house.json("ann", "files", "/torrents"), "never complete")
    house.sftp("ann", f'get "/torrents/{made.name}/{made.name}" got')
    assert (house.home / "got").read_bytes() == made.files[made.name]
    states = {one["episode"]: one["state"] for one in house.json("ann", "autopilot")["pursuits"]}
    assert states[6] == "taken"
    assert [one["infohash"] for one in house.json("ann", "torrents")] == [made.infohash]


def test_killed_while_it_takes_an_episode_it_has_it_once_after_the_next_start(town: Town) -> None:
    house = town.house
    evening(town)
    house.json("ann", "autopilot", "on", "--confirm", "new")
    made = town.release(SIXTH)
    town.nyaa.download_fault = "hang"
    house.until(lambda: any("/download/" in path for path in town.nyaa.requests), "it did not come so far")
    house.kill()
    town.nyaa.download_fault = None
    house.start()
    house.until(lambda: house.json("ann", "files", "/torrents"), "never taken and completed")
    assert [one["infohash"] for one in house.json("ann", "torrents")] == [made.infohash]

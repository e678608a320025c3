"""What happened is told on every door: on the screen at once, to scripts, at the next sign-in."""

import pytest

from tests.stories.conftest import Town

pytestmark = pytest.mark.real


def test_a_download_that_ends_is_told_on_every_door(town_on: Town) -> None:
    town, house = town_on, town_on.house
    show = town.airs("Sousou no Frieren", aired=5)
    town.release("[SubsPlease] Sousou no Frieren - 05 (1080p) [6EB72DA5]")
    town.anilist.list_entry(town.moves_in("ann"), show, progress=4)
    house.add_user("bob")

    with house.screen("ann") as screen:
        screen.shows("Sousou no Frieren")
        house.json("ann", "get", str(show.id), "5", "--wait", "60")
        screen.shows("Episode 5 of Sousou no Frieren is here.")

    (notice,) = house.json("ann", "activity")
    assert (notice["kind"], notice["media_id"], notice["episode"]) == ("finished", show.id, 5)
    assert house.json("bob", "activity") == []
    assert b"1 new in your inbox" in house.ssh("ann").stderr
    assert house.json("ann", "inbox", "seen") == {"seen": 1}
    assert house.ssh("ann").stderr == b""

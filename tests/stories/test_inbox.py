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


@pytest.mark.parametrize("town", ["[automation]\nwatched_after_s = 0"], indirect=True, ids=["at once"])
def test_what_was_fetched_over_sftp_is_asked_about_and_yes_sets_the_progress(town: Town) -> None:
    house = town.house
    show = town.airs("Sousou no Frieren", aired=5)
    made = town.release("[SubsPlease] Sousou no Frieren - 05 (1080p) [6EB72DA5]")
    member = town.moves_in("ann")
    town.anilist.list_entry(member, show, progress=4)
    house.json("ann", "get", str(show.id), "5", "--wait", "60")
    house.sftp("ann", f'get "/torrents/{made.name}/{made.name}" got')
    (notice,) = house.until(lambda: house.json("ann", "activity", "--kind", "watched"), "never asked")
    assert notice["text"] == "Watched episode 5 of Sousou no Frieren?"
    said = house.json("ann", "inbox", "answer", str(notice["id"]), "yes")["said"]
    assert said == "Sousou no Frieren: episode 5 is marked as watched."
    entry = town.anilist.entry(member, show)
    assert entry is not None
    assert entry.progress == 5

"""The main job, end to end, on real parts: watchlist, get, complete, and the same bytes over SFTP."""

import pytest

from tests.stories.conftest import Town

pytestmark = pytest.mark.real


def test_from_the_watchlist_to_the_same_bytes_over_sftp(town_on: Town) -> None:
    town = town_on
    show = town.airs("Sousou no Frieren", aired=5)
    made = town.release("[SubsPlease] Sousou no Frieren - 05 (1080p) [6EB72DA5]")
    town.release("[SubsPlease] Sousou no Frieren - 04 (1080p) [6EB72DA4]", seed=False)
    town.anilist.list_entry(town.moves_in("ann"), show, progress=4)
    house = town.house

    (entry,) = house.json("ann", "watchlist")
    assert entry["media_id"] == show.id
    assert (entry["progress"], entry["aired"], entry["next_episode"], entry["behind"]) == (4, 5, 5, 1)

    got = house.json("ann", "get", str(show.id), "5", "--wait", "60")
    assert got["state"] == "complete"
    assert got["infohash"] == made.infohash
    assert {step["step"] for step in got["steps"]} == {"watchlist", "search", "rank", "add", "link"}

    (torrent,) = house.json("ann", "torrents")
    assert torrent["progress"] == 1.0
    assert (torrent["media_id"], torrent["episode"]) == (show.id, 5)
    (folder,) = house.json("ann", "files", "/torrents")
    (file,) = house.json("ann", "files", f"'/torrents/{folder['name']}'")
    assert file["size"] == made.size_bytes

    house.sftp("ann", f'get "/torrents/{folder["name"]}/{file["name"]}" episode.mkv')
    assert (house.home / "episode.mkv").read_bytes() == made.files[made.name]

    seen = house.json("ann", "progress", str(show.id), "5")
    assert seen["progress"] == 5
    assert seen["behind"] == 0


def test_what_is_not_there_is_not_fetched_and_says_so(town: Town) -> None:
    show = town.airs("Sousou no Frieren", aired=5)
    town.release("[SubsPlease] Sousou no Frieren - 04 (1080p) [6EB72DA4]", seed=False)
    town.anilist.list_entry(town.moves_in("ann"), show, progress=4)
    failed = town.house.json("ann", "get", str(show.id), "5", code=4)
    assert failed["state"] == "failed"
    assert failed["error"]["code"] == "missing"
    assert town.house.json("ann", "torrents") == []
    found = town.house.json("ann", "search", str(show.id), "5")
    assert found["best"] is None
    assert found["candidates"][0]["verdict"] == "reject"
    assert found["candidates"][0]["reasons"]


def test_the_same_episode_asked_for_twice_is_fetched_once(town: Town) -> None:
    show = town.airs("Sousou no Frieren", aired=5)
    town.release("[SubsPlease] Sousou no Frieren - 05 (1080p) [6EB72DA5]")
    town.moves_in("ann")
    first = town.house.json("ann", "get", str(show.id), "5")
    again = town.house.json("ann", "get", str(show.id), "5")
    assert again["grab"] == first["grab"]
    assert len(town.house.json("ann", "torrents")) == 1


def test_a_torrent_file_on_stdin_and_a_magnet_are_added(town: Town) -> None:
    town.house.add_user("ann")
    uploaded = town.swarm.share("lecture.mkv", 500_000)
    by_magnet = town.swarm.share("talk.mkv", 500_000)
    by_address = town.swarm.share("notes.mkv", 500_000)
    assert town.house.json("ann", "add", "-", given=uploaded.metainfo)["infohash"] == uploaded.infohash
    assert town.house.json("ann", "add", f"'{by_magnet.magnet}'")["infohash"] == by_magnet.infohash
    assert town.house.json("ann", "add", by_address.url)["infohash"] == by_address.infohash

    def all_complete() -> bool:
        torrents = town.house.json("ann", "torrents")
        return len(torrents) == 3 and all(one["progress"] == 1.0 for one in torrents)

    town.house.until(all_complete, "not all complete")
    for made in (uploaded, by_magnet, by_address):
        town.house.sftp("ann", f'get "/torrents/{made.name}/{made.name}" {made.name}')
        assert (town.house.home / made.name).read_bytes() == made.files[made.name]


def test_a_deleted_torrent_takes_its_files_along(town: Town) -> None:
    town.house.add_user("ann")
    made = town.swarm.share("lecture.mkv", 500_000)
    town.house.json("ann", "add", "-", given=made.metainfo)
    town.house.until(lambda: town.house.json("ann", "files", "/torrents"), "never complete")
    stored = list((town.house.home / "data" / "downloads").rglob("lecture.mkv"))
    assert len(stored) == 1
    town.house.json("ann", "delete", made.infohash[:10], "--files")
    assert town.house.json("ann", "torrents") == []
    assert town.house.json("ann", "files", "/torrents") == []
    town.house.until(lambda: not stored[0].exists(), "the file is still there")


def test_a_list_kept_here_needs_no_account_elsewhere(town: Town) -> None:
    show = town.airs("Sousou no Frieren", aired=5)
    town.house.add_user("bob")
    assert town.house.json("bob", "watchlist") == []
    assert town.house.json("bob", "shows", "frieren")[0]["media_id"] == show.id
    town.house.json("bob", "watch", str(show.id))
    town.house.json("bob", "progress", str(show.id), "2")
    (entry,) = town.house.json("bob", "watchlist")
    assert (entry["progress"], entry["behind"], entry["next_episode"]) == (2, 3, 3)

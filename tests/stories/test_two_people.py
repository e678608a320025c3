"""Two people on one machine: one download, two owners, and nothing of the other's to be seen."""

import pytest

from tests.stories.conftest import Town

pytestmark = pytest.mark.real


def test_nobody_sees_or_touches_what_is_another_s(town: Town) -> None:
    house = town.house
    house.add_user("ann")
    house.add_user("bob")
    made = town.swarm.share("lecture.mkv", 500_000)
    house.json("ann", "add", "-", given=made.metainfo)
    house.until(lambda: house.json("ann", "files", "/torrents"), "never complete")

    assert house.json("bob", "torrents") == []
    assert house.json("bob", "files", "/torrents") == []
    for verb in ("pause", "resume", "recheck", "delete"):
        assert house.json("bob", verb, made.infohash, code=4)["error"]["code"] == "missing"
    assert house.json("bob", "torrents", "--all", code=3)["error"]["code"] == "refused"
    assert house.json("bob", "users", "list", code=3)["error"]["code"] == "refused"
    assert house.json("bob", "files", "/torrents/lecture.mkv", code=4)["error"]["code"] == "missing"
    stolen = house.sftp("bob", "get /torrents/lecture.mkv/lecture.mkv stolen", check=False)
    assert stolen.returncode != 0
    assert "not found" in stolen.stderr.lower() or "no such file" in stolen.stderr.lower()
    assert "lecture" not in house.sftp("bob", "ls -l /torrents").stdout.replace("ls -l", "")
    assert len(house.json("ann", "torrents")) == 1


def test_one_download_two_owners_and_the_files_go_with_the_last(town: Town) -> None:
    house = town.house
    house.add_user("ann")
    house.add_user("bob")
    house.add_user("boss", admin=True)
    made = town.swarm.share("lecture.mkv", 500_000)
    house.json("ann", "add", "-", given=made.metainfo)
    house.json("bob", "add", "-", given=made.metainfo)
    house.until(lambda: house.json("bob", "files", "/torrents"), "never complete")
    (shown,) = house.json("boss", "torrents", "--all")
    assert sorted(shown["owners"]) == ["ann", "bob"]
    assert house.json("ann", "torrents")[0]["owners"] == []

    house.json("ann", "delete", made.infohash, "--files")
    assert house.json("ann", "files", "/torrents") == []
    house.sftp("bob", "get /torrents/lecture.mkv/lecture.mkv kept")
    assert (house.home / "kept").read_bytes() == made.files[made.name]
    (stored,) = (house.home / "data" / "downloads").rglob("lecture.mkv")
    house.json("bob", "delete", made.infohash, "--files")
    house.until(lambda: not stored.exists(), "the last owner's files stayed")

from datetime import UTC, datetime, timedelta

import pytest

from tests.servers.nyaa import Post
from tests.ssh.verbs.conftest import House
from uuutorrent.torrents.metainfo import parse_torrent


@pytest.fixture
async def replaced(house: House) -> tuple[Post, Post]:
    """Ann's torrent that was blocked, and the one that took its place."""
    old, new = house.post(1), house.nyaa.post("[Other] Sousou no Frieren - 01 (1080p)", size=1000, seeders=9)
    await house.ann.json(f"get {house.frieren.id} 1")
    until = datetime.now(UTC) + timedelta(days=14)
    blocks = house.services.releases.blocks
    await blocks.block(house.ann.user.id, old.infohash, title=old.title, reason="it is dead", until=until)
    await house.services.replacing.replace(
        house.ann.user, old.infohash, parse_torrent(new.torrent), media_id=house.frieren.id, episode=1,
        title=new.title, why="it is dead",
    )  # fmt: skip
    return old, new


async def test_a_timeline_is_read_by_the_hash_of_the_old_and_of_the_new(
    house: House, replaced: tuple[Post, Post]
) -> None:
    old, new = replaced
    lines = await house.ann.json(f"timeline {new.infohash[:8]}")
    assert [one["step"] for one in lines] == ["replaced", "added"]
    assert await house.ann.json(f"timeline {old.infohash}") == lines
    assert lines[0]["undo_until"]
    assert lines[1]["undo_until"] is None
    said = " ".join((await house.ann.says(f"timeline {new.infohash}")).split())
    assert f"Replaced by {new.title}, because it is dead." in said


async def test_others_read_and_undo_nothing_of_it(house: House, replaced: tuple[Post, Post]) -> None:
    old, new = replaced
    for line in (f"timeline {old.infohash}", f"timeline {new.infohash}", "undo 1", f"blocks lift {old.infohash}"):
        await house.bob.fails(line, 4)
    assert await house.bob.json("blocks") == []
    assert [one["infohash"] for one in await house.ann.json("torrents")] == [new.infohash]


async def test_a_replacement_is_undone_by_its_line(house: House, replaced: tuple[Post, Post]) -> None:
    old, new = replaced
    (line, _) = await house.ann.json(f"timeline {new.infohash}")
    done = await house.ann.json(f"undo {line['line']}")
    assert done["message"].endswith("It is left alone for a day.")
    assert [one["infohash"] for one in await house.ann.json("torrents")] == [old.infohash]
    assert await house.ann.json("blocks") == []
    assert "already" in await house.ann.fails(f"undo {line['line']}", 5)
    assert "(undone)" in await house.ann.says(f"timeline {old.infohash}")


async def test_what_is_blocked_is_listed_shown_in_a_search_and_lifted(
    house: House, replaced: tuple[Post, Post]
) -> None:
    old, _ = replaced
    (blocked,) = await house.ann.json("blocks")
    assert (blocked["infohash"], blocked["reason"], blocked["for_all"]) == (old.infohash, "it is dead", False)
    found = await house.ann.json(f"search {house.frieren.id} 1 --all")
    (one,) = [one for one in found["candidates"] if one["infohash"] == old.infohash]
    assert one["verdict"] == "reject"
    assert any(reason.startswith("blocked until") for reason in one["reasons"])
    assert (await house.ann.json(f"blocks lift {old.infohash[:8]}"))["infohash"] == old.infohash
    assert "No release is blocked for you." in await house.ann.says("blocks")


async def test_what_is_blocked_can_be_taken_by_hand(house: House, replaced: tuple[Post, Post]) -> None:
    old, _ = replaced
    got = await house.ann.json(f"get {house.frieren.id} 1 --release {old.infohash}")
    assert (got["state"], got["infohash"]) == ("added", old.infohash)

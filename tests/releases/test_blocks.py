from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.automation.evening import Clock
from tests.releases.conftest import find
from tests.servers.anilist_data import Media
from tests.servers.nyaa import FakeNyaa
from uuutorrent.accounts import Accounts, Admin, Operator, User
from uuutorrent.anime.anime import MediaId
from uuutorrent.errors import Invalid, Missing, Refused
from uuutorrent.releases.blocks import Blocks
from uuutorrent.releases.release import Match
from uuutorrent.releases.search import Releases
from uuutorrent.store.database import Database

ONE, OTHER = "a" * 40, "ab" * 20


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def blocks(database: Database, clock: Clock) -> Blocks:
    return Blocks(database, now=clock)


async def block(blocks: Blocks, user: User | None, infohash: str = ONE, *, days: int = 14, reason: str = "dead") -> int:
    until = Clock().at + timedelta(days=days)
    whom = user.id if user else None
    return await blocks.block(whom, infohash, title="Show - 01", reason=reason, until=until)


async def hashes(blocks: Blocks, user: User) -> Mapping[str, str]:
    return await blocks.active(user)


async def test_what_is_blocked_for_one_is_not_for_another(blocks: Blocks, ann: User, bob: User) -> None:
    await block(blocks, ann, reason="no byte for 15 min")
    assert await hashes(blocks, ann) == {ONE: "blocked until 2026-12-05: no byte for 15 min"}
    assert await hashes(blocks, bob) == {}
    with pytest.raises(Missing):
        await blocks.unblock(bob, ONE)
    assert await hashes(blocks, ann)


async def test_a_block_ends_by_itself(blocks: Blocks, clock: Clock, ann: User) -> None:
    await block(blocks, ann, days=14)
    clock.move(days=13, hours=23)
    assert await hashes(blocks, ann)
    clock.move(hours=2)
    assert await hashes(blocks, ann) == {}
    assert await blocks.of(ann) == ()


async def test_blocked_twice_is_one_block_until_the_later_time(blocks: Blocks, ann: User) -> None:
    first = await block(blocks, ann, days=14)
    assert await block(blocks, ann, days=2, reason="dead again") == first
    (one,) = await blocks.of(ann)
    assert (one.reason, f"{one.until:%m-%d}") == ("dead again", "12-05")


async def test_what_is_blocked_for_everybody_everyone_lifts_for_themselves(
    blocks: Blocks, ann: User, bob: User
) -> None:
    await block(blocks, None, reason="an .exe")
    lifted = await blocks.unblock(ann, ONE[:8])
    assert (lifted.infohash, lifted.is_for_all) == (ONE, True)
    assert await hashes(blocks, ann) == {}
    assert await hashes(blocks, bob) == {ONE: "blocked until 2026-12-05: an .exe"}


async def test_lifting_needs_a_hash_that_names_one_block(blocks: Blocks, ann: User) -> None:
    await block(blocks, ann, "abcdef" + "0" * 34)
    await block(blocks, ann, "abcdef" + "1" * 34)
    with pytest.raises(Invalid, match="fits several"):
        await blocks.unblock(ann, "abcdef")
    with pytest.raises(Invalid, match="at least 6"):
        await blocks.unblock(ann, "abc")
    with pytest.raises(Missing):
        await blocks.unblock(ann, OTHER)
    await blocks.unblock(ann, "ABCDEF0")
    assert list(await hashes(blocks, ann)) == ["abcdef" + "1" * 34]


async def test_a_blocked_release_is_shown_with_the_reason_and_the_next_best_is_taken(
    releases: Releases, index: FakeNyaa, ann: User, bob: User, show: Media
) -> None:
    bad = index.post("[SubsPlease] Kage no Uta - 03 (1080p)", seeders=900)
    good = index.post("[Aye] Kage no Uta - 03 (1080p)", seeders=9)
    until = datetime.now(UTC) + timedelta(days=14)
    await releases.blocks.block(ann.id, bad.infohash, title="x", reason="no byte for 15 min", until=until)
    found = await find(releases, ann, show, 3)
    assert found.best is not None
    assert found.best.release.infohash == good.infohash
    (blocked,) = [one for one in found.candidates if one.release.infohash == bad.infohash]
    assert blocked.verdict is Match.REJECT
    assert f"blocked until {until:%Y-%m-%d}: no byte for 15 min" in blocked.reasons
    others = await find(releases, bob, show, 3)
    assert others.best is not None
    assert others.best.release.infohash == bad.infohash


async def test_a_blocked_release_is_not_taken_from_a_feed_either(
    releases: Releases, index: FakeNyaa, ann: User, show: Media
) -> None:
    index.post("[SubsPlease] Kage no Uta - 03 (1080p)")
    posts = [one.release for one in (await find(releases, ann, show, 3)).candidates]
    assert set(await releases.best_of(ann, MediaId(show.id), posts)) == {3}
    until = datetime.now(UTC) + timedelta(days=1)
    await releases.blocks.block(ann.id, posts[0].infohash, title="x", reason="dead", until=until)
    assert set(await releases.best_of(ann, MediaId(show.id), posts)) == set()


async def test_where_everything_is_blocked_the_answer_says_so(
    releases: Releases, index: FakeNyaa, ann: User, show: Media
) -> None:
    bad = index.post("[SubsPlease] Kage no Uta - 03 (1080p)")
    until = datetime.now(UTC) + timedelta(days=1)
    await releases.blocks.block(None, bad.infohash, title="x", reason="an .exe", until=until)
    found = await find(releases, ann, show, 3)
    assert found.best is None
    assert "an .exe" in found.said


# For admins


async def test_admins_block_for_everybody_and_end_anybodys_block(
    blocks: Blocks, accounts: Accounts, ann: User, bob: User, boss: Admin
) -> None:
    await block(blocks, ann)
    made = await blocks.block_for_all(boss, f" {OTHER.upper()} ", title="Show - 02", reason="a\x1b[31m virus", days=2)
    assert await hashes(blocks, bob) == {OTHER: "blocked until 2026-11-23: a?[31m virus"}
    every = await blocks.every(boss)
    assert [(one.name, one.block.infohash) for one in every] == [("", OTHER), ("ann", ONE)]
    assert (await blocks.drop(boss, made)).block.title == "Show - 02"
    assert (await blocks.drop(boss, every[1].block.id)).name == "ann"
    assert await hashes(blocks, ann) == await hashes(blocks, bob) == {}
    with pytest.raises(Missing):
        await blocks.drop(boss, made)
    notes = [(one.who, one.act, one.target) for one in reversed(await accounts.audit.search(boss, "blocks"))]
    assert notes == [
        ("boss", "blocks add", OTHER),
        ("boss", "blocks drop", "everybody"),
        ("boss", "blocks drop", "ann"),
    ]


@pytest.mark.parametrize(
    ("wrong", "field"), [({"infohash": "abc"}, "infohash"), ({"days": 0}, "days"), ({"reason": " "}, "reason")]
)
async def test_what_cannot_be_blocked_is_not(blocks: Blocks, boss: Admin, wrong: dict[str, Any], field: str) -> None:
    given: dict[str, Any] = {"infohash": ONE, "title": "", "reason": "bad", "days": 3, **wrong}
    with pytest.raises(Invalid) as caught:
        await blocks.block_for_all(boss, given.pop("infohash"), **given)
    assert caught.value.field == field
    assert await blocks.every(boss) == ()


async def test_who_is_no_admin_any_more_neither_sees_nor_makes_blocks_of_others(
    blocks: Blocks, accounts: Accounts, ann: User, boss: Admin
) -> None:
    made = await block(blocks, ann)
    await accounts.create(Operator(), "carl", role="admin")
    await accounts.set_role(Operator(), "boss", "user")
    for refused in (
        blocks.every(boss),
        blocks.block_for_all(boss, OTHER, title="", reason="bad", days=3),
        blocks.drop(boss, made),
    ):
        with pytest.raises(Refused, match="only admins"):
            await refused
    assert list(await hashes(blocks, ann)) == [ONE]

"""What is complete and not what its name says; what is taken back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.automation.clinic import BEST, SECOND, STALLED, WAIT, Clinic, opened_clinic
from tests.torrents import metainfos
from tests.torrents.shelf import quota
from uuutorrent.accounts import User
from uuutorrent.automation.health.replacing import Replacing
from uuutorrent.automation.health.timeline import Timeline
from uuutorrent.automation.inbox.inbox import Inbox, Kind
from uuutorrent.errors import Conflict, Invalid, Missing, Refused, Unreachable
from uuutorrent.store.database import Database
from uuutorrent.torrents.holdings import Part
from uuutorrent.torrents.metainfo import parse_torrent

# Its SQL is that of healing, whose tests are on both kinds of database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

REPLACED = STALLED + 2 * WAIT


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is decided here is the same on each kind of database; those that race for a row are tested on both."""
    return sqlite_url


@pytest.fixture
async def clinic(database: Database, tmp_path: Path) -> AsyncIterator[Clinic]:
    async with opened_clinic(database, tmp_path) as opened:
        yield opened


async def line(clinic: Clinic, user: User, group: str, step: str) -> int:
    return next(one.id for one in await clinic.lines(user, group) if one.step == step)


def trap(clinic: Clinic) -> None:
    """The best release is a folder with a program in it."""
    name = f"[Trap] {clinic.show.romaji} - 03 (1080p)"
    raw = metainfos.several(name, {f"{name}.mkv.exe": 300_000_000})
    clinic.posts["Trap"] = clinic.sky.nyaa.post(name, torrent=raw, seeders=9000, posted_at=clinic.sky.clock.now())


async def test_what_is_not_what_its_name_says_is_blocked_for_everybody_and_replaced_at_once(
    clinic: Clinic, ann: User, bob: User
) -> None:
    trap(clinic)
    await clinic.get(ann)
    assert await clinic.has(ann) == ["Trap"]
    await clinic.turns(2)
    assert await clinic.steps(ann, "Trap") == ["blocked", "replaced", "added"]
    assert await clinic.has(ann) == [BEST]
    assert await clinic.blocked(bob) == ["Trap"]
    assert not [call for call in clinic.engine.calls if call.startswith(("reannounce", "recheck"))]


async def test_a_complete_one_stays_until_what_takes_its_place_is_complete(clinic: Clinic, ann: User) -> None:
    trap(clinic)
    await clinic.get(ann)
    clinic.engine.complete(clinic.hash("Trap"))
    await clinic.turns(3)
    assert await clinic.has(ann) == [BEST, "Trap"]
    assert await clinic.told(ann) == []
    clinic.engine.complete(clinic.hash(BEST))
    await clinic.turns(2)
    assert await clinic.has(ann) == [BEST]
    assert not clinic.engine.has(clinic.hash("Trap"))
    (told,) = await clinic.told(ann)
    assert "took the place of [Trap]" in told


async def test_what_is_good_does_not_go_for_what_turns_out_not_to_be_what_its_name_says(
    clinic: Clinic, ann: User
) -> None:
    """As where somebody posts a "corrected version" under the name of another group."""
    await clinic.get(ann)
    clinic.engine.complete(clinic.hash(BEST))
    await clinic.turns(2)
    trap(clinic)
    its, now = clinic.services, clinic.sky.clock.now
    timeline, inbox = Timeline(clinic.sky.database, now=now), Inbox(clinic.sky.database, now=now)
    replacing = Replacing(clinic.sky.database, its.library, its.grabs, its.releases.blocks, timeline, inbox, now=now)
    await replacing.replace(
        ann, clinic.hash(BEST), parse_torrent(clinic.posts["Trap"].torrent), media_id=clinic.media_id, episode=3,
        title=clinic.posts["Trap"].title, why="its group posted a corrected version",
    )  # fmt: skip
    clinic.engine.complete(clinic.hash("Trap"))
    await clinic.turns(4)
    assert await clinic.has(ann) == [BEST]
    assert f"delete with files {clinic.hash(BEST)}" not in clinic.engine.calls
    assert not clinic.engine.has(clinic.hash("Trap"))


async def test_the_new_one_is_replaced_too_while_the_complete_one_waits(clinic: Clinic, ann: User) -> None:
    trap(clinic)
    await clinic.get(ann)
    clinic.engine.complete(clinic.hash("Trap"))
    await clinic.turns(REPLACED + 4)
    assert await clinic.has(ann) == [SECOND, "Trap"]
    clinic.engine.complete(clinic.hash(SECOND))
    await clinic.turns(2)
    assert await clinic.has(ann) == [SECOND]


async def test_a_replacement_is_undone_within_a_day_and_the_old_one_left_alone(clinic: Clinic, ann: User) -> None:
    await clinic.get(ann)
    await clinic.turns(REPLACED)
    which = await line(clinic, ann, BEST, "replaced")
    said = await clinic.healing.undo(ann, which)
    assert said.endswith("It is left alone for a day.")
    await clinic.settle()
    assert await clinic.has(ann) == [BEST]
    assert not clinic.engine.has(clinic.hash(SECOND))
    assert await clinic.blocked(ann) == []
    with pytest.raises(Conflict):
        await clinic.healing.undo(ann, which)
    await clinic.turns(REPLACED + 5)
    assert await clinic.has(ann) == [BEST]
    clinic.later(days=1)
    await clinic.turns(40)
    assert await clinic.has(ann) == [SECOND]


async def test_undoing_keeps_what_is_complete_by_now(clinic: Clinic, ann: User) -> None:
    await clinic.get(ann)
    await clinic.turns(REPLACED)
    clinic.engine.complete(clinic.hash(SECOND))
    await clinic.turns()
    said = await clinic.healing.undo(ann, await line(clinic, ann, BEST, "replaced"))
    assert "is complete and stays too" in said
    assert await clinic.has(ann) == [BEST, SECOND]


async def test_a_replacement_out_of_a_batch_is_undone(clinic: Clinic, ann: User) -> None:
    clinic.sky.nyaa.posts = [clinic.posts[BEST]]
    clinic.sky.batch(clinic.show)
    await clinic.get(ann)
    await clinic.turns(REPLACED)
    (part,) = await clinic.services.library.holdings(ann)
    assert part.is_part
    said = await clinic.healing.undo(ann, await line(clinic, ann, BEST, "replaced"))
    assert "in place of" in said
    await clinic.settle()
    (back,) = await clinic.services.library.holdings(ann)
    assert (back.infohash, back.episode) == (clinic.hash(BEST), 3)
    assert not clinic.engine.has(part.infohash)


async def test_a_part_of_a_batch_that_the_engine_does_not_take_is_sent_back(clinic: Clinic, ann: User) -> None:
    clinic.sky.nyaa.posts = [clinic.posts[BEST]]
    clinic.sky.batch(clinic.show)
    await clinic.get(ann)
    await clinic.turns(REPLACED - 1)
    clinic.engine.add_error = Unreachable("qBittorrent", "it is busy")
    await clinic.turns()
    assert await clinic.has(ann) == []
    clinic.later(hours=2)
    await clinic.turns(2)
    assert await clinic.has(ann) == [BEST]
    clinic.engine.add_error = None
    await clinic.turns()
    (back,) = await clinic.services.library.holdings(ann)
    assert (back.infohash, back.episode) == (clinic.hash(BEST), 3)
    assert clinic.engine.has(clinic.hash(BEST))


async def test_undoing_keeps_a_batch_of_which_more_was_picked_since(clinic: Clinic, ann: User) -> None:
    clinic.sky.nyaa.posts = [clinic.posts[BEST]]
    clinic.sky.batch(clinic.show)
    batch = parse_torrent(clinic.sky.nyaa.posts[-1].torrent)
    await clinic.get(ann)
    await clinic.turns(REPLACED)
    more = Part(clinic.show.id, {4: (3,)}, [file.size_bytes for file in batch.files])
    await clinic.services.library.add(ann, batch, media_id=clinic.show.id, part=more)
    said = await clinic.healing.undo(ann, await line(clinic, ann, BEST, "replaced"))
    assert "stays too" in said
    held = {one.infohash: one.episodes for one in await clinic.services.library.holdings(ann)}
    assert held == {batch.infohash: (3, 4), clinic.hash(BEST): (3,)}


async def test_a_complete_one_of_which_more_is_wanted_by_now_stays(clinic: Clinic, ann: User) -> None:
    trap(clinic)
    await clinic.get(ann)
    clinic.engine.complete(clinic.hash("Trap"))
    await clinic.turns(3)
    content = parse_torrent(clinic.posts["Trap"].torrent)
    sizes = [file.size_bytes for file in content.files]
    more = Part(clinic.show.id, {3: (0,), 4: (0,)}, sizes, whole=True)
    await clinic.services.library.add(ann, content, media_id=clinic.show.id, part=more)
    clinic.engine.complete(clinic.hash(BEST))
    await clinic.turns(2)
    assert await clinic.has(ann) == [BEST, "Trap"]


async def test_a_complete_one_comes_back_for_good_and_may_be_what_it_is(clinic: Clinic, ann: User) -> None:
    trap(clinic)
    await clinic.get(ann)
    clinic.engine.complete(clinic.hash("Trap"))
    await clinic.turns(3)
    await clinic.healing.undo(ann, await line(clinic, ann, "Trap", "replaced"))
    await clinic.turns(3)
    clinic.later(days=2)
    await clinic.turns(5)
    assert await clinic.has(ann) == ["Trap"]


async def test_a_block_is_undone_alone(clinic: Clinic, ann: User) -> None:
    clinic.sky.nyaa.posts = [clinic.posts[BEST]]
    await clinic.get(ann)
    await clinic.turns(REPLACED)
    assert await clinic.blocked(ann) == [BEST]
    await clinic.healing.undo(ann, await line(clinic, ann, BEST, "blocked"))
    clinic.sky.nyaa.posts.append(clinic.posts[SECOND])
    await clinic.turns(40)
    assert await clinic.blocked(ann) == []
    assert await clinic.has(ann) == [BEST]


async def test_lifting_a_block_leaves_the_download_alone_for_a_day(clinic: Clinic, ann: User) -> None:
    clinic.sky.nyaa.posts = [clinic.posts[BEST]]
    await clinic.get(ann)
    await clinic.turns(REPLACED)
    assert (await clinic.healing.lift(ann, clinic.hash(BEST)[:10])).title == clinic.posts[BEST].title
    await clinic.turns(40)
    assert await clinic.blocked(ann) == []


async def test_after_a_day_nothing_is_undone(clinic: Clinic, ann: User) -> None:
    await clinic.get(ann)
    await clinic.turns(REPLACED)
    which = await line(clinic, ann, BEST, "replaced")
    clinic.later(days=1, minutes=1)
    with pytest.raises(Refused, match="more than a day ago"):
        await clinic.healing.undo(ann, which)


async def test_nobody_undoes_what_happened_to_others(clinic: Clinic, ann: User, bob: User) -> None:
    await clinic.get(ann)
    await clinic.turns(REPLACED)
    with pytest.raises(Missing):
        await clinic.healing.undo(bob, await line(clinic, ann, BEST, "replaced"))
    with pytest.raises(Missing):
        await clinic.healing.lift(bob, clinic.hash(BEST))
    assert await clinic.has(ann) == [SECOND]


async def test_only_blocks_and_replacements_are_undone(clinic: Clinic, ann: User) -> None:
    await clinic.get(ann)
    await clinic.turns(STALLED)
    with pytest.raises(Invalid):
        await clinic.healing.undo(ann, await line(clinic, ann, BEST, "reannounced"))


async def test_what_does_not_fit_any_more_does_not_come_back(clinic: Clinic, ann: User) -> None:
    await clinic.get(ann)
    await clinic.turns(REPLACED)
    clinic.engine.complete(clinic.hash(SECOND))
    await clinic.turns()
    await quota(clinic.services.library, ann, torrents=1)
    which = await line(clinic, ann, BEST, "replaced")
    with pytest.raises(Refused):
        await clinic.healing.undo(ann, which)
    await quota(clinic.services.library, ann, torrents=2)
    await clinic.healing.undo(ann, which)
    assert await clinic.has(ann) == [BEST, SECOND]


async def test_who_deleted_the_new_one_gets_the_old_one_back_all_the_same(clinic: Clinic, ann: User) -> None:
    await clinic.get(ann)
    await clinic.turns(REPLACED + 1)
    await clinic.services.library.delete(ann, clinic.hash(SECOND), with_files=True)
    await clinic.healing.undo(ann, await line(clinic, ann, BEST, "replaced"))
    assert await clinic.has(ann) == [BEST]
    assert await clinic.told(ann, Kind.FAILED) == []

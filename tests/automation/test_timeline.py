import pytest

from tests.automation.evening import Clock
from uuutorrent.accounts import User
from uuutorrent.automation.health.timeline import Timeline
from uuutorrent.errors import Missing
from uuutorrent.store.database import Database

OLD, NEW, OTHER = "a" * 40, "b" * 40, "c" * 40


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timeline(database: Database, clock: Clock) -> Timeline:
    return Timeline(database, now=clock)


async def told(timeline: Timeline, user: User, infohash: str) -> list[str]:
    return [line.text for line in await timeline.of(user, infohash)]


async def test_the_life_of_an_episode_is_read_across_its_replacements(timeline: Timeline, ann: User) -> None:
    await timeline.note(ann.id, OLD, "added", "Added.", media_id=1, episode=3)
    await timeline.note(ann.id, OLD, "replaced", "Replaced.", media_id=1, episode=3, replacement_id=7)
    await timeline.note(ann.id, NEW, "finished", "Finished.", media_id=1, episode=3)
    await timeline.note(ann.id, OTHER, "added", "Another.", media_id=1, episode=4)
    assert await told(timeline, ann, NEW) == ["Added.", "Replaced.", "Finished."]
    assert await told(timeline, ann, OLD) == ["Added.", "Replaced.", "Finished."]
    assert await told(timeline, ann, OTHER) == ["Another."]


async def test_without_an_episode_a_torrent_has_its_own_lines_only(timeline: Timeline, ann: User) -> None:
    await timeline.note(ann.id, OLD, "added", "Added.")
    await timeline.note(ann.id, NEW, "added", "Another.")
    assert await told(timeline, ann, OLD) == ["Added."]


async def test_nobody_reads_the_lines_of_others(timeline: Timeline, ann: User, bob: User) -> None:
    which = await timeline.note(ann.id, OLD, "added", "Added.", media_id=1, episode=3)
    assert await told(timeline, bob, OLD) == []
    with pytest.raises(Missing):
        await timeline.one(bob, which)
    with pytest.raises(Missing):
        await timeline.one(ann, which + 1)
    assert (await timeline.one(ann, which)).text == "Added."


async def test_a_line_is_undone_once(timeline: Timeline, database: Database, ann: User) -> None:
    plain = await timeline.note(ann.id, OLD, "added", "Added.")
    which = await timeline.note(ann.id, OLD, "blocked", "Blocked.", block_id=1)
    assert not (await timeline.one(ann, plain)).can_be_undone
    assert (await timeline.one(ann, which)).can_be_undone
    async with database.begin(ann.id) as tx:
        assert await timeline.undid(tx, which)
        assert not await timeline.undid(tx, which)
    assert not (await timeline.one(ann, which)).can_be_undone


async def test_lines_are_kept_for_a_year(timeline: Timeline, clock: Clock, ann: User) -> None:
    await timeline.note(ann.id, OLD, "added", "Added.")
    clock.move(days=390)
    await timeline.note(ann.id, OLD, "finished", "Finished.")
    assert await told(timeline, ann, OLD) == ["Added.", "Finished."]
    clock.move(days=20)
    await timeline.note(ann.id, OLD, "watched", "Watched.")
    assert await told(timeline, ann, OLD) == ["Finished.", "Watched."]

"""A corrected version of an episode takes the place of the first one, if its group posted it and nobody has seen it."""

from __future__ import annotations

import pytest

from tests.automation.sky import SHOW, Sky
from tests.servers.anilist_data import Media
from tests.servers.nyaa import Post
from uuutorrent.accounts import User
from uuutorrent.anime.anime import MediaId
from uuutorrent.automation.autopilot.pursuit import Confirmed, State
from uuutorrent.automation.autopilot.pursuits import LEASE, Pursuits
from uuutorrent.automation.inbox.inbox import Kind
from uuutorrent.automation.preferences import Mode

Fetched = tuple[Media, Post]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is decided here is the same on each kind of database; those that race for a row are tested on both."""
    return sqlite_url


@pytest.fixture
async def fetched(sky: Sky, ann: User) -> Fetched:
    """Ann's autopilot fetched an episode, and it is complete."""
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann)
    post = sky.post(show, sky.airs(show))
    await sky.later(minutes=15)
    await complete(sky, post)
    return show, post


async def complete(sky: Sky, post: Post) -> None:
    sky.engine.complete(post.infohash)
    await sky.services.live.refresh()
    await sky.services.library.reconcile()


async def test_the_later_version_takes_the_place_once_it_is_complete(sky: Sky, ann: User, fetched: Fetched) -> None:
    show, first = fetched
    second = sky.post(show, 6, version=2)
    await sky.later(minutes=15)
    assert await sky.has(ann) == sorted([first.title, second.title])
    await complete(sky, second)
    await sky.services.replacing.finish_once()
    assert await sky.has(ann) == [second.title]
    assert len(await sky.told(ann, Kind.REPLACED)) == 1
    its = await sky.pursuit(ann, show, 6)
    assert (its.state, its.infohash, its.replaces) == ("taken", second.infohash, "")
    await sky.later(minutes=15)
    assert await sky.has(ann) == [second.title]


async def test_what_was_fetched_by_hand_is_replaced_too(sky: Sky, ann: User, fetched: Fetched) -> None:
    show = fetched[0]
    sky.airs(show)
    first = sky.post(show, 7)
    await sky.services.grabs.get(ann, show.id, 7)
    await complete(sky, first)
    await sky.later(minutes=15)
    second = sky.post(show, 7, version=2)
    await sky.later(minutes=15)
    await complete(sky, second)
    await sky.services.replacing.finish_once()
    assert second.title in await sky.has(ann)
    assert first.title not in await sky.has(ann)


async def test_another_groups_later_version_is_left_alone(sky: Sky, ann: User, fetched: Fetched) -> None:
    show, first = fetched
    sky.post(show, 6, version=2, group="Other")
    await sky.later(minutes=15)
    assert await sky.has(ann) == [first.title]


async def test_nothing_is_replaced_that_was_seen(sky: Sky, ann: User, fetched: Fetched) -> None:
    show, first = fetched
    await sky.services.watchlists.set_progress(ann, MediaId(show.id), 6)
    sky.post(show, 6, version=2)
    await sky.later(minutes=15)
    assert await sky.has(ann) == [first.title]


async def test_nothing_is_replaced_for_whoever_does_not_want_it(sky: Sky, ann: User, fetched: Fetched) -> None:
    show, first = fetched
    await sky.services.preferences.change(ann, upgrades=False)
    sky.post(show, 6, version=2)
    await sky.later(minutes=15)
    assert await sky.has(ann) == [first.title]


async def test_after_two_weeks_nothing_is_replaced(sky: Sky, ann: User, fetched: Fetched) -> None:
    show, first = fetched
    await sky.later(days=15)
    sky.post(show, 6, version=2)
    await sky.later(minutes=15)
    assert await sky.has(ann) == [first.title]


async def test_in_ask_the_later_version_is_offered_once(sky: Sky, ann: User, fetched: Fetched) -> None:
    show, first = fetched
    await sky.autopilot.switch(ann, Mode.ASK)
    second = sky.post(show, 6, version=2)
    await sky.later(minutes=15)
    (asked,) = await sky.notices(ann, Kind.CHOICE)
    assert asked.text == (
        f"{SHOW}, episode 6: its group posted a corrected version, {second.title}. Take it in place of yours?"
    )
    await sky.services.answers.answer(ann, asked.id, "skip")
    await sky.later(hours=2)
    assert await sky.has(ann) == [first.title]
    assert len(await sky.notices(ann, Kind.CHOICE)) == 1


async def test_killed_while_it_replaces_it_goes_on_and_replaces_once(sky: Sky, ann: User, fetched: Fetched) -> None:
    show, first = fetched
    second = sky.post(show, 6, version=2)
    pursuits, now = Pursuits(sky.database), sky.clock.now()
    begun = await pursuits.begin_upgrade(ann, MediaId(show.id), 6, first.infohash, second.infohash, second.title, now)
    assert begun is not None
    leased = await pursuits.lease(begun, now)
    assert leased is not None
    assert await pursuits.move(leased, State.TAKING)
    await sky.later(seconds=LEASE.total_seconds())
    await sky.later(seconds=LEASE.total_seconds())
    assert await sky.has(ann) == sorted([first.title, second.title])
    assert (await sky.states(ann))[6] == "taken"


async def test_what_was_taken_back_is_not_replaced_again(sky: Sky, ann: User, fetched: Fetched) -> None:
    show, first = fetched
    second = sky.post(show, 6, version=2)
    await sky.later(minutes=15)
    lines = await sky.services.timeline.of(ann, first.infohash)
    line = next(line for line in lines if line.replacement_id is not None)
    await sky.services.healing.undo(ann, line.id)
    await sky.later(minutes=15)
    await sky.later(days=2)
    assert second.title not in await sky.has(ann)


async def test_what_was_given_up_while_a_later_version_was_offered_can_be_asked_for_again(
    sky: Sky, ann: User, fetched: Fetched
) -> None:
    show, first = fetched
    await sky.autopilot.switch(ann, Mode.ASK)
    second = sky.post(show, 6, version=2)
    await sky.later(minutes=15)
    await sky.services.library.delete(ann, first.infohash, with_files=True)
    await sky.later(hours=2)
    assert (await sky.pursuit(ann, show, 6)).why == "What it was to replace is gone."
    await sky.autopilot.switch(ann, Mode.OFF)
    await sky.switch(ann, Mode.ON, Confirmed.ALL)
    await sky.later(minutes=15)
    assert await sky.has(ann) == [second.title]

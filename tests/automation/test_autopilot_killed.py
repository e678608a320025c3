"""A daemon that is killed between any two steps of the autopilot: the next one makes an end of it, once."""

from __future__ import annotations

import asyncio

import pytest

from tests.automation.sky import Sky
from tests.servers.anilist_data import Media
from tests.servers.nyaa import Post
from uuutorrent.accounts import User
from uuutorrent.anime.anime import MediaId
from uuutorrent.automation.autopilot.pursuit import State
from uuutorrent.automation.autopilot.pursuits import LEASE, Pursuits
from uuutorrent.automation.inbox.inbox import Kind
from uuutorrent.errors import Unexpected


@pytest.fixture
async def posted(sky: Sky, ann: User) -> tuple[Media, Post]:
    """An episode that aired and was posted; a turn of the job is due."""
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann)
    post = sky.post(show, sky.airs(show))
    sky.clock.passed_s += 900
    return show, post


async def taken_once_by_the_next(sky: Sky, user: User, post: Post) -> None:
    """A daemon that starts now, and goes on when the lease of the one before is over."""
    other = sky.another()
    for _ in range(3):
        await sky.services.grabs.resume()
        sky.clock.passed_s += LEASE.total_seconds()
        await other.run_once()
    await sky.services.library.reconcile()
    assert await sky.has(user) == [post.title]
    assert sky.engine.has(post.infohash)
    assert len(await sky.told(user, Kind.TAKEN)) == 1
    assert (await sky.states(user))[6] == "taken"


async def test_killed_while_it_reads_the_newest_posts(sky: Sky, ann: User, posted: tuple[Media, Post]) -> None:
    await killed_at_the_gate(sky, answers=1)
    await taken_once_by_the_next(sky, ann, posted[1])


@pytest.mark.parametrize("before", [1, 2])
async def test_killed_while_it_searches_or_fetches_the_torrent(
    sky: Sky, ann: User, posted: tuple[Media, Post], before: int
) -> None:
    await killed_at_the_gate(sky, answers=before)
    await taken_once_by_the_next(sky, ann, posted[1])


async def killed_at_the_gate(sky: Sky, *, answers: int) -> None:
    """The job is ended while the index's first, second, … answer is on its way."""
    for number in range(answers):
        sky.nyaa.gate.shut(1)
        if not number:
            turn = asyncio.create_task(sky.turn())
        await sky.nyaa.gate.holds()
        if number + 1 < answers:
            sky.nyaa.gate.open()
    turn.cancel()
    await asyncio.wait({turn})
    sky.nyaa.gate.open()


@pytest.mark.parametrize("step", ["had it to itself", "noted that it takes it", "had it fetched"])
async def test_killed_after_each_thing_it_writes_down(
    sky: Sky, ann: User, posted: tuple[Media, Post], step: str
) -> None:
    show, post = posted
    await sky.services.watchlists.family(MediaId(show.id))
    pursuits = Pursuits(sky.database)
    leased = await pursuits.lease(await sky.pursuit(ann, show, 6), sky.clock.now())
    assert leased is not None
    if step != "had it to itself":
        assert await pursuits.move(leased, State.TAKING, infohash=post.infohash, title=post.title)
    if step == "had it fetched":
        await sky.services.grabs.get(ann, show.id, 6)
    await taken_once_by_the_next(sky, ann, post)


async def test_an_engine_that_breaks_at_the_add_is_not_the_end_of_it(
    sky: Sky, ann: User, posted: tuple[Media, Post]
) -> None:
    sky.engine.add_error = Unexpected("qBittorrent", "it broke")
    await sky.turn()
    assert await sky.has(ann) == []
    sky.engine.add_error = None
    await taken_once_by_the_next(sky, ann, posted[1])


async def test_killed_right_after_a_yes_the_episode_is_taken_all_the_same(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann)
    await sky.turn()
    post = sky.post(show, sky.airs(show))
    sky.clock.passed_s += 60
    await sky.autopilot.decide(ann, (await sky.pursuit(ann, show, 6)).id, "take")
    await taken_once_by_the_next(sky, ann, post)

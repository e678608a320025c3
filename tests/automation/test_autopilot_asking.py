"""What the autopilot asks before it does anything: the plan, offers, and what had aired before it saw a show."""

from __future__ import annotations

import asyncio

import pytest

from tests.automation.sky import SHOW, Sky
from tests.torrents.shelf import quota
from uuutorrent.accounts import User
from uuutorrent.anime.anime import MediaId
from uuutorrent.automation.autopilot.pursuit import Confirmed, NotConfirmed
from uuutorrent.automation.inbox.inbox import Kind
from uuutorrent.automation.preferences import Mode
from uuutorrent.errors import Conflict, Invalid, Missing, Unreachable


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is decided here is the same on each kind of database; those that race for a row are tested on both."""
    return sqlite_url


async def answer(sky: Sky, user: User, choice: str, kind: Kind = Kind.CHOICE) -> str:
    """Answer the one notice that asks."""
    (asked,) = [one for one in await sky.notices(user, kind) if one.is_open]
    return await sky.services.answers.answer(user, asked.id, choice)


async def test_switching_it_on_takes_nothing_before_the_plan_was_confirmed(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show, progress=2)
    for episode in (3, 4, 5):
        sky.post(show, episode)
    with pytest.raises(NotConfirmed, match="look at the plan first"):
        await sky.autopilot.switch(ann, Mode.ON)
    await sky.turn()
    assert (await sky.services.preferences.of(ann)).autopilot is Mode.OFF
    assert (await sky.has(ann), await sky.states(ann)) == ([], {})


async def test_the_plan_says_what_how_large_and_what_is_left_of_the_quota(sky: Sky, ann: User) -> None:
    show, other = sky.show(), sky.show("Kaze no Denshadou", aired=1)
    await sky.watches(ann, show, other, progress=3)
    await quota(sky.services.library, ann, size_bytes=2_000_000_000)
    posts = {episode: sky.post(show, episode) for episode in (3, 4, 5)}
    plan = await sky.plan(ann)
    assert [(one.title, one.episode, one.fits) for one in plan.planned] == [(SHOW, 4, True), (SHOW, 5, False)]
    assert [one.release and one.release.release.title for one in plan.planned] == [posts[4].title, posts[5].title]
    assert plan.planned[1].why == "It does not fit into your quota: it waits until there is room."
    assert plan.is_whole
    assert plan.shows == 1
    assert plan.bytes_after == plan.size_bytes == plan.planned[0].size_bytes > 1_300_000_000
    assert plan.usage.quota_bytes == 2_000_000_000
    assert (await sky.has(ann), await sky.states(ann)) == ([], {})
    assert len(sky.nyaa.queries) == 1


async def test_the_plan_names_what_nothing_certain_was_found_for(sky: Sky, ann: User) -> None:
    await sky.watches(ann, sky.show(), progress=4)
    (one,) = (await sky.plan(ann)).planned
    assert (one.episode, one.release, one.size_bytes) == (5, None, 0)
    assert one.why.startswith("Nothing certain")


async def test_a_plan_of_a_show_far_behind_has_its_next_episodes_only(sky: Sky, ann: User) -> None:
    await sky.watches(ann, sky.over("Nagai Tabi", episodes=900), progress=10)
    plan = await sky.plan(ann)
    assert [one.episode for one in plan.planned] == list(range(11, 37))
    assert plan.left_out == 900 - 36


async def test_everything_in_the_plan_is_taken_when_that_is_confirmed(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show, progress=3)
    posts = [sky.post(show, episode) for episode in (3, 4, 5)]
    said = await sky.switch(ann, Mode.ON, Confirmed.ALL)
    assert said == "New episodes are fetched once they can be had. 2 that aired already are taken now."
    await sky.turn()
    assert await sky.has(ann) == [posts[1].title, posts[2].title]
    assert await sky.notices(ann, Kind.CHOICE) == []


async def test_only_what_airs_from_now_on_is_taken_when_that_is_confirmed(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show, progress=3)
    for episode in (4, 5):
        sky.post(show, episode)
    assert await sky.switch(ann, Mode.ON, Confirmed.NEW) == "New episodes are fetched once they can be had."
    await sky.later(hours=1)
    assert (await sky.has(ann), await sky.notices(ann)) == ([], [])
    post = sky.post(show, sky.airs(show))
    await sky.later(minutes=15)
    assert await sky.has(ann) == [post.title]


async def test_it_is_not_switched_on_while_nobody_can_tell_what_is_new(sky: Sky, ann: User) -> None:
    await sky.watches(ann, sky.show())
    sky.anilist.fault = 503
    with pytest.raises(Unreachable):
        await sky.switch(ann)
    assert (await sky.services.preferences.of(ann)).autopilot is Mode.OFF


async def test_switched_off_it_fetches_nothing_more_and_switched_on_again_it_does_not_flood(
    sky: Sky, ann: User
) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann)
    assert await sky.autopilot.switch(ann, Mode.OFF) == "Nothing is fetched by itself."
    for _ in range(3):
        sky.post(show, sky.airs(show))
        await sky.later(hours=2)
    assert (await sky.has(ann), await sky.states(ann)) == ([], {})
    await sky.switch(ann)
    await sky.later(hours=2)
    assert await sky.has(ann) == []
    post = sky.post(show, sky.airs(show))
    await sky.later(minutes=15)
    assert await sky.has(ann) == [post.title]


async def test_in_ask_an_episode_is_offered_and_taken_when_the_answer_is_yes(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann, Mode.ASK)
    post = sky.post(show, sky.airs(show))
    await sky.later(minutes=15)
    (asked,) = await sky.notices(ann, Kind.CHOICE)
    assert asked.text == f"{SHOW}, episode 6 can be had: {post.title} (1.3 GiB). Take it?"
    assert asked.choices == ("take", "skip")
    assert (await sky.has(ann), (await sky.states(ann))[6]) == ([], "offered")
    assert await answer(sky, ann, "take") == f"{SHOW}, episode 6 is taken in a moment."
    await sky.turn()
    assert await sky.has(ann) == [post.title]
    assert len(await sky.notices(ann, Kind.CHOICE)) == 1


async def test_an_episode_that_is_declined_is_not_offered_again(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann, Mode.ASK)
    sky.post(show, sky.airs(show))
    await sky.later(minutes=15)
    await answer(sky, ann, "skip")
    sky.post(show, 6, group="Other")
    await sky.later(hours=7)
    assert (await sky.has(ann), (await sky.states(ann))[6]) == ([], "skipped")
    assert len(await sky.notices(ann, Kind.CHOICE)) == 1


async def test_what_was_declined_can_be_taken_all_the_same(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann, Mode.ASK)
    post = sky.post(show, sky.airs(show))
    await sky.later(minutes=15)
    await answer(sky, ann, "skip")
    await sky.autopilot.decide(ann, (await sky.pursuit(ann, show, 6)).id, "take")
    await sky.turn()
    assert await sky.has(ann) == [post.title]


async def test_an_offer_is_taken_back_when_the_episode_was_watched(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann, Mode.ASK)
    sky.post(show, sky.airs(show))
    await sky.later(minutes=15)
    await sky.services.watchlists.set_progress(ann, MediaId(show.id), 6)
    await sky.later(hours=1)
    (asked,) = await sky.notices(ann, Kind.CHOICE)
    assert (asked.is_open, asked.answer) == (False, "moot")
    assert asked.text.endswith("You have seen it.")
    with pytest.raises(Conflict, match="over already"):
        await sky.autopilot.decide(ann, (await sky.pursuit(ann, show, 6)).id, "take")


async def test_an_offer_is_taken_back_when_the_episode_was_fetched_by_hand(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann, Mode.ASK)
    sky.post(show, sky.airs(show))
    await sky.later(minutes=15)
    await sky.services.grabs.get(ann, show.id, 6)
    await sky.later(hours=1)
    (asked,) = await sky.notices(ann, Kind.CHOICE)
    assert (asked.answer, (await sky.states(ann))[6]) == ("moot", "moot")


async def test_a_decision_at_a_command_settles_the_notice_too(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann, Mode.ASK)
    sky.post(show, sky.airs(show))
    await sky.later(minutes=15)
    its = await sky.pursuit(ann, show, 6)
    with pytest.raises(Invalid, match="say take or skip"):
        await sky.autopilot.decide_here(ann, its.id, "perhaps")
    await sky.autopilot.decide_here(ann, its.id, "skip")
    assert not any(one.is_open for one in await sky.notices(ann))


async def test_an_offer_cannot_be_decided_by_somebody_else(sky: Sky, ann: User, bob: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann, Mode.ASK)
    sky.post(show, sky.airs(show))
    await sky.later(minutes=15)
    with pytest.raises(Missing):
        await sky.autopilot.decide_here(bob, (await sky.pursuit(ann, show, 6)).id, "take")
    await sky.turn()
    assert await sky.has(bob) == []


async def test_a_show_begun_later_does_not_flood_its_backlog_is_asked_about_once(sky: Sky, ann: User) -> None:
    await sky.watches(ann, sky.show("Kaze no Denshadou"))
    await sky.switch(ann)
    late = sky.show("Yoru no Kissaten")
    posts = [sky.post(late, episode) for episode in range(1, 6)]
    await sky.services.watchlists.add(ann, MediaId(late.id))
    await sky.services.watchlists.set_progress(ann, MediaId(late.id), 2)
    for _ in range(3):
        await sky.later(hours=1)
    assert await sky.has(ann) == []
    (asked,) = await sky.notices(ann, Kind.CHOICE)
    assert asked.text == (
        "Yoru no Kissaten: episodes 3 to 5 aired before the autopilot saw this show. "
        "Take them, as far as your quota goes?"
    )
    assert await answer(sky, ann, "take") == "Yoru no Kissaten: episodes 3 to 5 are taken, as far as your quota goes."
    await sky.turn()
    assert await sky.has(ann) == [post.title for post in posts[2:]]


async def test_a_backlog_that_is_left_out_is_left_alone_and_new_episodes_come(sky: Sky, ann: User) -> None:
    await sky.watches(ann, late := sky.show(), progress=1)
    await sky.autopilot.set_show(ann, MediaId(late.id), Mode.ON)
    for episode in range(1, 6):
        sky.post(late, episode)
    await answer(sky, ann, "skip")
    post = sky.post(late, sky.airs(late))
    await sky.later(minutes=15)
    await sky.later(hours=1)
    assert await sky.has(ann) == [post.title]
    assert len(await sky.notices(ann, Kind.CHOICE)) == 1


async def test_a_show_that_is_followed_already_is_not_asked_about_when_its_mode_is_changed(sky: Sky, ann: User) -> None:
    await sky.watches(ann, show := sky.show(), progress=1)
    await sky.switch(ann)
    for mode in (Mode.ASK, Mode.ON, None):
        await sky.autopilot.set_show(ann, MediaId(show.id), mode)
    assert await sky.notices(ann) == []
    await sky.autopilot.set_show(ann, MediaId(show.id), Mode.OFF)
    await sky.autopilot.set_show(ann, MediaId(show.id), None)
    assert len(await sky.notices(ann, Kind.CHOICE)) == 1


async def test_a_backlog_that_was_watched_is_not_asked_about_any_more(sky: Sky, ann: User) -> None:
    await sky.watches(ann, late := sky.show(), progress=1)
    await sky.autopilot.set_show(ann, MediaId(late.id), Mode.ON)
    await sky.services.watchlists.set_progress(ann, MediaId(late.id), 5)
    await sky.later(hours=1)
    (asked,) = await sky.notices(ann, Kind.CHOICE)
    assert asked.answer == "moot"
    with pytest.raises(Conflict, match="no such episodes any more"):
        await sky.autopilot.decide_backlog(ann, MediaId(late.id), "take")


async def test_a_backlog_of_which_there_is_only_a_batch_is_taken_out_of_it(sky: Sky, ann: User) -> None:
    await sky.watches(ann, old := sky.over("Yoru no Kissaten", episodes=3), progress=2)
    await sky.autopilot.set_show(ann, MediaId(old.id), Mode.ON)
    batch = sky.batch(old)
    await answer(sky, ann, "take")
    await sky.turn()
    (one,) = await sky.services.library.holdings(ann)
    assert (one.name, one.episodes) == (batch, (3,))


async def test_a_whole_season_that_comes_out_in_one_day_is_asked_about(sky: Sky, ann: User) -> None:
    show = sky.show(aired=0, episodes=12)
    await sky.watches(ann, show, progress=0)
    await sky.switch(ann)
    for episode in range(1, 13):
        sky.post(show, episode)
    show.next_episode, show.status = None, "FINISHED"
    sky.clock.passed_s += 86400
    await sky.later(hours=2)
    await sky.later(minutes=15)
    assert len(await sky.has(ann)) == 1  # the first was awaited
    (asked,) = await sky.told(ann, Kind.CHOICE)
    assert asked.startswith(f"{SHOW}: episodes 2 to 12 have aired, more at once than is taken unasked. Take them,")


async def test_what_a_daemon_missed_is_taken_when_it_is_back(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann)
    posts = [sky.post(show, sky.airs(show)) for _ in range(3)]
    other = sky.another()
    sky.clock.passed_s += 3 * 3600
    await other.run_once()
    await other.run_once()
    assert await sky.has(ann) == [post.title for post in posts]


async def test_switched_off_it_asks_about_no_backlog_any_more(sky: Sky, ann: User) -> None:
    await sky.switch(ann)
    begun, kept = sky.show(), sky.show("Yoru no Kissaten")
    await sky.watches(ann, begun, kept, progress=2)
    await sky.later(hours=2)
    assert [one.is_open for one in await sky.notices(ann, Kind.CHOICE)] == [True, True]
    await sky.autopilot.set_show(ann, MediaId(kept.id), Mode.ON)
    await sky.switch(ann, Mode.OFF)
    waiting = [one.media_id for one in await sky.notices(ann, Kind.CHOICE) if one.is_open]
    assert waiting == [kept.id]


async def test_of_two_answers_at_once_what_is_done_is_what_is_written_down(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann, Mode.ASK)
    post = sky.post(show, sky.airs(show))
    await sky.later(minutes=15)
    (offer,) = await sky.notices(ann, Kind.CHOICE)
    answer = sky.services.answers.answer
    said = await asyncio.gather(answer(ann, offer.id, "take"), answer(ann, offer.id, "skip"), return_exceptions=True)
    assert [str(one) for one in said] == [f"{SHOW}, episode 6 is taken in a moment.", "It was answered already: take."]
    await sky.turn()
    assert await sky.has(ann) == [post.title]

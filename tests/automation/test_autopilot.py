"""An evening with the autopilot: what it fetches, when, and what it leaves alone."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.automation.sky import SHOW, Sky
from tests.torrents.shelf import quota
from uuutorrent.accounts import Accounts, Admin, Operator, User
from uuutorrent.anime.anime import MediaId, WatchStatus
from uuutorrent.automation.autopilot.pursuits import LEASE
from uuutorrent.automation.inbox.inbox import Kind
from uuutorrent.automation.preferences import Mode
from uuutorrent.errors import Missing
from uuutorrent.releases.release import Taste


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is decided here is the same on each kind of database; those that race for a row are tested on both."""
    return sqlite_url


async def test_an_episode_is_fetched_once_it_has_aired_and_was_posted(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann)
    await sky.turn()
    assert await sky.states(ann) == {6: "wanted"}
    assert sky.nyaa.requests == []
    episode = sky.airs(show)
    await sky.later(minutes=15)
    assert await sky.has(ann) == []
    post = sky.post(show, episode)
    await sky.later(minutes=15)
    assert await sky.has(ann) == [post.title]
    assert await sky.states(ann) == {6: "taken", 7: "wanted"}
    (told,) = await sky.told(ann, Kind.TAKEN)
    assert told == f"{SHOW}, episode 6 is on its way: {post.title}."


async def test_what_is_posted_before_its_hour_is_fetched_after_it(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann)
    post = sky.post(show, 6)
    await sky.later(minutes=60)
    assert await sky.has(ann) == []
    sky.airs(show)
    await sky.later(minutes=15)
    assert await sky.has(ann) == [post.title]


async def test_what_the_newest_posts_did_not_show_is_searched_for_an_hour_after_it_aired(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann)
    post = sky.post(show, sky.airs(show))
    for number in range(80):
        sky.nyaa.post(f"[Other] Something Else - {number:02} (1080p).mkv")
    await sky.later(minutes=15)
    assert (await sky.has(ann), sky.nyaa.queries) == ([], [""])
    await sky.later(minutes=60)
    assert await sky.has(ann) == [post.title]


async def test_an_episode_that_is_put_off_by_its_makers_is_not_looked_for(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann)
    show.airs_at += 7 * 86400
    sky.post(show, 6)
    await sky.later(hours=4)
    await sky.later(hours=4)
    assert await sky.has(ann) == []
    assert (await sky.pursuit(ann, show, 6)).at.timestamp() == show.airs_at
    sky.airs(show)
    await sky.later(hours=2)
    assert len(await sky.has(ann)) == 1


async def test_what_was_watched_meanwhile_is_not_fetched(sky: Sky, ann: User) -> None:
    show = sky.show()
    member = await sky.watches(ann, show)
    await sky.switch(ann)
    entry = sky.anilist.entry(member, show)
    assert entry is not None
    entry.progress = 6
    sky.post(show, sky.airs(show))
    await sky.later(minutes=15)
    assert await sky.has(ann) == []
    pursuit = await sky.pursuit(ann, show, 6)
    assert (pursuit.state, pursuit.why) == ("moot", "You have seen it.")


async def test_what_was_fetched_by_hand_is_not_fetched_again(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann)
    episode = sky.airs(show)
    sky.clock.passed_s += 120
    by_hand = sky.post(show, episode, group="Other")
    await sky.services.grabs.get(ann, show.id, episode)
    sky.clock.passed_s += 600
    sky.post(show, episode)
    await sky.later(minutes=15)
    assert await sky.has(ann) == [by_hand.title]
    assert (await sky.pursuit(ann, show, episode)).state == "moot"
    assert await sky.told(ann, Kind.TAKEN) == []


async def test_a_show_that_was_put_aside_is_left_alone(sky: Sky, ann: User) -> None:
    show = sky.show()
    member = await sky.watches(ann, show)
    await sky.switch(ann)
    entry = sky.anilist.entry(member, show)
    assert entry is not None
    entry.status = "PAUSED"
    sky.post(show, sky.airs(show))
    await sky.later(minutes=15)
    assert await sky.has(ann) == []
    assert await sky.states(ann) == {}


async def test_nothing_is_fetched_for_whoever_did_not_ask_for_it(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    sky.post(show, sky.airs(show))
    await sky.later(hours=2)
    assert await sky.has(ann) == []
    assert (sky.nyaa.requests, await sky.notices(ann)) == ([], [])


async def test_nothing_is_fetched_for_somebody_who_is_disabled(
    sky: Sky, ann: User, accounts: Accounts, boss: Admin
) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann)
    await accounts.disable(boss, "ann")
    sky.post(show, sky.airs(show))
    await sky.later(hours=2)
    await accounts.enable(Operator(), "ann")
    assert await sky.has(ann) == []
    await sky.later(hours=2)
    assert len(await sky.has(ann)) == 1


async def test_a_list_that_is_kept_here_does_as_well(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.services.watchlists.add(ann, MediaId(show.id), WatchStatus.CURRENT)
    await sky.services.watchlists.set_progress(ann, MediaId(show.id), 5)
    await sky.switch(ann)
    post = sky.post(show, sky.airs(show))
    await sky.later(minutes=15)
    assert await sky.has(ann) == [post.title]


async def test_a_show_seen_again_is_followed_only_where_that_was_said_of_it(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show, status="REPEATING")
    await sky.switch(ann)
    await sky.turn()
    assert await sky.states(ann) == {}
    await sky.autopilot.set_show(ann, MediaId(show.id), Mode.ON)
    await sky.later(minutes=15)
    assert await sky.states(ann) == {6: "wanted"}


async def test_a_show_may_be_left_out_or_be_the_only_one(sky: Sky, ann: User) -> None:
    first, second = sky.show("Umibe no Toshokan"), sky.show("Kaze no Denshadou")
    await sky.watches(ann, first, second)
    await sky.autopilot.set_show(ann, MediaId(first.id), Mode.ON)
    await sky.turn()
    await sky.switch(ann)
    await sky.autopilot.set_show(ann, MediaId(second.id), Mode.OFF)
    assert await sky.autopilot.modes(ann) == {first.id: Mode.ON, second.id: Mode.OFF}
    sky.post(second, sky.airs(second))
    post = sky.post(first, sky.airs(first))
    await sky.later(minutes=15)
    assert await sky.has(ann) == [post.title]
    await sky.autopilot.switch(ann, Mode.OFF)
    sky.airs(first)
    await sky.later(minutes=15)
    post_7 = sky.post(first, 7)
    await sky.later(minutes=15)
    assert await sky.has(ann) == [post.title, post_7.title]


async def test_a_name_that_is_not_certain_is_never_taken(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann)
    sky.airs(show)
    sky.nyaa.post("[Hoshizora] Umibe no Toshokan 2 - 06 (1080p).mkv", posted_at=sky.clock.now())
    await sky.later(minutes=15)
    await sky.later(hours=1)
    assert await sky.has(ann) == []


async def test_a_batch_is_not_taken_unless_somebody_says_so(sky: Sky, ann: User) -> None:
    show = sky.show(aired=11)
    await sky.watches(ann, show, progress=11)
    await sky.switch(ann)
    sky.airs(show)
    sky.nyaa.post("[Hoshizora] Umibe no Toshokan (01-12) (1080p) [Batch]", posted_at=sky.clock.now())
    await sky.later(hours=2)
    assert await sky.has(ann) == []
    (asked,) = await sky.notices(ann, Kind.CHOICE)
    assert "a batch, of which only this episode is fetched" in asked.text


async def test_two_people_after_the_same_episode_share_what_is_asked(sky: Sky, ann: User, bob: User) -> None:
    show = sky.show()
    for user in (ann, bob):
        await sky.watches(user, show)
        await sky.switch(user)
    post = sky.post(show, sky.airs(show))
    await sky.later(minutes=15)
    assert await sky.has(ann) == await sky.has(bob) == [post.title]
    pages, searches = sky.nyaa.queries.count(""), [query for query in sky.nyaa.queries if query]
    downloads = [path for path in sky.nyaa.requests if path.startswith("/download/")]
    assert (pages, len(searches), len(downloads)) == (1, 1, 1)


async def test_a_post_is_found_though_the_index_was_asked_for_the_show_just_before(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show, progress=4)
    await sky.switch(ann)
    sky.post(show, 5)
    episode = sky.airs(show)
    await sky.plan(ann)
    sky.clock.passed_s += 30
    post = sky.post(show, episode)
    await sky.later(minutes=1)
    assert await sky.has(ann) == [post.title]


async def test_who_looks_at_the_plan_keeps_no_show_waiting_that_is_new_on_the_list(sky: Sky, ann: User) -> None:
    """It may be an admin who looks at what they see: the list is looked at every hour all the same."""
    show, new = sky.show(airs_in=30), sky.show("Kaze no Machi", airs_in=30)
    member = await sky.watches(ann, show)
    await sky.switch(ann)
    await sky.turn()
    sky.anilist.list_entry(member, new, "CURRENT", progress=5)
    sky.clock.passed_s += 50 * 60
    await sky.plan(ann)
    await sky.later(minutes=15)
    assert {one.media_id for one in await sky.autopilot.pursuits(ann)} == {show.id, new.id}


async def test_the_newest_posts_are_looked_at_no_more_often_than_every_ten_minutes(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann)
    sky.airs(show)
    for _ in range(4 * 55):
        await sky.later(seconds=15)
    assert sky.nyaa.queries.count("") <= 6


async def test_while_anilist_is_away_nothing_is_fetched_and_nothing_is_lost(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann)
    post = sky.post(show, sky.airs(show))
    sky.anilist.fault = 503
    await sky.later(minutes=15)
    await sky.later(hours=2)
    assert await sky.has(ann) == []
    sky.anilist.fault = None
    await sky.later(minutes=15)
    assert await sky.has(ann) == [post.title]


@pytest.mark.parametrize("fault", ["fault", "download_fault"])
async def test_while_the_index_is_away_nothing_is_lost(sky: Sky, ann: User, bob: User, fault: str) -> None:
    show = sky.show()
    for user in (ann, bob):
        await sky.watches(user, show)
        await sky.switch(user)
    post = sky.post(show, sky.airs(show))
    setattr(sky.nyaa, fault, 503)
    await sky.later(minutes=15)
    await sky.later(hours=2)
    assert await sky.has(ann) == []
    asked = len(sky.nyaa.requests)
    for _ in range(8):
        await sky.later(minutes=1)
    assert len(sky.nyaa.requests) - asked <= 2
    setattr(sky.nyaa, fault, None)
    await sky.later(minutes=15)
    await sky.later(minutes=15)
    assert await sky.has(ann) == await sky.has(bob) == [post.title]


async def test_while_qbittorrent_is_away_it_is_noted_and_added_later(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann)
    post = sky.post(show, sky.airs(show))
    sky.engine.go_down()
    await sky.later(minutes=15)
    assert (await sky.states(ann))[6] == "taken"
    sky.engine.come_back()
    await sky.services.library.reconcile()
    assert await sky.has(ann) == [post.title]
    assert sky.engine.has(post.infohash)


async def test_what_does_not_fit_is_told_once_and_tried_again(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann)
    await quota(sky.services.library, ann, size_bytes=1_000_000)
    post = sky.post(show, sky.airs(show))
    await sky.later(minutes=15)
    await sky.later(hours=1)
    await sky.later(hours=5)
    assert await sky.has(ann) == []
    (told,) = await sky.told(ann, Kind.AVAILABLE)
    assert told.startswith(f"{SHOW}, episode 6 can be had, and cannot be taken: It needs")
    await quota(sky.services.library, ann, size_bytes=0)
    await sky.later(days=1)
    assert await sky.has(ann) == [post.title]


async def test_a_preferred_group_is_waited_for(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.services.releases.tastes.set(ann, Taste(groups=("Preferred",), wait_min=180))
    await sky.switch(ann)
    sky.post(show, sky.airs(show))
    await sky.later(minutes=15)
    waiting = await sky.pursuit(ann, show, 6)
    assert (await sky.has(ann), waiting.state) == ([], "wanted")
    assert waiting.why.startswith("Hoshizora has it; a group you prefer may come until")
    mine = sky.post(show, 6, group="Preferred")
    await sky.later(minutes=15)
    assert await sky.has(ann) == [mine.title]


async def test_when_the_preferred_group_does_not_come_the_other_is_taken(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.services.releases.tastes.set(ann, Taste(groups=("Preferred",), wait_min=180))
    await sky.switch(ann)
    post = sky.post(show, sky.airs(show))
    await sky.later(minutes=15)
    await sky.later(minutes=150)
    assert await sky.has(ann) == []
    await sky.later(minutes=30)
    assert await sky.has(ann) == [post.title]


async def test_what_nobody_posts_for_four_weeks_is_given_up_and_told(sky: Sky, ann: User) -> None:
    show = sky.show(aired=11)
    await sky.watches(ann, show, progress=11)
    await sky.switch(ann)
    sky.airs(show)
    await sky.later(minutes=15)
    for _ in range(29):
        await sky.later(days=1)
    assert await sky.states(ann) == {12: "failed"}
    (told,) = await sky.told(ann, Kind.FAILED)
    assert told.startswith(f"{SHOW}, episode 12 was not to be had for four weeks")
    searches = [query for query in sky.nyaa.queries if query]
    assert len(searches) <= 9 * 2  # one look in the usual words, one in looser ones


async def test_other_peoples_episodes_are_not_there(sky: Sky, ann: User, bob: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann)
    await sky.turn()
    its = await sky.pursuit(ann, show, 6)
    with pytest.raises(Missing):
        await sky.autopilot.decide(bob, its.id, "skip")
    assert await sky.autopilot.pursuits(bob) == ()
    assert (await sky.pursuit(ann, show, 6)).state == "wanted"


async def test_two_autopilots_at_once_take_an_episode_once(sky: Sky, ann: User, bob: User) -> None:
    show = sky.show()
    for user in (ann, bob):
        await sky.watches(user, show)
        await sky.switch(user)
    post = sky.post(show, sky.airs(show))
    sky.clock.passed_s += timedelta(hours=1, minutes=5).total_seconds()
    other = sky.another()
    await asyncio.gather(sky.turn(), other.run_once(), sky.turn(), other.run_once())
    await sky.later(seconds=LEASE.total_seconds())
    for user in (ann, bob):
        assert await sky.has(user) == [post.title]
        assert len(await sky.told(user, Kind.TAKEN)) == 1

"""What changes its mind while the autopilot is after an episode: people, their lists, makers, the index."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.automation.sky import SHOW, Sky
from tests.servers.anilist_data import Media, Member
from tests.torrents import metainfos
from uuutorrent.accounts import User
from uuutorrent.anime.anime import MediaId
from uuutorrent.automation.autopilot.pursuit import Confirmed
from uuutorrent.automation.autopilot.pursuits import MOST_MODES
from uuutorrent.automation.autopilot.taking import FEW
from uuutorrent.automation.inbox.inbox import Kind
from uuutorrent.automation.preferences import Mode
from uuutorrent.errors import Refused
from uuutorrent.store.tables import ShowModeRow


async def test_switched_off_and_on_again_before_an_episode_airs_it_is_fetched(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann)
    await sky.switch(ann, Mode.OFF)
    await sky.switch(ann)
    post = sky.post(show, sky.airs(show))
    await sky.later(minutes=15)
    assert await sky.has(ann) == [post.title]


async def test_a_show_left_out_and_let_in_again_before_an_episode_airs_is_fetched(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann)
    await sky.autopilot.set_show(ann, MediaId(show.id), Mode.OFF)
    await sky.autopilot.set_show(ann, MediaId(show.id), None)
    post = sky.post(show, sky.airs(show))
    await sky.later(minutes=15)
    assert await sky.has(ann) == [post.title]


@pytest.mark.parametrize("mode", [Mode.ON, Mode.ASK])
async def test_a_show_that_was_put_aside_for_an_hour_is_followed_again(sky: Sky, ann: User, mode: Mode) -> None:
    show = sky.show()
    member = await sky.watches(ann, show)
    await sky.switch(ann, mode)
    post = sky.post(show, sky.airs(show))
    if mode is Mode.ASK:
        await sky.later(minutes=15)
        (offer,) = await sky.notices(ann, Kind.CHOICE)
        assert offer.is_open
    await _is(sky, member, show, "PAUSED")
    await sky.later(minutes=75)
    assert [one for one in await sky.notices(ann, Kind.CHOICE) if one.is_open] == []
    await _is(sky, member, show, "CURRENT")
    for _ in range(2):
        await sky.later(minutes=75)
    if mode is Mode.ASK:
        (offer,) = [one for one in await sky.notices(ann, Kind.CHOICE) if one.is_open]
        await sky.services.answers.answer(ann, offer.id, "take")
        await sky.turn()
    assert await sky.has(ann) == [post.title]


async def test_what_its_makers_put_off_for_months_is_fetched_when_it_airs(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show)
    await sky.switch(ann)
    episode, show.next_episode = show.next_episode, None
    for _ in range(32):
        await sky.later(days=1)
    assert episode is not None
    assert await sky.states(ann) == {episode: "failed"}
    show.next_episode, show.airs_at = episode, int((sky.clock.now() + timedelta(weeks=3)).timestamp())
    await sky.later(hours=1)
    assert await sky.states(ann) == {episode: "wanted"}
    post = sky.post(show, sky.airs(show))
    await sky.later(minutes=15)
    assert await sky.has(ann) == [post.title]


async def test_a_release_that_cannot_be_fetched_does_not_keep_others_from_theirs(
    sky: Sky, ann: User, bob: User
) -> None:
    broken, other = sky.show(), sky.show("Yoru no Kissaten")
    await sky.watches(ann, broken)
    await sky.watches(bob, other)
    await sky.switch(ann)
    await sky.switch(bob)
    name = f"[Hoshizora] {SHOW} - 06 (1080p) [3F2A91C7].mkv"
    sky.nyaa.post(name, torrent=metainfos.single(name), infohash="ab" * 20, posted_at=sky.clock.now())
    sky.airs(broken)
    post = sky.post(other, sky.airs(other))
    for _ in range(4):
        await sky.later(minutes=15)
    assert await sky.has(ann) == []
    assert await sky.has(bob) == [post.title]
    for _ in range(20):
        await sky.later(minutes=15)
    assert len(await sky.services.grabs.recent(ann)) <= FEW + 2
    assert (await sky.pursuit(ann, broken, 6)).why.startswith("The index: it sent another torrent")
    (told,) = await sky.services.inbox.of(ann)
    assert told.text.startswith(f"{SHOW}, episode 6 can be had, and cannot be taken: The index: it sent another")


async def test_a_show_that_is_left_out_is_not_fetched_though_the_plan_was_confirmed(sky: Sky, ann: User) -> None:
    show = sky.show()
    await sky.watches(ann, show, progress=3)
    for number in (4, 5):
        sky.post(show, number)
    await sky.switch(ann, confirmed=Confirmed.ALL)
    assert await sky.autopilot.set_show(ann, MediaId(show.id), Mode.OFF) == (
        "For this show: nothing is fetched by itself."
    )
    await sky.later(minutes=15)
    assert await sky.has(ann) == []


async def test_whoever_names_a_show_they_do_not_watch_is_told_so(sky: Sky, ann: User) -> None:
    show, other = sky.show(), sky.show("Yoru no Kissaten")
    await sky.watches(ann, show)
    assert await sky.autopilot.set_show(ann, MediaId(other.id), Mode.ON) == (
        "For this show: new episodes are fetched once they can be had. "
        "You are not watching it: that begins once your list says so."
    )


async def test_nobody_names_shows_without_end(sky: Sky, ann: User, bob: User) -> None:
    async with sky.database.begin(ann.id) as tx:
        tx.add_all([ShowModeRow(user_id=ann.id, media_id=9000 + n, mode="on") for n in range(MOST_MODES)])
    with pytest.raises(Refused, match="which is all you may"):
        await sky.autopilot.set_show(ann, MediaId(1), Mode.ON)
    await sky.autopilot.set_show(ann, MediaId(9000), Mode.OFF)
    await sky.autopilot.set_show(bob, MediaId(1), Mode.ON)
    await sky.autopilot.set_show(ann, MediaId(9001), None)
    await sky.autopilot.set_show(ann, MediaId(1), Mode.ON)


async def _is(sky: Sky, member: Member, show: Media, status: str) -> None:
    entry = sky.anilist.entry(member, show)
    assert entry is not None
    entry.status = status

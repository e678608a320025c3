"""Lists kept at AniList: when it is asked, and what is shown when it does not answer."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from tests.anime.house import House, id_of
from tests.anime.test_anilist import FAULTS
from tests.servers.anilist import Fault
from tests.servers.anilist_data import Media, Member
from uuutorrent.accounts import User
from uuutorrent.anime import anilist as anilist_module
from uuutorrent.anime.anime import WatchStatus
from uuutorrent.anime.watchlist import BadToken
from uuutorrent.errors import RemoteError, Unreachable
from uuutorrent.store.database import SYSTEM
from uuutorrent.store.tables import LastListRow, LinkRow

ALL = tuple(WatchStatus)
FROM = re.compile(r"This list is from \d\d:\d\d UTC\.$")


@pytest.fixture
async def member(house: House, ann: User) -> Member:
    return await house.linked(ann)


@pytest.fixture
async def show(house: House, member: Member) -> Media:
    """A show on Ann's list, with 9 of 28 episodes aired and 5 seen."""
    media = house.service.add_media("Sousou no Frieren", episodes=28, next_episode=10)
    house.service.list_entry(member, media, progress=5)
    return media


async def test_a_list_is_fresh_for_a_minute(house: House, ann: User, show: Media) -> None:
    for _ in range(5):
        await house.watchlists.list(ann)
    await house.watchlists.entry(ann, id_of(show))
    assert house.service.operations == ["Collection"]
    house.clock.move(61)
    await house.watchlists.list(ann)
    assert house.service.operations == ["Collection"] * 2


async def test_a_refresh_asks_again_but_not_for_every_key_press(house: House, ann: User, show: Media) -> None:
    await house.watchlists.list(ann)
    for _ in range(10):
        await house.watchlists.list(ann, refresh=True)
    assert len(house.service.requests) == 1
    house.clock.move(6)
    await house.watchlists.list(ann, refresh=True)
    assert len(house.service.requests) == 2


async def test_several_statuses_are_one_question_and_only_for_what_is_not_fresh(
    house: House, ann: User, show: Media
) -> None:
    await house.watchlists.list(ann)
    await house.watchlists.list(ann, ALL)
    assert [asked.variables["statuses"] for asked in house.service.requests] == [
        ["CURRENT"],
        sorted(status.value for status in ALL if status is not WatchStatus.CURRENT),
    ]


async def test_sessions_of_one_user_that_ask_at_once_share_the_answer(house: House, ann: User, show: Media) -> None:
    lists = await asyncio.gather(*(house.watchlists.list(ann) for _ in range(20)))
    assert {len(listed.entries) for listed in lists} == {1}
    assert len(house.service.requests) == 1


async def test_a_session_that_leaves_does_not_take_the_answer_from_the_others(
    house: House, ann: User, show: Media
) -> None:
    house.service.gate.shut()
    leaving, staying = (asyncio.create_task(house.watchlists.list(ann)) for _ in range(2))
    await house.service.gate.holds()
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    house.service.gate.open()
    # Whether it shared the question or came too late for that and asked anew is a matter of moments.
    assert len((await staying).entries) == 1


async def test_two_users_of_one_account_are_asked_for_with_their_own_tokens(
    house: House, ann: User, bob: User, show: Media, member: Member
) -> None:
    second = house.service.add_user("second")
    await house.watchlists.link(bob, second.token)
    house.service.requests.clear()
    assert len((await house.watchlists.list(ann)).entries) == 1
    assert (await house.watchlists.list(bob)).entries == ()
    assert [asked.token for asked in house.service.requests] == [member.token, second.token]


@pytest.mark.parametrize("fault", FAULTS)
async def test_while_anilist_fails_the_last_good_list_is_shown_and_says_why_and_from_when(
    house: House, ann: User, show: Media, fault: Fault
) -> None:
    good = await house.watchlists.list(ann)
    house.clock.move(61)
    house.service.fault = fault
    stale = await house.watchlists.list(ann)
    assert (stale.entries, stale.fetched_at) == (good.entries, good.fetched_at)
    assert re.search(FAULTS[fault][1].removesuffix("."), stale.stale)
    assert FROM.search(stale.stale)


@pytest.mark.parametrize("fault", ["html", "token", "throttled", 502])
async def test_the_last_good_list_is_shown_after_a_restart_too(
    house: House, ann: User, show: Media, fault: Fault
) -> None:
    good = await house.watchlists.list(ann)
    house.restart()
    house.service.fault = fault
    stale = await house.watchlists.list(ann)
    assert (stale.entries, stale.fetched_at) == (good.entries, good.fetched_at)
    assert FROM.search(stale.stale)
    assert (await house.watchlists.entry(ann, id_of(show))) == good.entries[0]


async def test_while_anilist_hangs_the_last_good_list_is_shown(
    house: House, ann: User, show: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.watchlists.list(ann)
    house.clock.move(61)
    monkeypatch.setattr(anilist_module, "DEADLINE_S", 0.05)
    house.service.fault = "hang"
    stale = await house.watchlists.list(ann)
    assert stale.stale.startswith("AniList: no answer in 0.05 s; try again later. This list is from ")
    assert len(stale.entries) == 1


async def test_a_list_from_another_day_names_the_day(house: House, ann: User, show: Media) -> None:
    await house.watchlists.list(ann)
    old = datetime(2026, 3, 1, 14, 5, tzinfo=UTC)
    async with house.database.begin(SYSTEM) as tx:
        await tx.execute(update(LastListRow).values(fetched_at=old))
    house.restart()
    house.service.fault = 503
    stale = await house.watchlists.list(ann)
    assert stale.stale.endswith("This list is from 01 Mar 2026, 14:05 UTC.")
    assert stale.fetched_at == old


async def test_without_any_answer_before_the_failure_is_told(house: House, ann: User, member: Member) -> None:
    house.service.fault = "outage"
    with pytest.raises(Unreachable, match="closed its door"):
        await house.watchlists.list(ann)


async def test_what_cannot_be_read_any_more_is_as_if_never_kept(house: House, ann: User, show: Media) -> None:
    await house.watchlists.list(ann)
    async with house.database.begin(SYSTEM) as tx:
        await tx.execute(update(LastListRow).values(answer=[{"from": "another version"}]))
    house.restart()
    house.service.fault = 503
    with pytest.raises(RemoteError):
        await house.watchlists.list(ann)


async def test_a_refused_token_breaks_the_link_and_is_not_sent_again(
    house: House, ann: User, show: Media, member: Member
) -> None:
    await house.watchlists.list(ann)
    house.clock.move(61)
    house.service.revoke(member)
    stale = await house.watchlists.list(ann)
    assert "sign in to AniList again: Account → Link. This list is from " in stale.stale
    link = await house.watchlists.link_of(ann)
    assert link is not None
    assert link.broken
    asked = len(house.service.requests)
    house.clock.move(3600)
    assert (await house.watchlists.list(ann)).entries == stale.entries
    with pytest.raises(BadToken):
        await house.watchlists.set_progress(ann, id_of(show), 6)
    with pytest.raises(BadToken):
        await house.watchlists.remove(ann, id_of(show))
    assert len(house.service.requests) == asked


async def test_a_token_refused_while_writing_breaks_the_link_too(
    house: House, ann: User, show: Media, member: Member
) -> None:
    await house.watchlists.list(ann)
    house.service.revoke(member)
    with pytest.raises(BadToken):
        await house.watchlists.set_progress(ann, id_of(show), 6)
    link = await house.watchlists.link_of(ann)
    assert link is not None
    assert link.broken


async def test_linking_again_mends_the_link(house: House, ann: User, show: Media, member: Member) -> None:
    house.service.revoke(member)
    with pytest.raises(BadToken):
        await house.watchlists.list(ann)
    house.service.data.members["thenewtoken"] = member
    await house.watchlists.link(ann, "the\nnew\ntoken")
    listed = await house.watchlists.list(ann)
    assert (len(listed.entries), listed.stale) == (1, "")


async def test_an_old_token_refused_late_does_not_break_the_link_made_meanwhile(
    house: House, ann: User, show: Media, member: Member
) -> None:
    house.service.gate.shut()
    house.service.revoke(member)
    late = asyncio.create_task(house.watchlists.list(ann))
    await house.service.gate.holds()
    async with house.database.begin(SYSTEM) as tx:
        await tx.execute(update(LinkRow).values(sealed_token="v1:made:mean:while"))
    house.service.gate.open()
    with pytest.raises(BadToken):
        await late
    async with house.database.begin(SYSTEM) as tx:
        assert (await tx.scalars(select(LinkRow.broken_at))).all() == [None]


async def test_while_anilist_is_away_nothing_is_written_and_nothing_seems_to_be(
    house: House, ann: User, show: Media
) -> None:
    await house.watchlists.list(ann)
    house.service.fault = 502
    with pytest.raises(Unreachable):
        await house.watchlists.set_progress(ann, id_of(show), 6)
    entry = await house.watchlists.entry(ann, id_of(show))
    assert entry is not None
    assert entry.progress == 5


async def test_what_was_written_is_in_the_list_shown_after_a_restart(house: House, ann: User, show: Media) -> None:
    await house.watchlists.list(ann)
    await house.watchlists.set_progress(ann, id_of(show), 6)
    house.restart()
    house.service.fault = 503
    assert [entry.progress for entry in (await house.watchlists.list(ann)).entries] == [6]


async def test_what_was_removed_is_not_in_the_list_shown_after_a_restart(house: House, ann: User, show: Media) -> None:
    await house.watchlists.list(ann)
    await house.watchlists.remove(ann, id_of(show))
    house.restart()
    house.service.fault = 503
    assert (await house.watchlists.list(ann)).entries == ()


async def test_an_answer_from_before_a_change_does_not_undo_it(house: House, ann: User, show: Media) -> None:
    await house.watchlists.list(ann)
    house.clock.move(61)
    house.service.gate.shut(answers=1)
    slow = asyncio.create_task(house.watchlists.list(ann))
    await house.service.gate.holds()
    await house.watchlists.set_progress(ann, id_of(show), 6)
    house.service.gate.open()
    await slow
    entry = await house.watchlists.entry(ann, id_of(show))
    assert entry is not None
    assert entry.progress == 6


async def test_a_list_with_a_show_anilist_took_away_leaves_it_out(house: House, ann: User, show: Media) -> None:
    house.service.data.media.clear()
    assert len((await house.watchlists.list(ann)).entries) == 1
    house.service.fault = "nulls"
    house.clock.move(timedelta(hours=1).total_seconds())
    assert "answered without a list" in (await house.watchlists.list(ann)).stale


async def test_nobody_is_shown_another_users_last_list(house: House, ann: User, bob: User, show: Media) -> None:
    await house.watchlists.list(ann)
    await house.linked(bob)
    house.service.fault = 503
    with pytest.raises(Unreachable):
        await house.watchlists.list(bob)
    with pytest.raises(Unreachable):
        await house.watchlists.entry(bob, id_of(show))

"""Lists kept here: they work while AniList is away, as far as its shows are known."""

import pytest

from tests.anime.house import House, id_of
from tests.servers.anilist_data import Media
from uuutorrent.accounts import Accounts, Operator, User
from uuutorrent.anime import local
from uuutorrent.anime.anime import MediaId, WatchStatus
from uuutorrent.errors import Missing, Refused, Unreachable

ALL = tuple(WatchStatus)


@pytest.fixture
async def show(house: House, ann: User) -> Media:
    """A show on Ann's list, 5 episodes seen."""
    media = house.service.add_media("Sousou no Frieren", episodes=28, next_episode=10)
    await house.watchlists.add(ann, id_of(media), WatchStatus.CURRENT)
    await house.watchlists.set_progress(ann, id_of(media), 5)
    await house.watchlists.list(ann)
    house.service.requests.clear()
    return media


async def test_two_users_with_the_same_show_ask_for_it_once(house: House, ann: User, bob: User, show: Media) -> None:
    await house.watchlists.add(bob, id_of(show), WatchStatus.CURRENT)
    house.clock.move(61)
    house.service.requests.clear()
    await house.watchlists.list(ann)
    await house.watchlists.list(bob)
    assert house.service.operations == ["Media"]
    assert house.service.requests[0].token is None


async def test_while_anilist_is_away_the_list_is_whole_and_says_what_may_be_old(
    house: House, ann: User, show: Media
) -> None:
    house.clock.move(61)
    house.service.fault = 503
    listed = await house.watchlists.list(ann)
    assert [(entry.anime.title, entry.progress) for entry in listed.entries] == [("Sousou no Frieren", 5)]
    assert listed.stale == (
        "AniList: it is out of order just now (HTTP 503); try again later. "
        "Episodes that aired meanwhile may be missing here."
    )


async def test_after_a_restart_too(house: House, ann: User, show: Media) -> None:
    house.restart()
    house.service.fault = "outage"
    listed = await house.watchlists.list(ann)
    assert [(entry.anime.title, entry.progress) for entry in listed.entries] == [("Sousou no Frieren", 5)]
    assert listed.stale


async def test_progress_can_be_kept_while_anilist_is_away(house: House, ann: User, show: Media) -> None:
    house.restart()
    house.service.fault = 503
    written = await house.watchlists.set_progress(ann, id_of(show), 6)
    assert (written.anime.title, written.progress) == ("Sousou no Frieren", 6)


async def test_a_show_never_seen_before_has_no_title_while_anilist_is_away(
    house: House, ann: User, show: Media
) -> None:
    planned = house.service.add_media("Not looked at yet")
    await house.watchlists.add(ann, id_of(planned))
    house.restart()
    house.service.fault = 503
    listed = await house.watchlists.list(ann, ALL)
    assert [entry.anime.title for entry in listed.entries] == [f"anime {planned.id}", "Sousou no Frieren"]
    entry = await house.watchlists.entry(ann, id_of(planned))
    assert entry is not None
    assert entry.anime.title == f"anime {planned.id}"


async def test_without_any_answer_before_the_failure_is_told(house: House, ann: User) -> None:
    show = house.service.add_media("Show")
    await house.watchlists.add(ann, id_of(show), WatchStatus.CURRENT)
    house.restart()
    house.service.fault = 503
    with pytest.raises(Unreachable):
        await house.watchlists.list(ann)


async def test_an_empty_list_needs_nobody(house: House, ann: User) -> None:
    house.service.fault = 503
    listed = await house.watchlists.list(ann, ALL)
    assert (listed.entries, listed.stale) == ((), "")
    assert house.service.requests == []


async def test_a_show_that_anilist_took_away_stays_on_the_list(house: House, ann: User, show: Media) -> None:
    house.restart()
    house.service.data.media.clear()
    listed = await house.watchlists.list(ann)
    assert [entry.anime.title for entry in listed.entries] == [f"anime {show.id}"]
    await house.watchlists.remove(ann, id_of(show))
    assert (await house.watchlists.list(ann)).entries == ()


async def test_a_list_does_not_grow_without_end(
    house: House, ann: User, show: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "LONGEST_LIST", 1)
    another = house.service.add_media("Another")
    with pytest.raises(Refused, match="your list is full"):
        await house.watchlists.add(ann, id_of(another))
    assert (await house.watchlists.set_progress(ann, id_of(show), 6)).progress == 6


async def test_somebody_disabled_meanwhile_writes_nothing(
    house: House, accounts: Accounts, ann: User, show: Media
) -> None:
    await accounts.disable(Operator(), "ann")
    with pytest.raises(Refused):
        await house.watchlists.set_progress(ann, id_of(show), 6)


async def test_the_local_list_is_there_again_after_unlinking(house: House, ann: User, show: Media) -> None:
    await house.linked(ann)
    assert (await house.watchlists.list(ann)).source == "anilist"
    await house.watchlists.unlink(ann)
    listed = await house.watchlists.list(ann)
    assert (listed.source, [entry.progress for entry in listed.entries]) == ("local", [5])
    house.restart()
    house.service.fault = 503
    assert (await house.watchlists.list(ann)).entries[0].anime.title == "Sousou no Frieren"


async def test_a_deleted_user_leaves_no_list(house: House, accounts: Accounts, ann: User, show: Media) -> None:
    await accounts.delete(Operator(), "ann")
    again = await accounts.create(Operator(), "ann", password="plain horses battery staple")
    assert (await house.watchlists.list(again, ALL)).entries == ()
    with pytest.raises(Missing):
        await house.watchlists.remove(again, MediaId(show.id))

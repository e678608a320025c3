"""The verbs of watchlists, on both kinds of list."""

import pytest

from tests.anime.house import House, id_of
from uuutorrent.accounts import User
from uuutorrent.anime.anime import MediaId, WatchStatus
from uuutorrent.anime.watchlist import FinishesShow
from uuutorrent.errors import Conflict, Invalid, Missing

ALL = tuple(WatchStatus)


@pytest.fixture(params=["local", "anilist"])
async def kind(request: pytest.FixtureRequest, house: House, ann: User, bob: User) -> str:
    """Ann's and Bob's lists are kept here, or at AniList."""
    if request.param == "anilist":
        await house.linked(ann)
        await house.linked(bob)
    return str(request.param)


async def titles(house: House, user: User, *statuses: WatchStatus) -> list[str]:
    listed = await house.watchlists.list(user, statuses or (WatchStatus.CURRENT,))
    assert listed.stale == ""
    return [entry.anime.title for entry in listed.entries]


async def test_a_list_begins_empty_and_says_where_it_is_kept(house: House, ann: User, kind: str) -> None:
    listed = await house.watchlists.list(ann, ALL)
    assert (listed.entries, listed.source, listed.stale) == ((), kind, "")


async def test_a_show_is_found_added_and_listed(house: House, ann: User, kind: str) -> None:
    house.service.add_media("Sousou no Frieren", english="Frieren", episodes=28, next_episode=10)
    found = await house.watchlists.search(ann, "frieren")
    added = await house.watchlists.add(ann, found[0].media_id, WatchStatus.CURRENT)
    assert (added.status, added.progress, added.next_episode, added.behind) == (WatchStatus.CURRENT, 0, 1, 9)
    listed = await house.watchlists.list(ann)
    assert listed.entries[0].anime.media_id == found[0].media_id
    assert listed.entries[0].anime.aired == 9


async def test_a_show_is_planned_unless_said_otherwise(house: House, ann: User, kind: str) -> None:
    show = house.service.add_media("Show")
    assert (await house.watchlists.add(ann, id_of(show))).status is WatchStatus.PLANNING
    assert await titles(house, ann) == []
    assert await titles(house, ann, WatchStatus.PLANNING) == ["Show"]


async def test_a_show_cannot_be_added_twice(house: House, ann: User, kind: str) -> None:
    show = house.service.add_media("Show")
    await house.watchlists.add(ann, id_of(show), WatchStatus.PAUSED)
    with pytest.raises(Conflict, match=r"Show is on your list already \(PAUSED\)"):
        await house.watchlists.add(ann, id_of(show))


async def test_only_what_anilist_knows_can_be_added(house: House, ann: User, kind: str) -> None:
    with pytest.raises(Missing, match="AniList knows no anime 424242"):
        await house.watchlists.add(ann, MediaId(424242))
    assert await titles(house, ann, *ALL) == []


async def test_the_newest_activity_is_first(house: House, ann: User, kind: str) -> None:
    shows = [house.service.add_media(f"Show {number}") for number in range(3)]
    for show in shows:
        await house.watchlists.add(ann, id_of(show), WatchStatus.CURRENT)
    assert await titles(house, ann) == ["Show 2", "Show 1", "Show 0"]
    await house.watchlists.set_progress(ann, id_of(shows[1]), 1)
    assert await titles(house, ann) == ["Show 1", "Show 2", "Show 0"]


async def test_how_much_was_seen_is_told_without_asking_anilist(house: House, ann: User, bob: User, kind: str) -> None:
    show = house.service.add_media("Show", episodes=12)
    await house.watchlists.add(ann, id_of(show), WatchStatus.CURRENT)
    await house.watchlists.set_progress(ann, id_of(show), 7)
    house.service.requests.clear()
    assert await house.watchlists.seen(ann, id_of(show)) == 7
    assert await house.watchlists.seen(bob, id_of(show)) is None
    await house.watchlists.list(ann)
    house.service.requests.clear()
    assert await house.watchlists.seen(ann, id_of(show)) == 7
    assert house.service.requests == []


async def test_progress_is_written_and_seen_at_once(house: House, ann: User, kind: str) -> None:
    show = house.service.add_media("Show", episodes=12)
    await house.watchlists.add(ann, id_of(show), WatchStatus.CURRENT)
    await house.watchlists.list(ann)
    written = await house.watchlists.set_progress(ann, id_of(show), 7)
    assert (written.progress, written.next_episode) == (7, 8)
    house.service.requests.clear()
    listed = await house.watchlists.list(ann)
    assert [entry.progress for entry in listed.entries] == [7]
    assert (await house.watchlists.entry(ann, id_of(show))) == listed.entries[0]
    assert house.service.requests == []


async def test_the_first_episode_makes_a_planned_show_current_and_no_other(house: House, ann: User, kind: str) -> None:
    planned, paused = house.service.add_media("Planned"), house.service.add_media("Paused")
    await house.watchlists.add(ann, id_of(planned))
    await house.watchlists.add(ann, id_of(paused), WatchStatus.PAUSED)
    assert (await house.watchlists.set_progress(ann, id_of(planned), 0)).status is WatchStatus.PLANNING
    assert (await house.watchlists.set_progress(ann, id_of(planned), 1)).status is WatchStatus.CURRENT
    assert (await house.watchlists.set_progress(ann, id_of(paused), 1)).status is WatchStatus.PAUSED


@pytest.mark.parametrize(("complete", "status"), [(True, WatchStatus.COMPLETED), (False, WatchStatus.CURRENT)])
async def test_the_last_episode_asks_before_the_show_is_completed(
    house: House, ann: User, kind: str, complete: bool, status: WatchStatus
) -> None:
    show = house.service.add_media("Show", episodes=12)
    await house.watchlists.add(ann, id_of(show), WatchStatus.CURRENT)
    with pytest.raises(FinishesShow, match="Show: episode 12 is the last; say yes to mark the show COMPLETED") as asked:
        await house.watchlists.set_progress(ann, id_of(show), 12)
    assert (asked.value.entry.progress, asked.value.progress) == (0, 12)
    entry = await house.watchlists.entry(ann, id_of(show))
    assert entry is not None
    assert entry.progress == 0
    written = await house.watchlists.set_progress(ann, id_of(show), 12, complete=complete)
    assert (written.status, written.progress, written.next_episode) == (status, 12, None)
    assert await titles(house, ann, status) == ["Show"]


async def test_a_completed_show_does_not_ask_again(house: House, ann: User, kind: str) -> None:
    show = house.service.add_media("Show", episodes=12)
    completed = await house.watchlists.add(ann, id_of(show), WatchStatus.COMPLETED)
    assert completed.progress == 12, "completing counts every episode as seen"
    assert (await house.watchlists.set_progress(ann, id_of(show), 12)).status is WatchStatus.COMPLETED


@pytest.mark.parametrize(("n", "sentence"), [(13, "Show has 12 episodes, so 13 cannot be seen"), (-1, "from 0")])
async def test_progress_stays_within_the_show(house: House, ann: User, kind: str, n: int, sentence: str) -> None:
    show = house.service.add_media("Show", episodes=12)
    await house.watchlists.add(ann, id_of(show), WatchStatus.CURRENT)
    with pytest.raises(Invalid, match=sentence) as raised:
        await house.watchlists.set_progress(ann, id_of(show), n)
    assert raised.value.field == "n"


async def test_a_show_without_a_known_end_never_finishes_by_itself(house: House, ann: User, kind: str) -> None:
    show = house.service.add_media("One Piece", episodes=None, next_episode=1101)
    await house.watchlists.add(ann, id_of(show), WatchStatus.CURRENT)
    assert (await house.watchlists.set_progress(ann, id_of(show), 1100)).next_episode == 1101


async def test_a_show_moves_from_one_part_of_the_list_to_another(house: House, ann: User, kind: str) -> None:
    show = house.service.add_media("Show", episodes=12)
    await house.watchlists.add(ann, id_of(show), WatchStatus.CURRENT)
    await house.watchlists.list(ann, ALL)
    await house.watchlists.set_status(ann, id_of(show), WatchStatus.DROPPED)
    assert await titles(house, ann) == []
    assert await titles(house, ann, WatchStatus.DROPPED) == ["Show"]
    assert (await house.watchlists.set_status(ann, id_of(show), WatchStatus.COMPLETED)).progress == 12


async def test_a_show_is_removed(house: House, ann: User, kind: str) -> None:
    show = house.service.add_media("Show")
    await house.watchlists.add(ann, id_of(show), WatchStatus.CURRENT)
    await house.watchlists.list(ann)
    await house.watchlists.remove(ann, id_of(show))
    assert await titles(house, ann) == []
    assert await house.watchlists.entry(ann, id_of(show)) is None


async def test_what_is_not_on_the_list_cannot_be_changed(house: House, ann: User, kind: str) -> None:
    show = id_of(house.service.add_media("Show"))
    with pytest.raises(Missing, match="not on your list; add it first"):
        await house.watchlists.set_progress(ann, show, 1)
    with pytest.raises(Missing, match="not on your list; add it first"):
        await house.watchlists.set_status(ann, show, WatchStatus.PAUSED)
    with pytest.raises(Missing, match="not on your list"):
        await house.watchlists.remove(ann, show)


async def test_nobody_sees_or_changes_what_is_on_another_users_list(
    house: House, ann: User, bob: User, kind: str
) -> None:
    show = house.service.add_media("Show")
    await house.watchlists.add(bob, id_of(show), WatchStatus.CURRENT)
    await house.watchlists.set_progress(bob, id_of(show), 5)
    await house.watchlists.list(bob, ALL)
    assert await titles(house, ann, *ALL) == []
    assert await house.watchlists.entry(ann, id_of(show)) is None
    with pytest.raises(Missing):
        await house.watchlists.set_progress(ann, id_of(show), 6)
    with pytest.raises(Missing):
        await house.watchlists.remove(ann, id_of(show))
    entry = await house.watchlists.entry(bob, id_of(show))
    assert entry is not None
    assert entry.progress == 5


async def test_nothing_is_searched_for_with_nothing(house: House, ann: User) -> None:
    with pytest.raises(Invalid, match="say what to look for"):
        await house.watchlists.search(ann, " \n\x00 ")
    assert house.service.requests == []


async def test_a_show_by_itself_is_told_or_missing(house: House) -> None:
    show = house.service.add_media("Show")
    assert (await house.watchlists.anime(id_of(show))).title == "Show"
    with pytest.raises(Missing, match="AniList knows no anime 5"):
        await house.watchlists.anime(MediaId(5))


async def test_what_a_list_showed_to_be_behind_is_looked_up_before_it_is_asked_for(
    house: House, ann: User, kind: str
) -> None:
    behind = house.service.add_media("Behind", next_episode=3)
    caught_up = house.service.add_media("Caught up", next_episode=1)
    for show in (behind, caught_up):
        await house.watchlists.add(ann, id_of(show), WatchStatus.CURRENT)
    await house.watchlists.list(ann)
    await house.watchlists.look_ahead()
    house.service.requests.clear()
    await house.watchlists.look_ahead()
    await house.watchlists.family(id_of(behind))
    assert house.service.operations == []
    await house.watchlists.family(id_of(caught_up))
    assert house.service.operations == ["Kin"]

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.fakes import FakeEngine
from tests.torrents import metainfos
from tests.torrents.index import FRIEREN, Index, Shelf
from tests.torrents.shelf import only, quota, torrent
from uuutorrent.accounts import Accounts, Operator, User
from uuutorrent.anime.anime import Anime
from uuutorrent.errors import Invalid, Missing, Refused, Unexpected, Unreachable
from uuutorrent.store.database import Database
from uuutorrent.tally import Tally
from uuutorrent.torrents.grabs import Grabs, GrabState, Step
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live

SHOW = FRIEREN.media_id


@pytest.fixture
def index() -> Index:
    return Index()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.fixture
def grabs(database: Database, shelf: Shelf, index: Index, library: Library, tally: Tally) -> Grabs:
    return Grabs(database, shelf, index, library, tally)


def raising(error: Exception, at: str) -> Callable[[str], None]:
    def hook(where: str) -> None:
        if where == at:
            raise error

    return hook


async def test_an_episode_is_found_and_added(grabs: Grabs, library: Library, engine: FakeEngine, ann: User) -> None:
    grab = await grabs.get(ann, SHOW, 3)

    holding = await only(library, ann)
    assert (grab.state, grab.title) == (GrabState.ADDED, "[Group] Frieren - 03.mkv")
    assert grab.reason == "Chosen: it fits."
    assert grab.infohash == holding.infohash
    assert (holding.media_id, holding.episode) == (SHOW, 3)
    assert engine.has(holding.infohash)
    assert f"anilist:{SHOW}" in engine.get(holding.infohash).tags


async def test_the_steps_are_told_as_they_happen_and_remembered(grabs: Grabs, ann: User, tally: Tally) -> None:
    told: list[Step] = []

    grab = await grabs.get(ann, SHOW, 3, on_step=told.append)

    names = ["watchlist", "search", "rank", "add", "link"]
    assert [step.step for step in grab.steps] == names
    assert [step.step for step in told if step.done] == names
    assert [step.step for step in told if not step.done] == ["watchlist", "search", "add", "link"]
    assert grab.ms == pytest.approx(sum(step.ms for step in grab.steps))
    assert all(("grab_step_duration_seconds", (name,)) in tally.distributions for name in names)
    assert tally.counters["grabs", ("added",)] == 1


async def test_without_a_number_it_is_the_next_unwatched_one(grabs: Grabs, shelf: Shelf, ann: User) -> None:
    shelf.progress = 4

    assert (await grabs.get(ann, SHOW)).episode == 5


async def test_there_may_be_no_next_one(grabs: Grabs, shelf: Shelf, ann: User) -> None:
    shelf.progress = 28
    with pytest.raises(Missing, match="every episode"):
        await grabs.get(ann, SHOW)
    shelf.progress = 4
    shelf.anime_now = Anime(SHOW, "F", "", "", "F", status="RELEASING", episodes=28, next_episode=5)
    with pytest.raises(Missing, match="not aired"):
        await grabs.get(ann, SHOW)
    shelf.listed = False
    with pytest.raises(Missing, match="not on your watchlist"):
        await grabs.get(ann, SHOW)

    assert await grabs.recent(ann) == ()


async def test_nothing_found_is_a_failed_grab_with_the_reason(
    grabs: Grabs, index: Index, library: Library, ann: User, tally: Tally
) -> None:
    index.has_best = False

    grab = await grabs.get(ann, SHOW, 3)

    assert (grab.state, grab.reason) == (GrabState.FAILED, "Nothing on the index is this episode.")
    assert isinstance(grab.error, Missing)
    assert await library.holdings(ann) == ()
    assert tally.counters["grabs", ("failed",)] == 1


@pytest.mark.parametrize("where", ["find", "torrent_file"])
async def test_trouble_outside_is_a_failed_grab_with_the_reason(
    grabs: Grabs, index: Index, library: Library, ann: User, where: str
) -> None:
    index.before = raising(Unreachable("Nyaa", "no answer in 15 s"), where)
    failed = await grabs.get(ann, SHOW, 3)
    index.before = lambda _: None
    again = await grabs.get(ann, SHOW, 3)

    assert (failed.state, failed.reason) == (GrabState.FAILED, "Nyaa: no answer in 15 s")
    assert isinstance(failed.error, Unreachable)
    assert again.state is GrabState.ADDED
    assert again.id != failed.id


async def test_a_bug_on_the_way_fails_the_grab_too(grabs: Grabs, index: Index, ann: User) -> None:
    index.before = raising(ZeroDivisionError(), "find")

    with pytest.raises(ZeroDivisionError):
        await grabs.get(ann, SHOW, 3)

    (grab,) = await grabs.recent(ann)
    assert (grab.state, grab.reason) == (GrabState.FAILED, "Something broke before anything was added; try again.")


async def test_an_unknown_show_fails(grabs: Grabs, ann: User) -> None:
    assert (await grabs.get(ann, 1, 1)).state is GrabState.FAILED


async def test_over_quota_nothing_is_added(grabs: Grabs, library: Library, engine: FakeEngine, ann: User) -> None:
    await quota(library, ann, size_bytes=10)

    grab = await grabs.get(ann, SHOW, 3)

    assert isinstance(grab.error, Refused)
    assert grab.state is GrabState.FAILED
    assert engine.calls == []
    assert await library.holdings(ann) == ()


async def test_a_file_that_is_not_the_release_is_not_added(
    grabs: Grabs, index: Index, engine: FakeEngine, ann: User
) -> None:
    chosen = index.post(metainfos.single("good"), "good")
    index.files[chosen.release.infohash] = metainfos.single("evil")
    index.extra = [chosen]

    grab = await grabs.get(ann, SHOW, 3)

    assert isinstance(grab.error, Unexpected)
    assert "another torrent" in grab.reason
    assert engine.calls == []


async def test_a_release_that_has_only_a_magnet_is_added_by_it(
    grabs: Grabs, index: Index, engine: FakeEngine, ann: User
) -> None:
    infohash = torrent("only magnet").v1
    index.extra = [
        index.post(metainfos.single("only magnet"), "only magnet", link=f"magnet:?xt=urn:btih:{infohash}&dn=x")
    ]
    index.files.clear()

    grab = await grabs.get(ann, SHOW, 3)

    assert grab.state is GrabState.ADDED
    assert engine.has(infohash)


async def test_a_release_can_be_chosen_by_hand(grabs: Grabs, index: Index, library: Library, ann: User) -> None:
    first, other = index.post(metainfos.single("first"), "first"), index.post(metainfos.single("other"), "other")
    index.extra = [first, other]
    best = await grabs.get(ann, SHOW, 3)
    by_hand = await grabs.get(ann, SHOW, 3, infohash=other.release.infohash)
    again = await grabs.get(ann, SHOW, 3, infohash=other.release.infohash)
    none = await grabs.get(ann, SHOW, 3, infohash="0" * 40)

    assert (best.title, by_hand.title, by_hand.reason) == ("first", "other", "Chosen by hand.")
    assert again.id == by_hand.id
    assert isinstance(none.error, Missing)
    assert len(await library.holdings(ann)) == 2


async def test_an_episode_is_never_fetched_twice(
    grabs: Grabs, index: Index, library: Library, engine: FakeEngine, live: Live, ann: User
) -> None:
    first = await grabs.get(ann, SHOW, 3)
    again = await grabs.get(ann, SHOW, 3)
    engine.complete(first.infohash or "")
    await live.refresh()
    await library.reconcile()
    await grabs.settle()
    complete = await grabs.get(ann, SHOW, 3)

    assert first.id == again.id == complete.id
    assert complete.state is GrabState.COMPLETE
    assert index.finds == 1


async def test_what_is_listed_is_up_to_date(grabs: Grabs, engine: FakeEngine, live: Live, ann: User) -> None:
    grab = await grabs.get(ann, SHOW, 3)
    engine.complete(grab.infohash or "")
    await live.refresh()

    assert [grab.state for grab in await grabs.recent(ann)] == [GrabState.COMPLETE]


async def test_two_who_ask_at_once_in_one_name_get_one_grab(
    grabs: Grabs, index: Index, engine: FakeEngine, ann: User, bob: User
) -> None:
    got = await asyncio.gather(*(grabs.get(user, SHOW, 3) for user in (ann, ann, ann, bob)))

    assert [grab.state for grab in got] == [GrabState.ADDED] * 4
    assert len({grab.id for grab in got}) == 2
    assert index.finds == 2
    assert len([call for call in engine.calls if call.startswith("add ")]) == 1


async def test_what_was_added_by_other_means_is_not_fetched_again(
    grabs: Grabs, index: Index, library: Library, ann: User
) -> None:
    await library.add(ann, torrent("by hand"), media_id=SHOW, episode=3)

    grab = await grabs.get(ann, SHOW, 3)

    assert (grab.state, grab.title, grab.reason) == (GrabState.ADDED, "by hand", "You have it already.")
    assert index.finds == 0


async def test_what_was_deleted_can_be_fetched_again(grabs: Grabs, library: Library, ann: User) -> None:
    first = await grabs.get(ann, SHOW, 3)
    await library.delete(ann, first.infohash or "", with_files=True)
    again = await grabs.get(ann, SHOW, 3)
    await grabs.settle()

    assert again.id != first.id
    assert [grab.state for grab in await grabs.recent(ann)] == [GrabState.ADDED, GrabState.ADDED]


async def test_what_is_deleted_on_its_way_fails(grabs: Grabs, library: Library, ann: User) -> None:
    grab = await grabs.get(ann, SHOW, 3)
    await library.delete(ann, grab.infohash or "", with_files=True)
    await grabs.settle()

    over = await grabs.one(ann, grab.id)
    assert (over.state, over.reason) == (GrabState.FAILED, "The torrent was deleted before it was complete.")


async def test_while_the_engine_is_away_it_is_queued(
    grabs: Grabs, library: Library, engine: FakeEngine, ann: User
) -> None:
    engine.go_down()
    queued = await grabs.get(ann, SHOW, 3)
    again = await grabs.get(ann, SHOW, 3)
    engine.come_back()
    await library.reconcile()
    await grabs.settle()

    assert queued.state is GrabState.CLAIMED
    assert "as soon as qBittorrent answers" in queued.reason
    assert again.id == queued.id
    assert (await grabs.one(ann, queued.id)).state is GrabState.ADDED
    assert engine.has(queued.infohash or "")


async def test_what_the_engine_refuses_fails_and_is_not_claimed(
    grabs: Grabs, library: Library, engine: FakeEngine, ann: User
) -> None:
    engine.add_error = Invalid("qBittorrent cannot read it")

    grab = await grabs.get(ann, SHOW, 3)

    assert (grab.state, grab.reason) == (GrabState.FAILED, "qBittorrent cannot read it")
    assert await library.holdings(ann) == ()


async def waiting_at(index: Index, where: str) -> tuple[asyncio.Event, Callable[[], Awaitable[None]]]:
    """Make the index wait at a call; the event says that it is reached."""
    reached, go_on = asyncio.Event(), asyncio.Event()
    real = index.find if where == "find" else index.torrent_file

    async def slow(*args: object, **options: object) -> object:
        reached.set()
        await go_on.wait()
        return await real(*args, **options)  # type: ignore[arg-type]  # passed on as it came

    setattr(index, where, slow)

    async def release() -> None:
        go_on.set()

    return reached, release


async def test_cancelling_fails_it(grabs: Grabs, index: Index, library: Library, ann: User) -> None:
    reached, _ = await waiting_at(index, "find")
    asking = asyncio.ensure_future(grabs.get(ann, SHOW, 3))
    await reached.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    (grab,) = await grabs.recent(ann)
    assert (grab.state, grab.reason) == (GrabState.FAILED, "It was cancelled before anything was added.")


async def test_who_joined_goes_on_when_the_first_cancels(
    grabs: Grabs, index: Index, library: Library, ann: User
) -> None:
    reached, release = await waiting_at(index, "torrent_file")
    first = asyncio.ensure_future(grabs.get(ann, SHOW, 3))
    await reached.wait()
    second = asyncio.ensure_future(grabs.get(ann, SHOW, 3))
    await grabs.recent(ann)
    first.cancel()
    await release()

    assert (await second).state is GrabState.ADDED
    assert first.cancelled()
    assert len(await library.holdings(ann)) == 1


class TestWaiting:
    async def test_it_ends_when_the_torrent_is_complete(
        self, grabs: Grabs, engine: FakeEngine, live: Live, ann: User
    ) -> None:
        grab = await grabs.get(ann, SHOW, 3)
        waiting = asyncio.ensure_future(grabs.wait(ann, grab.id, 60))
        engine.progress(grab.infohash or "", 0.5)
        await live.refresh()
        engine.complete(grab.infohash or "")
        await live.refresh()

        assert (await waiting).state is GrabState.COMPLETE

    async def test_it_ends_when_the_time_is_over(self, grabs: Grabs, ann: User) -> None:
        grab = await grabs.get(ann, SHOW, 3)

        assert (await grabs.wait(ann, grab.id, 0.01)).state is GrabState.ADDED

    async def test_it_ends_at_once_for_what_is_over(self, grabs: Grabs, index: Index, ann: User) -> None:
        index.has_best = False
        grab = await grabs.get(ann, SHOW, 3)

        assert (await grabs.wait(ann, grab.id, 10)).state is GrabState.FAILED

    async def test_nobody_waits_for_somebody_elses(self, grabs: Grabs, ann: User, bob: User) -> None:
        grab = await grabs.get(ann, SHOW, 3)

        with pytest.raises(Missing):
            await grabs.wait(bob, grab.id, 1)
        with pytest.raises(Missing):
            await grabs.one(bob, grab.id)
        assert await grabs.recent(bob) == ()
        assert (await grabs.get(bob, SHOW, 3)).id != grab.id


async def test_the_grabs_of_a_deleted_user_are_no_trouble(
    grabs: Grabs, library: Library, accounts: Accounts, engine: FakeEngine, ann: User
) -> None:
    engine.go_down()
    await grabs.get(ann, SHOW, 3)
    await accounts.delete(Operator(), "ann")
    engine.come_back()
    await library.reconcile()
    await grabs.resume()
    await grabs.settle()

    with pytest.raises(Refused):
        await grabs.get(ann, SHOW, 3)

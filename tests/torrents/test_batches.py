"""Episodes out of batches: what is fetched, claimed, counted and shown of them."""

from __future__ import annotations

import pytest

from tests.fakes import FakeEngine
from tests.torrents import metainfos
from tests.torrents.index import FRIEREN, Index, Shelf
from tests.torrents.shelf import only, quota
from uuutorrent.accounts import User
from uuutorrent.errors import Invalid, Missing, Refused
from uuutorrent.releases.release import Kind
from uuutorrent.store.database import Database
from uuutorrent.tally import Tally
from uuutorrent.torrents import placing
from uuutorrent.torrents.engine import EngineId, Phase
from uuutorrent.torrents.grabs import Grabs, GrabState
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.metainfo import parse_torrent

SHOW = FRIEREN.media_id
NAMES = tuple(f"[Group] Frieren - {number:02}.mkv" for number in range(1, 5))
SIZES = {name: 1000 + at for at, name in enumerate(NAMES)} | {"[Group] Frieren - 03.ass": 50, "NCOP.mkv": 500}
RAW = metainfos.several("Frieren", SIZES)
BATCH = parse_torrent(RAW)
INDEX_OF = {file.path.removeprefix("Frieren/"): at for at, file in enumerate(BATCH.files)}


@pytest.fixture
def index() -> Index:
    index = Index()
    index.extra = [index.post(RAW, "[Group] Frieren [Batch]", kind=Kind.BATCH)]
    return index


@pytest.fixture
def grabs(database: Database, index: Index, library: Library) -> Grabs:
    return Grabs(database, Shelf(), index, library, Tally())


async def wanted(engine: FakeEngine) -> set[str]:
    """The files that the engine fetches."""
    files = await engine.files(engine.id_of(BATCH.v1))
    return {file.path.removeprefix("Frieren/") for file in files if file.priority}


async def shown(library: Library, live: Live, user: User) -> list[str]:
    """The files that a user may read."""
    await live.refresh()
    await library.reconcile()
    (finished,) = await library.finished(user)
    return [path.removeprefix("Frieren/") for path in finished.files]


async def test_only_the_files_of_the_episode_are_fetched(
    grabs: Grabs, library: Library, engine: FakeEngine, ann: User
) -> None:
    grab = await grabs.get(ann, SHOW, 3)

    assert grab.state is GrabState.ADDED
    assert grab.files == ("Frieren/[Group] Frieren - 03.mkv", "Frieren/[Group] Frieren - 03.ass")
    assert grab.reason.startswith("Only a batch holds it: fetching 2 of 6 files, 1 KiB of 4 KiB. ")
    assert await wanted(engine) == {"[Group] Frieren - 03.mkv", "[Group] Frieren - 03.ass"}
    assert engine.asked_for == set(grab.files)
    assert engine.get(BATCH.v1).phase is Phase.DOWNLOADING
    holding = await only(library, ann)
    assert (holding.episode, holding.episodes, holding.is_part) == (3, (3,), True)
    assert (holding.size_bytes, (await library.usage(ann)).bytes) == (1052, 1052)
    assert {f"anilist:{SHOW}", "ep:3"} <= engine.get(BATCH.v1).tags


async def test_the_next_episode_of_the_same_batch_extends_it(
    grabs: Grabs, library: Library, engine: FakeEngine, live: Live, ann: User
) -> None:
    third = await grabs.get(ann, SHOW, 3)
    engine.complete(BATCH.v1)
    before = await shown(library, live, ann)
    await grabs.settle()
    fourth = await grabs.get(ann, SHOW, 4)
    on_its_way = (await grabs.one(ann, third.id)).state, (await grabs.get(ann, SHOW, 4)).state
    between = await shown(library, live, ann)
    engine.complete(BATCH.v1)
    after = await shown(library, live, ann)
    await grabs.settle()

    assert third.infohash == fourth.infohash
    assert on_its_way == (GrabState.COMPLETE, GrabState.ADDED)
    assert before == between == ["[Group] Frieren - 03.mkv", "[Group] Frieren - 03.ass"]
    assert set(after) == {*before, "[Group] Frieren - 04.mkv"}
    assert (await grabs.one(ann, fourth.id)).state is GrabState.COMPLETE
    holding = await only(library, ann)
    assert (holding.episode, holding.episodes) == (None, (3, 4))
    assert (await library.usage(ann)).bytes == 1052 + 1003
    assert [call for call in engine.calls if call.startswith("add ")] == [f"add {BATCH.v1}"]


async def test_two_users_have_their_own_episodes_and_the_engine_both(
    grabs: Grabs, library: Library, engine: FakeEngine, live: Live, ann: User, bob: User
) -> None:
    await grabs.get(ann, SHOW, 3)
    bobs = await grabs.get(bob, SHOW, 1)
    both = await wanted(engine)
    engine.file_progress(BATCH.v1, INDEX_OF["[Group] Frieren - 01.mkv"], 1.0)
    engine.progress(BATCH.v1, 0.5)
    early = await shown(library, live, bob), await shown(library, live, ann)
    bobs_own, anns_own = await only(library, bob), await only(library, ann)
    await grabs.settle()
    done = (await grabs.one(bob, bobs.id)).state
    engine.complete(BATCH.v1)
    late = await shown(library, live, bob), await shown(library, live, ann)
    await library.delete(ann, BATCH.v1, with_files=True)

    assert both == {"[Group] Frieren - 01.mkv", "[Group] Frieren - 03.mkv", "[Group] Frieren - 03.ass"}
    assert (bobs_own.size_bytes, bobs_own.progress, bobs_own.phase) == (1000, 1.0, Phase.SEEDING)
    assert (anns_own.size_bytes, anns_own.progress, anns_own.phase) == (1052, 0.0, Phase.DOWNLOADING)
    assert early == (["[Group] Frieren - 01.mkv"], [])
    assert done is GrabState.COMPLETE
    assert late == (["[Group] Frieren - 01.mkv"], ["[Group] Frieren - 03.mkv", "[Group] Frieren - 03.ass"])
    assert await wanted(engine) == {"[Group] Frieren - 01.mkv"}
    assert await shown(library, live, bob) == ["[Group] Frieren - 01.mkv"]


async def test_what_was_left_on_the_disk_is_there_at_once_when_it_is_wanted_again(
    grabs: Grabs, library: Library, engine: FakeEngine, live: Live, ann: User, bob: User
) -> None:
    await grabs.get(ann, SHOW, 3)
    await grabs.get(bob, SHOW, 1)
    engine.complete(BATCH.v1)
    await shown(library, live, bob)
    await library.delete(ann, BATCH.v1, with_files=True)
    await shown(library, live, bob)

    again = await grabs.get(bob, SHOW, 3)

    assert len(await shown(library, live, bob)) == 3
    assert (await grabs.one(bob, again.id)).state in (GrabState.ADDED, GrabState.COMPLETE)


async def test_the_whole_batch_is_fetched_when_asked_for(
    grabs: Grabs, library: Library, engine: FakeEngine, ann: User
) -> None:
    one = await grabs.get(ann, SHOW, 3)
    grab = await grabs.get(ann, SHOW, 3, whole_batch=True)
    again = await grabs.get(ann, SHOW, 3, whole_batch=True)
    other = await grabs.get(ann, SHOW, 2)

    assert one.id != grab.id == again.id
    assert grab.reason == "Fetching the whole batch: 6 files, 4 KiB."
    assert (grab.whole_batch, grab.files) == (True, ())
    assert await wanted(engine) == set(SIZES)
    assert (await library.usage(ann)).bytes == sum(SIZES.values())
    holding = await only(library, ann)
    assert (holding.episodes, holding.episode, holding.is_part) == ((1, 2, 3, 4), None, False)
    assert other.reason == "You have it already."
    assert other.infohash == BATCH.v1


async def test_an_episode_of_a_whole_batch_is_complete_before_the_rest(
    grabs: Grabs, library: Library, engine: FakeEngine, live: Live, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing, "LOOK_AGAIN_S", 0.0)
    batch = await grabs.get(ann, SHOW, 1, whole_batch=True)
    second = await grabs.get(ann, SHOW, 2)
    engine.file_progress(BATCH.v1, INDEX_OF["[Group] Frieren - 02.mkv"], 1.0)
    engine.progress(BATCH.v1, 0.3)
    await shown(library, live, ann)
    await grabs.settle()

    assert (await grabs.one(ann, second.id)).state is GrabState.COMPLETE
    assert (await grabs.one(ann, batch.id)).state is GrabState.ADDED


async def test_who_wants_everything_switches_the_rest_on_again(
    grabs: Grabs, library: Library, engine: FakeEngine, ann: User, bob: User
) -> None:
    await grabs.get(ann, SHOW, 3)
    await library.add(bob, BATCH)
    both = await wanted(engine)
    await library.delete(bob, BATCH.v1, with_files=False)

    assert both == set(SIZES)
    assert await wanted(engine) == {"[Group] Frieren - 03.mkv", "[Group] Frieren - 03.ass"}


async def test_the_quota_counts_the_part_and_the_refusal_says_so(
    grabs: Grabs, library: Library, engine: FakeEngine, index: Index, ann: User
) -> None:
    mib = 1 << 20
    raw = metainfos.several("Frieren", {f"[Group] Frieren - {n:02}.mkv": 350 * mib for n in range(1, 29)})
    index.extra = [index.post(raw, "[Group] Frieren [Batch]", kind=Kind.BATCH)]
    await quota(library, ann, size_bytes=800 * mib)

    first = await grabs.get(ann, SHOW, 3)
    await grabs.get(ann, SHOW, 4)
    third = await grabs.get(ann, SHOW, 5)
    whole = await grabs.get(ann, SHOW, 3, whole_batch=True)

    assert "fetching 1 of 28 files, 350 MiB of 9.6 GiB." in first.reason
    assert isinstance(third.error, Refused)
    assert third.reason == "It needs 350 MiB; 100 MiB of your 800 MiB are free. Delete something first."
    assert whole.reason == "It needs 8.9 GiB; 100 MiB of your 800 MiB are free. Delete something first."
    assert (await only(library, ann)).episodes == (3, 4)


async def test_a_batch_of_which_nothing_can_be_told_is_not_fetched(
    grabs: Grabs, index: Index, library: Library, ann: User
) -> None:
    raw = metainfos.several("Frieren", {"a.mkv": 10, "b.mkv": 20})
    index.extra = [index.post(raw, "[Group] Frieren [Batch]", kind=Kind.BATCH)]
    index.has_singles = False
    grab = await grabs.get(ann, SHOW, 3)

    assert isinstance(grab.error, Missing)
    assert "cannot be told for sure; as far as can be told it has 2 files: b.mkv; a.mkv" in grab.reason
    assert await library.holdings(ann) == ()
    assert (await grabs.get(ann, SHOW, 3, whole_batch=True)).state is GrabState.ADDED


async def test_a_batch_without_the_episode_says_which_it_has(grabs: Grabs, index: Index, ann: User) -> None:
    index.has_singles = False
    assert "it has episode 1-4. " in (await grabs.get(ann, SHOW, 9)).reason


async def test_the_next_best_is_taken_where_nothing_can_be_told_of_the_best(
    grabs: Grabs, index: Index, library: Library, ann: User
) -> None:
    strange = index.post(metainfos.several("Frieren", {"a.mkv": 10, "b.mkv": 20}), "Frieren A", kind=Kind.BATCH)
    index.extra = [strange, *index.extra]
    assert (await grabs.get(ann, SHOW, 3)).infohash == BATCH.v1


async def test_a_batch_that_is_chosen_by_hand_is_not_called_the_only_one(
    grabs: Grabs, index: Index, library: Library, engine: FakeEngine, ann: User
) -> None:
    index.extra = [index.episode(3), *index.extra]
    grab = await grabs.get(ann, SHOW, 3, infohash=BATCH.v1)
    assert grab.reason == "Fetching 2 of 6 files, 1 KiB of 4 KiB. Chosen by hand."
    assert await wanted(engine) == {"[Group] Frieren - 03.mkv", "[Group] Frieren - 03.ass"}


async def test_no_episode_is_picked_out_of_a_magnet(grabs: Grabs, index: Index, ann: User) -> None:
    link = f"magnet:?xt=urn:btih:{BATCH.v1}"
    index.extra = [index.post(RAW, "[Group] Frieren [Batch]", kind=Kind.BATCH, link=link)]
    index.has_singles = False

    assert "just a magnet link" in (await grabs.get(ann, SHOW, 3)).reason
    assert (await grabs.get(ann, SHOW, 3, whole_batch=True)).state is GrabState.ADDED


async def test_what_was_steered_by_hand_stays_and_counts(
    grabs: Grabs, library: Library, engine: FakeEngine, live: Live, ann: User
) -> None:
    await grabs.get(ann, SHOW, 3)
    await library.set_priority(ann, BATCH.v1, [INDEX_OF["NCOP.mkv"]], 7)
    await library.set_priority(ann, BATCH.v1, [INDEX_OF["[Group] Frieren - 03.ass"]], 0)
    await library.reconcile()
    await library.reconcile()

    assert await wanted(engine) == {"[Group] Frieren - 03.mkv", "NCOP.mkv"}
    assert (await library.usage(ann)).bytes == 1002 + 500
    assert (await only(library, ann)).episodes == (3,)
    await quota(library, ann, size_bytes=1600)
    with pytest.raises(Refused, match="It needs"):
        await library.set_priority(ann, BATCH.v1, [0], 1)
    with pytest.raises(Invalid, match="no such file"):
        await library.set_priority(ann, BATCH.v1, [99], 1)
    assert await wanted(engine) == {"[Group] Frieren - 03.mkv", "NCOP.mkv"}


async def test_an_episode_that_was_skipped_by_hand_is_fetched_when_asked_for_again(
    grabs: Grabs, library: Library, engine: FakeEngine, ann: User
) -> None:
    first = await grabs.get(ann, SHOW, 3)
    await grabs.get(ann, SHOW, 4)
    await library.set_priority(ann, BATCH.v1, [INDEX_OF[NAMES[2]], INDEX_OF["[Group] Frieren - 03.ass"]], 0)
    skipped = await wanted(engine)
    again = await grabs.get(ann, SHOW, 3)

    assert skipped == {NAMES[3]}
    assert again.id != first.id
    assert await wanted(engine) == {NAMES[2], NAMES[3], "[Group] Frieren - 03.ass"}


async def test_a_paused_batch_goes_on_with_the_next_episode_and_a_resumed_one_with_its_own(
    grabs: Grabs, library: Library, engine: FakeEngine, ann: User
) -> None:
    await grabs.get(ann, SHOW, 3)
    await library.pause(ann, BATCH.v1)
    await library.reconcile()
    paused = engine.get(BATCH.v1).phase
    await library.resume(ann, BATCH.v1)
    resumed = engine.get(BATCH.v1).phase
    await library.pause(ann, BATCH.v1)
    await grabs.get(ann, SHOW, 4)

    assert (paused, resumed, engine.get(BATCH.v1).phase) == (Phase.PAUSED, Phase.DOWNLOADING, Phase.DOWNLOADING)
    assert not {path for path in engine.asked_for if "01" in path or "NCOP" in path}


async def test_a_batch_that_the_engine_lost_comes_back_with_its_files_chosen(
    grabs: Grabs, library: Library, engine: FakeEngine, ann: User
) -> None:
    await grabs.get(ann, SHOW, 3)
    engine.lose(BATCH.v1)
    await library.reconcile()
    await library.reconcile()

    assert await wanted(engine) == {"[Group] Frieren - 03.mkv", "[Group] Frieren - 03.ass"}
    assert not {path for path in engine.asked_for if "03" not in path}
    assert engine.get(BATCH.v1).phase is Phase.DOWNLOADING


async def test_while_the_engine_is_away_the_part_is_noted_and_chosen_later(
    grabs: Grabs, library: Library, engine: FakeEngine, ann: User
) -> None:
    engine.go_down()
    grab = await grabs.get(ann, SHOW, 3)
    engine.come_back()
    await library.reconcile()
    await grabs.settle()

    assert grab.state is GrabState.CLAIMED
    assert (await grabs.one(ann, grab.id)).state is GrabState.ADDED
    assert engine.asked_for == {f"Frieren/{name}" for name in ("[Group] Frieren - 03.mkv", "[Group] Frieren - 03.ass")}


@pytest.mark.parametrize("dies_at", ["set_priority", "start", "tag"])
async def test_a_kill_before_the_choice_is_made_leaves_it_standing_still(
    grabs: Grabs, library: Library, engine: FakeEngine, ann: User, monkeypatch: pytest.MonkeyPatch, dies_at: str
) -> None:
    class Killed(BaseException):
        pass

    async def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(library._engine, dies_at, die)
        with pytest.raises(Killed):
            await grabs.get(ann, SHOW, 3)
    died_with = engine.get(BATCH.v1).phase
    await library.reconcile()
    await grabs.settle()

    assert died_with is (Phase.DOWNLOADING if dies_at == "tag" else Phase.PAUSED)
    assert engine.asked_for == {f"Frieren/{name}" for name in ("[Group] Frieren - 03.mkv", "[Group] Frieren - 03.ass")}
    assert engine.get(BATCH.v1).phase is Phase.DOWNLOADING


async def test_a_kill_between_the_claim_and_the_engine_is_made_up_for(
    grabs: Grabs, library: Library, engine: FakeEngine, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    async def die(_: int) -> None:
        raise Killed

    await grabs.get(ann, SHOW, 3)
    with monkeypatch.context() as patch:
        patch.setattr(library._placing, "place", die)
        with pytest.raises(Killed):
            await grabs.get(ann, SHOW, 4)
    await library.reconcile()
    await grabs.settle()

    assert {"[Group] Frieren - 03.mkv", "[Group] Frieren - 04.mkv"} < await wanted(engine)
    (fourth, _) = await grabs.recent(ann)
    assert (fourth.episode, fourth.state) == (4, GrabState.ADDED)


async def test_reconcile_leaves_a_choice_alone(grabs: Grabs, library: Library, engine: FakeEngine, ann: User) -> None:
    await grabs.get(ann, SHOW, 3)
    before = list(engine.calls)
    await library.reconcile()
    await library.reconcile()
    assert engine.calls == before


async def test_others_see_nothing_of_a_pick(grabs: Grabs, library: Library, ann: User, bob: User) -> None:
    await grabs.get(ann, SHOW, 3)
    assert await library.holdings(bob) == ()
    assert await library.finished(bob) == ()
    with pytest.raises(Missing):
        await library.set_priority(bob, BATCH.v1, [0], 1)


async def test_a_single_file_that_is_called_a_batch_is_claimed_as_it_is(
    grabs: Grabs, index: Index, library: Library, engine: FakeEngine, ann: User
) -> None:
    raw = metainfos.several("Frieren", {"[Group] Frieren - 01-02.mkv": 10})
    index.extra = [index.post(raw, "[Group] Frieren - 01-02", kind=Kind.BATCH)]
    grab = await grabs.get(ann, SHOW, 2)

    holding = await only(library, ann)
    assert (holding.is_part, holding.episodes) == (False, (2,))
    assert not [call for call in engine.calls if call.startswith("set_priority")]
    assert (await engine.torrents(ids=[EngineId(grab.infohash or "")]))[0].phase is Phase.DOWNLOADING

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fakes import FakeEngine
from tests.torrents.shelf import GIB, MAGNET, SHOW, on_disk, only, quota, torrent
from uuutorrent import config
from uuutorrent.accounts import Accounts, Operator, User
from uuutorrent.errors import Refused
from uuutorrent.torrents.engine import Phase
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live


async def test_six_adds_at_once_where_one_fits_admit_one(library: Library, engine: FakeEngine, ann: User) -> None:
    await quota(library, ann, size_bytes=1500)

    answers = await asyncio.gather(
        *(library.add(ann, torrent(f"{n}.mkv", 1000)) for n in range(6)), return_exceptions=True
    )

    assert sum(isinstance(answer, Refused) for answer in answers) == 5
    assert (await library.usage(ann)).bytes == 1000
    assert len(await library.holdings(ann)) == 1
    assert len([call for call in engine.calls if call.startswith("add")]) == 1


async def test_the_number_of_torrents_is_limited_too(library: Library, ann: User) -> None:
    await quota(library, ann, torrents=1)
    await library.add(ann, torrent("one"))

    with pytest.raises(Refused, match="Delete one first"):
        await library.add(ann, torrent("two"))


async def test_the_sentence_says_what_is_needed_and_what_is_free(library: Library, ann: User) -> None:
    await quota(library, ann, size_bytes=2 * GIB)
    await library.add(ann, torrent("one", GIB))

    with pytest.raises(Refused, match=r"needs 3\.0 GiB; 1\.0 GiB of your 2\.0 GiB are free"):
        await library.add(ann, torrent("two", 3 * GIB))


async def test_zero_is_no_limit_and_none_is_what_is_configured(
    library: Library, limits: config.Torrents, ann: User, bob: User
) -> None:
    await quota(library, ann, size_bytes=0)
    await library.add(ann, torrent("one", 10 * limits.quota_bytes))

    with pytest.raises(Refused):
        await library.add(bob, torrent("one", 10 * limits.quota_bytes))
    assert (await library.usage(bob)).quota_bytes == limits.quota_bytes


async def test_a_shared_torrent_counts_for_each(library: Library, ann: User, bob: User) -> None:
    await library.add(ann, SHOW)
    await library.add(bob, SHOW)

    assert [(await library.usage(user)).bytes for user in (ann, bob)] == [1000, 1000]


async def test_a_magnet_that_turns_out_too_large_stops_and_says_why(
    library: Library, engine: FakeEngine, live: Live, ann: User
) -> None:
    await quota(library, ann, size_bytes=GIB)
    await library.add(ann, MAGNET)
    await library.reconcile()
    engine.metadata(MAGNET.v1, "Show", {"Show/01.mkv": 2 * GIB})
    await library.reconcile()
    await live.refresh()

    holding = await only(library, ann)
    assert holding.phase is Phase.PAUSED
    assert "2.0 GiB" in holding.note
    with pytest.raises(Refused, match="over your quota"):
        await library.resume(ann, MAGNET.v1)
    await quota(library, ann, size_bytes=3 * GIB)
    await library.resume(ann, MAGNET.v1)
    await live.refresh()
    assert (await only(library, ann)).note == ""


async def test_a_magnet_too_large_for_one_goes_on_for_the_other(
    library: Library, engine: FakeEngine, live: Live, ann: User, bob: User
) -> None:
    await quota(library, ann, size_bytes=GIB)
    await library.add(ann, MAGNET)
    await library.add(bob, MAGNET)
    engine.metadata(MAGNET.v1, "Show", {"Show/01.mkv": 2 * GIB})
    await library.reconcile()
    await live.refresh()

    assert engine.get(MAGNET.v1).phase is Phase.DOWNLOADING
    assert "over your quota" in (await only(library, ann)).note
    assert (await only(library, bob)).note == ""


async def test_somebody_disabled_adds_nothing(library: Library, accounts: Accounts, ann: User) -> None:
    await accounts.disable(Operator(), "ann")

    with pytest.raises(Refused):
        await library.add(ann, SHOW)


async def test_two_users_share_one_download(
    library: Library, engine: FakeEngine, live: Live, ann: User, bob: User
) -> None:
    await library.add(ann, SHOW)
    added = await library.add(bob, SHOW, media_id=21, episode=1)
    await live.refresh()

    assert not added.already
    assert engine.calls.count(f"add {SHOW.v1}") == 1
    assert engine.get(SHOW.v1).category == "u/ann"
    assert {f"user:{ann.id}", f"user:{bob.id}"} < engine.get(SHOW.v1).tags
    for user in (ann, bob):
        holding = await only(library, user)
        assert (holding.shared, holding.owners) == (True, ())


async def test_two_who_add_the_same_at_once_both_get_it(
    library: Library, engine: FakeEngine, ann: User, bob: User
) -> None:
    added = await asyncio.gather(*(library.add(user, SHOW) for user in (ann, bob) for _ in range(3)))

    assert sum(not one.already for one in added) == 2
    assert engine.calls.count(f"add {SHOW.v1}") == 1
    assert [len(await library.holdings(user)) for user in (ann, bob)] == [1, 1]


async def test_who_comes_second_makes_it_run(library: Library, engine: FakeEngine, ann: User, bob: User) -> None:
    await library.add(ann, SHOW)
    await library.pause(ann, SHOW.v1)
    await library.add(bob, SHOW)

    assert engine.get(SHOW.v1).phase is Phase.DOWNLOADING


async def test_who_comes_second_and_wants_it_to_stand_still_stops_nobodys(
    library: Library, engine: FakeEngine, ann: User, bob: User
) -> None:
    await library.add(ann, SHOW)
    await library.add(bob, SHOW, stopped=True)
    await library.reconcile()

    assert engine.get(SHOW.v1).phase is Phase.DOWNLOADING
    (stored,) = await library.everything()
    assert not stored.stopped


async def test_pausing_what_others_want_changes_nothing_and_says_so(
    library: Library, engine: FakeEngine, ann: User, bob: User
) -> None:
    await library.add(ann, SHOW)
    await library.add(bob, SHOW)

    said = await library.pause(ann, SHOW.v1)

    assert "it goes on" in said
    assert engine.get(SHOW.v1).phase is Phase.DOWNLOADING


async def test_choices_about_a_shared_torrent_are_refused(
    library: Library, engine: FakeEngine, ann: User, bob: User
) -> None:
    await library.add(ann, SHOW)
    await library.add(bob, SHOW)

    for change in (
        library.set_priority(ann, SHOW.v1, [0], 0),
        library.set_sequential(ann, SHOW.v1, True),
        library.set_limits(ann, SHOW.v1, down_bps=1, up_bps=1),
    ):
        with pytest.raises(Refused, match="Others"):
            await change
    assert not [call for call in engine.calls if call.startswith("set")]


async def test_a_claim_given_up_leaves_the_torrent_to_the_others(
    library: Library, engine: FakeEngine, ann: User, bob: User
) -> None:
    await library.add(ann, SHOW)
    await library.add(bob, SHOW)

    said = await library.delete(ann, SHOW.v1, with_files=True)

    assert "it and its files stay" in said
    assert await library.holdings(ann) == ()
    assert not (await only(library, bob)).shared
    assert engine.has(SHOW.v1)
    assert f"user:{ann.id}" not in engine.get(SHOW.v1).tags


async def test_the_last_claim_takes_the_files(
    library: Library, engine: FakeEngine, ann: User, bob: User, download_dir: Path
) -> None:
    await library.add(ann, SHOW)
    await library.add(bob, SHOW)
    engine.complete(SHOW.v1, {"Show - 01.mkv": b"x" * 1000})
    await library.delete(ann, SHOW.v1, with_files=True)
    left = on_disk(download_dir)
    said = await library.delete(bob, SHOW.v1, with_files=True)

    assert left == [SHOW.v1, f"{SHOW.v1}/Show - 01.mkv"]
    assert said == "Deleted Show - 01.mkv and its files."
    assert not engine.has(SHOW.v1)
    assert on_disk(download_dir) == []

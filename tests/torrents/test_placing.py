from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fakes import FakeEngine
from tests.torrents.shelf import HYBRID, SHOW, limits_of, on_disk, only, torrent
from uuutorrent.accounts import Accounts, Operator, User
from uuutorrent.errors import Conflict, Invalid
from uuutorrent.store.database import Database
from uuutorrent.torrents.engine import NewTorrent, Phase
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live


async def test_what_was_added_while_the_engine_was_away_is_added_later(
    library: Library, engine: FakeEngine, ann: User
) -> None:
    engine.go_down()
    added = await library.add(ann, SHOW)
    await library.reconcile()
    engine.come_back()
    await library.reconcile()

    assert "as soon as qBittorrent answers" in added.queued
    assert engine.has(SHOW.v1)


async def test_an_add_lost_by_a_kill_is_added_again(library: Library, engine: FakeEngine, ann: User) -> None:
    engine.lose_adds = True
    await library.add(ann, SHOW, media_id=21, episode=1)
    engine.lose_adds = False
    await library.reconcile()

    assert engine.get(SHOW.v1).tags == {"uuutorrent", f"user:{ann.id}", "anilist:21", "ep:1"}
    assert engine.get(SHOW.v1).category == "u/ann"


async def test_one_that_was_there_is_added_again_when_it_is_missed_twice(
    library: Library, engine: FakeEngine, ann: User
) -> None:
    await library.add(ann, SHOW)
    await library.reconcile()
    engine.lose(SHOW.v1)
    await library.reconcile()
    once = engine.has(SHOW.v1)
    await library.reconcile()

    assert not once
    assert engine.has(SHOW.v1)


async def test_a_paused_one_is_added_again_paused(library: Library, engine: FakeEngine, ann: User) -> None:
    await library.add(ann, SHOW)
    await library.pause(ann, SHOW.v1)
    engine.lose(SHOW.v1)
    await library.reconcile()

    assert engine.get(SHOW.v1).phase is Phase.PAUSED


async def test_what_the_engine_refuses_is_told_and_not_tried_all_the_time(
    library: Library, engine: FakeEngine, ann: User
) -> None:
    engine.lose_adds = True
    await library.add(ann, SHOW)
    engine.add_error = Invalid("it is broken")
    for _ in range(3):
        await library.reconcile()

    assert (await only(library, ann)).note == "qBittorrent does not take it: it is broken"
    assert engine.calls.count(f"add {SHOW.v1}") == 2


async def test_completion_is_written_down_and_stays_while_the_engine_is_away(
    database: Database, library: Library, engine: FakeEngine, ann: User, download_dir: Path
) -> None:
    await library.add(ann, SHOW)
    engine.complete(SHOW.v1)
    await library.reconcile()
    engine.go_down()

    away = Live(engine, poll_s=0.001)
    later = Library(database, engine, away, limits_of(database), download_dir)
    await away.refresh()
    holding = await only(later, ann)
    (finished,) = await later.finished(ann)

    assert (holding.phase, holding.progress) == (Phase.COMPLETE, 1.0)
    assert holding.note == "Waiting for qBittorrent."
    assert finished.files == ("Show - 01.mkv",)


async def test_damage_takes_the_completion_back(library: Library, engine: FakeEngine, live: Live, ann: User) -> None:
    await library.add(ann, SHOW)
    engine.complete(SHOW.v1)
    await library.reconcile()
    engine.change(SHOW.v1, phase=Phase.CHECKING, progress=0.1)
    await library.reconcile()
    stored = await library.claimed(ann, SHOW.v1)
    engine.change(SHOW.v1, phase=Phase.DOWNLOADING, progress=0.9)
    await library.reconcile()
    undone = await library.claimed(ann, SHOW.v1)

    assert stored is not None
    assert stored.completed_at is not None
    assert undone is not None
    assert undone.completed_at is None


async def test_strangers_in_the_engine_are_left_alone(library: Library, engine: FakeEngine, ann: User) -> None:
    await library.add(ann, SHOW)
    await library.delete(ann, SHOW.v1, with_files=True)
    stranger = torrent("stranger")
    await engine.add(NewTorrent(stranger.v1, "", stranger.name, stranger.raw, None, "/srv/mine", "mine"))
    calls = list(engine.calls)
    await library.reconcile()

    assert engine.has(stranger.v1)
    assert engine.calls == calls
    assert await library.holdings(ann) == ()


async def test_what_the_engine_has_from_elsewhere_is_not_taken_over(
    library: Library, engine: FakeEngine, ann: User
) -> None:
    await engine.add(NewTorrent(SHOW.v1, "", SHOW.name, SHOW.raw, None, "/srv/mine", "mine"))

    with pytest.raises(Conflict, match="not from here"):
        await library.add(ann, SHOW)
    await library.reconcile()

    assert engine.has(SHOW.v1)
    assert engine.get(SHOW.v1).tags == frozenset()
    assert await library.holdings(ann) == ()


async def test_it_waits_for_an_engine_that_is_starting(
    library: Library, engine: FakeEngine, live: Live, ann: User
) -> None:
    engine.go_down()
    await library.add(ann, SHOW)
    await live.refresh()
    reconciling = asyncio.ensure_future(library.reconcile(patience_s=10))
    while not live.lookers:
        await library.usage(ann)
    engine.come_back()
    await live.refresh()
    await reconciling

    assert engine.has(SHOW.v1)


async def test_it_does_not_wait_longer_than_it_should(library: Library, engine: FakeEngine, live: Live) -> None:
    engine.go_down()
    await live.refresh()
    async with asyncio.timeout(30):
        await library.reconcile(patience_s=0.01)


async def test_nothing_is_done_while_the_engine_is_away(library: Library, engine: FakeEngine, ann: User) -> None:
    await library.add(ann, SHOW)
    await library.reconcile()
    engine.go_down()
    calls = list(engine.calls)
    for _ in range(3):
        await library.reconcile()
    engine.come_back()
    await library.reconcile()

    assert engine.calls == calls


async def test_a_delete_while_the_engine_is_away_is_done_later(
    library: Library, engine: FakeEngine, ann: User, download_dir: Path
) -> None:
    await library.add(ann, SHOW)
    engine.complete(SHOW.v1, {"Show - 01.mkv": b"x"})
    engine.go_down()
    said = await library.delete(ann, SHOW.v1, with_files=True)
    gone = await library.holdings(ann)
    engine.come_back()
    still_there = engine.has(SHOW.v1)
    await library.reconcile()

    assert "off your list" in said
    assert gone == ()
    assert still_there
    assert not engine.has(SHOW.v1)
    assert on_disk(download_dir) == []


async def test_a_wish_to_keep_the_files_outlives_the_outage(
    library: Library, engine: FakeEngine, ann: User, download_dir: Path
) -> None:
    await library.add(ann, SHOW)
    engine.complete(SHOW.v1, {"Show - 01.mkv": b"x"})
    engine.go_down()
    await library.delete(ann, SHOW.v1, with_files=False)
    engine.come_back()
    await library.reconcile()

    assert not engine.has(SHOW.v1)
    assert (download_dir / SHOW.v1 / "Show - 01.mkv").exists()


async def test_one_claimed_again_before_it_was_swept_stays(
    library: Library, engine: FakeEngine, ann: User, bob: User
) -> None:
    await library.add(ann, SHOW)
    engine.go_down()
    await library.delete(ann, SHOW.v1, with_files=True)
    await library.add(bob, SHOW)
    engine.come_back()
    await library.reconcile()

    assert engine.has(SHOW.v1)
    assert len(await library.holdings(bob)) == 1


async def test_the_torrents_of_a_deleted_user_go(
    library: Library, accounts: Accounts, engine: FakeEngine, ann: User, bob: User
) -> None:
    await library.add(ann, SHOW)
    await library.add(ann, torrent("both"))
    await library.add(bob, torrent("both"))
    await accounts.delete(Operator(), "ann")
    await library.reconcile()

    assert not engine.has(SHOW.v1)
    assert engine.has(torrent("both").v1)


async def test_metadata_tells_a_magnets_name_size_and_other_hash(
    library: Library, engine: FakeEngine, ann: User
) -> None:
    await library.add_given(ann, f"magnet:?xt=urn:btih:{HYBRID.v1}")
    await library.reconcile()
    engine.metadata(HYBRID.v1, "Show", {"Show/01.mkv": 5}, v2=HYBRID.v2)
    await library.reconcile()

    holding = await only(library, ann)
    assert (holding.name, holding.size_bytes, holding.infohash) == ("Show", 5, HYBRID.v1)
    assert (await library.details(ann, HYBRID.v2)).files[0].path == "Show/01.mkv"
    assert "Paused" in await library.pause(ann, HYBRID.v1)
    await library.delete(ann, HYBRID.v2, with_files=True)
    assert not engine.has(HYBRID.v1)


async def test_two_magnets_that_turn_out_to_be_one_torrent_become_one(
    library: Library, engine: FakeEngine, ann: User, bob: User
) -> None:
    await library.add_given(ann, f"magnet:?xt=urn:btih:{HYBRID.v1}")
    await library.add_given(bob, f"magnet:?xt=urn:btmh:1220{HYBRID.v2}")
    await library.add_given(ann, f"magnet:?xt=urn:btmh:1220{HYBRID.v2}")
    await library.reconcile()
    engine.lose(HYBRID.v2)
    engine.metadata(HYBRID.v1, "Show", {"Show/01.mkv": 5}, v2=HYBRID.v2)
    await library.reconcile()

    assert (await only(library, ann)).shared
    assert (await only(library, bob)).infohash == HYBRID.v1
    await library.delete(ann, HYBRID.v1, with_files=True)
    assert engine.has(HYBRID.v1)
    await library.delete(bob, HYBRID.v2, with_files=True)
    assert not engine.has(HYBRID.v1)

"""What every look writes down, on each database: over a real library, an engine in memory and a clock that is moved."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.automation.evening import Clock
from tests.automation.ward import Ward
from tests.desks import built
from uuutorrent.accounts import Admin, User
from uuutorrent.automation.health.health import Cause, Verdict
from uuutorrent.config import Health
from uuutorrent.store.database import NOBODY, Database
from uuutorrent.store.tables import ObservationRow
from uuutorrent.torrents.engine import EngineId, InfoHash, Phase, Tracker

BROKEN_MAGNET = "b" * 40


@pytest.fixture
async def ward(database: Database, tmp_path: Path) -> AsyncIterator[Ward]:
    async with built(database, tmp_path) as opened:
        clock = Clock(datetime.now(UTC) + timedelta(hours=1))
        ward = Ward(opened, database, clock, opened.services.observations)
        ward.observations = ward.another()
        yield ward


async def rows(ward: Ward) -> dict[str, ObservationRow]:
    async with ward.database.begin(NOBODY) as tx:
        return {row.infohash: row for row in await tx.scalars(select(ObservationRow))}


async def test_a_download_to_which_no_byte_comes_is_unwell_after_a_quarter_of_an_hour(ward: Ward, ann: User) -> None:
    good, bad = await ward.add(ann, "Good - 01.mkv"), await ward.add(ann, "Bad - 02.mkv")
    for minute in range(15):
        ward.engine.progress(good, minute / 100)
        assert await ward.look() == ()
    ward.engine.progress(good, 0.2)
    (unwell,) = await ward.look()
    assert (unwell.infohash, unwell.name) == (bad, "Bad - 02.mkv")
    assert (unwell.verdict, unwell.cause, unwell.is_content) == (Verdict.STALLED, Cause.STILL, False)
    assert unwell.why == "no byte came for 15 min, with 1 said to have it all"
    assert unwell.since == ward.clock()
    assert not unwell.is_complete

    since = ward.clock()
    (unwell,) = await ward.look(5)
    assert (unwell.why[:26], unwell.since) == ("no byte came for 20 min, w", since)
    ward.engine.progress(bad, 0.1)
    assert await ward.look() == ()
    assert (await rows(ward))[bad].since == ward.clock()


async def test_a_restarted_daemon_goes_on_counting_but_does_not_count_the_time_it_was_off(
    ward: Ward, ann: User
) -> None:
    await ward.add(ann, "Bad - 01.mkv")
    assert await ward.look(11) == ()
    ward.clock.move(hours=9)
    again = ward.another()
    assert await ward.look(5, again) == ()
    assert [one.verdict for one in await ward.look(1, again)] == [Verdict.STALLED]


async def test_an_engine_that_is_away_says_nothing_about_any_download(ward: Ward, ann: User) -> None:
    bad = await ward.add(ann, "Bad - 01.mkv")
    await ward.look(10)
    before = (await rows(ward))[bad]
    ward.engine.go_down()
    await ward.look(60)
    after = (await rows(ward))[bad]
    assert (after.still_s, after.seen_at) == (before.still_s, before.seen_at)
    ward.engine.come_back()
    assert await ward.look(6) == ()
    assert len(await ward.look(1)) == 1


async def test_paused_queued_and_checked_ones_are_left_in_peace(ward: Ward, ann: User) -> None:
    hashes = [await ward.add(ann, f"Resting - 0{n}.mkv") for n in range(1, 4)]
    for infohash, phase in zip(hashes, (Phase.PAUSED, Phase.QUEUED, Phase.CHECKING), strict=True):
        ward.engine.change(infohash, phase=phase)
    assert await ward.look(40) == ()


async def test_looking_twice_at_once_counts_once(ward: Ward, ann: User) -> None:
    bad = await ward.add(ann, "Bad - 01.mkv")
    first, second = ward.another(), ward.another()
    await ward.look()
    for _ in range(10):
        ward.clock.move(seconds=60)
        await ward.built.services.live.refresh()
        await asyncio.gather(first.look_once(), second.look_once())
    assert (await rows(ward))[bad].still_s == 600


async def test_a_torrent_given_up_while_it_is_looked_at_is_no_error(ward: Ward, ann: User) -> None:
    kept, gone = await ward.add(ann, "Kept - 01.mkv"), await ward.add(ann, "Gone - 02.mkv")
    await ward.look()
    await ward.library.delete(ann, gone, with_files=True)
    await ward.look()
    assert set(await rows(ward)) == {kept}


async def test_a_tracker_that_does_not_know_it_is_quoted(ward: Ward, ann: User) -> None:
    bad = await ward.add(ann, "Bad - 01.mkv")
    ward.engine.trackers_of[bad] = (Tracker("http://tracker/announce", "not working", 0, 0, "Unregistered torrent"),)
    assert await ward.look(3) == ()
    (unwell,) = await ward.look()
    assert (unwell.verdict, unwell.cause) == (Verdict.BROKEN, Cause.UNREGISTERED)
    assert unwell.why == "no byte comes, and its tracker does not know it: Unregistered torrent"
    ward.engine.trackers_of[bad] = (Tracker("http://tracker/announce", "working", 3, 0, ""),)
    assert await ward.look() == ()


async def test_an_engine_that_goes_away_in_the_middle_of_a_look_is_asked_once_more_only(ward: Ward, ann: User) -> None:
    for number in range(1, 6):
        await ward.add(ann, f"Bad - 0{number}.mkv")
    await ward.look(16)
    snapshot = await ward.built.services.live.refresh()
    assert snapshot.engine_up
    asked, away = [], ward.engine.trackers

    async def goes_away(id: EngineId) -> tuple[Tracker, ...]:
        asked.append(id)
        ward.engine.go_down()
        return await away(id)

    ward.engine.trackers = goes_away  # type: ignore[method-assign]  # it dies at this question
    ward.clock.move(seconds=60)
    await ward.observations.look_once()
    assert len(asked) == 1
    assert len(await ward.observations.unwell()) == 5


async def test_errors_and_lost_files_are_broken_at_once_also_when_it_was_complete(ward: Ward, ann: User) -> None:
    one, two = await ward.add(ann, "One - 01.mkv"), await ward.add(ann, "Two - 02.mkv")
    ward.engine.complete(two)
    await ward.library.reconcile()
    ward.engine.change(one, phase=Phase.ERROR)
    ward.engine.change(two, phase=Phase.MISSING)
    unwell = {one.infohash: (one.cause, one.is_complete) for one in await ward.look()}
    assert unwell == {one: (Cause.ERROR, False), two: (Cause.MISSING, True)}


async def test_a_full_disk_is_not_the_fault_of_a_download(ward: Ward, ann: User) -> None:
    bad = await ward.add(ann, "One - 01.mkv")
    ward.engine.change(bad, phase=Phase.ERROR)
    ward.library.space.floor_bytes = 1 << 60
    assert await ward.look() == ()
    assert (await rows(ward))[bad].why == "the disk is full; it goes on once there is room"


async def test_a_download_folder_that_is_gone_is_the_fault_of_no_torrent(ward: Ward, ann: User) -> None:
    hashes = [await ward.add(ann, f"Show - 0{n}.mkv") for n in range(1, 5)]
    for infohash in hashes[:3]:
        ward.engine.change(infohash, phase=Phase.MISSING)
    assert await ward.look() == ()
    assert {row.why for row in (await rows(ward)).values()} == {"most torrents fail at once, so it is the disk", ""}
    ward.engine.change(hashes[0], phase=Phase.DOWNLOADING)
    assert len(await ward.look()) == 2


async def test_metadata_that_never_comes_is_unwell_and_that_which_comes_is_looked_at(ward: Ward, ann: User) -> None:
    never = await ward.add_magnet(ann, "a" * 40)
    comes = await ward.add_magnet(ann, BROKEN_MAGNET)
    await ward.look(10)
    ward.engine.metadata(comes, "Show - 01", {"Show - 01/Show - 01.mkv.exe": 9_000_000, "Show - 01/readme.txt": 5})
    (content,) = await ward.look()
    assert (content.infohash, content.cause, content.is_content) == (comes, Cause.CONTENT, True)
    assert content.why == "what it holds is no video but Show - 01.mkv.exe"
    both = {one.infohash: one.why for one in await ward.look(5)}
    assert both[InfoHash(never)] == "its metadata has not come for 15 min"


async def test_what_was_added_by_hand_may_hold_what_it_likes(ward: Ward, ann: User) -> None:
    by_hand = await ward.add(ann, "game.exe", episode=None)
    claimed = await ward.add(ann, "Show - 01.mkv.exe")
    assert {one.infohash for one in await ward.look()} == {claimed}
    assert await ward.look(1, ward.another(Health(probe=False))) == ()
    assert by_hand in await rows(ward)


async def test_slow_ones_are_shown_and_not_treated(ward: Ward, ann: User, bob: User, boss: Admin) -> None:
    slow = await ward.add(ann, "Slow - 01.mkv")
    for minute in range(5):
        ward.engine.change(slow, phase=Phase.DOWNLOADING, progress=minute / 1000, down_bps=10, eta_s=9 * 86_400)
        assert await ward.look() == ()
    (seen,) = (await ward.observations.of(ann)).values()
    assert (seen.verdict, seen.why) == (Verdict.SLOW, "at the rate of now it takes another 9 days")
    assert await ward.observations.of(bob) == {}
    assert [one.name for one in await ward.observations.every(boss)] == ["Slow - 01.mkv"]
    assert ward.observations.verdicts == {Verdict.SLOW: 1}


async def test_each_sees_only_their_own(ward: Ward, ann: User, bob: User) -> None:
    shared = await ward.add(ann, "Shared - 01.mkv")
    await ward.add(bob, "Shared - 01.mkv")
    hers = await ward.add(ann, "Hers - 02.mkv")
    await ward.look(17)
    assert set(await ward.observations.of(ann)) == {shared, hers}
    assert set(await ward.observations.of(bob)) == {shared}


async def test_what_nobody_waits_for_is_not_written_down_again_and_again(ward: Ward, ann: User) -> None:
    infohash = await ward.add(ann, "Show - 01.mkv")
    await ward.look()
    ward.engine.change(infohash, phase=Phase.PAUSED)
    await ward.look()
    before = (await rows(ward))[infohash].seen_at
    await ward.look(5)
    assert (await rows(ward))[infohash].seen_at == before


async def test_torrents_that_were_complete_long_ago_are_not_dug_up(ward: Ward, ann: User) -> None:
    infohash = await ward.add(ann, "Old - 01.mkv")
    ward.engine.complete(infohash)
    ward.clock.move(days=3)
    await ward.look(3)
    assert await rows(ward) == {}

"""The panic key: everything stands still, and then exactly what ran before runs again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fakes import FakeEngine
from tests.torrents import metainfos
from tests.torrents.shelf import limits_of, torrent
from uuutorrent import config
from uuutorrent.accounts import Accounts, Admin, Operator, User
from uuutorrent.errors import Halted, Invalid, Refused
from uuutorrent.store.database import Database
from uuutorrent.torrents.engine import EngineId, NewTorrent, Phase
from uuutorrent.torrents.holdings import Part
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.metainfo import parse_torrent
from uuutorrent.torrents.panic import AGAIN_S, GONE_S, Panic

RUNS = {Phase.DOWNLOADING, Phase.SEEDING, Phase.METADATA}


@dataclass
class Killed(FakeEngine):
    """An engine in the middle of whose work the daemon is killed, or somebody else does something."""

    kills_at: str = ""
    meanwhile: dict[str, Callable[[], Awaitable[object]]] = field(default_factory=dict)

    async def stop(self, ids: Sequence[EngineId]) -> None:
        await self._others("before stop")
        await self._until_killed("stop", super().stop, ids)
        await self._others("after stop")

    async def start(self, ids: Sequence[EngineId]) -> None:
        await self._until_killed("start", super().start, ids)
        await self._others("after start")

    async def set_priority(self, id: EngineId, indexes: Sequence[int], priority: int) -> None:
        await self._others("before set_priority")
        await super().set_priority(id, indexes, priority)

    async def tag(self, ids: Sequence[EngineId], *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        await self._others("before tag")
        await super().tag(ids, add=add, remove=remove)

    async def _others(self, at: str) -> None:
        if at in self.meanwhile:
            await self.meanwhile.pop(at)()

    async def _until_killed(self, at: str, work: object, ids: Sequence[EngineId]) -> None:
        assert callable(work)
        if self.kills_at != at:
            await work(ids)
            return
        await work(ids[:1])
        self.kills_at = ""
        raise asyncio.CancelledError


@pytest.fixture
def engine() -> Killed:
    return Killed()


@pytest.fixture
def limits() -> config.Torrents:
    return config.Torrents(quota_active=3)


@pytest.fixture
async def busy(library: Library, engine: Killed, live: Live, ann: User, bob: User, download_dir: Path) -> Library:
    """Two downloads of Ann's, one that seeds and one that she paused; one of Bob's; one that is not from here."""
    for name in ("loads", "seeds", "paused", "waits"):
        await library.add(ann, torrent(name))
    engine.complete(torrent("seeds").v1, {"seeds": b"x"})
    await library.pause(ann, torrent("paused").v1)
    await library.add(bob, torrent("bobs"))
    foreign = parse_torrent(metainfos.single("foreign", 1000))
    await engine.add(NewTorrent(foreign.v1, "", "foreign", foreign.raw, None, str(download_dir), ""))
    await live.refresh()
    await library.reconcile()
    await library.guard.turn()
    await live.refresh()
    return library


def running(engine: FakeEngine) -> list[str]:
    return sorted(one.name for one in engine._torrents.values() if one.phase in RUNS)


ALL = ["bobs", "foreign", "loads", "seeds", "waits"]


async def test_what_ran_before_runs_again_and_nothing_else(
    busy: Library, engine: Killed, live: Live, ann: User, boss: Admin, accounts: Accounts
) -> None:
    held = torrent("waits").v1
    await busy.limits.set(Operator(), "ann", {"active": 1})
    await live.refresh()
    await busy.guard.turn()
    before = running(engine)
    assert before == ["bobs", "foreign", "loads", "seeds"]

    halt = await busy.panic.press(boss, "too much  traffic")
    assert running(engine) == []
    assert (halt.by, halt.reason) == ("boss", "too much traffic")
    # Neither the guard, which would let go what waits, nor who keeps order starts anything.
    await busy.limits.set(Operator(), "ann", {"active": 9})
    await live.refresh()
    guarded = await busy.guard.turn()
    assert guarded is not None  # so that what there is of the disk is told
    assert guarded.disk.free_bytes > 0
    assert ([one.name for one in guarded.queued], guarded.waiting, guarded.changed) == (["waits"], (), ())
    await busy.reconcile()
    assert running(engine) == []

    assert await busy.panic.release(boss) == halt
    assert running(engine) == before
    assert await busy.panic.look() is None
    assert await busy.panic.release(boss) is None
    await live.refresh()
    await busy.guard.turn()
    assert engine.get(held).phase is Phase.DOWNLOADING
    acts = [(note.act, note.who, note.detail) for note in await accounts.audit.search(boss, "panic")]
    assert acts == [("panic off", "boss", ""), ("panic on", "boss", "too much traffic")]


async def test_people_are_told_and_can_stop_more_meanwhile(
    busy: Library, engine: Killed, ann: User, bob: User, boss: Admin
) -> None:
    await busy.panic.press(boss, "a letter")
    for asked in (
        lambda: busy.add(bob, torrent("new")),
        lambda: busy.add_given(bob, "http://tracker.example/1.torrent"),
        lambda: busy.resume(ann, torrent("paused").v1),
        lambda: busy.replace(ann, torrent("loads").v1, torrent("other"), media_id=1, episode=1),
    ):
        with pytest.raises(Halted, match=r"An admin paused everything \(a letter\), since 20..-..-.. ..:.. UTC\."):
            await asked()
    assert len(await busy.holdings(bob)) == 1
    await busy.pause(ann, torrent("loads").v1)
    await busy.delete(bob, torrent("bobs").v1, with_files=True)
    await busy.panic.release(boss)
    assert running(engine) == ["foreign", "seeds", "waits"]


async def test_a_kill_in_the_middle_of_either_is_made_good_at_the_next_start(
    busy: Library, database: Database, engine: Killed, live: Live, download_dir: Path, boss: Admin
) -> None:
    engine.kills_at = "stop"
    with pytest.raises(asyncio.CancelledError):
        await busy.panic.press(boss)
    assert len(running(engine)) == len(ALL) - 1
    again = Library(database, engine, live, limits_of(database), download_dir)
    await again.panic.turn()
    assert running(engine) == []

    engine.kills_at = "start"
    with pytest.raises(asyncio.CancelledError):
        await again.panic.release(boss)
    assert len(running(engine)) == 1
    third = Library(database, engine, live, limits_of(database), download_dir)
    await third.panic.turn()
    assert running(engine) == ALL
    calls = len(engine.calls)
    await third.panic.turn()
    assert len(engine.calls) == calls


async def test_of_two_daemons_either_may_be_asked(
    busy: Library, database: Database, engine: Killed, live: Live, download_dir: Path, boss: Admin
) -> None:
    other = Library(database, engine, live, limits_of(database), download_dir)
    await asyncio.gather(busy.panic.press(boss, "one"), other.panic.press(boss, "one"))
    assert running(engine) == []
    # A magnet that somebody puts into qBittorrent itself does not run for long.
    await engine.add(NewTorrent("a" * 40, "", "magnet", None, f"magnet:?xt=urn:btih:{'a' * 40}", "/", ""))
    await live.refresh()
    await other.panic.turn()
    assert running(engine) == []
    await other.panic.release(boss)
    await busy.panic.turn()
    assert busy.panic.halt is None
    assert running(engine) == sorted([*ALL, "magnet"])


async def test_who_lets_go_forgets_nothing_that_another_stops_again_at_that_moment(
    busy: Library, database: Database, engine: Killed, live: Live, download_dir: Path, boss: Admin
) -> None:
    other = Library(database, engine, live, limits_of(database), download_dir)
    await busy.panic.press(boss)
    engine.meanwhile["after start"] = lambda: other.panic.press(boss)
    await busy.panic.release(boss)
    assert running(engine) == []
    await other.panic.release(boss)
    assert running(engine) == ALL


async def test_who_stops_late_notes_anew_what_another_forgot_before_it_pressed_again(
    busy: Library, database: Database, engine: Killed, live: Live, download_dir: Path, boss: Admin
) -> None:
    other = Library(database, engine, live, limits_of(database), download_dir)
    engine.meanwhile["before stop"] = lambda: other.panic.release(boss)
    engine.meanwhile["after stop"] = lambda: other.panic.press(boss)
    await busy.panic.press(boss)
    assert running(engine) == []
    await other.panic.release(boss)
    assert running(engine) == ALL


async def test_a_part_whose_files_are_chosen_over_both_runs_in_the_end(
    busy: Library, database: Database, engine: Killed, live: Live, download_dir: Path, bob: User, boss: Admin
) -> None:
    batch = parse_torrent(metainfos.several("Batch", {"01.mkv": 1000, "02.mkv": 1000}))
    engine.meanwhile["before set_priority"] = lambda: busy.panic.press(boss)
    engine.meanwhile["before tag"] = lambda: busy.panic.release(boss)
    await busy.add(bob, batch, media_id=7, episode=1, part=Part(7, {1: (0,)}, [1000, 1000]))
    await live.refresh()
    await busy.reconcile()
    await Library(database, engine, live, limits_of(database), download_dir).panic.turn()
    assert running(engine) == sorted([*ALL, "Batch"])
    assert "02.mkv" not in engine.asked_for


async def test_what_was_given_up_while_qbittorrent_was_away_is_not_started_for_a_last_moment(
    busy: Library, engine: Killed, bob: User, boss: Admin
) -> None:
    given_up = torrent("bobs").v1
    await busy.panic.press(boss)
    engine.go_down()
    await busy.delete(bob, given_up, with_files=True)
    engine.come_back()
    await busy.panic.release(boss)
    assert f"start {given_up}" not in " ".join(engine.calls)
    await busy.reconcile()
    assert running(engine) == ["foreign", "loads", "seeds", "waits"]


async def test_what_was_deleted_by_hand_long_ago_keeps_nobody_from_waiting_for_a_slow_start(
    busy: Library, database: Database, engine: Killed, live: Live, boss: Admin
) -> None:
    now = 0.0
    panic = Panic(database, busy._claims, engine, live, clock=lambda: now)
    await panic.press(boss)
    engine.lose(torrent("bobs").v1)
    await panic.release(boss)
    now += AGAIN_S
    await panic.press(boss)
    now += GONE_S
    kept = engine.get(torrent("loads").v1)
    engine.lose(kept.v1)
    await panic.release(boss)
    engine._torrents[kept.id] = kept  # listed by now
    now += AGAIN_S
    await panic.turn()
    assert running(engine) == ["foreign", "loads", "seeds", "waits"]


async def test_while_qbittorrent_is_away_it_is_done_as_soon_as_it_answers(
    busy: Library, engine: Killed, live: Live, boss: Admin
) -> None:
    engine.go_down()
    await busy.panic.press(boss)
    await busy.panic.turn_once()
    engine.come_back()
    assert running(engine) == ALL
    await busy.panic.turn_once()
    assert running(engine) == []
    engine.go_down()
    await busy.panic.release(boss)
    engine.come_back()
    await busy.panic.turn_once()
    assert running(engine) == ALL


async def test_what_was_on_its_way_into_the_engine_runs_once_it_goes_on(
    busy: Library, engine: Killed, live: Live, bob: User, boss: Admin
) -> None:
    engine.go_down()
    assert (await busy.add(bob, torrent("late"))).queued
    engine.come_back()
    await busy.panic.press(boss)
    await live.refresh()
    await busy.reconcile()
    assert engine.get(torrent("late").v1).phase is Phase.PAUSED
    await busy.panic.release(boss)
    assert running(engine) == sorted([*ALL, "late"])


async def test_what_is_checked_is_judged_by_what_it_does_afterwards(
    busy: Library, engine: Killed, live: Live, boss: Admin
) -> None:
    loads, paused = torrent("loads").v1, torrent("paused").v1
    engine.change(loads, phase=Phase.CHECKING)
    engine.change(paused, phase=Phase.CHECKING)
    await busy.panic.press(boss)
    engine.change(loads, phase=Phase.DOWNLOADING)
    engine.change(paused, phase=Phase.PAUSED)
    await live.refresh()
    await busy.panic.turn()
    assert running(engine) == []
    await busy.panic.release(boss)
    assert running(engine) == ALL


async def test_only_who_is_an_admin_now_and_with_a_reason_that_can_be_read(
    busy: Library, engine: Killed, accounts: Accounts, ann: User, boss: Admin
) -> None:
    with pytest.raises(Refused, match="only admins"):
        await busy.panic.press(Admin(ann))
    with pytest.raises(Invalid, match="at most 200"):
        await busy.panic.press(boss, "x" * 201)
    await busy.panic.press(boss)
    with pytest.raises(Refused, match="only admins"):
        await busy.panic.release(Admin(ann))
    assert running(engine) == []

"""As many downloads of each user run as may; the newest wait, and go on by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import FakeEngine
from tests.torrents import metainfos
from tests.torrents.shelf import limits_of, torrent
from uuutorrent import config
from uuutorrent.accounts import Operator, User, UserId
from uuutorrent.store.database import Database
from uuutorrent.torrents.engine import Phase
from uuutorrent.torrents.guard import whose_turn
from uuutorrent.torrents.holdings import Claim, Part, Stored
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.metainfo import parse_torrent

WAITS = "It waits: 2 of your downloads run already. It goes on by itself."
LATER = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def limits() -> config.Torrents:
    return config.Torrents(quota_active=2)


async def turn(library: Library, live: Live) -> None:
    await live.refresh()
    await library.guard.turn()
    await live.refresh()


async def add(library: Library, user: User, *names: str) -> list[str]:
    return [str((await library.add(user, torrent(name))).infohash) for name in names]


async def phases(library: Library, user: User) -> dict[str, str]:
    return {one.name: one.phase.value for one in await library.holdings(user)}


async def test_the_newest_wait_and_go_on_by_themselves_when_one_is_complete(
    library: Library, engine: FakeEngine, live: Live, ann: User, bob: User
) -> None:
    one, _, three, _ = await add(library, ann, "one", "two", "three", "four")
    await add(library, bob, "bobs")
    await live.refresh()
    assert await phases(library, ann) == {
        "one": "downloading", "two": "downloading", "three": "queued", "four": "queued"
    }  # fmt: skip
    assert {holding.name: holding.note for holding in await library.holdings(ann) if holding.note} == {
        "three": WAITS, "four": WAITS
    }  # fmt: skip
    assert (await library.details(ann, three)).holding.note == (
        "It waits: enough of your downloads run already. It goes on by itself."
    )
    assert await phases(library, bob) == {"bobs": "downloading"}

    engine.complete(one, {"one": b"x" * 1000})
    await live.refresh()
    await library.reconcile()
    await turn(library, live)
    assert await phases(library, ann) == {
        "one": "seeding",
        "two": "downloading",
        "three": "downloading",
        "four": "queued",
    }


async def test_of_those_who_add_at_once_no_more_run_than_may(library: Library, engine: FakeEngine, ann: User) -> None:
    await asyncio.gather(*(add(library, ann, f"number {n}") for n in range(6)))
    running = [one for one in await engine.torrents() if one.phase is Phase.DOWNLOADING]
    assert len(running) == 2
    assert (await library.usage(ann)).running == 2


async def test_a_limit_that_is_lowered_stops_the_newest_and_one_that_is_raised_lets_them_go_on(
    library: Library, live: Live, ann: User
) -> None:
    await add(library, ann, "one", "two", "three")
    for most, running in ((1, ["one"]), (0, ["one", "two", "three"]), (2, ["one", "two"]), (None, ["one", "two"])):
        await library.limits.set(Operator(), "ann", {"active": most})
        await turn(library, live)
        assert sorted(name for name, phase in (await phases(library, ann)).items() if phase == "downloading") == sorted(
            running
        )


async def test_a_shared_download_runs_if_either_has_room(
    library: Library, engine: FakeEngine, live: Live, ann: User, bob: User
) -> None:
    *_, three = await add(library, ann, "one", "two", "three")
    await turn(library, live)
    assert engine.get(three).phase is Phase.PAUSED

    await add(library, bob, "three")
    await turn(library, live)
    assert engine.get(three).phase is Phase.DOWNLOADING
    assert (await phases(library, ann))["three"] == "downloading"

    await library.delete(bob, three, with_files=True)
    await turn(library, live)
    assert engine.get(three).phase is Phase.PAUSED
    assert (await phases(library, ann))["three"] == "queued"


async def test_who_pauses_one_gives_its_turn_to_another_and_resumes_it_in_its_place(
    library: Library, live: Live, ann: User, engine: FakeEngine
) -> None:
    one, two, three = await add(library, ann, "one", "two", "three")
    await library.pause(ann, one)
    await turn(library, live)
    assert await phases(library, ann) == {"one": "paused", "two": "downloading", "three": "downloading"}

    assert await library.resume(ann, one) == "one waits: 2 of your downloads run already. It goes on by itself."
    assert engine.get(one).phase is Phase.PAUSED
    await turn(library, live)
    assert await phases(library, ann) == {"one": "downloading", "two": "downloading", "three": "queued"}

    assert await library.resume(ann, one) == "Resumed one."
    await library.pause(ann, three)
    await library.pause(ann, two)
    await turn(library, live)
    assert await phases(library, ann) == {"one": "downloading", "two": "paused", "three": "paused"}
    assert await library.resume(ann, three) == "Resumed three."


async def test_what_waits_goes_on_waiting_after_a_restart_and_beside_a_second_daemon(
    database: Database, library: Library, engine: FakeEngine, live: Live, ann: User, download_dir: Path
) -> None:
    limits = limits_of(database, config.Torrents(quota_active=2))
    other = Library(database, engine, live, limits, download_dir)
    *_, three = await add(library, ann, "one", "two", "three")
    for one in (library, other, library):
        await one.reconcile()
        await turn(one, live)
        assert engine.get(three).phase is Phase.PAUSED
        assert (await phases(one, ann))["three"] == "queued"
    engine.lose(three)
    await live.refresh()
    await other.reconcile()
    await other.reconcile()
    assert engine.get(three).phase is Phase.PAUSED


async def test_what_somebody_started_past_the_daemon_is_stopped_again(
    library: Library, engine: FakeEngine, live: Live, ann: User
) -> None:
    *_, three = await add(library, ann, "one", "two", "three")
    await engine.start([engine.id_of(three)])
    await turn(library, live)
    assert engine.get(three).phase is Phase.PAUSED


async def test_a_download_that_is_broken_takes_nobodys_turn(
    library: Library, engine: FakeEngine, live: Live, ann: User
) -> None:
    one, _, three = await add(library, ann, "one", "two", "three")
    engine.change(one, phase=Phase.ERROR, progress=0.5)
    await turn(library, live)
    assert engine.get(three).phase is Phase.DOWNLOADING


async def test_an_episode_out_of_a_batch_waits_with_its_files_chosen(
    library: Library, engine: FakeEngine, live: Live, ann: User
) -> None:
    await add(library, ann, "one", "two")
    batch = parse_torrent(metainfos.several("Batch", {"01.mkv": 1000, "02.mkv": 1000}))
    part = Part(7, {1: (0,)}, [file.size_bytes for file in batch.files])
    added = await library.add(ann, batch, media_id=7, episode=1, part=part)
    await turn(library, live)
    assert engine.get(str(added.infohash)).phase is Phase.PAUSED
    assert [file.priority for file in await engine.files(engine.id_of(added.infohash))] == [1, 0]
    await library.limits.set(Operator(), "ann", {"active": 0})
    await turn(library, live)
    assert engine.get(str(added.infohash)).phase is Phase.DOWNLOADING


def stored(number: int, users: Sequence[int], *, stopped: bool = False) -> Stored:
    claims = tuple(Claim(UserId(user), LATER) for user in users)
    at = LATER + timedelta(seconds=number)
    return Stored(number, f"{number:040x}", None, f"{number}", 1, "", stopped, False, at, at, None, claims)


QUEUES = st.lists(st.sets(st.integers(1, 4), min_size=1, max_size=3), max_size=12)


@settings(max_examples=60)
@given(QUEUES, st.dictionaries(st.integers(1, 4), st.integers(0, 3)))
def test_nobody_waits_who_has_room_and_nothing_runs_for_which_nobody_has(
    queue: list[set[int]], most: dict[int, int]
) -> None:
    every = [stored(number, sorted(users)) for number, users in enumerate(queue)]
    turns = whose_turn(every, {UserId(user): number for user, number in most.items()})
    for number, users in enumerate(queue):
        before = {user: sum(user in queue[one] and one in turns for one in range(number)) for user in users}
        has_room = any(not most.get(user) or before[user] < most[user] for user in users)
        assert (number in turns) == has_room

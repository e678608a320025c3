from __future__ import annotations

from datetime import UTC, datetime

from tests.fakes import FakeEngine
from tests.torrents import metainfos
from tests.torrents.shelf import SHOW, only
from uuutorrent.accounts import User
from uuutorrent.torrents.engine import Phase
from uuutorrent.torrents.holdings import Part
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.metainfo import parse_torrent

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


async def seeds(library: Library, engine: FakeEngine, live: Live, user: User) -> str:
    added = await library.add(user, SHOW)
    engine.complete(added.infohash)
    await live.refresh()
    await library.reconcile()
    return added.infohash


async def end_all(library: Library, live: Live) -> list[bool]:
    await live.refresh()
    return [await library.seeding.end(stored.id, NOW) for stored, _ in await library.seeding.running()]


async def test_what_was_ended_is_complete_and_stays_so(
    library: Library, engine: FakeEngine, live: Live, ann: User
) -> None:
    infohash = await seeds(library, engine, live, ann)
    assert await end_all(library, live) == [True]

    await live.refresh()
    await library.reconcile()

    await live.refresh()
    assert (await only(library, ann)).phase is Phase.COMPLETE
    assert engine.get(infohash).phase is Phase.COMPLETE
    assert await end_all(library, live) == []


async def test_who_resumes_it_keeps_it_seeding(library: Library, engine: FakeEngine, live: Live, ann: User) -> None:
    infohash = await seeds(library, engine, live, ann)
    await end_all(library, live)

    await library.resume(ann, infohash)

    assert engine.get(infohash).phase is Phase.SEEDING
    assert await end_all(library, live) == []
    assert engine.get(infohash).phase is Phase.SEEDING


async def test_what_somebody_paused_is_left_alone(library: Library, engine: FakeEngine, live: Live, ann: User) -> None:
    infohash = await seeds(library, engine, live, ann)
    await library.pause(ann, infohash)
    assert await end_all(library, live) == []

    await library.resume(ann, infohash)
    assert await end_all(library, live) == [True]


async def test_a_turn_that_was_cut_short_is_taken_again(
    library: Library, engine: FakeEngine, live: Live, ann: User
) -> None:
    infohash = await seeds(library, engine, live, ann)
    await engine.stop([engine.id_of(infohash)])  # and the daemon was killed

    assert await end_all(library, live) == [True]
    await library.resume(ann, infohash)
    assert await end_all(library, live) == []


async def test_more_episodes_of_a_batch_are_fetched_and_seeded_anew(
    library: Library, engine: FakeEngine, live: Live, ann: User
) -> None:
    batch = parse_torrent(metainfos.several("Batch", {"1.mkv": 100, "2.mkv": 100}))
    sizes = [file.size_bytes for file in batch.files]
    await library.add(ann, batch, media_id=7, episode=1, part=Part(7, {1: (0,)}, sizes))
    engine.complete(batch.v1)
    await live.refresh()
    await library.reconcile()
    assert await end_all(library, live) == [True]

    await library.add(ann, batch, media_id=7, episode=2, part=Part(7, {2: (1,)}, sizes))
    assert engine.get(batch.v1).phase is Phase.DOWNLOADING
    engine.complete(batch.v1)
    await live.refresh()
    await library.reconcile()

    assert await end_all(library, live) == [True]
    await library.resume(ann, batch.v1)
    assert engine.get(batch.v1).phase is Phase.SEEDING


async def test_what_the_engine_lost_and_got_again_may_seed_to_its_limit_anew(
    library: Library, engine: FakeEngine, live: Live, ann: User
) -> None:
    infohash = await seeds(library, engine, live, ann)
    await end_all(library, live)
    engine.lose(infohash)
    for _ in range(2):
        await live.refresh()
        await library.reconcile()
    engine.complete(infohash)
    await live.refresh()
    await library.reconcile()

    assert await end_all(library, live) == [True]


async def test_while_qbittorrent_is_away_nothing_seeds(
    library: Library, engine: FakeEngine, live: Live, ann: User
) -> None:
    await seeds(library, engine, live, ann)
    engine.go_down()
    await live.refresh()
    assert await library.seeding.running() == ()

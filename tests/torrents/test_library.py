from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.fakes import FakeEngine
from tests.torrents.shelf import HYBRID, MAGNET, SHOW, limits_of, only, torrent
from uuutorrent.accounts import Admin, User
from uuutorrent.errors import Invalid, Missing, Refused, Unreachable
from uuutorrent.store.database import Database
from uuutorrent.torrents import library as library_module
from uuutorrent.torrents.engine import Phase
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live


async def test_the_engine_gets_it_with_its_owner_and_episode(
    library: Library, engine: FakeEngine, ann: User, download_dir: Path
) -> None:
    added = await library.add(ann, SHOW, media_id=21, episode=3)

    there = engine.get(SHOW.v1)
    assert added.infohash == SHOW.v1
    assert added.name == "Show - 01.mkv"
    assert not added.already
    assert added.queued == ""
    assert there.tags == {"uuutorrent", f"user:{ann.id}", "anilist:21", "ep:3"}
    assert there.category == "u/ann"
    assert there.save_path == str(download_dir / SHOW.v1)


async def test_it_is_a_holding_at_once_and_follows_the_engine(
    library: Library, engine: FakeEngine, live: Live, ann: User
) -> None:
    engine.lose_adds = True
    await library.add(ann, SHOW, media_id=21, episode=3)
    before = await only(library, ann)
    engine.lose_adds = False
    await library.reconcile()
    engine.progress(SHOW.v1, 0.5)
    await live.refresh()
    after = await only(library, ann)

    assert (before.phase, before.progress, before.size_bytes) == (Phase.ADDING, 0.0, 1000)
    assert (after.phase, after.progress, after.completed_bytes) == (Phase.DOWNLOADING, 0.5, 500)
    assert (after.media_id, after.episode, after.shared, after.owners) == (21, 3, False, ())


async def test_the_same_again_changes_nothing(library: Library, engine: FakeEngine, ann: User) -> None:
    await library.add(ann, SHOW)
    again = await library.add(ann, SHOW, stopped=True)

    assert again.already
    assert engine.calls.count(f"add {SHOW.v1}") == 1
    assert engine.get(SHOW.v1).phase is Phase.DOWNLOADING
    assert len(await library.holdings(ann)) == 1


async def test_it_can_be_added_standing_still(library: Library, engine: FakeEngine, ann: User) -> None:
    await library.add(ann, SHOW, stopped=True)

    assert engine.get(SHOW.v1).phase is Phase.PAUSED


async def test_the_newest_comes_first(library: Library, ann: User) -> None:
    for n in range(3):
        await library.add(ann, torrent(f"Show - {n}.mkv"))

    assert [holding.name for holding in await library.holdings(ann)] == [f"Show - {n}.mkv" for n in (2, 1, 0)]


async def test_what_is_given_as_text_is_understood(library: Library, engine: FakeEngine, ann: User) -> None:
    added = await library.add_given(ann, MAGNET.uri)
    again = await library.add_given(ann, SHOW.raw)

    assert (added.infohash, again.infohash, again.already) == (SHOW.v1, SHOW.v1, True)
    assert (await library.usage(ann)).bytes == 1000


async def test_what_the_engine_refuses_is_claimed_by_nobody(library: Library, engine: FakeEngine, ann: User) -> None:
    engine.add_error = Invalid("qBittorrent cannot read it")

    with pytest.raises(Invalid):
        await library.add(ann, SHOW)

    assert await library.holdings(ann) == ()
    assert (await library.usage(ann)).torrents == 0


async def test_work_of_the_callers_that_fails_takes_the_claim_along(library: Library, ann: User) -> None:
    async def also(*_: object) -> None:
        raise Refused("no")

    with pytest.raises(Refused):
        await library.add(ann, SHOW, also=also)

    assert await library.holdings(ann) == ()


async def test_either_hash_of_a_hybrid_finds_it(library: Library, ann: User) -> None:
    await library.add(ann, HYBRID)

    by_v1 = await library.add_given(ann, f"magnet:?xt=urn:btih:{HYBRID.v1}")
    by_v2 = await library.add_given(ann, f"magnet:?xt=urn:btmh:1220{HYBRID.v2}")

    assert by_v1.already
    assert by_v2.already
    assert (await library.details(ann, HYBRID.v2)).holding.infohash == HYBRID.v1


async def test_pause_and_resume(library: Library, engine: FakeEngine, ann: User) -> None:
    await library.add(ann, SHOW)

    assert await library.pause(ann, SHOW.v1) == "Paused Show - 01.mkv."
    assert engine.get(SHOW.v1).phase is Phase.PAUSED
    assert await library.resume(ann, SHOW.v1) == "Resumed Show - 01.mkv."
    assert engine.get(SHOW.v1).phase is Phase.DOWNLOADING


async def test_recheck(library: Library, engine: FakeEngine, ann: User) -> None:
    await library.add(ann, SHOW)

    assert "Checking" in await library.recheck(ann, SHOW.v1)
    assert engine.get(SHOW.v1).phase is Phase.CHECKING


async def test_files_can_be_left_on_the_disk(
    library: Library, engine: FakeEngine, ann: User, download_dir: Path
) -> None:
    await library.add(ann, SHOW)
    engine.complete(SHOW.v1, {"Show - 01.mkv": b"x"})
    said = await library.delete(ann, SHOW.v1, with_files=False)

    assert "stay on the disk" in said
    assert not engine.has(SHOW.v1)
    assert (download_dir / SHOW.v1 / "Show - 01.mkv").exists()


async def test_what_was_deleted_can_be_added_again(library: Library, engine: FakeEngine, ann: User) -> None:
    await library.add(ann, SHOW)
    await library.delete(ann, SHOW.v1, with_files=True)
    added = await library.add(ann, SHOW)

    assert not added.already
    assert engine.has(SHOW.v1)


async def test_details_show_it_from_near(library: Library, ann: User, live: Live) -> None:
    await library.add(ann, SHOW)
    await live.refresh()

    details = await library.details(ann, SHOW.v1)

    assert [file.path for file in details.files] == ["Show - 01.mkv"]
    assert details.holding == await only(library, ann)


async def test_priorities_order_and_limits(library: Library, engine: FakeEngine, live: Live, ann: User) -> None:
    await library.add(ann, SHOW)
    await library.set_priority(ann, SHOW.v1, [0], 7)
    await library.set_sequential(ann, SHOW.v1, True)
    await library.set_limits(ann, SHOW.v1, down_bps=1000, up_bps=50)
    await live.refresh()

    holding = await only(library, ann)
    assert (await library.details(ann, SHOW.v1)).files[0].priority == 7
    assert (holding.sequential, holding.down_limit_bps, holding.up_limit_bps) == (True, 1000, 50)


async def test_nonsense_is_refused_before_the_engine_sees_it(library: Library, ann: User) -> None:
    await library.add(ann, SHOW)

    with pytest.raises(Invalid):
        await library.set_priority(ann, SHOW.v1, [0], 5)
    with pytest.raises(Invalid):
        await library.set_limits(ann, SHOW.v1, down_bps=-1, up_bps=0)


async def test_while_the_engine_is_away_its_verbs_say_so(library: Library, engine: FakeEngine, ann: User) -> None:
    await library.add(ann, SHOW)
    engine.go_down()

    for verb in (library.pause, library.resume, library.recheck, library.details):
        with pytest.raises(Unreachable):
            await verb(ann, SHOW.v1)


async def test_nothing_of_anns_exists_for_bob(library: Library, engine: FakeEngine, ann: User, bob: User) -> None:
    await library.add(ann, SHOW)
    before = list(engine.calls)
    tries: list[Callable[[], Awaitable[object]]] = [
        lambda: library.pause(bob, SHOW.v1),
        lambda: library.resume(bob, SHOW.v1),
        lambda: library.recheck(bob, SHOW.v1),
        lambda: library.delete(bob, SHOW.v1, with_files=True),
        lambda: library.details(bob, SHOW.v1),
        lambda: library.set_priority(bob, SHOW.v1, [0], 0),
        lambda: library.set_sequential(bob, SHOW.v1, True),
        lambda: library.set_limits(bob, SHOW.v1, down_bps=1, up_bps=1),
        lambda: library.confirm(bob, SHOW.v1),
    ]

    for attempt in tries:
        with pytest.raises(Missing, match="You have no such torrent"):
            await attempt()
    assert await library.holdings(bob) == ()
    assert await library.finished(bob) == ()
    assert await library.claimed(bob, SHOW.v1) is None
    assert (await library.usage(bob)).bytes == 0
    assert engine.calls == before
    assert len(await library.holdings(ann)) == 1


async def test_admins_see_everybodys_with_owners(library: Library, boss: Admin, ann: User, bob: User) -> None:
    await library.add(ann, SHOW)
    await library.add(bob, SHOW)
    await library.add(bob, torrent("other"))

    every = await library.all(boss)

    assert [(holding.name, holding.owners) for holding in every] == [
        ("other", ("bob",)),
        ("Show - 01.mkv", ("ann", "bob")),
    ]


async def test_it_tells_what_is_and_then_each_difference(
    library: Library, engine: FakeEngine, live: Live, ann: User, bob: User
) -> None:
    async with asyncio.timeout(30), aclosing(library.follow(ann)) as moments:
        assert await anext(moments) == ()
        await library.add(ann, SHOW)
        assert [holding.phase for holding in await anext(moments)] == [Phase.ADDING]
        await live.refresh()
        assert [holding.phase for holding in await anext(moments)] == [Phase.DOWNLOADING]
        engine.progress(SHOW.v1, 0.5)
        await live.refresh()
        assert [holding.progress for holding in await anext(moments)] == [0.5]
        await library.add(bob, SHOW)
        assert [holding.shared for holding in await anext(moments)] == [True]
        await library.delete(ann, SHOW.v1, with_files=True)
        assert await anext(moments) == ()


async def test_what_happens_to_others_is_not_told(
    library: Library, engine: FakeEngine, live: Live, ann: User, bob: User
) -> None:
    await library.add(bob, SHOW)
    async with asyncio.timeout(30), aclosing(library.follow(ann)) as moments:
        assert await anext(moments) == ()
        following = asyncio.ensure_future(anext(moments))
        for n in range(1, 4):
            engine.progress(SHOW.v1, n / 10)
            await live.refresh()
        quiet = not following.done()
        await library.add(ann, torrent("mine"))

        assert [holding.name for holding in await following] == ["mine"]
        assert quiet


async def test_while_the_engine_is_away_everything_stays_as_it_was(
    library: Library, engine: FakeEngine, live: Live, ann: User
) -> None:
    await library.add(ann, SHOW)
    engine.progress(SHOW.v1, 0.5)
    await live.refresh()
    before = await library.holdings(ann)
    engine.go_down()
    await live.refresh()

    assert await library.holdings(ann) == before
    assert not live.snapshot.engine_up


async def test_claims_are_read_again_now_and_then(
    database: Database,
    library: Library,
    engine: FakeEngine,
    live: Live,
    ann: User,
    download_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(library_module, "REREAD_S", 0.01)
    elsewhere = Library(database, engine, live, limits_of(database), download_dir)
    async with asyncio.timeout(30), aclosing(library.follow(ann)) as moments:
        assert await anext(moments) == ()
        await elsewhere.add(ann, SHOW)

        assert len(await anext(moments)) == 1


async def test_claims_are_read_again_also_while_torrents_move(
    database: Database,
    library: Library,
    engine: FakeEngine,
    live: Live,
    ann: User,
    download_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(library_module, "REREAD_S", 0.02)
    elsewhere = Library(database, engine, live, limits_of(database), download_dir)
    await library.add(ann, SHOW)
    async with asyncio.timeout(30), aclosing(library.follow(ann)) as moments:
        await anext(moments)
        await elsewhere.add(ann, torrent("second"))
        for n in range(1000):
            engine.progress(SHOW.v1, n / 1000)
            await live.refresh()
            if len(await anext(moments)) == 2:
                break

        assert len(await library.holdings(ann)) == 2
        assert n < 999


async def test_who_leaves_is_forgotten(library: Library, live: Live, ann: User) -> None:
    async with aclosing(library.follow(ann)) as moments:
        await anext(moments)
        assert live.lookers == 1

    assert live.lookers == 0
    assert library._followers.count == 0

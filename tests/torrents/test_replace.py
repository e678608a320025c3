import asyncio
from pathlib import Path

import pytest

from tests.fakes import FakeEngine
from tests.torrents import metainfos
from tests.torrents.shelf import MAGNET, only, quota, torrent
from uuutorrent.accounts import Accounts, Operator, User
from uuutorrent.errors import Conflict, Invalid, Missing, Refused
from uuutorrent.store.database import Tx
from uuutorrent.torrents.engine import InfoHash, Phase
from uuutorrent.torrents.holdings import Part
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.metainfo import parse_torrent

OLD, NEW, BATCH = torrent("Old - 03.mkv"), torrent("New - 03.mkv", 1500), parse_torrent(metainfos.several())


async def held(library: Library, user: User) -> list[str]:
    return sorted(one.name for one in await library.holdings(user))


async def test_the_new_one_takes_the_place_and_what_was_there_of_the_old_goes(
    library: Library, engine: FakeEngine, ann: User, download_dir: Path
) -> None:
    await library.add(ann, OLD, media_id=7, episode=3)
    (download_dir / OLD.infohash).mkdir()
    (download_dir / OLD.infohash / "half").write_bytes(b"x")
    told: list[InfoHash] = []

    async def also(tx: Tx, infohash: InfoHash) -> None:
        told.append(infohash)

    added = await library.replace(ann, OLD.infohash, NEW, media_id=7, episode=3, also=also)
    one = await only(library, ann)
    assert (added.infohash, told) == (NEW.infohash, [NEW.infohash])
    assert (one.infohash, one.media_id, one.episode) == (NEW.infohash, 7, 3)
    assert engine.has(NEW.infohash)
    assert not engine.has(OLD.infohash)
    assert not (download_dir / OLD.infohash).exists()


async def test_only_the_difference_counts_for_the_quota(library: Library, ann: User) -> None:
    await library.add(ann, OLD, media_id=7, episode=3)
    await quota(library, ann, size_bytes=1600, torrents=1)
    await library.replace(ann, OLD.infohash, NEW, media_id=7, episode=3)
    assert await held(library, ann) == ["New - 03.mkv"]


async def test_what_does_not_fit_changes_nothing(library: Library, engine: FakeEngine, ann: User) -> None:
    await library.add(ann, OLD, media_id=7, episode=3)
    await quota(library, ann, size_bytes=1400)
    with pytest.raises(Refused, match="Delete something first"):
        await library.replace(ann, OLD.infohash, NEW, media_id=7, episode=3)
    assert await held(library, ann) == ["Old - 03.mkv"]
    assert engine.has(OLD.infohash)
    assert not engine.has(NEW.infohash)


async def test_the_old_one_stays_for_whoever_else_claims_it(
    library: Library, engine: FakeEngine, ann: User, bob: User
) -> None:
    await library.add(ann, OLD, media_id=7, episode=3)
    await library.add(bob, OLD, media_id=7, episode=3)
    await library.replace(ann, OLD.infohash, NEW, media_id=7, episode=3)
    assert await held(library, ann) == ["New - 03.mkv"]
    assert await held(library, bob) == ["Old - 03.mkv"]
    tags = engine.get(OLD.infohash).tags
    assert f"user:{bob.id}" in tags
    assert f"user:{ann.id}" not in tags
    await library.replace(bob, OLD.infohash, NEW, media_id=7, episode=3)
    assert not engine.has(OLD.infohash)
    assert (await only(library, bob)).shared


async def test_what_is_complete_stays_beside_the_new_one_where_asked(
    library: Library, engine: FakeEngine, ann: User
) -> None:
    await library.add(ann, OLD, media_id=7, episode=3)
    engine.complete(OLD.infohash)
    await library.replace(ann, OLD.infohash, NEW, media_id=7, episode=3, keep_old=True)
    assert await held(library, ann) == ["New - 03.mkv", "Old - 03.mkv"]
    assert engine.get(OLD.infohash).phase is Phase.SEEDING


async def test_while_the_engine_is_away_it_is_noted_and_done_once_it_is_back(
    library: Library, engine: FakeEngine, ann: User
) -> None:
    await library.add(ann, OLD, media_id=7, episode=3)
    engine.go_down()
    added = await library.replace(ann, OLD.infohash, NEW, media_id=7, episode=3)
    assert "noted down" in added.queued
    engine.come_back()
    await library.reconcile()
    assert engine.has(NEW.infohash)
    assert not engine.has(OLD.infohash)


async def test_what_the_engine_does_not_take_takes_no_place(library: Library, engine: FakeEngine, ann: User) -> None:
    await library.add(ann, OLD, media_id=7, episode=3)
    engine.progress(OLD.infohash, 0.5)
    engine.add_error = Invalid("qBittorrent cannot read it")
    with pytest.raises(Invalid):
        await library.replace(ann, OLD.infohash, NEW, media_id=7, episode=3)
    one = await only(library, ann)
    assert (one.infohash, one.media_id, one.episode) == (OLD.infohash, 7, 3)
    assert engine.get(OLD.infohash).progress == 0.5
    engine.add_error = None
    await library.reconcile()
    assert not engine.has(NEW.infohash)


async def test_nobody_replaces_what_they_do_not_have(library: Library, ann: User, bob: User) -> None:
    await library.add(ann, OLD, media_id=7, episode=3)
    with pytest.raises(Missing):
        await library.replace(bob, OLD.infohash, NEW, media_id=7, episode=3)
    await library.replace(ann, OLD.infohash, NEW, media_id=7, episode=3)
    with pytest.raises(Missing):
        await library.replace(ann, OLD.infohash, torrent("Third.mkv"), media_id=7, episode=3)


async def test_a_torrent_does_not_take_its_own_place(library: Library, ann: User) -> None:
    await library.add(ann, MAGNET)
    with pytest.raises(Conflict):
        await library.replace(ann, MAGNET.infohash, torrent(), media_id=7, episode=3)


async def test_a_batch_is_not_replaced_for_one_episode_of_it(library: Library, ann: User) -> None:
    part = Part(7, {1: (0,)}, [1000, 2000])
    await library.add(ann, BATCH, media_id=7, part=part)
    with pytest.raises(Refused, match="batch"):
        await library.replace(ann, BATCH.infohash, NEW, media_id=7, episode=1)


async def test_nothing_is_replaced_for_a_user_who_is_disabled(
    library: Library, engine: FakeEngine, accounts: Accounts, ann: User
) -> None:
    await library.add(ann, OLD, media_id=7, episode=3)
    await accounts.disable(Operator(), "ann")
    with pytest.raises(Refused):
        await library.replace(ann, OLD.infohash, NEW, media_id=7, episode=3)
    assert engine.has(OLD.infohash)


async def test_two_who_change_places_the_other_way_round_both_end_well(library: Library, ann: User, bob: User) -> None:
    await library.add(ann, OLD, media_id=7, episode=3)
    await library.add(bob, NEW, media_id=7, episode=3)
    await asyncio.gather(
        library.replace(ann, OLD.infohash, NEW, media_id=7, episode=3),
        library.replace(bob, NEW.infohash, OLD, media_id=7, episode=3),
    )
    assert await held(library, ann) == ["New - 03.mkv"]
    assert await held(library, bob) == ["Old - 03.mkv"]


async def test_asked_twice_at_once_it_is_replaced_once(library: Library, ann: User) -> None:
    await library.add(ann, OLD, media_id=7, episode=3)
    both = await asyncio.gather(
        library.replace(ann, OLD.infohash, NEW, media_id=7, episode=3),
        library.replace(ann, OLD.infohash, torrent("Third.mkv"), media_id=7, episode=3),
        return_exceptions=True,
    )
    assert sorted(isinstance(one, Missing) for one in both) == [False, True]
    assert len(await held(library, ann)) == 1

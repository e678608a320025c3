"""A disk that fills: what is refused, what waits, and what goes on by itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clock import Clock
from tests.fakes import FakeEngine
from tests.torrents import metainfos
from tests.torrents.shelf import MAGNET, SHOW, limits_of, only, torrent
from uuutorrent import config
from uuutorrent.accounts import User
from uuutorrent.store.database import Database
from uuutorrent.torrents.engine import Phase
from uuutorrent.torrents.guard import LOW_FOR_S, Guarded
from uuutorrent.torrents.holdings import Part
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.metainfo import parse_torrent
from uuutorrent.torrents.space import Disk, Download, NoRoom, may_run

MIB = 2**20
FLOOR = 800 * MIB
"""A running download may take 100 MiB of it."""


@dataclass
class Partition:
    """A disk that holds what a test says."""

    free_mib: int = 10_000
    device: int = 1
    is_there: bool = True

    def __call__(self, root: Path) -> Disk:
        if not self.is_there:
            raise FileNotFoundError(root)
        return Disk(self.free_mib * MIB, 20_000 * MIB, self.device)


@pytest.fixture
def disk() -> Partition:
    return Partition()


@pytest.fixture
def library(database: Database, engine: FakeEngine, live: Live, download_dir: Path, disk: Partition) -> Library:
    limits = limits_of(database, config.Torrents(quota_bytes=0))
    return Library(database, engine, live, limits, download_dir, floor_bytes=FLOOR, look=disk)


def big(name: str, mib: int) -> bytes:
    return metainfos.single(name, mib * MIB)


async def look(library: Library, live: Live) -> Guarded | None:
    await live.refresh()
    return await library.guard.turn()


async def phases(library: Library, user: User) -> dict[str, Phase]:
    return {one.name: one.phase for one in await library.holdings(user)}


async def test_what_would_leave_less_than_the_floor_is_refused_with_numbers(
    library: Library, ann: User, disk: Partition
) -> None:
    disk.free_mib = 3800
    await library.add_given(ann, big("one.mkv", 1800))

    with pytest.raises(NoRoom) as refused:
        await library.add_given(ann, big("two.mkv", 4200))

    assert refused.value.message == (
        "It needs 4.1 GiB; 1.2 GiB are free beside what is downloading and the 800 MiB that stay free."
    )
    assert [one.name for one in await library.holdings(ann)] == ["one.mkv"]
    await library.add_given(ann, big("three.mkv", 1200))


async def test_a_magnet_is_refused_only_when_nothing_is_free(library: Library, ann: User, disk: Partition) -> None:
    disk.free_mib = 800
    with pytest.raises(NoRoom, match=r"Its size is not known yet; 0 B are free"):
        await library.add(ann, MAGNET)

    disk.free_mib = 801
    await library.add(ann, MAGNET)


async def test_what_others_have_already_needs_no_room(
    library: Library, engine: FakeEngine, live: Live, ann: User, bob: User, disk: Partition
) -> None:
    content = big("one.mkv", 1000)
    await library.add_given(ann, content)
    disk.free_mib = 900

    await library.add_given(bob, content)
    engine.progress(parse_torrent(content).v1, 0.5)
    await live.refresh()
    await library.add_given(ann, content)

    assert [one.name for one in await library.holdings(bob)] == ["one.mkv"]


async def test_only_the_chosen_episodes_of_a_batch_need_room(library: Library, ann: User, disk: Partition) -> None:
    sizes = {f"{n:02}.mkv": 1000 * MIB for n in range(1, 13)}
    batch = parse_torrent(metainfos.several("Batch", sizes))
    disk.free_mib = 2000

    with pytest.raises(NoRoom, match=r"It needs 11\.7 GiB"):
        await library.add(ann, batch)
    part = Part(7, {3: (2,)}, [file.size_bytes for file in batch.files])
    await library.add(ann, batch, media_id=7, episode=3, part=part)


async def test_files_that_are_on_the_disk_already_need_no_room_again(
    library: Library, ann: User, disk: Partition, download_dir: Path
) -> None:
    content = torrent("kept.mkv", 3 * MIB)
    folder = download_dir / content.v1
    folder.mkdir()
    (folder / "kept.mkv").write_bytes(b"x" * 3 * MIB)
    disk.free_mib = 800

    await library.add(ann, content)
    with pytest.raises(NoRoom, match="It needs"):
        await library.add(ann, torrent("new.mkv", 3 * MIB))


async def test_the_newest_waits_and_goes_on_by_itself(
    library: Library, engine: FakeEngine, live: Live, ann: User, disk: Partition
) -> None:
    for name in ("old.mkv", "new.mkv"):
        await library.add_given(ann, big(name, 1000))
    disk.free_mib = 2000

    await look(library, live)

    await live.refresh()
    assert await phases(library, ann) == {"old.mkv": Phase.DOWNLOADING, "new.mkv": Phase.PAUSED}
    notes = {one.name: one.note for one in await library.holdings(ann)}
    assert notes == {"old.mkv": "", "new.mkv": "It waits for room on the disk, and goes on by itself."}
    await library.reconcile()
    assert (await phases(library, ann))["new.mkv"] is Phase.PAUSED

    disk.free_mib = 3000
    guarded = await look(library, live)
    assert guarded is not None
    assert guarded.waiting == ()
    await live.refresh()
    assert set((await phases(library, ann)).values()) == {Phase.DOWNLOADING}
    assert {one.note for one in await library.holdings(ann)} == {""}


async def test_a_little_less_room_does_not_stop_what_runs_nor_a_little_more_start_what_waits(
    library: Library, live: Live, ann: User, disk: Partition
) -> None:
    await library.add_given(ann, big("one.mkv", 1000))

    async def waits(free_mib: int) -> bool:
        disk.free_mib = free_mib
        guarded = await look(library, live)
        assert guarded is not None
        return bool(guarded.waiting)

    assert [await waits(free) for free in (1750, 1699, 1750, 1799, 1800, 1750)] == [
        False, True, True, True, False, False,
    ]  # fmt: skip


async def test_a_magnet_that_turned_out_big_waits_and_smaller_ones_go_before(
    library: Library, engine: FakeEngine, live: Live, ann: User, disk: Partition
) -> None:
    disk.free_mib = 2000
    await library.add(ann, MAGNET)
    engine.metadata(MAGNET.v1, "Huge", {"Huge/huge.mkv": 5000 * MIB})

    await look(library, live)
    await library.add_given(ann, big("small.mkv", 1000))
    await look(library, live)

    await live.refresh()
    assert await phases(library, ann) == {"Huge": Phase.PAUSED, "small.mkv": Phase.DOWNLOADING}


async def test_somebody_who_resumes_what_waits_is_told(
    library: Library, live: Live, ann: User, disk: Partition, engine: FakeEngine
) -> None:
    added = await library.add_given(ann, big("one.mkv", 1000))
    disk.free_mib = 1000
    await look(library, live)

    said = await library.resume(ann, added.infohash)

    assert said == "one.mkv waits for room on the disk, and goes on by itself."
    assert engine.get(added.infohash).phase is Phase.PAUSED


async def test_what_its_user_paused_meanwhile_stays_paused(
    library: Library, live: Live, ann: User, disk: Partition, engine: FakeEngine
) -> None:
    added = await library.add_given(ann, big("one.mkv", 1000))
    disk.free_mib = 1000
    await look(library, live)
    await library.pause(ann, added.infohash)
    disk.free_mib = 5000
    await look(library, live)
    assert engine.get(added.infohash).phase is Phase.PAUSED
    assert (await only(library, ann)).note == ""

    await library.resume(ann, added.infohash)
    assert engine.get(added.infohash).phase is Phase.DOWNLOADING


async def test_a_download_that_the_full_disk_broke_waits_and_goes_on(
    library: Library, live: Live, ann: User, disk: Partition, engine: FakeEngine
) -> None:
    added = await library.add_given(ann, big("one.mkv", 1000))
    engine.change(added.infohash, phase=Phase.ERROR, progress=0.5)
    disk.free_mib = 0
    await look(library, live)
    assert (await only(library, ann)).note == "It waits for room on the disk, and goes on by itself."

    disk.free_mib = 2000
    await look(library, live)

    assert engine.get(added.infohash).phase is Phase.DOWNLOADING
    assert (await only(library, ann)).note == ""


async def test_an_error_soon_after_the_disk_was_low_is_put_down_to_it_and_a_later_one_is_not(
    library: Library, live: Live, ann: User, disk: Partition, engine: FakeEngine
) -> None:
    clock = Clock()
    library.guard.clock = clock
    added = await library.add_given(ann, big("one.mkv", 10))
    disk.free_mib = 790
    await look(library, live)
    disk.free_mib = 2000
    await look(library, live)

    engine.change(added.infohash, phase=Phase.ERROR, progress=0.5)
    await look(library, live)
    assert engine.get(added.infohash).phase is Phase.DOWNLOADING

    clock.move(LOW_FOR_S)
    engine.change(added.infohash, phase=Phase.ERROR)
    await look(library, live)
    assert engine.get(added.infohash).phase is Phase.ERROR


async def test_over_a_disk_that_is_not_there_nothing_is_decided(
    library: Library, live: Live, ann: User, disk: Partition, engine: FakeEngine, download_dir: Path
) -> None:
    added = await library.add_given(ann, big("one.mkv", 1000))
    assert await look(library, live) is not None
    disk.free_mib = 0

    for disk.is_there, disk.device in ((False, 1), (True, 2)):
        assert await look(library, live) is None
        await library.add_given(ann, big(f"on disk {disk.device}.mkv", 1000))
    assert engine.get(added.infohash).phase is Phase.DOWNLOADING


async def test_over_an_empty_mount_point_nothing_is_decided(
    library: Library, live: Live, ann: User, disk: Partition, engine: FakeEngine, download_dir: Path
) -> None:
    done = await library.add_given(ann, big("done.mkv", 1))
    engine.complete(done.infohash, {"done.mkv": b"x"})
    await live.refresh()
    await library.reconcile()
    await library.add_given(ann, big("one.mkv", 1000))
    disk.free_mib = 0

    (download_dir / done.infohash).rename(download_dir.parent / "elsewhere")
    assert await look(library, live) is None
    await library.add_given(ann, big("two.mkv", 1000))
    (download_dir.parent / "elsewhere").rename(download_dir / done.infohash)
    guarded = await look(library, live)
    assert guarded is not None
    assert [one.name for one in guarded.waiting] == ["one.mkv", "two.mkv"]
    with pytest.raises(NoRoom):
        await library.add_given(ann, big("three.mkv", 1000))


async def test_while_qbittorrent_is_away_nothing_is_decided(
    library: Library, live: Live, ann: User, disk: Partition, engine: FakeEngine
) -> None:
    await library.add_given(ann, big("one.mkv", 1000))
    engine.go_down()
    disk.free_mib = 0
    assert await look(library, live) is None


async def test_without_a_floor_nothing_is_refused_and_nothing_waits(
    database: Database, engine: FakeEngine, live: Live, ann: User, disk: Partition, download_dir: Path, library: Library
) -> None:
    await library.add_given(ann, big("one.mkv", 1000))
    disk.free_mib = 100
    await look(library, live)
    free = Library(database, engine, live, limits_of(database), download_dir, look=disk)

    await free.add(ann, SHOW)
    await look(free, live)

    assert {torrent.phase for torrent in await engine.torrents()} == {Phase.DOWNLOADING}


async def test_two_guards_at_once_do_what_one_does(
    database: Database, library: Library, live: Live, ann: User, disk: Partition, engine: FakeEngine, download_dir: Path
) -> None:
    other = Library(database, engine, live, limits_of(database), download_dir, floor_bytes=FLOOR, look=disk)
    for name in ("old.mkv", "new.mkv"):
        await library.add_given(ann, big(name, 1000))
    for free_mib, phase in ((2000, Phase.PAUSED), (3000, Phase.DOWNLOADING)):
        disk.free_mib = free_mib
        await live.refresh()
        await library.guard.turn()
        await other.guard.turn()
        await live.refresh()
        assert (await phases(library, ann))["new.mkv"] is phase


async def test_what_was_held_back_is_stopped_though_the_daemon_was_killed_between(
    library: Library, live: Live, ann: User, disk: Partition, engine: FakeEngine
) -> None:
    added = await library.add_given(ann, big("one.mkv", 1000))
    disk.free_mib = 1000
    await look(library, live)
    await engine.start([engine.id_of(added.infohash)])  # as if it had never been stopped
    await look(library, live)
    assert engine.get(added.infohash).phase is Phase.PAUSED


def test_the_first_in_the_queue_runs_first() -> None:
    queue = [Download(1, 50, waits=True), Download(2, 60, waits=False), Download(3, 30, waits=True)]
    assert may_run(queue, 100, 0) == {1, 3}
    assert may_run(queue, 100, 10) == {1, 2}
    assert may_run(queue, 0, 0) == set()

"""What belongs to nobody, on the disk and in qBittorrent."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes import FakeEngine
from tests.torrents import metainfos
from tests.torrents.shelf import SHOW, on_disk, torrent
from uuutorrent.accounts import Admin, User
from uuutorrent.errors import Missing, Refused, Unreachable
from uuutorrent.torrents.engine import NewTorrent
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.orphans import OrphanHunt

LATER = timedelta(hours=2)


@pytest.fixture
def orphans(library: Library) -> OrphanHunt:
    """Two hours after everything that a test did."""
    library.orphans.now = lambda: datetime.now(UTC) + LATER
    return library.orphans


@contextmanager
def unmounted(folder: Path) -> Iterator[None]:
    """Nothing of it is there, only the empty folder that a disk is mounted on."""
    disk = folder.rename(folder.with_name("unmounted"))
    folder.mkdir()
    yield
    folder.rmdir()
    disk.rename(folder)


def outsider(save_path: Path, name: str = "theirs.mkv", *, tags: tuple[str, ...] = ()) -> NewTorrent:
    content = metainfos.single(name, 10)
    v1 = torrent(name, 10).v1
    return NewTorrent(v1, "", name, content, None, str(save_path), "", tags)


async def test_what_belongs_to_a_torrent_is_no_orphan(
    library: Library, engine: FakeEngine, live: Live, ann: User, boss: Admin, orphans: OrphanHunt, download_dir: Path
) -> None:
    await library.add(ann, SHOW)
    engine.complete(SHOW.v1, {"Show - 01.mkv": b"x" * 1000})
    await engine.add(outsider(download_dir))
    engine.complete(torrent("theirs.mkv", 10).v1, {"theirs.mkv": b"x" * 10})
    (download_dir / "left.mkv").write_bytes(b"x" * 10_000)
    (download_dir / "folder" / "deep").mkdir(parents=True)

    found = await orphans.find(boss)

    assert [(one.path, one.size_bytes >= 10_000) for one in found.files] == [("folder", False), ("left.mkv", True)]
    assert (found.kept, found.torrents) == ((), ())
    assert [one.name for one in found.others] == ["theirs.mkv"]


async def test_files_that_were_left_on_purpose_are_told_apart(
    library: Library, engine: FakeEngine, live: Live, ann: User, boss: Admin, orphans: OrphanHunt, download_dir: Path
) -> None:
    await library.add(ann, SHOW)
    engine.complete(SHOW.v1, {"Show - 01.mkv": b"x"})
    await live.refresh()
    await library.delete(ann, SHOW.v1, with_files=False)

    (one,) = (await orphans.find(boss)).kept
    assert one.path == SHOW.v1
    assert one.kept
    assert one.kept.name == SHOW.name

    await library.add(ann, SHOW)
    assert (await orphans.find(boss)).kept == ()
    await library.delete(ann, SHOW.v1, with_files=True)
    assert await orphans.find(boss) == orphans.last
    (download_dir / SHOW.v1).mkdir()
    assert [one.path for one in (await orphans.find(boss)).files] == [SHOW.v1]


async def test_what_was_left_on_purpose_is_known_again_once_its_disk_is_back(
    library: Library, engine: FakeEngine, live: Live, ann: User, boss: Admin, orphans: OrphanHunt, download_dir: Path
) -> None:
    await library.add(ann, SHOW)
    engine.complete(SHOW.v1, {"Show - 01.mkv": b"x"})
    await live.refresh()
    await library.delete(ann, SHOW.v1, with_files=False)
    with unmounted(download_dir):
        assert (await orphans.find(boss)).kept == ()
    assert [one.path for one in (await orphans.find(boss)).kept] == [SHOW.v1]


async def test_only_what_is_named_goes_and_links_are_not_followed(
    boss: Admin, orphans: OrphanHunt, download_dir: Path, tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "photo").write_text("me")
    (download_dir / "a folder").mkdir()
    (download_dir / "a folder" / "link").symlink_to(precious)
    (download_dir / "b link").symlink_to(precious)
    (download_dir / "c.mkv").write_text("x")

    assert await orphans.remove(boss, "a folder") == "Removed a folder."
    assert await orphans.remove(boss, f"{download_dir}/b link") == "Removed b link."

    assert on_disk(download_dir) == ["c.mkv"]
    assert on_disk(precious) == ["photo"]


async def test_a_name_that_ends_in_a_blank_is_that_and_no_other(
    boss: Admin, orphans: OrphanHunt, download_dir: Path
) -> None:
    for name in ("a", "a ", "a\n"):
        (download_dir / name).write_text("x")
    await orphans.remove(boss, "a ")
    assert on_disk(download_dir) == ["a", "a\n"]
    await orphans.remove(boss, "a\n")
    assert on_disk(download_dir) == ["a"]
    await orphans.remove(boss, " a ")
    assert on_disk(download_dir) == []


@pytest.mark.parametrize("what", ["..", "../precious", ".", "", "/", "/etc/passwd", "no such", "a/../../precious"])
async def test_nothing_else_can_be_named(
    what: str, boss: Admin, orphans: OrphanHunt, download_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "precious").write_text("x")
    (download_dir / "a").mkdir()
    with pytest.raises(Missing, match="is no orphan"):
        await orphans.remove(boss, what)
    assert (tmp_path / "precious").exists()
    assert on_disk(download_dir) == ["a"]


async def test_what_somebody_claims_is_refused(
    library: Library, ann: User, boss: Admin, orphans: OrphanHunt, download_dir: Path
) -> None:
    await library.add(ann, SHOW)
    (download_dir / SHOW.v1).mkdir()
    with pytest.raises(Refused, match="belongs to a torrent that somebody claims"):
        await orphans.remove(boss, SHOW.v1)
    assert on_disk(download_dir) == [SHOW.v1]


async def test_what_changed_within_the_hour_is_refused(library: Library, boss: Admin, download_dir: Path) -> None:
    place = download_dir / "new"
    place.mkdir()
    old = time.time() - LATER.total_seconds()
    (place / "old.mkv").write_text("x")
    os.utime(place / "old.mkv", (old, old))
    with pytest.raises(Refused, match="new changed less than an hour ago"):
        await library.orphans.remove(boss, "new")
    assert on_disk(download_dir) == ["new", "new/old.mkv"]


async def test_torrents_that_nobody_remembers_can_be_taken_out_and_their_files_stay(
    boss: Admin, engine: FakeEngine, orphans: OrphanHunt, download_dir: Path
) -> None:
    lost = outsider(download_dir / ("a" * 40), tags=("uuutorrent", "user:7"))
    await engine.add(lost)
    engine.complete(lost.v1, {"theirs.mkv": b"x"})

    found = await orphans.find(boss)
    assert [(one.infohash, one.is_ours) for one in found.torrents] == [(lost.v1, True)]
    assert found.files == ()

    said = await orphans.remove(boss, lost.v1.upper())

    assert said == "Took theirs.mkv out of qBittorrent; its files are still there."
    assert not engine.has(lost.v1)
    assert [one.path for one in (await orphans.find(boss)).files] == ["a" * 40]


async def test_torrents_of_others_are_not_touched(
    boss: Admin, engine: FakeEngine, orphans: OrphanHunt, download_dir: Path
) -> None:
    theirs = outsider(download_dir)
    await engine.add(theirs)
    with pytest.raises(Refused, match=r"theirs\.mkv was not added from here"):
        await orphans.remove(boss, theirs.v1)
    assert engine.has(theirs.v1)


async def test_without_the_engine_or_the_disk_nothing_is_called_an_orphan(
    boss: Admin, engine: FakeEngine, orphans: OrphanHunt, download_dir: Path
) -> None:
    engine.go_down()
    with pytest.raises(Unreachable):
        await orphans.find(boss)
    engine.come_back()
    shutil.rmtree(download_dir)
    with pytest.raises(Unreachable, match="The disk"):
        await orphans.find(boss)
    assert orphans.last is None

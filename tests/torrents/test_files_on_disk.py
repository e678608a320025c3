from __future__ import annotations

import asyncio
import errno
import os
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fakes import FakeEngine
from tests.torrents.fetching import BATCH, CONTENT, Fetching, content, names
from tests.torrents.shelf import SHOW, torrent
from uuutorrent.accounts import User
from uuutorrent.errors import Missing, Refused, Unreachable
from uuutorrent.torrents import beneath
from uuutorrent.torrents.engine import Phase
from uuutorrent.torrents.files import Files
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is asked of the database is asked in the library's tests on each kind."""
    return sqlite_url


def open_files() -> list[str]:
    """What this process has open just now."""
    found = []
    for fd in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(str(fd.readlink()))
    return found


async def test_a_file_that_is_gone_from_the_disk_is_not_shown(
    files: Files, fetching: Fetching, ann: User, download_dir: Path
) -> None:
    await fetching.done(ann, BATCH, CONTENT)
    (download_dir / BATCH.v1 / "Show/01.mkv").unlink()

    assert await names(files, ann, "/torrents/Show") == ["Extras/"]
    with pytest.raises(Missing):
        await files.stat(ann, "/torrents/Show/01.mkv")


async def test_nothing_behind_a_symlink_is_shown_or_opened(
    files: Files, fetching: Fetching, ann: User, download_dir: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret")
    await fetching.done(ann, BATCH, CONTENT)
    file = download_dir / BATCH.v1 / "Show/01.mkv"
    file.unlink()
    file.symlink_to(tmp_path / "secret")
    extras = download_dir / BATCH.v1 / "Show/Extras"
    extras.rename(tmp_path / "elsewhere")
    extras.symlink_to(tmp_path / "elsewhere")

    assert await names(files, ann, "/torrents/Show") == []
    for path in ("/torrents/Show/01.mkv", "/torrents/Show/Extras/OP.mkv", "/torrents/Show/Extras"):
        with pytest.raises(Missing):
            await files.stat(ann, path)
    with pytest.raises(Missing):
        await files.open(ann, "/torrents/Show/01.mkv")
    with pytest.raises(Missing):
        await files.list(ann, "/torrents/Show/Extras")


async def test_a_torrents_folder_that_is_a_symlink_is_not_entered(
    files: Files, fetching: Fetching, ann: User, download_dir: Path, tmp_path: Path
) -> None:
    await fetching.done(ann, SHOW)
    (download_dir / SHOW.v1).rename(tmp_path / "moved")
    (download_dir / SHOW.v1).symlink_to(tmp_path / "moved")

    assert await names(files, ann) == []
    with pytest.raises(Missing):
        await files.open(ann, "/torrents/Show - 01.mkv/Show - 01.mkv")


async def test_a_hard_link_to_somebody_elses_file_is_not_shown(
    files: Files, fetching: Fetching, ann: User, bob: User, download_dir: Path
) -> None:
    other = torrent("other.mkv")
    await fetching.done(bob, SHOW)
    await fetching.done(ann, other)
    (download_dir / other.v1 / "bobs.mkv").hardlink_to(download_dir / SHOW.v1 / "Show - 01.mkv")

    assert await names(files, ann, "/torrents/other.mkv") == ["other.mkv"]
    with pytest.raises(Missing):
        await files.open(ann, "/torrents/other.mkv/bobs.mkv")


async def test_a_fifo_in_the_place_of_a_file_blocks_nobody(
    files: Files, fetching: Fetching, ann: User, download_dir: Path
) -> None:
    await fetching.done(ann, SHOW)
    file = download_dir / SHOW.v1 / "Show - 01.mkv"
    file.unlink()
    os.mkfifo(file)

    async with asyncio.timeout(30):
        assert await names(files, ann, "/torrents/Show - 01.mkv") == []
        with pytest.raises(Missing):
            await files.open(ann, "/torrents/Show - 01.mkv/Show - 01.mkv")


async def test_a_torrent_that_names_ways_out_reaches_nothing(
    files: Files, library: Library, engine: FakeEngine, live: Live, ann: User, download_dir: Path
) -> None:
    (download_dir.parent / "secret").write_text("secret")
    (download_dir / "others").mkdir()
    (download_dir / "others/secret").write_text("secret")
    await library.add_given(ann, f"magnet:?xt=urn:btih:{SHOW.v1}")
    engine.metadata(SHOW.v1, "..", {"../../secret": 6, "/etc/passwd": 6, "../others/secret": 6, ".": 1, "": 1})
    engine.change(SHOW.v1, phase=Phase.SEEDING, progress=1.0)
    engine.complete(SHOW.v1, {})
    await live.refresh()
    await library.reconcile()

    seen: list[str] = []
    todo = [f"torrents/{entry.name}" for entry in await files.list(ann, "/torrents")]
    while todo:
        path = todo.pop()
        try:
            entry = await files.stat(ann, path)
        except Missing:
            continue
        seen.append(path)
        if entry.is_dir:
            todo += [f"{path}/{below.name}" for below in await files.list(ann, path)]
    assert seen == []


async def test_a_file_being_read_outlives_its_torrent(
    files: Files, fetching: Fetching, library: Library, ann: User
) -> None:
    await fetching.done(ann, SHOW)
    opened = await files.open(ann, "/torrents/Show - 01.mkv/Show - 01.mkv")
    await library.delete(ann, SHOW.v1, with_files=True)

    assert os.pread(opened.fd, 10_000, 0) == b"x" * 1000
    os.close(opened.fd)
    assert await names(files, ann) == []


async def test_an_open_that_nobody_waits_for_leaves_nothing_open(
    files: Files, fetching: Fetching, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fetching.done(ann, SHOW)
    begun, go_on, real = threading.Event(), threading.Event(), beneath.open_file
    opened: list[int] = []

    def slow(root: Path, path: str, *, hard_links: bool, at_once: bool = False) -> int:
        if at_once:
            raise BlockingIOError(errno.EAGAIN, "the disk is asked")
        begun.set()
        go_on.wait(30)
        opened.append(real(root, path, hard_links=hard_links))
        return opened[0]

    monkeypatch.setattr(beneath, "open_file", slow)
    waiting = asyncio.ensure_future(files.open(ann, "/torrents/Show - 01.mkv/Show - 01.mkv"))
    await asyncio.to_thread(begun.wait, 30)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    go_on.set()
    await asyncio.get_running_loop().shutdown_default_executor()
    await asyncio.sleep(0)

    assert len(opened) == 1
    assert not [path for path in open_files() if "Show - 01.mkv" in path]


@pytest.mark.parametrize(
    ("code", "error"), [(13, Refused), (24, Unreachable), (5, Unreachable), (2, Missing), (40, Missing)]
)
async def test_what_the_disk_says_is_told(
    files: Files, fetching: Fetching, ann: User, monkeypatch: pytest.MonkeyPatch, code: int, error: type[Exception]
) -> None:
    await fetching.done(ann, SHOW)

    def failing(root: Path, path: str, *, hard_links: bool, at_once: bool) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(beneath, "open_file", failing)
    with pytest.raises(error):
        await files.open(ann, "/torrents/Show - 01.mkv/Show - 01.mkv")


async def test_the_space_is_that_of_the_downloads(files: Files, library: Library, tmp_path: Path) -> None:
    assert (await files.space()).f_bsize > 0
    with pytest.raises(Unreachable):
        await Files(library, tmp_path / "none").space()


async def test_a_file_with_another_name_is_not_served_unless_that_is_wanted(
    files: Files, fetching: Fetching, library: Library, ann: User, download_dir: Path, tmp_path: Path
) -> None:
    await fetching.done(ann, SHOW)
    (tmp_path / "other").hardlink_to(download_dir / SHOW.v1 / "Show - 01.mkv")

    with pytest.raises(Refused, match="another name"):
        await files.open(ann, "/torrents/Show - 01.mkv/Show - 01.mkv")
    linked = Files(library, download_dir, hard_links=True)
    assert await content(linked, ann, "/torrents/Show - 01.mkv/Show - 01.mkv") == b"x" * 1000


async def test_a_disk_of_another_machine_is_never_waited_for_by_everybody(
    files: Files, fetching: Fetching, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its names may be in memory, and opening one still asks over the network."""
    await fetching.done(ann, SHOW)
    real, places = beneath.open_file, list[bool]()

    def watched(root: Path, path: str, *, hard_links: bool, at_once: bool = False) -> int:
        places.append(threading.current_thread() is threading.main_thread())
        return real(root, path, hard_links=hard_links, at_once=at_once)

    monkeypatch.setattr(beneath, "open_file", watched)
    monkeypatch.setattr(beneath, "is_local", lambda _: False)
    (entry,) = await files.list(ann, "/torrents")
    (one,) = await files.list(ann, f"/torrents/{entry.name}")
    os.close((await files.open(ann, f"/torrents/{entry.name}/{one.name}")).fd)
    assert places == [False]


def test_kinds_of_disks_are_told_apart(tmp_path: Path) -> None:
    assert beneath.is_local(tmp_path)
    assert not beneath.is_local(Path("/proc"))
    assert not beneath.is_local(tmp_path / "nothing")

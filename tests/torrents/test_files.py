from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fakes import FakeEngine
from tests.torrents import metainfos
from tests.torrents.shelf import SHOW, torrent
from uuutorrent.accounts import User
from uuutorrent.errors import Invalid, Missing, Refused, Unreachable
from uuutorrent.torrents import beneath
from uuutorrent.torrents.engine import Phase
from uuutorrent.torrents.files import Files
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.metainfo import Metainfo, parse_torrent

BATCH = parse_torrent(metainfos.several("Show", {"01.mkv": 5, "Extras/OP.mkv": 3}))
CONTENT = {"Show/01.mkv": b"12345", "Show/Extras/OP.mkv": b"abc"}


@pytest.fixture
def files(library: Library, download_dir: Path) -> Files:
    return Files(library, download_dir)


class Fetching:
    """Somebody's torrents, from adding to complete."""

    def __init__(self, library: Library, engine: FakeEngine, live: Live) -> None:
        self.library, self.engine, self.live = library, engine, live

    async def done(self, user: User, content: Metainfo, contents: Mapping[str, bytes] | None = None) -> None:
        await self.library.add(user, content)
        self.engine.complete(content.v1, contents or {content.name: b"x" * 1000})
        await self.live.refresh()
        await self.library.reconcile()


@pytest.fixture
def fetching(library: Library, engine: FakeEngine, live: Live) -> Fetching:
    return Fetching(library, engine, live)


async def names(files: Files, user: User, path: str = "/torrents") -> list[str]:
    return [entry.name + "/" * entry.is_dir for entry in await files.list(user, path)]


async def content(files: Files, user: User, path: str) -> bytes:
    opened = await files.open(user, path)
    try:
        return os.read(opened.fd, 1 << 20)
    finally:
        os.close(opened.fd)


def open_files() -> list[str]:
    """What this process has open just now."""
    found = []
    for fd in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(str(fd.readlink()))
    return found


async def test_a_single_file_lies_in_a_folder_of_its_torrents_name(files: Files, fetching: Fetching, ann: User) -> None:
    await fetching.done(ann, SHOW)

    assert await names(files, ann) == ["Show - 01.mkv/"]
    assert await names(files, ann, "/torrents/Show - 01.mkv") == ["Show - 01.mkv"]
    assert await content(files, ann, "/torrents/Show - 01.mkv/Show - 01.mkv") == b"x" * 1000


async def test_a_batch_keeps_its_folders(files: Files, fetching: Fetching, ann: User) -> None:
    await fetching.done(ann, BATCH, CONTENT)

    assert await names(files, ann) == ["Show/"]
    assert await names(files, ann, "torrents/Show/") == ["01.mkv", "Extras/"]
    assert await names(files, ann, "/torrents/Show/Extras") == ["OP.mkv"]
    assert await content(files, ann, "/torrents/Show/Extras/../Extras/OP.mkv") == b"abc"
    assert (await files.stat(ann, "/torrents/Show/01.mkv")).size_bytes == 5
    assert (await files.stat(ann, "/torrents/Show/Extras")).is_dir
    assert (await files.stat(ann, "/")).is_dir
    assert (await files.stat(ann, "/../..")).name == "/"


async def test_what_is_not_there_is_missing(files: Files, fetching: Fetching, ann: User) -> None:
    await fetching.done(ann, BATCH, CONTENT)

    for path in (
        "/none",
        "/torrents/Show/none",
        "/torrents/Show/01.mkv/x",
        "/torrents/Show/Extras/none",
        "/../etc/passwd",
        "/none/01.mkv",
    ):
        with pytest.raises(Missing):
            await files.stat(ann, path)
        with pytest.raises(Missing):
            await files.open(ann, path)
        with pytest.raises(Missing):
            await files.list(ann, path)


async def test_a_folder_is_no_file_and_a_file_no_folder(files: Files, fetching: Fetching, ann: User) -> None:
    await fetching.done(ann, BATCH, CONTENT)

    for path in ("/", "/torrents/Show", "/torrents/Show/Extras"):
        with pytest.raises(Invalid, match="is a folder"):
            await files.open(ann, path)
    with pytest.raises(Invalid, match="is a file"):
        await files.list(ann, "/torrents/Show/01.mkv")


async def test_other_peoples_files_do_not_exist(files: Files, fetching: Fetching, ann: User, bob: User) -> None:
    await fetching.done(ann, SHOW)
    await content(files, ann, "/torrents/Show - 01.mkv/Show - 01.mkv")

    assert await names(files, bob) == []
    for path in (
        "/torrents/Show - 01.mkv",
        "/torrents/Show - 01.mkv/Show - 01.mkv",
        f"/{SHOW.v1}",
        f"/../{SHOW.v1}/Show - 01.mkv",
    ):
        with pytest.raises(Missing):
            await files.stat(bob, path)
        with pytest.raises(Missing):
            await files.list(bob, path)
        with pytest.raises((Missing, Invalid)):
            await files.open(bob, path)


async def test_a_claim_shows_the_files_and_giving_it_up_hides_them(
    files: Files, fetching: Fetching, library: Library, ann: User, bob: User
) -> None:
    await fetching.done(ann, SHOW)
    await library.add(bob, SHOW)
    shared = await names(files, bob)
    await library.delete(bob, SHOW.v1, with_files=True)

    assert shared == ["Show - 01.mkv/"]
    assert await names(files, bob) == []
    assert await names(files, ann) == ["Show - 01.mkv/"]


async def test_what_is_on_its_way_is_not_shown(
    files: Files, library: Library, engine: FakeEngine, live: Live, ann: User, download_dir: Path
) -> None:
    await library.add(ann, SHOW)
    (download_dir / SHOW.v1).mkdir()
    (download_dir / SHOW.v1 / "Show - 01.mkv").write_bytes(b"half")
    engine.progress(SHOW.v1, 0.99)
    await live.refresh()

    assert await names(files, ann) == []


async def test_the_finished_files_of_a_running_batch_are_shown(
    files: Files, library: Library, engine: FakeEngine, live: Live, ann: User, download_dir: Path
) -> None:
    await library.add(ann, BATCH)
    engine.complete(BATCH.v1, CONTENT)
    engine.progress(BATCH.v1, 0.6)
    engine.file_progress(BATCH.v1, 1, 0.5)
    await live.refresh()

    assert await names(files, ann, "/torrents/Show") == ["01.mkv"]
    with pytest.raises(Missing):
        await files.open(ann, "/torrents/Show/Extras/OP.mkv")


async def test_files_that_were_not_wanted_are_not_shown(
    files: Files, library: Library, fetching: Fetching, ann: User, download_dir: Path
) -> None:
    await library.add(ann, BATCH)
    await library.set_priority(ann, BATCH.v1, [1], 0)
    await fetching.done(ann, BATCH, CONTENT)

    assert await names(files, ann, "/torrents/Show") == ["01.mkv"]


async def test_what_is_complete_stays_readable_while_the_engine_is_away(
    files: Files, fetching: Fetching, engine: FakeEngine, live: Live, ann: User
) -> None:
    await fetching.done(ann, SHOW)
    engine.go_down()
    await live.refresh()

    assert await content(files, ann, "/torrents/Show - 01.mkv/Show - 01.mkv") == b"x" * 1000


async def test_it_is_readable_as_soon_as_the_engine_says_so(
    files: Files, library: Library, engine: FakeEngine, live: Live, ann: User
) -> None:
    await library.add(ann, SHOW)
    await live.refresh()
    before = await names(files, ann)
    engine.complete(SHOW.v1, {"Show - 01.mkv": b"x"})
    await live.refresh()

    assert before == []
    assert await names(files, ann) == ["Show - 01.mkv/"]


async def test_a_file_that_is_gone_from_the_disk_is_not_shown(
    files: Files, fetching: Fetching, ann: User, download_dir: Path
) -> None:
    await fetching.done(ann, BATCH, CONTENT)
    (download_dir / BATCH.v1 / "Show/01.mkv").unlink()

    assert await names(files, ann, "/torrents/Show") == ["Extras/"]
    with pytest.raises(Missing):
        await files.stat(ann, "/torrents/Show/01.mkv")


async def test_two_torrents_of_one_name_are_told_apart(
    files: Files, library: Library, fetching: Fetching, ann: User
) -> None:
    first, second, third = (torrent("Show - 01.mkv", size) for size in (1, 2, 3))
    await library.add(ann, first)
    await fetching.done(ann, second, {"Show - 01.mkv": b"22"})
    only_second = await names(files, ann)
    await fetching.done(ann, first, {"Show - 01.mkv": b"1"})
    await fetching.done(ann, third, {"Show - 01.mkv": b"333"})

    later = [f"Show - 01 ({one.v1[:6]}).mkv/" for one in (second, third)]
    assert only_second == later[:1]
    assert await names(files, ann) == sorted(["Show - 01.mkv/", *later])
    assert await content(files, ann, f"/torrents/{later[0]}Show - 01.mkv") == b"22"


async def test_odd_names_can_be_shown_and_opened(
    files: Files, library: Library, engine: FakeEngine, fetching: Fetching, ann: User
) -> None:
    odd = parse_torrent(metainfos.several("Sh\x1b[31mow", {"a\nb": 1, "a\tb": 2, "ア.mkv": 3}))
    await fetching.done(ann, odd, {f"{odd.name}/a\nb": b"1", f"{odd.name}/a\tb": b"22", f"{odd.name}/ア.mkv": b"333"})

    assert await names(files, ann) == ["Sh_[31mow/"]
    assert await names(files, ann, "/torrents/Sh_[31mow") == ["a_b", "a_b (2)", "ア.mkv"]
    assert await content(files, ann, "/torrents/Sh_[31mow/a_b (2)") == b"22"


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

    def slow(root: Path, path: str, *, hard_links: bool) -> int:
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

    def failing(root: Path, path: str, *, hard_links: bool) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(beneath, "open_file", failing)
    with pytest.raises(error):
        await files.open(ann, "/torrents/Show - 01.mkv/Show - 01.mkv")


async def test_the_space_is_that_of_the_downloads(files: Files, library: Library, tmp_path: Path) -> None:
    assert (await files.space()).f_bsize > 0
    with pytest.raises(Unreachable):
        await Files(library, tmp_path / "none").space()

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes import FakeEngine
from tests.torrents import metainfos
from tests.torrents.fetching import BATCH, CONTENT, Fetching, content, names
from tests.torrents.shelf import SHOW, torrent
from uuutorrent.accounts import User
from uuutorrent.errors import Invalid, Missing
from uuutorrent.torrents import beneath
from uuutorrent.torrents.files import Files
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.metainfo import parse_torrent


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What is asked of the database is asked in the library's tests on each kind."""
    return sqlite_url


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


async def test_somebody_elses_path_costs_what_a_path_of_nothing_costs(
    files: Files, fetching: Fetching, ann: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fetching.done(ann, SHOW)
    await files.list(bob, "/torrents")
    touched: list[str] = []

    def touching(*asked: object) -> None:
        touched.append(str(asked))

    monkeypatch.setattr(beneath, "_opened", touching)
    for path in ("/torrents/Show - 01.mkv/Show - 01.mkv", "/torrents/Nothing/Nothing", f"/torrents/{SHOW.v1}"):
        for asking in (files.open, files.stat, files.list):
            with pytest.raises(Missing, match=f"^There is no {path[1:]}.$"):
                await asking(bob, path)

    assert touched == []


async def test_the_way_to_what_a_torrent_brought_is_told(
    files: Files, fetching: Fetching, library: Library, ann: User, bob: User
) -> None:
    await library.add(ann, other := torrent("Show - 01.mkv", 7))
    await fetching.done(ann, SHOW)
    await fetching.done(ann, BATCH, CONTENT)

    assert await files.where(ann, SHOW.v1) == f"/torrents/Show - 01 ({SHOW.v1[:6]}).mkv/Show - 01.mkv"
    assert await files.where(ann, BATCH.v1) == "/torrents/Show"
    for user, infohash in ((ann, other.v1), (bob, SHOW.v1)):
        with pytest.raises(Missing):
            await files.where(user, infohash)


async def test_what_a_torrent_brought_is_told_file_by_file(
    files: Files, fetching: Fetching, library: Library, ann: User, bob: User
) -> None:
    await library.add(ann, other := torrent("Show - 01.mkv", 7))
    await fetching.done(ann, SHOW)
    await fetching.done(ann, BATCH, CONTENT)

    assert await files.brought(ann, SHOW.v1) == {0: f"/torrents/Show - 01 ({SHOW.v1[:6]}).mkv/Show - 01.mkv"}
    brought = await files.brought(ann, BATCH.v1)
    assert {BATCH.files[index].path: path for index, path in brought.items()} == {
        "Show/01.mkv": "/torrents/Show/01.mkv",
        "Show/Extras/OP.mkv": "/torrents/Show/Extras/OP.mkv",
    }
    assert not await files.brought(ann, other.v1)
    assert not await files.brought(bob, SHOW.v1)

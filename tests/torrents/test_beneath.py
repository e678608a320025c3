from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from uuutorrent.torrents import beneath

Open = Callable[[Path, str], int]


def by_walk(root: Path, path: str) -> int:
    """As on a kernel without `openat2`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(beneath, "_OPENAT2", 10_000)
        return beneath.open_file(root, path)


def at_once(root: Path, path: str) -> int:
    """What was just made is in memory."""
    return beneath.open_file(root, path, at_once=True)


@pytest.fixture(params=[beneath.open_file, by_walk, at_once], ids=["openat2", "walk", "at once"])
def open_file(request: pytest.FixtureRequest) -> Open:
    opened: Open = request.param
    return opened


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A download root with a file in it, and a secret beside it."""
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "root/a/b").mkdir(parents=True)
    (tmp_path / "root/a/b/file").write_text("content")
    before = len(list(Path("/proc/self/fd").iterdir()))
    yield tmp_path / "root"
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def read(fd: int) -> str:
    with os.fdopen(fd) as file:
        return file.read()


def test_a_file_is_opened(open_file: Open, root: Path) -> None:
    assert read(open_file(root, "a/b/file")) == "content"


@pytest.mark.parametrize(
    "path",
    [
        "../secret",
        "a/../../secret",
        "/etc/passwd",
        "a/b/none",
        "a/b",
        "",
        ".",
        "..",
        "a/b/file/x",
        "a//b/../../../secret",
    ],
)
def test_a_way_out_or_to_nothing_is_refused(open_file: Open, root: Path, path: str) -> None:
    with pytest.raises(OSError, match=r"\[Errno|regular"):
        open_file(root, path)


def test_a_name_is_not_cut_at_a_nul(open_file: Open, root: Path) -> None:
    with pytest.raises((OSError, ValueError)):
        open_file(root, "a/b/file\0.mkv")


@pytest.mark.parametrize(
    "target", ["../../../secret", "/etc/passwd", "file", "../../a/b/file", "/proc/self/root/etc/passwd"]
)
def test_no_symlink_is_followed_to_a_file(open_file: Open, root: Path, target: str) -> None:
    (root / "a/b/link").symlink_to(target)

    with pytest.raises(OSError, match=r"\[Errno|regular"):
        open_file(root, "a/b/link")


@pytest.mark.parametrize("target", ["..", "../..", "/", "/proc/self/cwd"])
def test_no_symlink_is_followed_on_the_way(open_file: Open, root: Path, target: str) -> None:
    (root / "a/link").symlink_to(target)

    for path in ("a/link/secret", "a/link/etc/passwd", "a/link/b/file", "a/link/a/b/file"):
        with pytest.raises(OSError, match=r"\[Errno|regular"):
            open_file(root, path)


def test_a_fifo_neither_blocks_nor_opens(open_file: Open, root: Path) -> None:
    os.mkfifo(root / "fifo")

    with pytest.raises(OSError, match=r"\[Errno|regular"):
        open_file(root, "fifo")


def test_a_socket_is_not_opened(open_file: Open, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s")

        with pytest.raises(OSError, match=r"\[Errno|regular"):
            open_file(root, "s")


def test_undecodable_and_long_names_are_opened(open_file: Open, root: Path) -> None:
    for name in (os.fsdecode(b"\xff\xfe"), "あ" * 85):
        (root / name).write_text("here")

        assert read(open_file(root, name)) == "here"


def test_the_root_itself_may_be_reached_through_a_symlink(open_file: Open, root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)

    assert read(open_file(tmp_path / "link", "a/b/file")) == "content"


def test_a_folder_is_for_looking_things_up(root: Path) -> None:
    (root / "a/link").symlink_to("b")

    with beneath.folder(root, "a/b") as here:
        assert os.stat("file", dir_fd=here, follow_symlinks=False).st_size == 7
    with pytest.raises(OSError, match=r"\[Errno|regular"), beneath.folder(root, "a/link"):
        pass
    with pytest.raises(OSError, match=r"\[Errno|regular"), beneath.folder(root, "a/b/file"):
        pass


def test_a_file_with_another_name_is_opened_only_if_that_is_wanted(root: Path) -> None:
    (root / "a/other").hardlink_to(root / "a/b/file")

    with pytest.raises(OSError, match=f"Errno {errno.EMLINK}"):
        beneath.open_file(root, "a/b/file")
    assert read(beneath.open_file(root, "a/b/file", hard_links=True)) == "content"
    assert beneath.look(root, "a/b/file").st_size == 7


@pytest.mark.parametrize("path", ["a/b", "a/link", "fifo", "../secret", "a/b/none", "\udfff"])
def test_looking_sees_regular_files_alone(root: Path, path: str) -> None:
    (root / "a/link").symlink_to("b/file")
    os.mkfifo(root / "fifo")

    with pytest.raises(OSError, match=r"\[Errno|regular"):
        beneath.look(root, path)


@pytest.mark.parametrize("swapped", ["a/b/file", "a/b", "a"])
def test_what_is_swapped_for_a_link_between_check_and_open_is_not_followed(
    open_file: Open, root: Path, tmp_path: Path, swapped: str
) -> None:
    """A link to a tree of the same shape outside takes the place of a part of the way, over and over."""
    outside, place, ended = tmp_path / "outside", root / swapped, threading.Event()
    (outside / "a/b").mkdir(parents=True)
    (outside / "a/b/file").write_text("secret")
    link, aside = tmp_path / "link", tmp_path / "aside"
    link.symlink_to(outside / swapped)

    def swap() -> None:
        while not ended.is_set():
            place.rename(aside)
            link.rename(place)
            place.rename(link)
            aside.rename(place)

    swapping = threading.Thread(target=swap)
    swapping.start()
    seen: set[str] = set()
    tries = 0
    try:
        while tries < 1000 or (len(seen) < 2 and tries < 200_000):
            tries += 1
            try:
                seen.add(read(open_file(root, "a/b/file")))
            except OSError:
                seen.add("refused")
    finally:
        ended.set()
        swapping.join()

    assert seen <= {"content", "refused"}
    assert len(seen) == 2


def test_a_kernel_that_cannot_tell_what_it_has_in_memory_is_asked_in_a_thread(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def old(*_: object) -> int:
        raise OSError(errno.EINVAL, "what is RESOLVE_CACHED?")

    monkeypatch.setattr(beneath, "_by_kernel", old)
    with pytest.raises(BlockingIOError):
        beneath.open_file(root, "Show/one.mkv", at_once=True)
    with pytest.raises(BlockingIOError):
        beneath.look(root, "Show/one.mkv", at_once=True)

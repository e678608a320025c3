"""Files as a folder of the person's machine, by sshfs; where FUSE is missing test_no_fuse.py runs in its place."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.ssh.clients.programs import SHOWS, Programs
from tests.ssh.port import Port
from tests.torrents import metainfos
from uuutorrent.users import User

pytestmark = pytest.mark.real

EPISODE = os.urandom(300_001)
TREE = {"[Group] Show - 01 「第一話」.mkv": EPISODE, "あ" * 83 + "xy.mkv": b"long", "Extras/empty.txt": b""}
WHEN_S = 1_600_000_000


@pytest.fixture
async def stored(port: Port, ann: User) -> Path:
    """Where the episode is on the seedbox."""
    await port.give(ann, "Show", TREE)
    return next(port.services.config.download_dir.rglob("*Show - 01*"))


@pytest.fixture
async def mount(programs: Programs, stored: Path) -> AsyncIterator[Path]:
    os.utime(stored, (WHEN_S, WHEN_S))
    async with programs.mounted() as place:
        yield place


async def test_it_is_copied_whole_and_everything_is_true(programs: Programs, port: Port, mount: Path) -> None:
    done = await programs.laptop.runs("cp", "-rp", f"{mount}{SHOWS}/Show", "got")
    assert done.code == 0, done
    got = {str(one.relative_to(programs.home / "got")): one for one in (programs.home / "got").rglob("*.*")}
    assert {path: one.read_bytes() for path, one in got.items()} == TREE
    assert got["[Group] Show - 01 「第一話」.mkv"].stat().st_mtime == WHEN_S
    space = await asyncio.to_thread(os.statvfs, mount)
    assert space.f_blocks * space.f_frsize == port.services.config.torrents.quota_bytes


async def test_a_player_may_begin_anywhere(mount: Path) -> None:
    def play() -> None:
        with next((mount / SHOWS[1:] / "Show").glob("*Show - 01*")).open("rb") as file:
            for at in (290_000, 0, 150_000, len(EPISODE) - 1, 7):
                file.seek(at)
                assert file.read(20_000) == EPISODE[at : at + 20_000]

    await asyncio.to_thread(play)


async def test_a_file_that_vanished_does_not_exist(mount: Path, stored: Path) -> None:
    def look() -> None:
        folder = mount / SHOWS[1:] / "Show"
        assert stored.name in [one.name for one in folder.iterdir()]
        stored.unlink()
        with pytest.raises(FileNotFoundError):
            (folder / stored.name).read_bytes()

    await asyncio.to_thread(look)


async def test_a_mount_is_read_only(mount: Path, stored: Path) -> None:
    def try_all(root: Path) -> None:
        episode = root / SHOWS[1:] / "Show" / stored.name
        for change in (
            episode.unlink,
            (root / "more").mkdir,
            (root / "another").touch,
            episode.parent.rmdir,
            lambda: episode.write_bytes(b""),
            lambda: os.truncate(episode, 0),
            lambda: episode.chmod(0o777),
            lambda: episode.rename(root / "drop/x.txt"),
            lambda: (root / "drop/link.txt").symlink_to("/etc/passwd"),
            lambda: (root / "drop/new.mkv").write_bytes(b""),
        ):
            with pytest.raises(PermissionError):
                change()

    await asyncio.to_thread(try_all, mount)
    assert await asyncio.to_thread(stored.read_bytes) == EPISODE


async def test_a_torrent_copied_into_the_drop_folder_is_added(
    programs: Programs, port: Port, ann: User, mount: Path
) -> None:
    (programs.home / "x.torrent").write_bytes(metainfos.single())
    done = await programs.laptop.runs("cp", "-p", "x.torrent", str(mount / "drop"))
    assert done.code == 0, done
    # sshfs closes behind the back of whoever closed.
    await port.until(lambda: len(port.services.drop.entries(ann)) == 2)
    result = mount / "drop/x.torrent.added.txt"
    assert await asyncio.to_thread(result.read_text) == "Added: Show - 01.mkv\n"
    (programs.home / "x.torrent").write_bytes(metainfos.single("Show - 02.mkv"))
    done = await programs.laptop.runs("cp", "x.torrent", str(mount / "drop"))
    assert done.code == 0, done
    await port.until(lambda: b"02" in port.services.drop.read(ann, result.name))

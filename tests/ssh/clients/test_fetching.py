"""Files fetched with the clients that people have: whole trees, names of every kind, in parts, after a break."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.ssh.clients.programs import SHOWS, Programs
from tests.ssh.laptop import Done
from tests.ssh.port import Port
from uuutorrent.users import User

pytestmark = pytest.mark.real

EPISODE = os.urandom(1_500_001)
SHOW = f"{SHOWS}/Show"
LONGEST = "あ" * 83 + "xy.mkv"
"""255 bytes."""
TREE = {
    "[Group] Show - 01 「第一話」 (1080p).mkv": EPISODE[:100_001],
    "Extras/menu $HOME; & 'x' [1].txt": b"hello",
    "Extras/empty.txt": b"",
    LONGEST: b"long",
}
WHEN_S = 1_600_000_000
"""13 September 2020, 12:26:40 UTC."""

Fetch = Callable[[Programs], Awaitable[Done]]


def got(folder: Path) -> dict[str, bytes]:
    """Every file below, by path."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


async def fetched_by_paramiko(here: Programs) -> Done:
    def fetch(files: object, path: str, to: Path) -> None:
        to.mkdir()
        for entry in files.listdir_attr(path):  # type: ignore[attr-defined]
            if entry.st_mode & 0o040000:
                fetch(files, f"{path}/{entry.filename}", to / entry.filename)
            else:
                files.get(f"{path}/{entry.filename}", str(to / entry.filename))  # type: ignore[attr-defined]

    async with here.paramiko() as files:
        await asyncio.to_thread(fetch, files, SHOW, here.home / "got")
    return Done(0, "", "")


TREES: dict[str, Fetch] = {
    "sftp": lambda here: here.sftp(f"get -r {SHOW} got"),
    "scp": lambda here: here.scp("-r", f"ann@127.0.0.1:{SHOW}", "got"),
    "scp of the old protocol": lambda here: here.scp("-O", "-r", f"ann@127.0.0.1:{SHOW}", "got"),
    "rclone": lambda here: here.rclone("copy", f"here:{SHOW}", "got"),
    "lftp": lambda here: here.lftp(f"mirror {SHOW} got"),
    "psftp": lambda here: here.psftp(f"get -r {SHOW} got"),
    "paramiko": fetched_by_paramiko,
}


@pytest.mark.parametrize("fetch", TREES.values(), ids=TREES.keys())
async def test_a_folder_comes_whole_with_every_name(programs: Programs, port: Port, ann: User, fetch: Fetch) -> None:
    await port.give(ann, "Show", TREE)
    done = await fetch(programs)
    assert done.code == 0, done
    assert got(programs.home / "got") == TREE


async def test_curl_fetches_each_of_them(programs: Programs, port: Port, ann: User) -> None:
    await port.give(ann, "Show", TREE)
    for path, content in TREE.items():
        done = await programs.curl(f"{SHOW}/{quote(path)}", "-o", "got")
        assert done.code == 0, done
        assert (programs.home / "got").read_bytes() == content


async def test_sizes_and_times_are_true_in_every_listing(programs: Programs, port: Port, ann: User) -> None:
    await port.give(ann, "Show", {"Show - 01.mkv": EPISODE})
    os.utime(next(port.services.config.download_dir.rglob("*.mkv")), (WHEN_S, WHEN_S))
    size = str(len(EPISODE))
    listed = [
        await programs.sftp(f"ls -l {SHOW}"),
        await programs.lftp(f"ls -l {SHOW}"),
        await programs.psftp(f"ls {SHOW}"),
        await programs.curl(f"{SHOW}/"),
    ]
    for done in listed:
        (line,) = [line for line in done.out.splitlines() if ".mkv" in line and "ls" not in line]
        assert line.split()[4] == size, done
        assert "Sep 13  2020" in line
    done = await programs.rclone("lsl", f"here:{SHOW}")
    assert done.out.split() == [size, "2020-09-13", "12:26:40.000000000", "Show", "-", "01.mkv"]
    async with programs.paramiko() as files:
        (entry,) = await asyncio.to_thread(files.listdir_attr, SHOW)
    assert (entry.st_size, entry.st_mtime) == (len(EPISODE), WHEN_S)


async def test_the_space_that_is_left_is_told(programs: Programs, port: Port, ann: User) -> None:
    await port.give(ann, "Show", {"Show - 01.mkv": EPISODE})
    quota = port.services.config.torrents.quota_bytes
    done = await programs.sftp("df")
    assert done.out.splitlines()[-1].split()[:2] == [str(quota // 1024), str(-(-len(EPISODE) // 1024) + 3)], done
    done = await programs.rclone("about", "--json", "here:")
    assert f'"total": {quota}' in done.out


RESUMES: dict[str, Fetch] = {
    "sftp": lambda here: here.sftp(f"reget {SHOW}/episode.mkv"),
    "lftp": lambda here: here.lftp(f"get -c {SHOW}/episode.mkv"),
    "curl": lambda here: here.curl(f"{SHOW}/episode.mkv", "-C", "-", "-O"),
    "psftp": lambda here: here.psftp(f"reget {SHOW}/episode.mkv"),
}


@pytest.mark.parametrize("resume", RESUMES.values(), ids=RESUMES.keys())
async def test_what_is_there_already_is_not_fetched_again(
    programs: Programs, port: Port, ann: User, resume: Fetch
) -> None:
    await port.give(ann, "Show", {"episode.mkv": EPISODE})
    half = len(EPISODE) // 2
    (programs.home / "episode.mkv").write_bytes(EPISODE[:half])
    done = await resume(programs)
    assert done.code == 0, done
    assert (programs.home / "episode.mkv").read_bytes() == EPISODE
    assert port.counted("served_bytes", "sftp") == len(EPISODE) - half


async def test_a_transfer_goes_on_after_the_connection_broke(programs: Programs, port: Port, ann: User) -> None:
    await port.give(ann, "Show", {"episode.mkv": EPISODE})
    slow = ("set net:limit-rate 1M", "set net:reconnect-interval-base 1")
    fetching = asyncio.ensure_future(programs.lftp(*slow, f"get {SHOW}/episode.mkv"))
    await port.until(lambda: port.counted("served_bytes", "sftp") > 0)
    for connection in tuple(port.server._guests.connections):
        connection.disconnect("the network broke")
    done = await fetching
    assert done.code == 0, done
    assert (programs.home / "episode.mkv").read_bytes() == EPISODE
    assert port.counted("sessions", "sftp") == 2


PARTS: dict[str, Fetch] = {
    "lftp": lambda here: here.lftp(
        "set pget:min-chunk-size 64k", "set net:limit-rate 500k", f"pget -n 4 {SHOW}/episode.mkv"
    ),
    "rclone": lambda here: here.rclone(
        *("copy", "--multi-thread-streams", "4", "--multi-thread-cutoff", "256k"), f"here:{SHOW}/episode.mkv", "."
    ),
}


@pytest.mark.parametrize("fetch", PARTS.values(), ids=PARTS.keys())
async def test_a_file_is_fetched_in_parts_at_once(programs: Programs, port: Port, ann: User, fetch: Fetch) -> None:
    await port.give(ann, "Show", {"episode.mkv": EPISODE})
    done = await fetch(programs)
    assert done.code == 0, done
    assert (programs.home / "episode.mkv").read_bytes() == EPISODE
    # A part that is done early saves a connection.
    assert 1 < port.counted("sessions", "sftp") <= 4


async def test_two_clients_fetch_at_once(programs: Programs, port: Port, ann: User) -> None:
    await port.give(ann, "Show", {"1.mkv": EPISODE, "2.mkv": EPISODE[::-1]})
    first, second = await asyncio.gather(
        programs.sftp(f"get {SHOW}/1.mkv"), programs.scp(f"ann@127.0.0.1:{SHOW}/2.mkv", "2.mkv")
    )
    assert (first.code, second.code) == (0, 0), (first, second)
    assert (programs.home / "1.mkv").read_bytes() == EPISODE
    assert (programs.home / "2.mkv").read_bytes() == EPISODE[::-1]


async def test_a_file_that_vanished_after_it_was_listed_does_not_exist(
    programs: Programs, port: Port, ann: User
) -> None:
    await port.give(ann, "Show", {"1.mkv": EPISODE, "2.mkv": EPISODE})
    first, second = sorted(port.services.config.download_dir.rglob("*.mkv"))
    async with programs.paramiko() as files:
        assert sorted(await asyncio.to_thread(files.listdir, SHOW)) == ["1.mkv", "2.mkv"]
        first.unlink()
        with pytest.raises(FileNotFoundError):
            await asyncio.to_thread(files.open, f"{SHOW}/1.mkv")
        assert await asyncio.to_thread(files.listdir, SHOW) == ["2.mkv"]
    second.unlink()
    done = await programs.sftp(f"get {SHOW}/2.mkv")
    assert done.code == 1
    assert "not found" in done.err


async def test_a_client_that_is_killed_in_the_middle_leaves_nothing_open(
    programs: Programs, port: Port, ann: User
) -> None:
    await port.give(ann, "Show", {"episode.mkv": EPISODE})
    before = open_files()
    slowly = await asyncio.create_subprocess_exec(
        *("sftp", *programs.laptop.options(), "-l", "1000", f"ann@127.0.0.1:{SHOW}/episode.mkv", "/dev/null"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await port.until(lambda: port.counted("served_bytes", "sftp") > 0)
    assert open_files() > before
    slowly.kill()
    await slowly.wait()
    await port.until(lambda: not any(port.server.sessions().values()))
    await port.until(lambda: open_files() <= before)


async def test_64_files_are_open_at_once_and_no_more(programs: Programs, port: Port, ann: User) -> None:
    await port.give(ann, "Show", {"episode.mkv": EPISODE})
    async with programs.paramiko() as files:
        opened = [await asyncio.to_thread(files.open, f"{SHOW}/episode.mkv") for _ in range(64)]
        with pytest.raises(OSError, match="at most 64 files"):
            await asyncio.to_thread(files.open, f"{SHOW}/episode.mkv")
        await asyncio.to_thread(opened[0].close)
        again = await asyncio.to_thread(files.open, f"{SHOW}/episode.mkv")
        assert await asyncio.to_thread(again.read, 10) == EPISODE[:10]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))

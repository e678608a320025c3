"""What the clients that people have are told when they want more than reading and dropping."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.ssh.clients.programs import SHOWS, Programs
from tests.ssh.port import Port
from uuutorrent.users import User

pytestmark = pytest.mark.real

EPISODE = os.urandom(10_001)
SHOW = f"{SHOWS}/Show"
EPISODE_PATH = f"{SHOW}/Show - 01.mkv"


@pytest.fixture(autouse=True)
async def show(port: Port, programs: Programs, ann: User) -> Path:
    """One episode of Ann's; after the test it is as it was."""
    await port.give(ann, "Show", {"Show - 01.mkv": EPISODE})
    (programs.home / "new.txt").write_bytes(b"new")
    return next(port.services.config.download_dir.rglob("*.mkv"))


def is_untouched(port: Port, show: Path) -> bool:
    return show.read_bytes() == EPISODE and len(list(port.services.config.download_dir.rglob("*"))) == 3


async def test_sftp_may_change_nothing(programs: Programs, port: Port, show: Path) -> None:
    for line in (
        f"put new.txt {SHOW}/new.txt",
        f'put new.txt "{EPISODE_PATH}"',
        "put new.txt /new.txt",
        f'rm "{EPISODE_PATH}"',
        f"mkdir {SHOW}/more",
        "mkdir /drop/more",
        f"rmdir {SHOW}",
        "rmdir /drop",
        f'rename "{EPISODE_PATH}" "/drop/x.txt"',
        f'chmod 777 "{EPISODE_PATH}"',
        f'chown 0 "{EPISODE_PATH}"',
        "symlink /etc /drop/x.txt",
        "put new.txt /drop/new.mkv",
        "put new.txt /drop/../new.txt",
        "put new.txt /drop/new.txt/new.txt",
    ):
        done = await programs.sftp(line)
        assert done.code == 1, line
        assert "ermission denied" in done.err, done
    done = await programs.sftp(f'ln "{EPISODE_PATH}" /drop/x.txt')
    assert done.code == 1
    assert is_untouched(port, show)


async def test_lftp_says_the_reason(programs: Programs, port: Port, show: Path) -> None:
    only_drop = "files here are read-only: only /drop takes files"
    for line, reason in {
        f"put -O {SHOW} new.txt": only_drop,
        f'rm "{EPISODE_PATH}"': only_drop,
        f'chmod 777 "{EPISODE_PATH}"': only_drop,
        f'mv "{EPISODE_PATH}" /other.mkv': only_drop,
        "mkdir /more": only_drop,
        "mkdir /drop/more": "there are no folders in /drop",
        "put -O /drop new.txt -o new.mkv": "/drop takes files that end in .torrent, .txt or .magnet",
    }.items():
        done = await programs.lftp(line)
        assert done.code == 1, line
        assert reason in done.err, done
    assert is_untouched(port, show)


async def test_rclone_may_change_nothing(programs: Programs, port: Port, show: Path) -> None:
    for words in (
        ("copy", "new.txt", f"here:{SHOW}"),
        ("delete", f"here:{SHOW}"),
        ("moveto", f"here:{EPISODE_PATH}", "here:/drop/x.txt"),
        ("mkdir", "here:/more"),
        ("rmdir", "here:/drop"),
        ("sync", ".", f"here:{SHOW}"),
    ):
        done = await programs.rclone(*words)
        assert done.code != 0, words
        assert "ermission denied" in done.err, done
    assert is_untouched(port, show)


async def test_psftp_and_curl_may_change_nothing(programs: Programs, port: Port, show: Path) -> None:
    done = await programs.psftp(
        f"put new.txt {SHOW}/new.txt", f'rm "{EPISODE_PATH}"', "mkdir x", f'mv "{EPISODE_PATH}" x'
    )
    assert done.out.count("permission denied") == 4, done
    done = await programs.curl(f"{SHOW}/new.txt", "-T", "new.txt")
    assert done.code != 0
    done = await programs.curl("/", "-Q", f"rm '{EPISODE_PATH}'")
    assert done.code != 0
    assert is_untouched(port, show)


async def test_paramiko_is_told_the_reason(programs: Programs, port: Port, show: Path) -> None:
    async with programs.paramiko() as files:
        for change in (
            lambda: files.open(EPISODE_PATH, "w"),
            lambda: files.open(EPISODE_PATH, "a"),
            lambda: files.open(EPISODE_PATH, "r+"),
            lambda: files.remove(EPISODE_PATH),
            lambda: files.truncate(EPISODE_PATH, 0),
            lambda: files.utime(EPISODE_PATH, (0, 0)),
            lambda: files.rename(EPISODE_PATH, "/drop/x.txt"),
        ):
            with pytest.raises(OSError, match="only /drop takes files"):
                await asyncio.to_thread(change)
    assert is_untouched(port, show)


async def test_the_old_scp_protocol_only_fetches(programs: Programs, port: Port, show: Path) -> None:
    done = await programs.scp("-O", "new.txt", "ann@127.0.0.1:/drop/new.txt")
    assert done.code != 0
    assert "only fetches here: leave out -O" in done.err
    done = await programs.scp("-O", f"ann@127.0.0.1:{SHOW}", "got")
    assert done.code == 1
    assert "fetch it with -r" in done.err
    done = await programs.scp("-O", "ann@127.0.0.1:/nothing", f"ann@127.0.0.1:{SHOW}/*.mkv", ".")
    assert done.code == 1
    assert "There is no" in done.err
    assert (programs.home / "Show - 01.mkv").read_bytes() == EPISODE
    assert is_untouched(port, show)


async def test_rsync_is_told_what_to_use(programs: Programs, port: Port, show: Path) -> None:
    for words in ((f"ann@127.0.0.1:{SHOW}/", "got"), ("new.txt", "ann@127.0.0.1:/drop/")):
        done = await programs.rsync("-r", *words)
        assert done.code != 0
        assert "use sftp, lftp or rclone" in done.err
    assert is_untouched(port, show)

"""The drop folder with the clients that people have: each puts a .torrent there in its own way."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable

import pytest

from tests.ssh.clients.programs import Programs
from tests.ssh.laptop import Done
from tests.ssh.port import Port
from tests.torrents import metainfos
from uuutorrent.config import Config, Files
from uuutorrent.users import User

pytestmark = pytest.mark.real

TORRENT = metainfos.single()
NAME = "Show 「第一話」.torrent"
RESULT = f"/drop/{NAME}.added.txt"

LIMIT = 20_000


@pytest.fixture
def config(config: Config) -> Config:
    """With a smaller limit, which is soon reached."""
    return config.model_copy(update={"files": Files(drop_bytes=LIMIT)})


Put = Callable[[Programs], Awaitable[Done]]


async def by_paramiko(programs: Programs) -> Done:
    async with programs.paramiko() as files:
        # It looks at the size afterwards.
        await asyncio.to_thread(files.put, str(programs.home / NAME), f"/drop/{NAME}")
    return Done(0, "", "")


PUTS: dict[str, Put] = {
    "sftp": lambda here: here.sftp("cd drop", f'put "{NAME}"'),
    "sftp with times and permissions": lambda here: here.sftp(f'put -p "{NAME}" /drop/'),
    "sftp with fsync": lambda here: here.sftp(f'put -f "{NAME}" /drop/'),
    "scp": lambda here: here.scp(NAME, "ann@127.0.0.1:/drop/"),
    "scp with times and permissions": lambda here: here.scp("-p", NAME, "ann@127.0.0.1:drop"),
    "rclone": lambda here: here.rclone("copy", NAME, "here:/drop"),
    "lftp": lambda here: here.lftp(f'put -O /drop "{NAME}"'),
    "lftp under another name first": lambda here: here.lftp(
        "set xfer:use-temp-file yes", "set xfer:temp-file-name .in.*", f'put -O /drop "{NAME}"'
    ),
    "lftp mirror": lambda here: here.lftp("mirror -R --no-perms puts /drop"),
    "curl": lambda here: here.curl("/drop/Show%20%E3%80%8C%E7%AC%AC%E4%B8%80%E8%A9%B1%E3%80%8D.torrent", "-T", NAME),
    "psftp": lambda here: here.psftp("cd drop", f'put "{NAME}"'),
    "paramiko": by_paramiko,
}


@pytest.mark.parametrize("put", PUTS.values(), ids=PUTS.keys())
async def test_a_torrent_that_a_client_puts_there_is_added(
    programs: Programs, port: Port, ann: User, bob: User, put: Put
) -> None:
    (programs.home / NAME).write_bytes(TORRENT)
    (programs.home / "puts").mkdir()
    shutil.copy(programs.home / NAME, programs.home / "puts")
    done = await put(programs)
    assert done.code == 0, done
    assert [one.name for one in await port.services.library.holdings(ann)] == ["Show - 01.mkv"]
    seen = await programs.sftp("ls -1 drop", f'get "{RESULT}" result')
    assert {NAME, f"{NAME}.added.txt"} == {line.removeprefix("drop/") for line in seen.out.splitlines()[1:3]}
    assert (programs.home / "result").read_text() == "Added: Show - 01.mkv\n"
    assert await port.services.files.list(bob, "/drop") == ()
    assert await port.services.library.holdings(bob) == ()


async def test_magnets_come_through_a_pipe(programs: Programs, port: Port, ann: User) -> None:
    magnets = [f"magnet:?xt=urn:btih:{n:040x}&dn=Show {n}" for n in range(3)]
    text = "\n".join(magnets)
    for done in (
        await programs.rclone("rcat", "here:/drop/first.txt", given=text),
        await programs.curl("/drop/second.txt", "-T", "-", given=text),
    ):
        assert done.code == 0, done
    await port.until(lambda: len(port.services.drop.entries(ann)) == 4)
    first = await programs.curl("/drop/first.txt.added.txt")
    assert first.out.splitlines() == [f"Added: Show {n}" for n in range(3)]
    second = await programs.rclone("cat", "here:/drop/second.txt.added.txt")
    assert second.out.splitlines() == [f"You have it already: Show {n}" for n in range(3)]


async def test_copying_the_same_again_sends_nothing(programs: Programs, port: Port, ann: User) -> None:
    (programs.home / "x.torrent").write_bytes(TORRENT)
    for _ in range(2):
        done = await programs.rclone("copy", "-v", "x.torrent", "here:/drop")
        assert done.code == 0, done
    assert "0 B / 0 B" in done.err


async def test_what_cannot_be_added_is_told_beside_it(programs: Programs, port: Port, ann: User) -> None:
    (programs.home / "x.torrent").write_bytes(b"no torrent")
    done = await programs.scp("x.torrent", "ann@127.0.0.1:/drop/")
    assert done.code == 0, done
    done = await programs.sftp("ls -l drop", "get drop/x.torrent.failed.txt", "rm drop/*.txt", "ls drop")
    assert done.code == 0, done
    assert (programs.home / "x.torrent.failed.txt").read_text().startswith("Failed: ")
    assert done.out.splitlines()[-1].strip() == "drop/x.torrent"


async def test_what_is_too_large_is_refused_while_it_is_put(programs: Programs, port: Port, ann: User) -> None:
    (programs.home / "x.torrent").write_bytes(bytes(LIMIT + 1))
    done = await programs.lftp("put -O /drop x.torrent")
    assert done.code == 1
    assert f"may have {LIMIT} bytes at most" in done.err, done
    for done in (
        await programs.sftp("put x.torrent drop/"),
        await programs.scp("x.torrent", "ann@127.0.0.1:/drop/"),
        await programs.rclone("copy", "x.torrent", "here:/drop"),
    ):
        assert done.code == 1, done
    assert await port.services.library.holdings(ann) == ()


async def test_a_client_that_goes_away_in_the_middle_adds_nothing(programs: Programs, port: Port, ann: User) -> None:
    async with programs.paramiko() as files:
        file = await asyncio.to_thread(files.open, "/drop/x.torrent", "w")
        await asyncio.to_thread(file.write, TORRENT)
        await asyncio.to_thread(file.flush)
        assert [one.name for one in port.services.drop.entries(ann)] == ["x.torrent"]
    await port.until(lambda: not any(port.server.sessions().values()))
    assert port.services.drop.entries(ann) == ()
    assert await port.services.library.holdings(ann) == ()

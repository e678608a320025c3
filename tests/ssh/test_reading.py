"""A file that a client read to its end, as clients do it: in parallel, in parts, through a mount."""

from __future__ import annotations

import os

import pytest

from tests.ssh.laptop import Laptop
from tests.ssh.port import Port, part
from uuutorrent.users import User

EPISODE = os.urandom(5_000_001)
NAME = "Show - 01.mkv"


async def served(port: Port, user: User) -> list[str]:
    """What is known to be read once every client has hung up: a client may be gone before the daemon knows."""
    await port.until(lambda: not port.server.sessions().get("sftp"))
    await port.services.uses.run_once()
    return [one.path for one in await port.services.uses.served(user)]


@pytest.mark.real
async def test_what_sftp_fetched_was_read(laptop: Laptop, port: Port, ann: User) -> None:
    await port.give(ann, "Show", {NAME: EPISODE, "notes.txt": b"hello"})
    done = await laptop.sftp(f'get "torrents/Show/{NAME}"', "get torrents/Show/notes.txt")
    assert done.code == 0, done.err
    assert await served(port, ann) == [f"Show/{NAME}"]


@pytest.mark.real
async def test_what_lftp_fetched_over_several_connections_was_read(laptop: Laptop, port: Port, ann: User) -> None:
    await port.give(ann, "Show", {NAME: EPISODE})
    connect = " ".join(["ssh", "-a", "-x", *laptop.options()])
    line = f'set sftp:connect-program "{connect}"; set pget:min-chunk-size 64k; pget -n 4 "torrents/Show/{NAME}"; exit'
    done = await laptop.runs("lftp", "--norc", "-e", line, "sftp://ann:none@127.0.0.1")
    assert done.code == 0, done.err
    assert (laptop.home / NAME).read_bytes() == EPISODE
    assert await served(port, ann) == [f"Show/{NAME}"]


@pytest.mark.real
async def test_a_transfer_that_broke_off_counts_once_the_rest_is_fetched(laptop: Laptop, port: Port, ann: User) -> None:
    await port.give(ann, "Show", {NAME: EPISODE})
    half = len(EPISODE) // 2
    async with port.as_user(ann) as connection:
        files = await connection.start_sftp_client()
        file = await files.open(f"/torrents/Show/{NAME}", "rb")
        assert await part(file, half, 0) == EPISODE[:half]
    await port.until(lambda: not port.server.sessions().get("sftp"))
    assert await served(port, ann) == []
    (laptop.home / NAME).write_bytes(EPISODE[:half])
    done = await laptop.sftp(f'reget "torrents/Show/{NAME}"')
    assert done.code == 0, done.err
    assert await served(port, ann) == [f"Show/{NAME}"]


async def test_a_reader_that_reads_only_half_has_not_read_it(port: Port, ann: User) -> None:
    await port.give(ann, "Show", {NAME: EPISODE})
    async with (
        port.as_user(ann) as connection,
        connection.start_sftp_client() as files,
        files.open(f"/torrents/Show/{NAME}", "rb") as file,
    ):
        await part(file, len(EPISODE) // 2, 0)
        await part(file, 100, len(EPISODE) - 100)
    assert await served(port, ann) == []

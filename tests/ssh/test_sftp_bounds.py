"""Files over the port where the disk is slow or broken, the client slow, and files change while they are read."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from asyncssh.packet import String, UInt32, UInt64

from tests.ssh.port import Port
from tests.ssh.prompt import Pipe
from tests.ssh.test_sftp import Raw, raw
from uuutorrent.ssh import commands
from uuutorrent.ssh.filexfer import Status
from uuutorrent.ssh.sftp.handles import AT_LEAST, OpenFile
from uuutorrent.torrents.views.disk import READERS
from uuutorrent.users import User

CONTENT = os.urandom(3_000_001)
PATH = "/torrents/Show/1.mkv"


async def opened(client: Raw, path: str = PATH) -> bytes:
    client.send(3, UInt32(1), String(path), UInt32(1), UInt32(0))
    kind, packet = await client.hear()
    assert kind == 102
    packet.get_uint32()
    return packet.get_string()


def cold(*_: object) -> int:
    raise BlockingIOError(errno.EAGAIN, "it is not in memory")


async def test_a_slow_client_that_asked_for_much_long_ago_is_not_idle(port: Port, ann: User) -> None:
    await port.give(ann, "Show", {"1.mkv": CONTENT * 3})
    async with raw(port, ann) as client:
        handle = await opened(client)
        for n in range(30):
            client.send(5, UInt32(n), String(handle), UInt64(n * 250_000), UInt32(250_000))
        await client.hear()
        (session,) = port.server._guests.sessions
        session._asked_at -= 1_000_000
        await port.server.send_away()
        for n in range(1, 30):
            kind, packet = await client.hear()
            assert (kind, packet.get_uint32()) == (103, n)


async def test_bytes_that_the_disk_cannot_give_are_told_and_others_come(
    port: Port, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    await port.give(ann, "Show", {"1.mkv": CONTENT, "2.mkv": CONTENT})
    really = os.preadv

    def broken(fd: int, places: Sequence[memoryview], offset: int, flags: int) -> int:
        if Path(f"/proc/self/fd/{fd}").readlink().name == "1.mkv" and offset >= 1_000_000:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return really(fd, places, offset, flags)

    monkeypatch.setattr("os.preadv", broken)
    async with raw(port, ann) as client:
        bad, good = await opened(client), await opened(client, "/torrents/Show/2.mkv")
        for n, (handle, offset) in enumerate([(bad, 0), (bad, 1_000_000), (good, 1_000_000)]):
            client.send(5, UInt32(n), String(handle), UInt64(offset), UInt32(1000))
        kind, packet = await client.hear()
        assert (kind, packet.get_uint32(), packet.get_string()) == (103, 0, CONTENT[:1000])
        code, said = await client.status()
        assert (code, "cannot be read" in said) == (Status.FAILURE, True)
        kind, packet = await client.hear()
        assert (kind, packet.get_uint32(), packet.get_string()) == (103, 2, CONTENT[1_000_000:1_001_000])
    assert not port.counted("session_crashes", "sftp")


async def test_a_disk_that_fails_in_the_middle_is_not_the_end_of_the_file(
    port: Port, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.pread

    def broken(fd: int, size: int, offset: int) -> bytes:
        if offset >= 1_000_000:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return really(fd, min(size, 1_000_000 - offset), offset)

    monkeypatch.setattr("os.preadv", cold)
    await port.give(ann, "Show", {"1.mkv": CONTENT})
    async with raw(port, ann) as client:
        handle = await opened(client)
        monkeypatch.setattr("os.pread", broken)
        for n, (offset, size) in enumerate([(999_000, 2000), (990_000, 2000)]):
            client.send(5, UInt32(n), String(handle), UInt64(offset), UInt32(size))
        assert (await client.status())[0] == Status.FAILURE
        kind, packet = await client.hear()
        assert (kind, packet.get_uint32(), packet.get_string()) == (103, 1, CONTENT[990_000:992_000])


async def test_small_reads_all_over_a_cold_file_make_nobody_hold_much_of_it(
    port: Port, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.preadv", cold)
    await port.give(ann, "Show", {"1.mkv": bytes(60 * AT_LEAST)})
    held, fetch = [0], OpenFile.fetch

    async def watched(file: OpenFile, *rest: object, **more: object) -> bool:
        done = await fetch(file, *rest, **more)  # type: ignore[arg-type]
        held.append(sum(len(content) for _, content in file.fetched))
        return done

    monkeypatch.setattr(OpenFile, "fetch", watched)
    async with raw(port, ann) as client:
        handle = await opened(client)
        for n in range(60):
            client.send(5, UInt32(n), String(handle), UInt64(n * AT_LEAST), UInt32(1))
        for n in range(60):
            kind, packet = await client.hear()
            assert (kind, packet.get_uint32()) == (103, n)
    assert len(held) > 60
    assert max(held) <= 2 * AT_LEAST


async def test_of_many_cold_files_only_one_is_read_ahead(
    port: Port, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.preadv", cold)
    await port.give(ann, "Show", {"1.mkv": CONTENT})
    async with raw(port, ann) as client:
        handles = [await opened(client) for _ in range(20)]
        for n, handle in enumerate(handles):
            client.send(5, UInt32(n), String(handle), UInt64(0), UInt32(10))
            await client.hear()
        (session,) = port.server._guests.sessions
        door = session._door
        files = door._handles._open.values()  # type: ignore[union-attr]
        assert sum(len(content) for file in files for _, content in file.fetched) <= 2 * AT_LEAST


async def test_large_folders_that_are_listed_at_once_are_bounded(
    port: Port, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uuutorrent.ssh.sftp.handles.MAX_LISTED", 20)
    await port.give(ann, "Show", {f"{n}.mkv": b"" for n in range(30)})
    async with raw(port, ann) as client:
        client.send(11, UInt32(1), String("/torrents/Show"))
        kind, packet = await client.hear()
        packet.get_uint32()
        handle = packet.get_string()
        client.send(11, UInt32(2), String("/torrents/Show"))
        code, said = await client.status()
        assert (code, "finish one first" in said) == (Status.FAILURE, True)
        client.send(12, UInt32(3), String(handle))
        kind, packet = await client.hear()
        assert (kind, packet.get_uint32(), packet.get_uint32()) == (104, 3, 30)
        client.send(11, UInt32(4), String("/torrents/Show"))
        assert (await client.hear())[0] == 102


async def test_many_who_pipe_files_from_a_slow_disk_take_up_nobody_elses_threads(
    port: Port, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, go_on = os.pread, threading.Event()

    def slow(fd: int, size: int, offset: int) -> bytes:
        go_on.wait(30)
        return really(fd, size, offset)

    await port.give(ann, "Show", {"1.mkv": CONTENT[:1000]})
    monkeypatch.setattr("os.pread", slow)
    pipes = [Pipe() for _ in range(40)]
    desk = port.services.desk(ann)
    try:
        async with asyncio.TaskGroup() as group:
            for pipe in pipes:
                group.create_task(commands.run(desk, f"cat {PATH}", pipe), name="cat")
            await port.until(lambda: sum(thread.name.startswith("read") for thread in threading.enumerate()) == READERS)
            async with asyncio.timeout(10):
                assert await asyncio.to_thread(int) == 0
            go_on.set()
    finally:
        go_on.set()
    assert {bytes(pipe.written) for pipe in pipes} == {CONTENT[:1000]}

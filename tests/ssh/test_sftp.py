"""Files over the port: one's own finished ones, to read, and nothing else."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from asyncssh.packet import SSHPacket, String, UInt32, UInt64

from tests.ssh.port import PATIENCE_S, Port, part
from uuutorrent.ssh import filexfer
from uuutorrent.users import User

EPISODE = os.urandom(3_000_001)


@asynccontextmanager
async def files_of(port: Port, user: User) -> AsyncGenerator[asyncssh.SFTPClient]:
    async with port.as_user(user) as connection, connection.start_sftp_client() as sftp:
        yield sftp


class Raw:
    """SFTP packets by hand, for what no client sends."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes]) -> None:
        self.process = process

    def send(self, kind: int, *fields: bytes) -> None:
        body = bytes([kind]) + b"".join(fields)
        self.process.stdin.write(UInt32(len(body)) + body)

    async def hear(self) -> tuple[int, SSHPacket]:
        async with asyncio.timeout(PATIENCE_S):
            size = int.from_bytes(await self.process.stdout.readexactly(4))
            packet = await self.process.stdout.readexactly(size)
        return packet[0], SSHPacket(packet[1:])

    async def status(self) -> tuple[int, str]:
        kind, packet = await self.hear()
        assert kind == 101
        packet.get_uint32()
        return packet.get_uint32(), packet.get_string().decode()


@asynccontextmanager
async def raw(port: Port, user: User) -> AsyncGenerator[Raw]:
    async with port.as_user(user) as connection:
        client = Raw(await connection.create_process(subsystem="sftp", encoding=None))
        client.send(1, UInt32(3))
        kind, packet = await client.hear()
        assert (kind, packet.get_uint32()) == (2, 3)
        yield client


async def test_a_finished_file_comes_as_it_is(port: Port, ann: User, tmp_path: Path) -> None:
    await port.give(ann, "Show", {"Show - 01.mkv": EPISODE, "Extras/menu.txt": b"hello"})
    async with files_of(port, ann) as sftp:
        assert sorted(await sftp.listdir("/torrents")) == ["Show"]
        assert sorted(await sftp.listdir("/torrents/Show")) == ["Extras", "Show - 01.mkv"]
        await sftp.get("/torrents/Show", tmp_path / "got", recurse=True)
    assert (tmp_path / "got/Show - 01.mkv").read_bytes() == EPISODE
    assert (tmp_path / "got/Extras/menu.txt").read_bytes() == b"hello"
    assert port.counted("served_bytes", "sftp") == len(EPISODE) + 5
    assert port.counted("sessions", "sftp") == 1


async def test_any_part_of_a_file_can_be_read(port: Port, ann: User) -> None:
    await port.give(ann, "Show", {"Show - 01.mkv": EPISODE})
    async with files_of(port, ann) as sftp, sftp.open("torrents/Show/Show - 01.mkv", "rb") as file:
        assert await part(file, 1000, 2_000_000) == EPISODE[2_000_000:2_001_000]
        assert await part(file, 5000, len(EPISODE) - 10) == EPISODE[-10:]
        assert await part(file, 10, len(EPISODE)) == b""
        assert await part(file, 10, 2**40) == b""
        assert (await file.stat()).size == len(EPISODE)


async def test_listings_tell_true_sizes_and_times(port: Port, ann: User) -> None:
    await port.give(ann, "Show", {"Show - 01.mkv": EPISODE})
    place = next(port.services.config.download_dir.rglob("Show - 01.mkv"))
    os.utime(place, (1_600_000_000, 1_600_000_000))
    async with files_of(port, ann) as sftp:
        (listed,) = [entry for entry in await sftp.readdir("/torrents/Show") if entry.filename == "Show - 01.mkv"]
        assert (listed.attrs.size, listed.attrs.mtime) == (len(EPISODE), 1_600_000_000)
        assert (
            str(listed.longname) == f"-r--r--r--    1 ann      uuutorrent {len(EPISODE):12} Sep 13  2020 Show - 01.mkv"
        )
        assert listed.attrs.permissions == stat.S_IFREG | 0o444
        folder = await sftp.lstat("/torrents/Show")
        assert folder.permissions == stat.S_IFDIR | 0o555
        assert (await sftp.stat("/")).permissions == stat.S_IFDIR | 0o555
        assert (await sftp.stat("torrents/Show/Show - 01.mkv")).size == len(EPISODE)


async def test_long_listings_come_whole(port: Port, ann: User) -> None:
    await port.give(ann, "Show", {f"Show - {n:03}.txt": b"x" for n in range(350)})
    async with files_of(port, ann) as sftp:
        assert sorted(await sftp.listdir("/torrents/Show")) == [f"Show - {n:03}.txt" for n in range(350)]


async def test_the_space_that_is_told_is_the_users_own(port: Port, ann: User) -> None:
    async with files_of(port, ann) as sftp:
        space = await sftp.statvfs("/")
    quota = port.services.config.torrents.quota_bytes
    assert space.frsize is not None
    assert space.blocks is not None
    assert space.frsize * space.blocks == quota
    assert space.flags == 1


async def test_somebody_elses_files_do_not_exist(port: Port, ann: User, bob: User) -> None:
    await port.give(ann, "Show", {"Show - 01.mkv": EPISODE})
    async with files_of(port, bob) as sftp:
        assert await sftp.listdir("/torrents") == []
        for path in ("/torrents/Show", "/torrents/Show/Show - 01.mkv", "/Nothing", "/Nothing/at all"):
            with pytest.raises(asyncssh.SFTPNoSuchFile):
                await sftp.stat(path)
            with pytest.raises(asyncssh.SFTPNoSuchFile):
                await sftp.open(path, "rb")
            with pytest.raises(asyncssh.SFTPNoSuchFile):
                await sftp.listdir(path)


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "../../../../etc/passwd",
        "/etc/passwd",
        "/torrents/Show/../../../../etc/passwd",
        "/torrents/Show/./../../etc/passwd",
        "//etc//passwd",
        "/proc/self/environ",
        "/torrents/Show/link",
        "/torrents/Show/Show - 01.mkv/../../../uuutorrent.db",
        "/torrents/Show/\0",
        "/" + "x" * 5000,
        "/" + "../" * 1000 + "etc/passwd",
    ],
)
async def test_no_path_leads_out(port: Port, ann: User, path: str, tmp_path: Path) -> None:
    await port.give(ann, "Show", {"Show - 01.mkv": EPISODE})
    folder = next(port.services.config.download_dir.rglob("Show - 01.mkv")).parent
    (folder / "link").symlink_to("/etc/passwd")
    async with files_of(port, ann) as sftp:
        with pytest.raises(asyncssh.SFTPError):
            await sftp.open(path, "rb")
        assert "link" not in await sftp.listdir("/torrents/Show")


async def test_paths_are_made_plain_without_looking(port: Port, ann: User) -> None:
    async with files_of(port, ann) as sftp:
        for given, plain in {".": "/", "": "/", "/..": "/", "a/../b/./c/": "/b/c", "//x": "/x"}.items():
            assert await sftp.realpath(given) == plain


async def test_everything_that_writes_is_refused_with_a_reason(port: Port, ann: User, tmp_path: Path) -> None:
    await port.give(ann, "Show", {"Show - 01.mkv": EPISODE})
    (tmp_path / "new").write_bytes(b"new")
    async with files_of(port, ann) as sftp:
        path, denied = "/torrents/Show/Show - 01.mkv", asyncssh.SFTPPermissionDenied
        for mode in ("wb", "ab", "r+b", "xb"):
            with pytest.raises(denied, match="read-only"):
                await sftp.open(path, mode)
        writes: list[Any] = [
            sftp.put(tmp_path / "new", "/torrents/Show/new"),
            sftp.remove(path),
            sftp.rename(path, "/torrents/Show/other"),
            sftp.mkdir("/torrents/Show/folder"),
            sftp.rmdir("/torrents/Show"),
            sftp.chmod(path, 0o777),
            sftp.utime(path, (0, 0)),
            sftp.truncate(path, 0),
            sftp.symlink("/etc/passwd", "/torrents/Show/link"),
        ]
        for write in writes:
            with pytest.raises(denied, match="read-only"):
                await write
        others: list[Any] = [
            sftp.readlink(path),
            sftp.link(path, "/torrents/Show/hard"),
            sftp.posix_rename(path, "/torrents/Show/other"),
        ]
        for other in others:
            with pytest.raises(asyncssh.SFTPError):
                await other
    assert next(port.services.config.download_dir.rglob("Show - 01.mkv")).read_bytes() == EPISODE


async def test_what_was_not_advertised_is_not_done(port: Port, ann: User) -> None:
    async with raw(port, ann) as client:
        for name in ("hardlink@openssh.com", "posix-rename@openssh.com", "lsetstat@openssh.com", "copy-data", "x"):
            client.send(200, UInt32(7), String(name), String("/a"), String("/b"))
            assert (await client.status())[0] == filexfer.Status.OP_UNSUPPORTED
        client.send(99, UInt32(7))
        assert (await client.status())[0] == filexfer.Status.OP_UNSUPPORTED


async def test_requests_cut_short_and_made_up_handles_are_answered(port: Port, ann: User) -> None:
    async with raw(port, ann) as client:
        for kind in (3, 4, 5, 7, 8, 11, 12, 16, 17, 200):
            client.send(kind, UInt32(7), b"\0\0")
            assert (await client.status())[0] == filexfer.Status.BAD_MESSAGE
            client.send(kind, UInt32(7), UInt32(2**32 - 1))
            assert (await client.status())[0] == filexfer.Status.BAD_MESSAGE
        for kind in (4, 5, 8, 12):
            client.send(kind, UInt32(7), String(b"\0\0\0\1"), UInt64(0), UInt32(10))
            assert (await client.status())[0] == filexfer.Status.FAILURE


@pytest.mark.parametrize("nonsense", [UInt32(0), UInt32(2**31), UInt32(2) + b"\5x", b"\xff" * 64])
async def test_what_is_not_sftp_ends_the_session_with_a_sentence(port: Port, ann: User, nonsense: bytes) -> None:
    async with raw(port, ann) as client:
        client.process.stdin.write(nonsense)
        done = await asyncio.wait_for(client.process.wait(), PATIENCE_S)
    assert done.exit_status == 2
    assert done.stderr == b"that is not SFTP\n"


async def test_a_request_for_very_much_gets_a_little(port: Port, ann: User) -> None:
    await port.give(ann, "Show", {"Show - 01.mkv": EPISODE})
    async with raw(port, ann) as client:
        client.send(3, UInt32(1), String("/torrents/Show/Show - 01.mkv"), UInt32(1), UInt32(0))
        kind, packet = await client.hear()
        assert kind == 102
        packet.get_uint32()
        handle = packet.get_string()
        client.send(5, UInt32(2), String(handle), UInt64(0), UInt32(2**32 - 1))
        kind, packet = await client.hear()
        packet.get_uint32()
        assert packet.get_string() == EPISODE[: filexfer.MAX_READ]
        client.send(5, UInt32(3), String(handle), UInt64(2**64 - 1), UInt32(10))
        assert (await client.status())[0] == filexfer.Status.EOF
        client.send(11, UInt32(4), String("/torrents/Show/Show - 01.mkv"))
        assert (await client.status())[0] == filexfer.Status.FAILURE
        client.send(3, UInt32(5), String("/torrents/Show"), UInt32(1), UInt32(0))
        assert await client.status() == (filexfer.Status.FAILURE, "/torrents/Show is a folder.")


async def test_there_is_room_for_64_open_files(port: Port, ann: User) -> None:
    await port.give(ann, "Show", {"Show - 01.mkv": EPISODE})
    before = open_files()
    async with files_of(port, ann) as sftp:
        opened = [await sftp.open("/torrents/Show/Show - 01.mkv", "rb") for _ in range(64)]
        with pytest.raises(asyncssh.SFTPFailure, match="64"):
            await sftp.open("/torrents/Show/Show - 01.mkv", "rb")
        await opened.pop().close()
        async with sftp.open("/torrents/Show/Show - 01.mkv", "rb") as another:
            assert await part(another, 10, 0) == EPISODE[:10]
    await port.until(lambda: not any(port.server.sessions().values()))
    await port.until(lambda: open_files() <= before)


async def test_a_file_whose_torrent_is_deleted_is_read_to_its_end(port: Port, ann: User) -> None:
    infohash = await port.give(ann, "Show", {"Show - 01.mkv": EPISODE})
    async with files_of(port, ann) as sftp, sftp.open("/torrents/Show/Show - 01.mkv", "rb") as file:
        assert await part(file, 1000, 0) == EPISODE[:1000]
        await port.services.library.delete(ann, infohash, with_files=True)
        for place in port.services.config.download_dir.rglob("*.mkv"):
            place.unlink()
        assert await asyncio.wait_for(part(file, len(EPISODE), 1000), PATIENCE_S) == EPISODE[1000:]
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await sftp.open("/torrents/Show/Show - 01.mkv", "rb")


async def test_a_file_that_shrinks_ends_early(port: Port, ann: User) -> None:
    await port.give(ann, "Show", {"Show - 01.mkv": EPISODE})
    async with files_of(port, ann) as sftp, sftp.open("/torrents/Show/Show - 01.mkv", "rb") as file:
        os.truncate(next(port.services.config.download_dir.rglob("*.mkv")), 500)
        assert await part(file, 1000, 0) == EPISODE[:500]
        assert await part(file, 1000, 500) == b""


async def test_a_client_that_does_not_read_makes_nobody_hold_its_file(port: Port, ann: User) -> None:
    await port.give(ann, "Show", {"Show - 01.mkv": EPISODE * 3})
    async with raw(port, ann) as client:
        client.send(3, UInt32(1), String("/torrents/Show/Show - 01.mkv"), UInt32(1), UInt32(0))
        _, packet = await client.hear()
        packet.get_uint32()
        handle = packet.get_string()
        client.process.channel.pause_reading()
        for n in range(2000):
            client.send(5, UInt32(n), String(handle), UInt64(0), UInt32(2**22))
        (session,) = port.server._guests.sessions
        await port.until(lambda: session._channel is not None and session._channel.is_blocked)
        assert session._channel is not None
        assert session._channel._chan.get_write_buffer_size() < 600_000
        client.process.channel.resume_reading()
        async with files_of(port, ann) as beside:
            assert await beside.listdir("/torrents") == ["Show"]


async def test_a_channel_closed_in_the_middle_of_a_download_is_given_up(
    port: Port, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uuutorrent.ssh.channel.CLOSING_CHECK_S", 0.05)
    await port.give(ann, "Show", {"Show - 01.mkv": EPISODE * 3})
    async with raw(port, ann) as client:
        client.send(3, UInt32(1), String("/torrents/Show/Show - 01.mkv"), UInt32(1), UInt32(0))
        _, packet = await client.hear()
        packet.get_uint32()
        handle = packet.get_string()
        client.process.channel.pause_reading()
        for n in range(4000):
            client.send(5, UInt32(n), String(handle), UInt64(0), UInt32(2**22))
        await port.until(lambda: any(s._channel and s._channel.is_blocked for s in port.server._guests.sessions))
        client.process.channel.abort()
        await port.until(lambda: not any(port.server.sessions().values()))


async def test_the_end_of_sftp_is_a_success(port: Port, ann: User) -> None:
    async with raw(port, ann) as client:
        client.process.stdin.write_eof()
        done = await asyncio.wait_for(client.process.wait(), PATIENCE_S)
    assert done.exit_status == 0


async def test_a_disk_that_must_be_waited_for_is_waited_for_in_a_thread(
    port: Port, ann: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def cold(*_: object) -> int:
        raise BlockingIOError(errno.EAGAIN, "it is not in memory")

    monkeypatch.setattr("os.preadv", cold)
    await port.give(ann, "Show", {"Show - 01.mkv": EPISODE})
    async with files_of(port, ann) as sftp:
        await sftp.get("/torrents/Show/Show - 01.mkv", tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == EPISODE


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))

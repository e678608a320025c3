"""What people notice when the daemon stops: a sentence, their own screen back, and their download in one piece."""

from __future__ import annotations

import asyncio
import os

import asyncssh
import pytest

from tests.conftest import PASSWORD
from tests.ssh.port import PATIENCE_S, Port, part, sit_down
from uuutorrent.ssh.entrance import CLOSING
from uuutorrent.users import User

EPISODE = os.urandom(1_000_001)
LONG_S = 4 * PATIENCE_S


async def test_screens_end_at_once_with_a_sentence_on_the_persons_own_screen(port: Port, ann: User, bob: User) -> None:
    async with port.as_user(ann) as anns, port.as_user(bob) as bobs:
        people = [await sit_down(connection) for connection in (anns, anns, bobs)]
        for person in people:
            await person.sees(b"hello")
        draining = asyncio.create_task(port.server.drain(LONG_S))
        for person in people:
            assert await person.ends() == 0
            after = person.seen.rpartition(b"\x1b[?1049l\x1b[?25h")[2]
            assert after == CLOSING.encode() + b"\r\n"
        async with asyncio.timeout(PATIENCE_S):
            await draining


async def test_while_the_server_closes_nobody_new_comes_in(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        assert (await connection.run("whoami")).exit_status == 0
        await port.server.drain(0.01)
        with pytest.raises(asyncssh.ChannelOpenError, match="restarting"):
            await connection.run("whoami")
        with pytest.raises(asyncssh.DisconnectError, match="restarting"):
            async with port.connect("ann", password=PASSWORD):
                pass
    await port.until(lambda: port.counted("ssh_refused", "closing") == 1)


async def test_somebody_who_is_signing_in_is_told(port: Port) -> None:
    asked = asyncio.Event()

    class Slow(asyncssh.SSHClient):
        async def password_auth_requested(self) -> str | None:
            asked.set()
            await asyncio.Event().wait()
            return None

    async def come() -> None:
        async with port.connect("ann", client_factory=Slow, preferred_auth="password"):
            pass

    coming = asyncio.create_task(come())
    await asked.wait()
    await port.server.drain(0.01)
    with pytest.raises(asyncssh.DisconnectError, match="restarting"):
        await asyncio.wait_for(coming, PATIENCE_S)


async def test_a_running_download_is_finished(
    port: Port, ann: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uuutorrent.ssh.sftp.door.QUIET_S", 0.05)
    await port.give(ann, "Show", {"Show - 01.mkv": EPISODE})
    async with port.as_user(ann) as connection, connection.start_sftp_client() as sftp:
        async with port.as_user(bob) as beside, sftp.open("/torrents/Show/Show - 01.mkv", "rb") as file:
            got = await part(file, 1000, 0)
            idle = await beside.create_process(subsystem="sftp", encoding=None)
            await port.until(lambda: port.server.sessions()["sftp"] == 2)
            draining = asyncio.create_task(port.server.drain(LONG_S))
            # Whoever opened nothing is gone by then, and asking nothing for as long does not end a download.
            assert (await asyncio.wait_for(idle.wait(), PATIENCE_S)).exit_status == 75
            got += await part(file, len(EPISODE), 1000)
        assert got == EPISODE
        async with asyncio.timeout(PATIENCE_S):
            await draining


async def test_an_idle_sftp_client_is_told_and_does_not_hold_the_server_up(
    port: Port, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uuutorrent.ssh.sftp.door.QUIET_S", 0.05)
    async with port.as_user(ann) as connection:
        process = await connection.create_process(subsystem="sftp", encoding=None)
        await port.until(lambda: port.server.sessions()["sftp"] == 1)
        async with asyncio.timeout(PATIENCE_S):
            await port.server.drain(LONG_S)
        done = await process.wait()
    assert done.exit_status == 75
    assert done.stderr == CLOSING.encode() + b"\n"


async def test_what_is_not_finished_in_time_is_cut_with_a_sentence(
    port: Port, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uuutorrent.ssh.call.HINT_AFTER_S", 3600)
    await port.give(ann, "Show", {"Show - 01.mkv": EPISODE})
    async with port.as_user(ann) as connection:
        command = await connection.create_process("keys add")
        async with connection.start_sftp_client() as sftp:
            file = await sftp.open("/torrents/Show/Show - 01.mkv", "rb")
            await port.server.drain(0.05)
            await port.server.close()
            with pytest.raises((asyncssh.SFTPError, asyncssh.ConnectionLost, OSError)):
                await part(file, 10, 0)
        done = await command.wait()
    assert done.exit_status == 75
    assert done.stderr == f"{CLOSING}\n"
    assert not any(port.server.sessions().values())


async def test_with_nobody_there_the_port_closes_at_once(port: Port) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await port.server.drain(LONG_S)
        await port.server.close()
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port.number)

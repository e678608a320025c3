"""What the port bears from people, and from those who are none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncssh
import pytest
from asyncssh.packet import String, UInt32

from tests.conftest import PASSWORD
from tests.ssh.port import Port, sit_down
from uuutorrent.accounts import Admin
from uuutorrent.penalties import Offence, Source
from uuutorrent.users import User

HERE = Source("127.0.0.1")


@asynccontextmanager
async def knocking(port: Port, source: str = "127.0.0.1") -> AsyncIterator[asyncio.StreamReader]:
    """A client that only connects; what the server says can be read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port.number, local_addr=(source, 0))
    try:
        yield reader
    finally:
        writer.close()


async def is_let_in(reader: asyncio.StreamReader) -> bool:
    """Whether the server says its version; it says nothing to whom it does not let in."""
    try:
        async with asyncio.timeout(10):
            return (await reader.readline()).startswith(b"SSH-2.0-uuutorrent")
    except ConnectionResetError:
        return False


async def fails(port: Port, name: str, password: str = "wrong") -> None:
    """Somebody goes away after one wrong password."""
    before = port.counted("ssh_refused", "auth_failed")
    with pytest.raises(asyncssh.PermissionDenied):
        async with port.connect(name, password=password, preferred_auth="password"):
            pass
    await port.until(lambda: port.counted("ssh_refused", "auth_failed") > before)


async def test_a_source_signs_in_four_times_at_once_and_others_are_not_disturbed(port: Port) -> None:
    async with AsyncExitStack() as open_ones:
        for _ in range(4):
            assert await is_let_in(await open_ones.enter_async_context(knocking(port)))
        async with knocking(port) as fifth:
            assert not await is_let_in(fifth)
        assert port.counted("ssh_refused", "source") == 1
        async with knocking(port, "127.0.0.2") as other:
            assert await is_let_in(other)


@pytest.mark.parametrize("ssh_limits", [{"startups_begin": 2, "startups_percent": 100, "startups_full": 3}])
async def test_half_open_connections_from_everywhere_are_bounded(port: Port) -> None:
    async with AsyncExitStack() as open_ones:
        answers = [
            await is_let_in(await open_ones.enter_async_context(knocking(port, f"127.0.0.{number}")))
            for number in range(10, 16)
        ]
    assert answers == [True, True, False, False, False, False]
    assert port.counted("ssh_refused", "startups") == 4


async def test_a_fourth_wrong_password_closes_the_port_for_its_source_until_an_admin_lifts_it(
    port: Port, ann: User, boss: Admin
) -> None:
    typed = iter(["wrong"] * 3)

    class Typist(asyncssh.SSHClient):
        def password_auth_requested(self) -> str:
            return next(typed)

    with pytest.raises(asyncssh.DisconnectError, match="too many wrong passwords"):
        async with port.connect("ann", client_factory=Typist, preferred_auth="password"):
            pass
    await port.until(lambda: port.services.penalties.every(boss))
    assert port.services.penalties.left_s(HERE) == 0
    await fails(port, "ann")
    await port.until(lambda: port.services.penalties.left_s(HERE) > 0)
    async with knocking(port) as reader:
        assert not await is_let_in(reader)
    assert port.counted("ssh_refused", "banned") == 1
    async with knocking(port, "127.0.0.2") as other:
        assert await is_let_in(other)
    assert [one.source for one in port.services.penalties.every(boss) if one.is_refused] == [HERE]
    port.services.penalties.lift(boss, "127.0.0.1")
    async with port.connect("ann", password=PASSWORD):
        pass


async def test_going_away_after_each_wrong_password_does_not_help(port: Port, ann: User) -> None:
    for _ in range(4):
        await fails(port, "ann")
    await port.until(lambda: port.services.penalties.left_s(HERE) > 0)


async def test_names_that_nobody_can_have_cost_twice_as_much(port: Port, ann: User) -> None:
    for _ in range(2):
        await fails(port, "root")
    await port.until(lambda: port.services.penalties.left_s(HERE) > 0)
    async with knocking(port) as reader:
        assert not await is_let_in(reader)


@pytest.mark.parametrize("name", ["ann", "nobody-here"])
async def test_what_a_wrong_password_costs_does_not_tell_who_exists(
    port: Port, ann: User, boss: Admin, name: str
) -> None:
    for _ in range(2):
        await fails(port, name)
    (seen,) = port.services.penalties.every(boss)
    assert not seen.is_refused
    assert 5 < seen.left_s < 10


async def test_where_people_sign_in_a_neighbour_who_guesses_closes_the_port_for_passwords_only_and_not_for_long(
    port: Port, ann: User, bob: User, boss: Admin
) -> None:
    async with port.as_user(bob) as connection:
        assert (await connection.run("whoami")).exit_status == 0
    for _ in range(4):
        port.services.penalties.add(HERE, Offence.WRONG, 100)
    for method in ("password", "keyboard-interactive"):
        with pytest.raises(asyncssh.DisconnectError, match="no password is looked at from there for 60 s; use a key"):
            async with port.connect("ann", password=PASSWORD, preferred_auth=method):
                pass
    async with port.as_user(ann) as connection:
        shown = await connection.run("whoami")
        assert str(shown.stdout).startswith("ann")
    assert port.counted("ssh_limits", "source_passwords") == 2
    assert port.counted("ssh_auth_attempts", "password", "ok") == 0
    (seen,) = port.services.penalties.every(boss)
    assert (seen.is_refused, seen.is_known) == (True, True)
    assert 50 < seen.left_s <= 60
    port.services.penalties.lift(boss, HERE)
    async with port.connect("ann", password=PASSWORD):
        pass


async def test_connections_are_counted_by_how_far_they_are(port: Port, ann: User) -> None:
    async with knocking(port) as reader, port.as_user(ann):
        assert await is_let_in(reader)
        assert port.server.connections() == {"unauthenticated": 1, "joining": 0, "signed_in": 1}
    await port.until(lambda: not any(port.server.connections().values()))


async def test_who_signs_in_in_the_end_is_not_penalised(port: Port, ann: User, boss: Admin) -> None:
    for _ in range(5):
        typed = iter(["wrong", "wrong", PASSWORD])

        class Typist(asyncssh.SSHClient):
            def password_auth_requested(self) -> str:
                return next(typed)  # noqa: B023 - used within the turn

        async with port.connect("ann", client_factory=Typist, preferred_auth="password"):
            pass
    assert port.services.penalties.every(boss) == ()


@pytest.mark.parametrize("ssh_limits", [{"refusal_s": 0.6}])
@pytest.mark.parametrize("name", ["ann", "nobody-here"])
async def test_a_wrong_password_is_answered_late_whoever_it_is_for(port: Port, ann: User, name: str) -> None:
    began = time.monotonic()
    await fails(port, name)
    assert time.monotonic() - began >= 0.6


@pytest.mark.parametrize("ssh_limits", [{"key_tries": 3}])
async def test_a_connection_shows_so_many_keys_and_no_more(port: Port, ann: User) -> None:
    keys = [asyncssh.generate_private_key("ssh-ed25519") for _ in range(4)]
    with pytest.raises(asyncssh.DisconnectError, match="too many keys that are not yours here"):
        async with port.connect("ann", client_keys=keys):
            pass
    await port.until(lambda: port.counted("ssh_refused", "keys") == 1)


@pytest.mark.parametrize("ssh_limits", [{"passwords": False}])
async def test_where_passwords_are_off_none_is_taken_and_keys_are(port: Port, ann: User) -> None:
    with pytest.raises(asyncssh.PermissionDenied):
        async with port.connect("ann", password=PASSWORD):
            pass
    assert port.counted("ssh_auth_attempts", "password", "ok") == 0
    async with port.as_user(ann):
        pass


@pytest.mark.parametrize("ssh_limits", [{"connections_per_user": 2}])
async def test_a_user_has_so_many_connections_and_closing_one_makes_room(port: Port, ann: User, bob: User) -> None:
    async with port.as_user(ann):
        async with port.as_user(ann):
            async with port.as_user(ann) as third:
                with pytest.raises(asyncssh.ChannelOpenError, match="you have 2 connections open"):
                    await third.run("whoami")
                async with asyncio.timeout(10):
                    await third.wait_closed()
            async with port.as_user(bob) as another:
                assert (await another.run("whoami")).exit_status == 0
        assert port.counted("ssh_refused", "user_limit") == 1
        await port.until(lambda: port.server.connections_of(ann) == 1)
        async with port.as_user(ann) as again:
            assert (await again.run("whoami")).exit_status == 0


@pytest.mark.parametrize("ssh_limits", [{"connections": 1}])
async def test_when_the_house_is_full_nobody_else_comes_in(port: Port, ann: User) -> None:
    async with port.as_user(ann), knocking(port, "127.0.0.2") as other:
        assert not await is_let_in(other)
    assert port.counted("ssh_refused", "full") == 1


@pytest.mark.parametrize("ssh_limits", [{"channels": 3}])
async def test_a_connection_holds_so_many_sessions_and_the_others_live_on(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        people = [await sit_down(connection) for _ in range(3)]
        with pytest.raises(asyncssh.ChannelOpenError, match="too many sessions"):
            await sit_down(connection)
        for person in people:
            await person.sees(b"hello ann")
    assert port.counted("ssh_limits", "channels") == 1


async def test_a_connection_opens_so_many_sessions_in_a_short_time_and_others_are_not_disturbed(
    port: Port, ann: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uuutorrent.ssh.connection.OPENED_AT_ONCE", 5)
    monkeypatch.setattr("uuutorrent.ssh.connection.OPENED_PER_S", 0.0)
    async with port.as_user(ann) as connection, port.as_user(bob) as other:
        for _ in range(5):
            assert (await connection.run("whoami")).exit_status == 0
        with pytest.raises(asyncssh.ChannelOpenError, match="too many sessions in a short time: wait a moment"):
            await connection.run("whoami")
        assert (await other.run("whoami")).exit_status == 0


@pytest.mark.parametrize("ssh_limits", [{"idle_sftp_s": 0.2}])
async def test_a_command_whose_input_does_not_end_is_ended(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        process = await connection.create_process("add -", encoding=None)
        process.stdin.write(b"d8:announce")
        await asyncio.sleep(0.1)
        process.stdin.write(b"3:abc")  # a byte now and then keeps nothing open
        await asyncio.sleep(0.2)
        await port.server.send_away()
        async with asyncio.timeout(10):
            done = await process.wait()
    assert done.exit_status == 3
    assert b"nothing was asked for in a long time" in bytes(done.stderr or b"")  # type: ignore[arg-type]
    assert port.counted("ssh_limits", "idle_command") == 1


@pytest.mark.parametrize("ssh_limits", [{"keepalive_s": 0.05, "keepalives": 2}])
async def test_a_client_that_does_not_answer_any_more_is_hung_up_on(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        person = await sit_down(connection)
        await person.sees(b"hello ann")
        connection._transport.pause_reading()  # type: ignore[union-attr]  # as when the lid is closed
        await port.until(lambda: not any(port.server.connections().values()))
        assert port.counted("ssh_limits", "keepalive") == 1


@pytest.mark.parametrize("ssh_limits", [{"idle_screen_s": 0.2, "idle_sftp_s": 3600}])
async def test_a_screen_at_which_nobody_sits_is_closed(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        person = await sit_down(connection)
        await person.sees(b"hello ann")
        async with connection.start_sftp_client() as files:
            await asyncio.sleep(0.3)
            await port.server.send_away()
            assert await person.ends() is not None
            assert await files.listdir("/") is not None
    assert b"nothing was asked for in a long time" in person.seen
    assert port.counted("ssh_limits", "idle_screen") == 1


@pytest.mark.parametrize("ssh_limits", [{"idle_sftp_s": 0.2}])
async def test_files_and_connections_that_are_left_standing_are_closed(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        files = await connection.start_sftp_client()
        await files.listdir("/")
        await asyncio.sleep(0.3)
        await port.server.send_away()
        async with asyncio.timeout(10):
            await files.wait_closed()
        await asyncio.sleep(0.3)
        await port.server.send_away()
        async with asyncio.timeout(10):
            await connection.wait_closed()
    assert port.server.connections_of(ann) == 0
    assert port.counted("ssh_limits", "idle_sftp") == port.counted("ssh_limits", "idle_connection") == 1


@pytest.mark.parametrize("ssh_limits", [{"idle_sftp_s": 0.2}])
async def test_a_channel_that_is_opened_for_nothing_keeps_no_connection(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        quiet: Any = connection
        quiet._packet_handlers = quiet._packet_handlers | {91: lambda *_: True}
        quiet.send_packet(90, String("session"), UInt32(0), UInt32(65536), UInt32(32768))
        await port.until(lambda: port.server._guests.sessions)
        await asyncio.sleep(0.3)
        await port.server.send_away()
        async with asyncio.timeout(10):
            await connection.wait_closed()


@pytest.mark.parametrize("packet", [2, 9], ids=["to be ignored", "unknown"])
async def test_a_client_that_sends_much_before_it_signs_in_is_hung_up_on_unheard(
    port: Port, ann: User, packet: int
) -> None:
    class Flood(asyncssh.SSHClient):
        def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
            self.conn = conn

        async def password_auth_requested(self) -> str:
            for _ in range(20_000):
                self.conn.send_packet(packet, b"\0\0\0\0")
            async with asyncio.timeout(20):
                await self.conn.wait_closed()
            return PASSWORD

    with pytest.raises((asyncssh.DisconnectError, ConnectionError)):
        async with port.connect("ann", client_factory=Flood, preferred_auth="password"):
            pass
    assert port.counted("ssh_auth_attempts", "password", "ok") == 0
    await port.until(lambda: port.counted("ssh_refused", "flood") == 1)

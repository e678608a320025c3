"""What people try who should not be here."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import asyncssh
import pytest

from tests.conftest import PASSWORD
from tests.ssh.attacker import Attacker, attacking
from tests.ssh.port import PATIENCE_S, Port, opened, sit_down
from uuutorrent.config import Ssh
from uuutorrent.desk import Services
from uuutorrent.users import Admin, User


class Visitor:
    """An attacker with an open connection, and what became of it."""

    def __init__(self, attacker: Attacker, connecting: asyncio.Future[asyncssh.SSHClientConnection]) -> None:
        self.does = attacker
        self._connecting = connecting

    async def name(self) -> str:
        """Who the server takes the visitor for."""
        connection = await self._connecting
        done = await connection.run("whoami")
        assert done.exit_status == 0, done.stderr
        return str(done.stdout).split()[0]


@pytest.fixture
async def visitor(port: Port) -> AsyncIterator[Visitor]:
    async with attacking(port) as (attacker, connecting):
        yield Visitor(attacker, connecting)


async def test_showing_anns_key_and_signing_with_ones_own_does_not_make_one_ann(
    port: Port, visitor: Visitor, ann: User, bob: User
) -> None:
    anns, bobs = await port.key_of(ann), await port.key_of(bob)
    visitor.does.shows("ann", anns)
    assert await visitor.does.hears() == "challenge"
    visitor.does.signs("ann", bobs)
    assert await visitor.does.hears() == "failure"
    visitor.does.signs("ann", bobs, shown=anns)
    assert await visitor.does.hears() == "failure"


async def test_showing_anns_key_and_signing_in_as_oneself_makes_one_oneself(
    port: Port, visitor: Visitor, ann: User, bob: User
) -> None:
    anns, bobs = await port.key_of(ann), await port.key_of(bob)
    visitor.does.shows("ann", anns)
    assert await visitor.does.hears() == "challenge"
    visitor.does.signs("bob", bobs)
    assert await visitor.does.hears() == "success"
    assert await visitor.name() == "bob"


@pytest.mark.parametrize("after", ["ann's key", "ann's password", "ann's prompt"])
async def test_becoming_ann_in_the_moment_of_ones_own_success_does_not_work(
    port: Port, visitor: Visitor, ann: User, bob: User, after: str
) -> None:
    anns, bobs = await port.key_of(ann), await port.key_of(bob)
    does = visitor.does
    does.signs("bob", bobs)
    if after == "ann's key":
        does.shows("ann", anns)
    elif after == "ann's password":
        does.password("ann", "wrong")
    else:
        does.begins_interactive("ann")
    first = await does.hears()
    if first == "success":
        assert await visitor.name() == "bob"
    else:
        assert first in ("challenge", "failure")


async def test_a_password_of_ones_own_after_anns_key_makes_one_oneself(
    port: Port, visitor: Visitor, ann: User, bob: User
) -> None:
    visitor.does.shows("ann", await port.key_of(ann))
    assert await visitor.does.hears() == "challenge"
    visitor.does.password("bob", PASSWORD)
    assert await visitor.does.hears() == "success"
    assert await visitor.name() == "bob"


async def test_a_flood_of_answers_to_one_question_is_not_a_flood_of_tries(
    port: Port, visitor: Visitor, ann: User
) -> None:
    does = visitor.does
    does.begins_interactive("ann")
    assert await does.hears() == "challenge"
    for n in range(200):
        does.answers(f"guess {n}")
        await asyncio.sleep(0)
    await port.until(lambda: does.lost is not None)
    assert "too many wrong passwords" in str(does.lost)
    assert port.counted("ssh_auth_attempts", "keyboard-interactive", "failed") <= 3


async def test_guesses_sent_side_by_side_count_as_tries(port: Port, visitor: Visitor, ann: User) -> None:
    for n in range(50):
        visitor.does.password("ann", f"guess {n}")
    visitor.does.password("ann", PASSWORD)
    await port.until(lambda: visitor.does.lost is not None)
    assert "too many wrong passwords" in str(visitor.does.lost)


async def test_guesses_whose_answers_are_not_waited_for_cost_as_much(
    port: Port, visitor: Visitor, ann: User, boss: Admin
) -> None:
    for guess in ("one", "two", "three"):
        visitor.does.password("ann", guess)
    assert await visitor.does.hears() == "gone"
    await port.until(lambda: [one.source for one in port.services.penalties.every(boss) if one.left_s > 10])


async def test_a_signature_with_sha1_is_refused(port: Port, visitor: Visitor, ann: User) -> None:
    key = asyncssh.generate_private_key("ssh-rsa", key_size=3072)
    await port.services.accounts.add_key(ann, key.export_public_key().decode())
    visitor.does.signs("ann", key, sig=b"ssh-rsa")
    assert await visitor.does.hears() == "failure"
    visitor.does.signs("ann", key, sig=b"rsa-sha2-512")
    assert await visitor.does.hears() == "success"


@pytest.mark.parametrize("name", ["ann\0", "a\x1b[2Jnn", "ann\r\nevent=x", "\u202eann", "\ud800", ""])
async def test_odd_names_get_nowhere_and_break_nothing(port: Port, visitor: Visitor, ann: User, name: str) -> None:
    visitor.does.conn.send_packet(
        50, asyncssh.packet.String(name.encode("utf-8", "surrogatepass")) + visitor.does._head("", b"password")[4:],
        asyncssh.packet.Boolean(False), asyncssh.packet.String("x"),
    )  # fmt: skip
    assert await visitor.does.hears() in ("failure", "gone")
    async with port.as_user(ann) as connection:
        assert (await connection.run("whoami")).exit_status == 0


@pytest.mark.parametrize("name", ["ann' OR 1=1 --", "../ann", "a" * 1023, "Ann", "ann "])
async def test_no_trick_with_a_name_signs_in(port: Port, ann: User, name: str) -> None:
    with pytest.raises(asyncssh.DisconnectError):
        async with port.connect(name, password=PASSWORD):
            pass


async def test_sessions_before_signing_in_are_refused(port: Port, visitor: Visitor) -> None:
    visitor.does.conn._auth_complete = True
    visitor.does.conn.send_packet(90, asyncssh.packet.String("session"), *[asyncssh.packet.UInt32(1024)] * 3)
    assert await visitor.does.hears() == "gone"


OLD: list[dict[str, Any]] = [
    {"kex_algs": ["diffie-hellman-group14-sha1"]},
    {"kex_algs": ["diffie-hellman-group14-sha256", "diffie-hellman-group18-sha512"]},
    {"kex_algs": ["diffie-hellman-group-exchange-sha256"]},
    {"kex_algs": ["rsa2048-sha256"]},
    {"kex_algs": ["ecdh-sha2-nistp256"]},
    {"encryption_algs": ["aes128-cbc", "aes256-cbc", "3des-cbc"]},
    {"encryption_algs": ["chacha20-poly1305@openssh.com"]},
    {"encryption_algs": ["aes256-ctr"], "mac_algs": ["hmac-sha1", "hmac-sha1-96", "hmac-md5"]},
    {"encryption_algs": ["aes256-ctr"], "mac_algs": ["hmac-sha1-etm@openssh.com", "umac-64-etm@openssh.com"]},
    {"compression_algs": ["zlib@openssh.com"]},
    {"server_host_key_algs": ["ssh-rsa", "rsa-sha2-256", "ecdsa-sha2-nistp256"]},
]


@pytest.mark.parametrize("old", OLD, ids=lambda old: next(iter(old.values()))[0])
async def test_what_is_not_modern_is_refused(port: Port, ann: User, old: dict[str, Any]) -> None:
    with pytest.raises(asyncssh.KeyExchangeFailed):
        async with port.connect("ann", password=PASSWORD, **old):
            pass


async def test_forwarding_of_every_kind_is_refused(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_connection("127.0.0.1", port.number)
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_unix_connection("/run/postgresql/.s.PGSQL.5432")
        with pytest.raises(asyncssh.ChannelListenError):
            await connection.forward_remote_port("127.0.0.1", 0, "127.0.0.1", port.number)
        with pytest.raises(asyncssh.ChannelListenError):
            await connection.forward_remote_path("/tmp/uuutorrent.sock", "/tmp/x")
        for open_tunnel in (connection.open_tun, connection.open_tap):
            with pytest.raises(asyncssh.ChannelOpenError):
                await open_tunnel()


async def test_agents_and_x11_are_not_forwarded(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        channel, _ = await connection.create_session(asyncssh.SSHClientSession, "whoami")
        assert not await channel._make_request(b"auth-agent-req@openssh.com")
        x11 = (asyncssh.packet.Boolean(False), *map(asyncssh.packet.String, ("MIT-MAGIC-COOKIE-1", "00")))
        assert not await channel._make_request(b"x11-req", *x11, asyncssh.packet.UInt32(0))


async def test_who_does_not_sign_in_in_time_is_shut_out(services: Services, engine: Any) -> None:
    settings = services.config.model_copy(update={"ssh": Ssh(host="127.0.0.1", port=0, login_grace_s=0.05)})
    object.__setattr__(services, "config", settings)
    async with opened(services, engine) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port.number)
        async with asyncio.timeout(PATIENCE_S):
            assert (await reader.read()).startswith(b"SSH-2.0-uuutorrent\r\n")
        writer.close()
        await port.until(lambda: port.counted("ssh_refused", "grace") == 1)


@pytest.mark.parametrize(
    "first", [b"\x00" * 9000, b"GET / HTTP/1.1\r\n\r\n", b"SSH-2.0-x\r\n" + b"\xff" * 70000, b"SSH-1.5-x\r\n"]
)
async def test_garbage_ends_a_connection_and_nothing_else(port: Port, ann: User, first: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port.number)
    writer.write(first)
    with suppress(ConnectionResetError):  # what was not listened to is thrown away
        async with asyncio.timeout(PATIENCE_S):
            while await reader.read(65536):
                pass
    writer.close()
    async with port.as_user(ann) as connection:
        assert (await connection.run("whoami")).exit_status == 0


async def test_a_client_that_vanishes_leaves_no_session(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        person = await sit_down(connection)
        await person.sees(b"hello ann")
        sock: socket.socket = connection.get_extra_info("socket")
        connection._transport.abort()  # type: ignore[union-attr]  # as when the power goes
        assert sock is not None
    await port.until(lambda: not any(port.server.sessions().values()))

"""Bytes that mean nothing, at every state of the protocol: the connection ends or goes on, and nothing else happens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

import asyncssh
import pytest
from asyncssh.packet import String
from structlog.testing import capture_logs

from tests.ssh.attacker import attacking
from tests.ssh.port import PATIENCE_S, Port
from uuutorrent.users import User

SEEDS = 12
MANY = {"startups_begin": 1000, "startups_full": 2000, "startups_per_source": 1000, "refusal_s": 0.05}

Sends = Callable[[Any, Random], None]


def noise(conn: Any, random: Random) -> None:
    """Not even a packet."""
    conn._transport.write(random.randbytes(random.randrange(1, 3000)))


def packets(conn: Any, random: Random) -> None:
    """Packets of every kind, well sealed, with nothing sensible in them."""
    for _ in range(20):
        if conn._transport is not None:
            conn.send_packet(random.randrange(1, 256), random.randbytes(random.randrange(60)))


def halves(conn: Any, random: Random) -> None:
    """Requests that break off, or say of their parts that they are longer than they are."""
    for kind in (50, 80, 90, 93, 94, 95, 96, 98, 61, 20, 30):
        if conn._transport is not None:
            body = String(random.choice((b"ann", b"session", b"exec", b"\xff" * 9))) + random.randbytes(3)
            conn.send_packet(kind, body[: random.randrange(1, len(body))])


def still_asks(conn: Any, random: Random) -> None:
    """As if nothing had been agreed on yet."""
    conn._transport.write(b"SSH-2.0-again\r\n")
    if random.random() < 0.5:
        conn._send_kexinit()


GARBAGE = [noise, packets, halves, still_asks]


async def over(conn: Any) -> None:
    """Wait until the server hung up, or has had its chance."""
    with suppress(TimeoutError):
        async with asyncio.timeout(0.1):
            await conn.wait_closed()
    conn.abort()


async def kexinit_and(port: Port, random: Random) -> None:
    """During the key exchange."""

    class Rude(asyncssh.SSHClient):
        def connection_made(self, conn: Any) -> None:
            plain = conn._send_kexinit

            def rudely() -> None:
                plain()
                noise(conn, random)

            conn._send_kexinit = rudely

    with suppress(asyncssh.Error, OSError):
        async with asyncio.timeout(PATIENCE_S), port.connect("ann", client_factory=Rude, client_keys=None):
            pass


@pytest.mark.parametrize("ssh_limits", [MANY])
@pytest.mark.parametrize("state", ["key exchange", "before a request", "while a password is looked at", "signed in"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_garbage_ends_its_connection_at_most(
    port: Port, ann: User, bob: User, state: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    with capture_logs() as logs:
        for seed in range(SEEDS):
            random = Random(seed)
            sends: Sends = GARBAGE[seed % len(GARBAGE)]
            if state == "key exchange":
                await kexinit_and(port, random)
            elif state == "signed in":
                with suppress(asyncssh.Error, OSError):
                    async with port.as_user(bob) as connection:
                        sends(connection, random)
                        await over(connection)
            else:
                async with attacking(port) as (attacker, _):
                    if state == "while a password is looked at":
                        attacker.password("ann", "wrong")
                    sends(attacker.conn, random)
                    await over(attacker.conn)
            port.services.penalties._until.clear()
    crashed = [line for line in logs if "crash" in line["event"] or line.get("log_level") == "error"]
    assert crashed == []
    assert [line for line in caplog.records if "Uncaught" in line.getMessage()] == []
    assert port.counted("ssh_auth_attempts", "password", "ok") == 0
    async with port.as_user(ann) as connection:
        assert (await connection.run("whoami")).exit_status == 0
    await port.until(lambda: port.server.connections()["unauthenticated"] == 0)

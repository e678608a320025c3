"""While somebody floods the port, a person's screen answers, nobody comes in, and nothing stays behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncssh
import pytest
from asyncssh.packet import Boolean, String, UInt32

from tests.ssh import floods
from tests.ssh.port import Person, Port, sit_down
from uuutorrent.ssh.tcp import UNREAD_MAX, VARIABLES_BYTES, VARIABLES_MAX
from uuutorrent.users import User

LOOKS = 3
LARGEST_ANSWER = 64 * 1024
ROOM = {"startups_begin": 20, "startups_full": 30}


@asynccontextmanager
async def going_on(flood: Any) -> AsyncIterator[asyncio.Task[None]]:
    """The flood, until the end of the context."""
    task = asyncio.ensure_future(flood)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, asyncssh.Error, OSError):
            await task


async def answers(person: Person) -> None:
    """The screen is painted anew whenever its person asks for it."""
    for n in range(LOOKS):
        person.seen = b""
        person.process.change_terminal_size(60 + n, 20)
        await person.sees(f"{60 + n}x20".encode())


@pytest.mark.parametrize("ssh_limits", [{**ROOM, "refusal_s": 0.05}])
@pytest.mark.parametrize("name", floods.STRANGERS)
async def test_strangers_who_flood_get_nowhere_and_disturb_nobody(port: Port, ann: User, name: str) -> None:
    async with port.as_user(ann) as connection:
        person = await sit_down(connection)
        await person.sees(b"hello ann")
        async with going_on(floods.STRANGERS[name](port.number, floods.sources())) as flood:
            await port.until(lambda: port.server.connections()["unauthenticated"] or port_refused(port))
            await answers(person)
            assert not flood.done()
            assert port.server.connections()["signed_in"] == 1
            assert port.server.connections()["unauthenticated"] <= ROOM["startups_full"]
        await port.until(lambda: port.server.connections()["unauthenticated"] == 0)
        await answers(person)
    assert port.counted("ssh_auth_attempts", "password", "ok") == 0


def port_refused(port: Port) -> bool:
    """Whether some connection came to nothing already."""
    return any(family == "ssh_refused" for family, _ in port.services.tally.counters)


@pytest.mark.parametrize("name", floods.INSIDERS)
async def test_a_user_who_floods_disturbs_nobody_else(port: Port, ann: User, bob: User, name: str) -> None:
    async with port.as_user(ann) as connection, port.as_user(bob) as flooding:
        person = await sit_down(connection)
        await person.sees(b"hello ann")
        assert (await flooding.run("whoami")).exit_status == 0  # until then more than a little is too much
        (theirs,) = [one for one in port.server._guests.connections if one.user is not None and one.user.name == "bob"]
        transport: Any = theirs._conn and theirs._conn._transport
        async with going_on(floods.INSIDERS[name](flooding)):
            await answers(person)
            assert transport.get_write_buffer_size() < UNREAD_MAX + LARGEST_ANSWER
            assert len(theirs._sessions) <= 10
        flooding.abort()
        await port.until(lambda: port.server.connections()["signed_in"] == 1)
        await answers(person)
        await port.until(lambda: len(port.server._guests.sessions) == 1)
    assert not any(count for (family, _), count in port.services.tally.counters.items() if family == "session_crashes")


async def test_who_reads_no_answers_is_not_heard_until_they_do_and_then_goes_on(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        assert (await connection.run("whoami")).exit_status == 0
        (theirs,) = port.server._guests.connections
        transport: Any = theirs._conn and theirs._conn._transport
        async with going_on(floods.global_requests(connection)):
            await port.until(lambda: not transport.is_reading())
        assert transport.get_write_buffer_size() < UNREAD_MAX + LARGEST_ANSWER
        connection._transport.resume_reading()  # type: ignore[union-attr]
        await port.until(lambda: transport.is_reading() and transport.get_write_buffer_size() == 0)


async def test_of_an_environment_a_few_variables_are_kept(port: Port, ann: User) -> None:
    async with port.as_user(ann) as connection:
        quiet: Any = connection
        quiet._packet_handlers = quiet._packet_handlers | {91: lambda *_: True, 99: lambda *_: True}
        quiet.send_packet(90, String("session"), UInt32(0), UInt32(65536), UInt32(32768))
        await port.until(lambda: port.server._guests.sessions)
        for size in (10, 1000):
            for n in range(100):
                quiet.send_packet(
                    98, UInt32(0), String("env"), Boolean(False), String(f"A{size}_{n}"), String("x" * size)
                )
        quiet.send_packet(98, UInt32(0), String("window-change"), Boolean(False), *map(UInt32, (77, 20, 0, 0)))
        (session,) = port.server._guests.sessions
        channel: Any = session._channel and session._channel._chan
        await port.until(lambda: channel._term_size[0] == 77)
        assert 0 < len(channel._env) <= VARIABLES_MAX
        assert sum(len(name) + len(value) for name, value in channel._env.items()) <= VARIABLES_BYTES

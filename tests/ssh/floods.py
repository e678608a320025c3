"""What can be poured at the port, by strangers and by somebody signed in. `benchmarks/doors.py` pours for longer.

Each flood goes on until it is cancelled, or until the server hangs up on it for good.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any

import asyncssh
from asyncssh.packet import Boolean, String, UInt32

from tests.ssh.fuzz import first_bytes

AT_ONCE = 200
"""Packets that are sent before the flood lets others in its own process have a turn."""
SLOWLY_S = 0.05

Source = Callable[[], str]
Stranger = Callable[[int, Source], Awaitable[None]]
Insider = Callable[[asyncssh.SSHClientConnection], Awaitable[None]]


def sources(seed: int = 1) -> Source:
    """Addresses of this machine, another each time."""
    random = Random(seed)
    return lambda: f"127.{random.randrange(1, 255)}.{random.randrange(255)}.{random.randrange(1, 255)}"


@asynccontextmanager
async def line(port: int, source: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare connection; that the server hangs up is no surprise."""
    with suppress(ConnectionError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
        try:
            yield reader, writer
        finally:
            writer.transport.abort()


async def half_open(port: int, source: Source) -> None:
    """Connections that say nothing, ever more of them."""
    async with asyncio.TaskGroup() as group:
        while True:
            group.create_task(_silent(port, source()))
            await asyncio.sleep(0.002)


async def _silent(port: int, source: str) -> None:
    async with line(port, source) as (reader, _):
        await reader.read()


async def slow_handshakes(port: int, source: Source) -> None:
    """A version that comes letter by letter, from many at once."""
    async with asyncio.TaskGroup() as group:
        for _ in range(50):
            group.create_task(_slow(port, source))


async def _slow(port: int, source: Source) -> None:
    while True:
        async with line(port, source()) as (_, writer):
            for letter in b"SSH-2.0-" + b"slowly" * 30 + b"\r\n" + b"\x00" * 30000:
                writer.write(bytes([letter]))
                await writer.drain()
                await asyncio.sleep(SLOWLY_S)


async def connects(port: int, source: Source) -> None:
    """Connections that are gone at once."""
    while True:
        async with line(port, source()):
            pass


async def garbage(port: int, source: Source) -> None:
    """Beginnings that are none."""
    random = Random(1)
    while True:
        async with line(port, source()) as (reader, writer):
            writer.write(first_bytes(random))
            writer.write_eof()
            await reader.read()


async def oversized(port: int, source: Source) -> None:
    """Packets that say they are larger than anything."""
    for size in itertools.cycle((2**32 - 1, 2**31, 2**20, 0, 1)):
        async with line(port, source()) as (reader, writer):
            writer.write(b"SSH-2.0-x\r\n" + size.to_bytes(4) + b"\xff" * 300_000)
            with suppress(ConnectionError):
                await writer.drain()
                await reader.read()


async def handshakes(port: int, source: Source) -> None:
    """Key exchanges that lead nowhere."""
    while True:
        with suppress(OSError, asyncssh.Error):
            await asyncssh.get_server_host_key("127.0.0.1", port, local_addr=(source(), 0), config=None)


async def guesses(port: int, source: Source) -> None:
    """Passwords, for names that are there and names that are not."""
    for number in itertools.count():
        with suppress(OSError, asyncssh.Error):
            name = ("ann", "root", "nobody", "a' OR 1=1 --", "../../ann")[number % 5]
            await asyncssh.connect(
                "127.0.0.1", port, local_addr=(source(), 0), username=name, password=f"guess {number}",
                known_hosts=None, client_keys=None, config=None, agent_path=None,
            )  # fmt: skip
            raise AssertionError("a guess came in")


STRANGERS: dict[str, Stranger] = {
    "half-open connections": half_open,
    "slow handshakes": slow_handshakes,
    "connections that go": connects,
    "garbage": garbage,
    "oversized packets": oversized,
    "handshakes": handshakes,
    "guesses": guesses,
}


async def _pour(connection: asyncssh.SSHClientConnection, kind: int, body: Callable[[int], bytes]) -> None:
    """One packet after the other, as fast as the server takes them, without a look at what it answers."""
    conn: Any = connection
    conn._packet_handlers = conn._packet_handlers | dict.fromkeys(range(80, 101), lambda *_: True)
    for number in itertools.count():
        if conn._transport is None:
            return
        conn.send_packet(kind, body(number))
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
            while conn._transport is not None and conn._transport.get_write_buffer_size() > 1 << 20:  # noqa: ASYNC110
                await asyncio.sleep(0.001)


async def opens(connection: asyncssh.SSHClientConnection) -> None:
    """Channels."""
    await _pour(connection, 90, lambda n: String("session") + UInt32(n) + UInt32(65536) + UInt32(32768))


async def other_opens(connection: asyncssh.SSHClientConnection) -> None:
    """Channels of kinds that are not there."""
    await _pour(
        connection, 90, lambda n: String("direct-tcpip") + UInt32(n) + UInt32(65536) + UInt32(32768) + bytes(16)
    )


async def global_requests(connection: asyncssh.SSHClientConnection) -> None:
    """Questions whose answers nobody reads."""
    transport: Any = connection._transport
    transport.pause_reading()
    await _pour(connection, 80, lambda _: String("tcpip-forward-not") + Boolean(True))


async def ignored(connection: asyncssh.SSHClientConnection) -> None:
    """Packets that are to be ignored."""
    await _pour(connection, 2, lambda _: String(b""))


async def unknown(connection: asyncssh.SSHClientConnection) -> None:
    """Packets of a kind that does not exist; each is answered."""
    await _pour(connection, 30 + 160, lambda _: b"")


async def _channel(connection: asyncssh.SSHClientConnection, **options: Any) -> int:
    """The server's number of a new session."""
    channel: Any
    channel, _ = await connection.create_session(asyncssh.SSHClientSession, encoding=None, **options)
    return int(channel._send_chan)


async def resizes(connection: asyncssh.SSHClientConnection) -> None:
    """A window that is another size each time."""
    number = await _channel(connection, term_type="xterm-256color", term_size=(80, 24))
    head = UInt32(number) + String("window-change") + Boolean(False)
    await _pour(connection, 98, lambda n: head + UInt32(60 + n % 100) + UInt32(20 + n % 40) + UInt32(0) * 2)


async def variables(connection: asyncssh.SSHClientConnection) -> None:
    """Variables of an environment without end."""
    conn: Any = connection
    conn._packet_handlers = conn._packet_handlers | {91: lambda *_: True}
    conn.send_packet(90, String("session"), UInt32(0), UInt32(65536), UInt32(32768))
    head = UInt32(0) + String("env") + Boolean(False)
    await _pour(connection, 98, lambda n: head + String(f"NAME{n}") + String("x" * 1000))


async def keys(connection: asyncssh.SSHClientConnection) -> None:
    """A key held down by a machine, each press in a packet of its own."""
    conn: Any = connection
    channel: Any
    channel, _ = await connection.create_session(
        asyncssh.SSHClientSession, encoding=None, term_type="xterm-256color", term_size=(80, 24)
    )
    while conn._transport is not None:
        for _ in range(AT_ONCE):
            channel.write(b"j")
        await asyncio.sleep(0.001)
        while channel.get_write_buffer_size() > 1 << 16 and conn._transport is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def rekeys(connection: asyncssh.SSHClientConnection) -> None:
    """New keys, again and again."""
    conn: Any = connection
    while conn._transport is not None:
        if conn._kex is None and not conn._kexinit_sent and conn._kex_complete:
            conn._send_kexinit()
        await asyncio.sleep(0)


async def commands(connection: asyncssh.SSHClientConnection) -> None:
    """Verbs, one after the other, ten at a time."""

    async def again() -> None:
        while True:
            with suppress(asyncssh.ChannelOpenError):
                await connection.run("help")
            await asyncio.sleep(0)

    with suppress(asyncssh.Error):
        await asyncio.gather(*(again() for _ in range(9)))


async def questions(connection: asyncssh.SSHClientConnection) -> None:
    """Questions about files, in nine sessions at once, without a look at the answers."""

    async def ask() -> None:
        channel: Any
        channel, _ = await connection.create_session(asyncssh.SSHClientSession, subsystem="sftp", encoding=None)
        channel.write(String(b"\x01" + UInt32(3)))
        for number in itertools.count():
            kind, path = ((b"\x11", "/torrents"), (b"\x0b", "/"), (b"\x11", "/new/x"), (b"\x10", "a/../b"))[number % 4]
            channel.write(String(kind + UInt32(number) + String(path)))
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
                while channel.get_write_buffer_size() > 1 << 16:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)

    with suppress(asyncssh.Error, OSError):
        await asyncio.gather(*(ask() for _ in range(9)))


INSIDERS: dict[str, Insider] = {
    "channel opens": opens,
    "opens of other kinds": other_opens,
    "unread answers": global_requests,
    "packets to ignore": ignored,
    "packets of no kind": unknown,
    "resizes": resizes,
    "variables": variables,
    "keys": keys,
    "new keys": rekeys,
    "commands": commands,
    "questions about files": questions,
}

"""The old protocol of scp, spoken by hand: what no good client sends, and what it is sent."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncssh
import pytest

from tests.ssh.clients.programs import SHOWS
from tests.ssh.port import PATIENCE_S, Port
from uuutorrent.users import User

EPISODE = os.urandom(700_001)
PATH = f"{SHOWS}/Show/1.mkv"


class Client:
    """Answers what the server sends, byte for byte as it likes."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes]) -> None:
        self.process = process

    def answer(self, what: bytes = b"\0") -> None:
        self.process.stdin.write(what)

    async def line(self) -> str:
        async with asyncio.timeout(PATIENCE_S):
            return (await self.process.stdout.readuntil(b"\n")).decode()

    async def content(self, size: int) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.stdout.readexactly(size)

    async def ends(self) -> tuple[int | None, str]:
        async with asyncio.timeout(PATIENCE_S):
            said = await self.process.stderr.read()
            return (await self.process.wait()).exit_status, said.decode()


@asynccontextmanager
async def scp(port: Port, user: User, line: str) -> AsyncGenerator[Client]:
    async with port.as_user(user) as connection:
        yield Client(await connection.create_process(line, encoding=None))


@pytest.fixture(autouse=True)
async def shows(port: Port, ann: User) -> None:
    await port.give(ann, "Show", {"1.mkv": EPISODE, "2.txt": b"hello"})


async def test_a_file_is_announced_with_its_time_and_sent_whole(port: Port, ann: User) -> None:
    place = next(port.services.config.download_dir.rglob("1.mkv"))
    os.utime(place, (1_600_000_000, 1_600_000_000))
    async with scp(port, ann, f"scp -v -p -f -- {PATH}") as client:
        client.answer()
        assert await client.line() == "T1600000000 0 1600000000 0\n"
        client.answer()
        assert await client.line() == f"C0644 {len(EPISODE)} 1.mkv\n"
        client.answer()
        assert await client.content(len(EPISODE) + 1) == EPISODE + b"\0"
        client.answer()
        assert await client.ends() == (0, "")
    assert port.counted("served_bytes", "scp") == len(EPISODE)


async def test_what_does_not_exist_is_told_and_the_rest_comes(port: Port, ann: User) -> None:
    async with scp(port, ann, f"scp -f /nothing {SHOWS}/Show {SHOWS}/*/*.txt") as client:
        client.answer(b"\0" * 4)
        assert "There is no" in await client.line()
        assert "is a folder; fetch it with -r" in await client.line()
        assert await client.line() == "C0644 5 2.txt\n"
        assert await client.content(6) == b"hello\0"
        assert await client.ends() == (1, "")


async def test_somebody_elses_files_do_not_exist(port: Port, bob: User) -> None:
    for path in (PATH, f"{SHOWS}/Show", f"{SHOWS}/*/*", "/../../etc/passwd", "/torrents/../../etc/*"):
        async with scp(port, bob, f"scp -r -f {path}") as client:
            client.answer()
            assert "There is no" in await client.line()
            assert (await client.ends())[0] == 1


@pytest.mark.parametrize("answer", [b"\1no room\n", b"\2", b"x"])
async def test_a_client_that_cannot_take_it_ends_it(port: Port, ann: User, answer: bytes) -> None:
    async with scp(port, ann, f"scp -f {PATH} {PATH}") as client:
        client.answer()
        await client.line()
        client.answer(answer)
        assert await client.ends() == (75, "scp: the client could not take it\n")


async def test_a_client_that_says_nothing_more_ends_it(port: Port, ann: User) -> None:
    async with scp(port, ann, f"scp -f {PATH}") as client:
        client.answer()
        await client.line()
        client.process.stdin.write_eof()
        assert await client.ends() == (75, "scp: the client went away\n")


async def test_a_client_that_talks_without_end_is_cut_off(port: Port, ann: User) -> None:
    async with scp(port, ann, f"scp -f {PATH}") as client:
        client.answer(b"\0" + b"x" * 100_000)
        assert (await client.ends())[0] == 75


async def test_a_client_that_hangs_up_in_the_middle_leaves_nothing(port: Port, ann: User) -> None:
    async with scp(port, ann, f"scp -f {PATH}") as client:
        client.answer(b"\0\0")
        await client.line()
        await client.content(1000)
    await port.until(lambda: not any(port.server.sessions().values()))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("scp -t /drop", "only fetches here"),
        ("scp -f", "give files to fetch"),
        ("scp /torrents", "give files to fetch"),
        ("scp -f 'open", "a quote in it is not closed"),
    ],
)
async def test_other_lines_are_answered_in_a_sentence(port: Port, ann: User, line: str, said: str) -> None:
    async with scp(port, ann, line) as client:
        code, told = await client.ends()
    assert code in (2, 3)
    assert said in told


async def test_a_long_transfer_in_which_the_client_says_nothing_is_not_idle(port: Port, ann: User) -> None:
    async with scp(port, ann, f"scp -f {PATH}") as client:
        client.answer()
        await client.line()
        client.answer()
        begun = await client.content(1000)
        (session,) = port.server._guests.sessions
        session._asked_at -= 1_000_000
        await port.server.send_away()
        assert begun + await client.content(len(EPISODE) - 1000) == EPISODE
        assert await client.content(1) == b"\0"
        client.answer()
        assert await client.ends() == (0, "")

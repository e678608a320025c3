"""Answers on their way out, whose turn it is, and a file that is read in whatever portions."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uuutorrent.automation.inbox.coverage import Coverage
from uuutorrent.errors import Unreachable
from uuutorrent.ssh import filexfer
from uuutorrent.ssh.filexfer import Attributes, Status
from uuutorrent.ssh.sftp.depot import Depot, Rounds
from uuutorrent.ssh.sftp.handles import OpenFile
from uuutorrent.ssh.sftp.stream import Piece, Stream

CONTENT = bytes(range(256)) * 400
READS = st.lists(st.tuples(st.integers(0, len(CONTENT) - 1), st.integers(1, 30_000)), min_size=1, max_size=8)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[OpenFile]:
    (tmp_path / "file").write_bytes(CONTENT)
    of = Attributes(False, len(CONTENT), datetime.now(UTC))
    opened = OpenFile(os.open(tmp_path / "file", os.O_RDONLY), of, "file", Coverage(len(CONTENT)))
    yield opened
    opened.close()


def reading(file: OpenFile, number: int, offset: int, size: int) -> Piece:
    size = file.sized(offset, size)
    return Piece(filexfer.data_head(number, size), file, offset, size, number)


def drained(stream: Stream, portion: int) -> bytes:
    """All of it, in such portions, each over two places."""
    out = b""
    while stream.size:
        buffer = memoryview(bytearray(min(portion, stream.size)))
        half = len(buffer) // 2
        for run in stream.spread([place for place in (buffer[:half], buffer[half:]) if place]):
            assert run.file.fill(run.places, run.offset, run.size)
        stream.sent(len(buffer))
        out += bytes(buffer)
    return out


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reads=READS, portion=st.integers(1, 50_000))
def test_answers_leave_whole_in_whatever_portions(file: OpenFile, reads: list[tuple[int, int]], portion: int) -> None:
    stream, wanted = Stream(), b""
    for number, (offset, size) in enumerate(reads):
        stream.add(Piece(b"status"))
        stream.add(reading(file, number, offset, size))
        content = CONTENT[offset : offset + size]
        wanted += b"status" + filexfer.data_head(number, len(content)) + content
    assert drained(stream, max(portion, 200)) == wanted


def test_a_file_that_shrank_is_told_as_it_is_unless_its_length_is_out(file: OpenFile) -> None:
    stream = Stream()
    stream.add(reading(file, 1, 0, 1000))
    stream.add(reading(file, 2, 1000, 1000))
    file.size = 500
    stream.shrink(file)
    told = filexfer.data_head(1, 500) + CONTENT[:500] + filexfer.status(2, Status.EOF)
    assert drained(stream, 100) == told
    file.size = len(CONTENT)
    stream.add(reading(file, 3, 0, 1000))
    stream.sent(5)
    file.size = 500
    with pytest.raises(Unreachable, match="shorter"):
        stream.shrink(file)


async def test_what_a_thread_read_is_there_without_the_disk(file: OpenFile, monkeypatch: pytest.MonkeyPatch) -> None:
    depot = Depot()
    assert await file.fetch(depot, 10, 1000)
    monkeypatch.delattr("os.preadv")
    place = memoryview(bytearray(1000))
    assert file.fill([place[:300], place[300:]], 10, 1000)
    assert place == CONTENT[10:1010]
    assert not await file.fetch(depot, len(CONTENT) - 5, 1000)
    assert file.size == len(CONTENT)
    depot.close()


async def test_in_each_round_of_the_loop_one_session_has_a_turn() -> None:
    rounds, order = Rounds(), list[str]()

    async def pull(name: str) -> None:
        for _ in range(3):
            await rounds.turn()
            order.append(name)

    async def press() -> None:
        for _ in range(8):
            await asyncio.sleep(0)
            order.append("key")

    async with asyncio.TaskGroup() as group:
        for name in ("a", "b"):
            group.create_task(pull(name))
        group.create_task(press())
    turns = "".join("k" if one == "key" else one for one in order).split("k")
    assert max(len(between) for between in turns) == 1
    assert sorted("".join(turns)) == list("aaabbb")


async def test_a_turn_that_nobody_waits_for_any_more_goes_to_the_next() -> None:
    rounds = Rounds()
    await rounds.turn()
    gone, next_ = (asyncio.ensure_future(rounds.turn()) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    async with asyncio.timeout(10):
        await next_

"""Whatever is sent, nobody reads what is not theirs and nothing breaks. `benchmarks/fuzzing.py` does it longer."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random

import pytest
from structlog.testing import capture_logs

from tests.ssh.fuzz import answers, asks, first_bytes, request
from tests.ssh.port import Port
from uuutorrent.users import User

SESSIONS, REQUESTS = 60, 100
CONNECTIONS = 300
OURS, THEIRS = b"what ann may read " * 5000, b"what only bob may read "


async def test_no_request_for_files_breaks_the_session_or_shows_what_is_anothers(
    port: Port, ann: User, bob: User
) -> None:
    await port.give(ann, "Lecture", {"one.mkv": OURS, "two.mkv": b""})
    await port.give(bob, "Secret", {"one.mkv": THEIRS * 100})
    desk = port.services.desk(ann)
    seen = set()
    with capture_logs() as logs:
        for seed in range(SESSIONS):
            random = Random(seed)
            sent = await asks(desk, [request(random) for _ in range(REQUESTS)])
            assert THEIRS not in sent
            assert b"root:" not in sent
            seen |= {kind for kind, _ in answers(sent)}
    assert [line for line in logs if line["event"] == "sftp_request_crashed"] == []
    assert seen >= {2, 101, 102, 103, 104, 105, 201}


@pytest.mark.parametrize("ssh_limits", [{"startups_begin": 1000, "startups_full": 2000, "startups_per_source": 1000}])
async def test_no_beginning_of_a_connection_breaks_the_port(port: Port, ann: User) -> None:
    with capture_logs() as logs:
        for seed in range(CONNECTIONS):
            random = Random(seed)
            source = f"127.{random.randrange(1, 255)}.{random.randrange(255)}.{random.randrange(1, 255)}"
            reader, writer = await asyncio.open_connection("127.0.0.1", port.number, local_addr=(source, 0))
            with suppress(ConnectionError):
                writer.write(first_bytes(random))
                writer.write_eof()
                async with asyncio.timeout(10):
                    await reader.read()
            writer.close()
    assert [line for line in logs if "crash" in line["event"] or line.get("log_level") == "error"] == []
    async with port.as_user(ann) as connection:
        assert (await connection.run("whoami")).exit_status == 0

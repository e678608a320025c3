"""Jobs of several daemons on one PostgreSQL: each turn is one daemon's, and another's when that one is gone."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from tests.automation.test_jobs import PATIENCE_S, SELDOM_S, Turns, running, until
from tests.servers.postgres import OWNER, Postgres
from tests.stories.hatchery import die_with_parent
from uuutorrent.automation import jobs as shared
from uuutorrent.automation.every import Job
from uuutorrent.automation.jobs import Jobs
from uuutorrent.errors import BadConfig, Unreachable
from uuutorrent.store.database import NOBODY, Database
from uuutorrent.tally import Tally

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
INTERVAL_S = 0.5
TAKEN_OVER_S = 15
HANGS = """
import asyncio, sys
from uuutorrent.automation.every import Job
from uuutorrent.automation.jobs import Jobs
from uuutorrent.store.database import Database
from uuutorrent.tally import Tally

async def hang():
    print("begun", flush=True)
    await asyncio.Event().wait()

async def main():
    async with Database(sys.argv[1]) as database:
        await Jobs(database, Tally()).run([Job("feeds", 10_000_000, 1000, hang)])

asyncio.run(main())
"""
"""Another daemon, whose turn never ends."""


def another_daemon(url: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", HANGS, url]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, preexec_fn=die_with_parent)


@pytest.fixture
def url(postgres_cluster: Postgres) -> Iterator[str]:
    made = postgres_cluster.fresh()
    yield made
    postgres_cluster.drop(made)


@pytest.fixture
async def one(url: str) -> AsyncIterator[Database]:
    async with Database(url) as opened:
        yield opened


@pytest.fixture
async def two(url: str) -> AsyncIterator[Database]:
    async with Database(url) as opened:
        yield opened


async def cut_all_lines(database: Database) -> None:
    """PostgreSQL ends every connection to this database but the one that asks it to."""
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    async with database.begin(NOBODY) as tx:
        assert await tx.scalar(text(f"SELECT count(pg_terminate_backend(pid)) {others}")) >= 1


async def test_of_two_daemons_one_takes_each_turn(one: Database, two: Database) -> None:
    here, there = Turns(), Turns()
    started = time.monotonic()
    async with running(one, Job("feeds", INTERVAL_S, 5, here)), running(two, Job("feeds", INTERVAL_S, 5, there)):
        await until(lambda: here.ended + there.ended >= 12)
        passed = (time.monotonic() - started) / INTERVAL_S
    # One each as they start, where the first was over before the second came; then one in an interval.
    assert here.begun + there.begun <= passed + 3


async def test_while_one_daemon_takes_a_turn_no_other_does_however_often_it_is_asked_for(
    one: Database, two: Database
) -> None:
    here, there, other = Turns(), Turns(), Turns()
    here.gate.clear()
    async with running(one, Job("feeds", INTERVAL_S, 60, here)):
        await until(lambda: here.begun == 1)
        async with running(two, Job("feeds", INTERVAL_S, 60, there), Job("autopilot", INTERVAL_S, 5, other)) as jobs:
            for _ in range(5):
                await jobs.soon("feeds")
            await until(lambda: other.ended >= 5)
            assert (here.begun, there.begun) == (1, 0)
    # It stopped, and what was asked for of the other waited.
    assert here.ended == 1


async def test_a_turn_of_a_daemon_that_is_killed_is_taken_over_within_seconds(url: str, one: Database) -> None:
    await Jobs(one, Tally()).prepare()
    other = another_daemon(url)
    assert other.stdout is not None
    try:
        assert await asyncio.to_thread(other.stdout.readline) == b"begun\n"
        turns, seen = Turns(), Turns()
        async with running(one, Job("feeds", SELDOM_S, 5, turns), Job("autopilot", INTERVAL_S, 5, seen)):
            await until(lambda: seen.ended >= 3)
            assert turns.begun == 0
            os.kill(other.pid, signal.SIGKILL)
            await until(lambda: turns.ended >= 1)
    finally:
        other.kill()
        other.wait()
        other.stdout.close()


def test_how_soon_a_turn_is_taken_over_is_what_is_promised() -> None:
    assert shared.HEARTBEAT_S + shared.LOOK_S < TAKEN_OVER_S


async def test_a_daemon_that_stops_hands_its_turn_back_at_once(
    one: Database, two: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "HEARTBEAT_S", 1000)
    here, there = Turns(), Turns()
    here.gate.clear()
    async with running(two):
        async with running(one, Job("feeds", SELDOM_S, 60, here)):
            await until(lambda: here.begun == 1)
        async with running(two, Job("feeds", SELDOM_S, 60, there)):
            await until(lambda: there.ended >= 1)
    assert here.ended == 1


async def test_jobs_go_on_by_themselves_when_postgresql_is_back(one: Database, postgres_cluster: Postgres) -> None:
    turns, hanging = Turns(), Turns()
    hanging.gate.clear()
    with capture_logs() as logged:
        async with running(one, Job("feeds", INTERVAL_S, 5, turns), Job("autopilot", SELDOM_S, 500, hanging)) as jobs:
            await until(lambda: turns.ended >= 2 and hanging.begun == 1)
            postgres_cluster.stop()
            try:
                # Whoever cannot say that it lives stops: another may have its turn by now.
                await until(lambda: hanging.ended == 1)
                with pytest.raises(Unreachable):
                    await jobs.soon("feeds")
                await until(lambda: any(one["event"] == "jobs wait for the database" for one in logged))
                before = turns.ended
            finally:
                postgres_cluster.start()
            await until(lambda: turns.ended >= before + 2 and hanging.begun == 2)
    told = [one["event"] for one in logged if one["event"].startswith("jobs ")]
    assert told == ["jobs wait for the database", "jobs go on"]


async def test_jobs_go_on_after_their_connection_alone_was_lost(one: Database, two: Database) -> None:
    turns = Turns()
    async with running(one, Job("feeds", INTERVAL_S, 5, turns)):
        await until(lambda: turns.ended >= 1)
        await cut_all_lines(two)
        before = turns.ended
        await until(lambda: turns.ended >= before + 2)


async def test_a_daemon_that_is_stopped_while_its_connection_is_lost_stops(one: Database, two: Database) -> None:
    begun, lost, let_go = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow_to_end() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            lost.set()
            await let_go.wait()

    jobs = Jobs(one, Tally())
    await jobs.prepare()
    running_ = asyncio.create_task(jobs.run([Job("feeds", SELDOM_S, 500, slow_to_end)]))
    await begun.wait()
    await cut_all_lines(two)
    await lost.wait()
    running_.cancel()
    await asyncio.sleep(0)
    let_go.set()
    await asyncio.wait({running_}, timeout=PATIENCE_S)
    assert running_.cancelled()


async def test_daemons_that_start_at_once_make_the_tables_of_jobs_once(url: str) -> None:
    async def starts() -> None:
        async with Database(url) as database:
            await Jobs(database, Tally()).prepare()

    await asyncio.gather(*(starts() for _ in range(5)))
    async with Database(url) as database, database.begin(NOBODY) as tx:
        made = await tx.scalars(
            text("SELECT schemaname || '.' || tablename FROM pg_tables WHERE tablename LIKE 'pgq%'")
        )
        assert set(made) == {f"jobs.pgqueuer{name}" for name in ("", "_log", "_schedules", "_statistics")}


async def test_who_may_not_make_the_tables_of_jobs_is_told_what_is_missing(
    url: str, postgres_cluster: Postgres
) -> None:
    postgres_cluster.as_superuser("CREATE ROLE guest LOGIN")
    try:
        async with Database(url.replace(f"{OWNER}@", "guest@")) as database:
            with pytest.raises(BadConfig, match=r"\[database\] url may not make the schema jobs"):
                await Jobs(database, Tally()).prepare()
    finally:
        postgres_cluster.as_superuser("DROP ROLE guest")

"""Shared jobs, on both kinds of database: turns in time, turns asked for, and what ends or breaks them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from tests.automation.evening import Evening
from uuutorrent import daemon
from uuutorrent.automation.every import Job
from uuutorrent.automation.jobs import Jobs
from uuutorrent.errors import Unreachable
from uuutorrent.store.database import NOBODY, Database
from uuutorrent.tally import FAMILIES, Tally

PATIENCE_S = 60
SELDOM_S = 10_000_000.0
"""An interval that no test lives to see the end of."""


class Turns:
    """A turn that counts, and may be held back."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0
        self.at_once = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> None:
        self.begun += 1
        self.at_once = max(self.at_once, self.begun - self.ended)
        try:
            await self.gate.wait()
        finally:
            self.ended += 1


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(database: Database, *jobs: Job, tally: Tally | None = None) -> AsyncGenerator[Jobs]:
    made = Jobs(database, tally or Tally())
    await made.prepare()
    task = asyncio.create_task(made.run(jobs))
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=PATIENCE_S)
        assert task.cancelled()


async def test_a_job_takes_a_turn_at_once_and_then_at_each_interval(database: Database) -> None:
    often, seldom = Turns(), Turns()
    async with running(database, Job("feeds", 0.3, 5, often), Job("autopilot", SELDOM_S, 5, seldom)):
        await until(lambda: often.ended >= 4)
    assert seldom.ended == 1


async def test_a_turn_that_takes_longer_than_the_interval_is_not_made_up_for(database: Database) -> None:
    turns = Turns()
    turns.gate.clear()
    asked = Turns()
    async with running(database, Job("feeds", 0.2, 60, turns), Job("autopilot", 0.2, 5, asked)):
        await until(lambda: turns.begun == 1 and asked.ended >= 5)
        assert (turns.begun, turns.at_once) == (1, 1)
        turns.gate.set()
        before = asked.ended
        await until(lambda: asked.ended >= before + 3)
    # One may have waited, for its own time; the others were never queued.
    assert turns.begun <= 3 + (asked.ended - before)


async def test_a_turn_asked_for_comes_at_once(database: Database) -> None:
    turns = Turns()
    async with running(database, Job("feeds", SELDOM_S, 5, turns)) as jobs:
        await until(lambda: turns.ended == 1)
        await jobs.soon("feeds")
        await until(lambda: turns.ended == 2)


async def test_what_is_asked_for_during_a_turn_is_looked_at_once_more_after_it(database: Database) -> None:
    turns = Turns()
    turns.gate.clear()
    other = Turns()
    async with running(database, Job("feeds", SELDOM_S, 60, turns), Job("autopilot", SELDOM_S, 5, other)) as jobs:
        await until(lambda: turns.begun == 1)
        for _ in range(5):
            await jobs.soon("feeds")
        turns.gate.set()
        await until(lambda: turns.ended == 2)
        await jobs.soon("autopilot")
        await until(lambda: other.ended == 2)
    assert (turns.begun, turns.at_once) == (2, 1)


async def test_a_turn_asked_for_in_a_transaction_comes_once_that_is_committed(database: Database) -> None:
    turns, other = Turns(), Turns()
    async with running(database, Job("feeds", SELDOM_S, 5, turns), Job("autopilot", SELDOM_S, 5, other)) as jobs:
        await until(lambda: turns.ended == other.ended == 1)
        async with database.begin(NOBODY) as tx:
            async with tx.begin_nested():
                await jobs.soon("feeds", tx=tx)
            # As long as this takes, another job has its turn.
            await jobs.soon("autopilot") if not database.is_sqlite else None
            await until(lambda: database.is_sqlite or other.ended == 2)
            assert turns.begun == 1
        await until(lambda: turns.ended == 2)


async def fails(database: Database, jobs: Jobs, *, had_begun: bool) -> None:
    """Ask for a job in a transaction that fails then."""
    async with database.begin(NOBODY) as tx:
        if had_begun:
            await tx.execute(text("SELECT 1"))
        await jobs.soon("feeds", tx=tx)
        raise ZeroDivisionError


@pytest.mark.parametrize("had_begun", [False, True])
async def test_a_transaction_that_is_rolled_back_leaves_no_job(database: Database, had_begun: bool) -> None:
    with pytest.raises(ZeroDivisionError):
        await fails(database, Jobs(database, Tally()), had_begun=had_begun)
    if not database.is_sqlite:
        async with database.begin(NOBODY) as tx:
            assert await tx.scalar(text("SELECT count(*) FROM jobs.pgqueuer")) == 0
    turns, other = Turns(), Turns()
    async with running(database, Job("feeds", SELDOM_S, 5, turns), Job("autopilot", SELDOM_S, 5, other)) as jobs:
        await until(lambda: turns.ended == other.ended == 1)
        with pytest.raises(ZeroDivisionError):
            await fails(database, jobs, had_begun=had_begun)
        await jobs.soon("autopilot")
        await until(lambda: other.ended == 2)
    assert turns.begun == 1


async def test_no_failure_of_a_turn_ends_the_job_and_each_is_told(database: Database) -> None:
    failures: list[BaseException] = [Unreachable("Nyaa", "no answer"), ZeroDivisionError("counted wrong")]
    tally, turns = Tally(), Turns()

    async def turn() -> None:
        await turns()
        if failures:
            raise failures.pop(0)

    with capture_logs() as logged:
        async with running(database, Job("feeds", 0.2, 5, turn), tally=tally):
            await until(lambda: turns.ended >= 3)
    assert [tally.counters["jobs", ("feeds", outcome)] for outcome in ("failed", "broken")] == [1, 1]
    assert tally.counters["jobs", ("feeds", "ok")] >= 1
    assert [(one["log_level"], one.get("why")) for one in logged if one.get("job") == "feeds"] == [
        ("warning", "Nyaa: no answer"), ("error", None),
    ]  # fmt: skip


async def test_a_turn_that_hangs_is_ended_at_its_deadline_and_holds_up_no_other_job(database: Database) -> None:
    hanging, other = Turns(), Turns()
    hanging.gate.clear()
    async with running(database, Job("feeds", 0.3, 0.3, hanging), Job("autopilot", 0.3, 5, other)):
        await until(lambda: hanging.ended >= 2 and other.ended >= 2)
    assert hanging.at_once == 1


async def test_a_job_that_there_is_not_cannot_be_asked_for(database: Database) -> None:
    with pytest.raises(ValueError, match="no job fedes"):
        await Jobs(database, Tally()).soon("fedes")


async def test_the_tally_knows_every_job_of_the_daemon(evening: Evening) -> None:
    services = evening.built.services
    names = [job.name for job in (*daemon.shared_jobs(services), *daemon.own_jobs(services))]
    assert len(set(names)) == len(names)
    assert set(names) <= set(FAMILIES["jobs"].labels["job"])

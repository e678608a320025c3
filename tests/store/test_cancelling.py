"""Whoever is cancelled, and however often, leaves a database that works and closes."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.pool import AsyncAdaptedQueuePool

from uuutorrent.accounts import User
from uuutorrent.store.database import NOBODY, Database
from uuutorrent.store.sqlite import connection

PATIENCE_S = 120
AT_ONCE = 4


async def write(database: Database) -> None:
    async with database.begin(NOBODY) as tx:
        await tx.execute(text("UPDATE notes SET n = n + 1"))
        await tx.execute(text("SELECT n FROM notes"))


async def nag(task: asyncio.Task[None], chance: random.Random, times: int) -> None:
    """Cancel it at some point, and again soon after."""
    await asyncio.sleep(chance.random() * 0.006)
    for _ in range(times):
        task.cancel()
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)


async def cancel_at_random(database: Database, chance: random.Random, rounds: int) -> int:
    """Let some write side by side and cancel each, once to three times; after each round somebody else writes."""
    cancelled = 0
    for _ in range(rounds):
        writing = [asyncio.create_task(write(database)) for _ in range(AT_ONCE)]
        await asyncio.gather(*(nag(task, chance, chance.randrange(1, 4)) for task in writing))
        outcomes = await asyncio.gather(*writing, return_exceptions=True)
        cancelled += sum(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
        assert all(outcome is None or isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
        await write(database)
        closing = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*closing)
    return cancelled


async def opened_and_cancelled(url: str, seed: int) -> int:
    async with asyncio.timeout(PATIENCE_S):
        async with Database(url, pool_size=2) as database:
            async with database.begin(NOBODY) as tx:
                await tx.execute(text("DROP TABLE IF EXISTS notes"))
                await tx.execute(text("CREATE TABLE notes (n INTEGER)"))
                await tx.execute(text("INSERT INTO notes VALUES (0)"))
            return await cancel_at_random(database, random.Random(seed), rounds=25)


@pytest.mark.parametrize("seed", range(3))
def test_transactions_cancelled_anywhere_leave_a_database_that_works_and_closes(database_url: str, seed: int) -> None:
    assert asyncio.run(opened_and_cancelled(database_url, seed)) > 0


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_transaction_that_is_ending_ends_before_its_cancelled_task(
    database: Database, ann: User, times: int
) -> None:
    ending = asyncio.Event()

    async def rename() -> None:
        async with database.begin(NOBODY) as tx:
            await tx.execute(text("UPDATE users SET name = 'eve'"))
            ending.set()

    task = asyncio.create_task(rename())
    await ending.wait()
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    pool = database.engine.pool
    assert isinstance(pool, AsyncAdaptedQueuePool)
    assert pool.checkedout() == 0


async def test_the_database_closes_although_whoever_closes_it_is_cancelled(database_url: str) -> None:
    entered = asyncio.Event()

    async def use() -> None:
        async with Database(database_url) as database:
            await database.ping()
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(use())
    await entered.wait()
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("turns", range(6))
async def test_opening_sqlite_can_be_given_up_at_any_moment(tmp_path: Path, turns: int) -> None:
    before = set(threading.enumerate())

    async def open_it() -> None:
        await (await connection(str(tmp_path / "x.db"))).close()

    opening = asyncio.create_task(open_it())
    for _ in range(turns):
        await asyncio.sleep(0)
    opening.cancel()
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


@pytest.mark.parametrize("stopped_first", [True, False])
async def test_a_connection_that_is_both_stopped_and_closed_ends(tmp_path: Path, stopped_first: bool) -> None:
    opened = await connection(str(tmp_path / "x.db"))
    closing_it = asyncio.create_task(opened.close())
    await asyncio.sleep(0 if stopped_first else 0.01)
    opened.stop()
    async with asyncio.timeout(PATIENCE_S):
        await closing_it


async def test_a_cursor_that_somebody_still_holds_keeps_no_lock(tmp_path: Path) -> None:
    path = str(tmp_path / "x.db")
    opened = await connection(path, isolation_level=None)
    for statement in ("BEGIN IMMEDIATE", "CREATE TABLE t (a)", "INSERT INTO t VALUES (1), (2)"):
        await opened.execute(statement)
    held = await opened.execute("SELECT a FROM t")
    assert await held.fetchone() == (1,)
    await opened.close()
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

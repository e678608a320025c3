"""Jobs that all daemons on one database share: each turn is taken by one of them, and taken over if that one dies.

PgQueuer does it, on PostgreSQL with tables of its own (in the schema `jobs`), on SQLite in this process's memory. A job
only says "look now": what there is to do is in the tables of whoever's job it is. So it does no harm that a turn is
lost, comes twice or, where a daemon hung for a while, is taken by two.
"""

from __future__ import annotations

import asyncio
import math
import time
import zlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import structlog
from pgqueuer.adapters.inmemory import InMemoryDriver, InMemoryQueries
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import Channel
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job as Queued
from pgqueuer.ports.driver import Driver
from sqlalchemy import event
from sqlalchemy.orm import Session

from uuutorrent.automation.every import Job, take_turn
from uuutorrent.errors import BadConfig, Unreachable, UuuError
from uuutorrent.store.database import NOBODY, Database, Tx
from uuutorrent.store.line import FORBIDDEN, LOST, Line, Within, line
from uuutorrent.tally import FAMILIES, Tally

log = structlog.get_logger()

SCHEMA = "jobs"
HEARTBEAT_S = 10
"""A turn whose daemon was not heard of for so long is another's."""
LOOK_S = 2
"""How often it is looked whether there is such a turn; of new ones PostgreSQL tells."""
CROWDED_S = 0.5
"""How soon it is looked again while a turn waits for the one before it."""
TICK_S = 5.0
"""How often it is seen to that each job's next turn is queued."""
AGAIN_S = 2.0
"""Between two tries to reach PostgreSQL."""
LEAVE_S = 5.0
"""How long it may take to hand back the turns of a daemon that stops."""
KEPT = timedelta(days=1)
"""PgQueuer's own log is kept for so long."""
TIDY_S = 3600
_TIDY = "DELETE FROM jobs.pgqueuer_log WHERE created < now() - $1::interval"

# Said in full: PgQueuer would take any of these from the environment, by names as common as CHANNEL.
_SETTINGS = DBSettings(
    prefix="", db_schema=SCHEMA, channel=Channel("uuutorrent_jobs"), function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics", queue_status_type="pgqueuer_status", queue_table="pgqueuer",
    queue_table_log="pgqueuer_log", trigger="tg_pgqueuer_changed", schedules_table="pgqueuer_schedules",
)  # fmt: skip


class Jobs:
    """The shared jobs of one daemon."""

    def __init__(self, database: Database, tally: Tally) -> None:
        self._database = database
        self._tally = tally
        self._memory = _in_memory() if database.is_sqlite else None
        self._is_ready = database.is_sqlite
        self._asked: set[str] = set()
        """Jobs to be queued at once, on SQLite."""
        self._wake = asyncio.Event()
        self._is_away = False

    async def prepare(self) -> None:
        """Make PgQueuer's tables those of this program; daemons that start at once take turns.

        Raises:
            BadConfig: the database does not let us make them.
            Unreachable: the database does not answer.
        """
        if not self._database.is_sqlite:
            async with line(self._database) as driver:
                await _install(driver)
        self._is_ready = True

    async def soon(self, name: str, *, tx: Tx | None = None) -> None:
        """Have a job take a turn now; what waits already is enough. With `tx`, once that is committed, and only then.

        On PostgreSQL others who ask for the same job wait until `tx` is over: let it be the last thing in it.

        Raises:
            Unreachable: the database does not answer.
        """
        if name not in FAMILIES["jobs"].labels["job"]:
            raise ValueError(f"there is no job {name}")
        if not self._is_ready:
            await self.prepare()
        if tx is None:
            async with self._database.begin(NOBODY) as own:
                await self.soon(name, tx=own)
        elif self._memory is None:
            await _ask(_queries(Within(tx)), [name])
        else:
            event.listen(tx.sync_session, "after_commit", lambda session: self._committed(session, name))

    async def run(self, jobs: Sequence[Job]) -> None:
        """Take turns at these jobs until cancelled; while PostgreSQL is away, wait for it."""
        while True:
            # A task of its own, because a TaskGroup that ends for an error swallows a cancel that comes meanwhile.
            attempt = asyncio.create_task(self._attempt(jobs), name="jobs")
            try:
                await asyncio.wait({attempt})
            finally:
                attempt.cancel()
                await asyncio.gather(attempt, return_exceptions=True)
            try:
                attempt.result()
            except* (UuuError, *LOST) as e:
                if not self._is_away:
                    log.warning("jobs wait for the database", why=_why(e))
                self._is_away = True
            await asyncio.sleep(AGAIN_S)

    async def _attempt(self, jobs: Sequence[Job]) -> None:
        """Take turns for as long as the database answers."""
        async with self._waiting() as queries:
            if self._is_away:
                log.info("jobs go on")
            self._is_away = False
            await self._work(queries, jobs)

    def _committed(self, session: Session, name: str) -> None:
        if not session.in_nested_transaction():
            self._asked.add(name)
            self._wake.set()

    @asynccontextmanager
    async def _waiting(self) -> AsyncGenerator[Queries | InMemoryQueries]:
        """What waits for its turn."""
        if self._memory is not None:
            yield self._memory
            return
        async with line(self._database) as driver:
            await _install(driver)
            yield _queries(driver)

    async def _work(self, queries: Queries | InMemoryQueries, jobs: Sequence[Job]) -> None:
        manager = QueueManager(queries, _SETTINGS.channel)
        manager.min_dequeue_poll_interval = timedelta(seconds=CROWDED_S)
        turns = _Turns(manager, self._tally)
        for job in jobs:
            turns.register(job)
        run = manager.run(
            dequeue_timeout=timedelta(seconds=LOOK_S),
            heartbeat_timeout=timedelta(seconds=HEARTBEAT_S),
            log_aggregation_interval=timedelta(0),
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(turns.until_lost(queries.driver), name="jobs: line")
            group.create_task(self._keep_time(queries, jobs), name="jobs: time")
            group.create_task(run, name="jobs: queue")

    async def _keep_time(self, queries: Queries | InMemoryQueries, jobs: Sequence[Job]) -> None:
        """See to it that each job has its next turn queued: the first one now, the others at their time."""
        self._asked.update(job.name for job in jobs)
        tick_s = min([TICK_S, *(job.interval_s / 4 for job in jobs)])
        tidied = -math.inf
        while True:
            self._wake.clear()
            asked, self._asked = sorted(self._asked), set()
            await _ask(queries, asked)
            await _schedule(queries, jobs)
            if time.monotonic() > tidied + TIDY_S:
                await _tidy(queries)
                tidied = time.monotonic()
            with suppress(TimeoutError):
                async with asyncio.timeout(tick_s):
                    await self._wake.wait()


class _Turns:
    """The turns that this daemon takes just now."""

    def __init__(self, manager: QueueManager, tally: Tally) -> None:
        self._manager = manager
        self._tally = tally
        self._tasks: set[asyncio.Task[object]] = set()

    def register(self, job: Job) -> None:
        """Take turns at a job; of all daemons only one at a time."""

        async def enter(_: Queued) -> None:
            await self._enter(job)

        self._manager.entrypoint(job.name, concurrency_limit=1)(enter)

    async def until_lost(self, driver: Driver) -> None:
        """Wait until the connection is lost, and end all turns then, or when this daemon stops.

        A daemon that has no connection cannot say that it lives, so another may have its turns by now.
        """
        lost = driver.lost if isinstance(driver, Line) else asyncio.Event()
        try:
            await lost.wait()
            raise Unreachable("the database", "the connection was lost")
        finally:
            self._manager.shutdown.set()
            for task in self._tasks:
                task.cancel()
            if isinstance(driver, Line):
                asyncio.get_running_loop().call_later(LEAVE_S, driver.cut)

    async def _enter(self, job: Job) -> None:
        if self._manager.shutdown.is_set():
            raise RetryRequested(reason="the daemon stops")
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await take_turn(job, self._tally)
        except asyncio.CancelledError:
            # By `until_lost` alone. It is handed back, for another daemon to take.
            task.uncancel()
            raise RetryRequested(reason="the daemon stops") from None
        finally:
            self._tasks.discard(task)


async def _install(driver: Line) -> None:
    queries = _queries(driver)
    try:
        async with queries.schema_lock():
            if not await queries.schema_is_installed():
                await queries.install()
            await queries.upgrade()
    except LOST as e:
        why = driver.why or e
        if isinstance(why, FORBIDDEN):
            raise BadConfig(f"the user of [database] url may not make the schema {SCHEMA}: {why}") from e
        raise Unreachable("the database", f"{type(why).__name__}: {why}") from e


async def _ask(queries: Queries | InMemoryQueries, names: Sequence[str]) -> None:
    """Queue turns to be taken now.

    One that waits is enough; one that is being taken may have looked already, so another may wait beside it.
    """
    for key in ("now", "then"):
        names = await _enqueue(queries, names, [f"{name}: {key}" for name in names], [0.0] * len(names))


async def _schedule(queries: Queries | InMemoryQueries, jobs: Sequence[Job]) -> None:
    """Queue each job's next turn at its time, unless one is queued, or is being taken.

    The time is counted by the database's clock, and always to come: whoever queues it, and however often, there is one.
    """
    names = [job.name for job in jobs]
    now = await _now(queries)
    await _enqueue(queries, names, [f"{name}: in time" for name in names], [_wait(job, now) for job in jobs])


async def _enqueue(
    queries: Queries | InMemoryQueries, names: Sequence[str], keys: Sequence[str], waits: Sequence[float]
) -> Sequence[str]:
    """Queue turns under keys that can be queued once only; the names of those that were there."""
    if not names:
        return ()
    delays: list[timedelta | None] = [timedelta(seconds=wait) for wait in waits]
    nothing: list[bytes | None] = [None] * len(names)
    ids = await queries.enqueue(list(names), nothing, [0] * len(names), delays, list(keys), on_conflict="skip")
    return [name for name, id_ in zip(names, ids, strict=True) if id_ is None]


async def _now(queries: Queries | InMemoryQueries) -> float:
    if isinstance(queries, InMemoryQueries):
        return time.time()
    (row,) = await queries.driver.fetch("SELECT now() AS now")
    now = row["now"]
    assert isinstance(now, datetime)
    return now.timestamp()


def _wait(job: Job, now: float) -> float:
    """Seconds until a job's next turn; turns of different jobs are spread."""
    phase = zlib.crc32(job.name.encode()) / 2**32
    return (math.floor(now / job.interval_s - phase) + 1 + phase) * job.interval_s - now


async def _tidy(queries: Queries | InMemoryQueries) -> None:
    """Forget what PgQueuer notes of turns long past."""
    if isinstance(queries, InMemoryQueries):
        await queries.clear_queue_log()
    else:
        await queries.driver.execute(_TIDY, KEPT)


def _queries(driver: Driver) -> Queries:
    return Queries(
        driver, QueryBuilderEnvironment(_SETTINGS), QueryQueueBuilder(_SETTINGS), QuerySchedulerBuilder(_SETTINGS)
    )


def _in_memory() -> InMemoryQueries:
    return InMemoryQueries(
        InMemoryDriver(),
        QueryBuilderEnvironment(_SETTINGS),
        QueryQueueBuilder(_SETTINGS),
        QuerySchedulerBuilder(_SETTINGS),
    )


def _why(group: BaseExceptionGroup[BaseException]) -> str:
    first = group.exceptions[0]
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first.message if isinstance(first, UuuError) else f"{type(first).__name__}: {first}"

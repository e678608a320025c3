"""The database: SQLite or PostgreSQL behind one `begin()`.

`async with database.begin(user_id) as tx:` is the only transaction there is: one user's, the system's or nobody's. On
PostgreSQL it shows no rows of others (`policies`). No network call belongs inside it.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import structlog
from sqlalchemy import event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from uuutorrent.errors import BadConfig, Unreachable
from uuutorrent.store import onlooking, private, sqlite
from uuutorrent.store.policies import SYSTEM_ROLE, USER_SETTING, Whose

log = structlog.get_logger()

STATEMENT_TIMEOUT_S = 15
"""A statement that takes longer is ended by the database."""

BUSY_S = 5
"""How long to wait for another process that writes to SQLite."""
POOL_TIMEOUT_S = 10
"""How long to wait for a free connection."""
CLOSE_S = 2
"""How long closing waits for transactions that are still open."""

Tx = AsyncSession
"""An open transaction."""

SYSTEM, NOBODY = Whose.SYSTEM, Whose.NOBODY

_BECOME = text("SELECT set_config(:setting, :value, true)")
_WHOSE = "whose"
_READS = "only reads"
_AWAY = "it does not answer just now; nothing was changed"


class Database:
    """One pool of connections. Use it as an async context manager."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        options = _SQLITE if self.is_sqlite else _postgres_options(pool_size)
        # What is bound may be a password hash or a sealed token: it stays out of errors, and so out of the log.
        self.engine = create_async_engine(parsed, hide_parameters=True, **options)
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _tune_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_immediate)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._in_use = 0
        self._unused = asyncio.Event()
        self._unused.set()
        self._closing = False

    async def __aenter__(self) -> Self:
        if self.is_sqlite:
            await asyncio.to_thread(_prepare_file, self.engine.url)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection: what comes back to the pool after that would never be closed."""
        self._closing = True
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._unused.wait()
        except TimeoutError:
            log.warning("database.closed_in_use", transactions=self._in_use)
        finally:
            await sqlite.finished(self.engine.dispose())

    @contextmanager
    def _used(self) -> Iterator[None]:
        if self._closing:
            raise Unreachable("the database", "it is being closed")
        self._in_use += 1
        self._unused.clear()
        try:
            yield
        finally:
            self._in_use -= 1
            if not self._in_use:
                self._unused.set()

    @asynccontextmanager
    async def begin(self, whose: int | Whose) -> AsyncGenerator[Tx]:
        """A transaction: committed at the end, rolled back by any error.

        `whose` rows it works with: those of one user, by their id; everybody's (`SYSTEM`); or what belongs to nobody
        (`NOBODY`). Rows of others it neither sees nor makes, where the database can keep it from them. For whoever only
        looks (`onlooking`) it only reads.

        Raises:
            Refused: it is to write for somebody who only looks.
            Unreachable: the database does not answer, is locked for too long or is out of connections.
        """
        with told_to_people(), self._used():
            async with self._sessions.begin() as tx:
                await _work_for(tx, whose)
                yield tx

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[AsyncConnection]:
        """A bare connection, for what changes the schema rather than its rows. Errors are those of `begin`."""
        with told_to_people(), self._used():
            async with self.engine.connect() as connection:
                yield connection

    async def ping(self) -> None:
        """Check that the database answers.

        Raises:
            Unreachable: it does not.
        """
        async with self.begin(NOBODY) as tx:
            await tx.execute(text("SELECT 1"))


@asynccontextmanager
async def as_system(tx: Tx) -> AsyncGenerator[None]:
    """Within a user's transaction, a step that concerns others too."""
    whose = tx.info[_WHOSE]
    if whose is SYSTEM or tx.get_bind().dialect.name != "postgresql":
        yield
        return
    await tx.flush()
    await _become(tx, "role", SYSTEM_ROLE)
    tx.info[_WHOSE] = SYSTEM
    try:
        yield
        await tx.flush()
    except Exception:
        # Whoever catches it goes on as who they were; where the database failed, a savepoint's end takes the role back.
        with suppress(SQLAlchemyError, OSError):
            await _become(tx, "role", "none")
        raise
    else:
        await _become(tx, "role", "none")
    finally:
        tx.info[_WHOSE] = whose


async def _work_for(tx: Tx, whose: int | Whose) -> None:
    tx.info[_WHOSE] = whose
    if tx.get_bind().dialect.name != "postgresql":
        return
    if onlooking.is_looking():
        await _become(tx, "transaction_read_only", "on")
    if whose is NOBODY:
        return
    if whose is SYSTEM:
        await _become(tx, "role", SYSTEM_ROLE)
    else:
        await _become(tx, USER_SETTING, str(whose))


async def _become(tx: Tx, setting: str, value: str) -> None:
    await tx.execute(_BECOME, {"setting": setting, "value": value})


# One connection: SQLite has one writer anyway, and the pool's queue is fair where SQLite's own waiting is by sleeping.
_SQLITE: dict[str, Any] = {
    "poolclass": AsyncAdaptedQueuePool,
    "pool_size": 1,
    "max_overflow": 0,
    "pool_timeout": POOL_TIMEOUT_S,
    "connect_args": {"async_creator_fn": sqlite.connection},
}


def _postgres_options(pool_size: int) -> dict[str, Any]:
    return {
        "pool_size": pool_size,
        "max_overflow": 0,
        "pool_timeout": POOL_TIMEOUT_S,
        "pool_pre_ping": True,
        "connect_args": to_postgres(),
    }


def to_postgres() -> dict[str, Any]:
    """How every connection to PostgreSQL is opened."""
    return {
        "timeout": 5,
        "command_timeout": STATEMENT_TIMEOUT_S,
        "server_settings": {"application_name": "uuutorrent", "statement_timeout": str(STATEMENT_TIMEOUT_S * 1000)},
    }


def _prepare_file(url: URL) -> None:
    """Make SQLite's file: for this account only (those it puts beside it take after it), and in WAL mode for good."""
    if not url.database or url.database == ":memory:":
        return
    try:
        private.make_file(Path(url.database))
        _write_ahead(url.database)
    except (OSError, sqlite3.DatabaseError) as e:
        raise BadConfig(f"the database file {url.database} cannot be used: {getattr(e, 'strerror', None) or e}") from e


def _write_ahead(path: str) -> None:
    deadline = time.monotonic() + BUSY_S
    with closing(sqlite3.connect(path)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as e:
                # Two processes that do this at once to a new file: SQLite fails one of them without waiting.
                if not e.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)


@contextmanager
def told_to_people() -> Iterator[None]:
    """What the database fails with, as errors of our own tree; what is our own mistake stays as it is."""
    try:
        yield
    except (PoolTimeout, OSError) as e:
        raise Unreachable("the database", _AWAY) from e
    except DBAPIError as e:
        if onlooking.is_looking() and _is_for_readers(e.orig):
            raise onlooking.refusal() from e
        sentence = _sqlite_sentence(e.orig) if isinstance(e.orig, sqlite3.Error) else _postgres_sentence(e)
        if sentence is None:
            raise
        raise Unreachable("the database", sentence) from e


def _is_for_readers(error: BaseException | None) -> bool:
    """Whether it failed because it was to write in a transaction that only reads."""
    name = getattr(error, "sqlite_errorname", "") if isinstance(error, sqlite3.Error) else ""
    return name.startswith("SQLITE_READONLY") or str(getattr(error, "sqlstate", None)) == "25006"


def _sqlite_sentence(error: sqlite3.Error) -> str | None:
    """What to tell, or None when it is our mistake. Source: sqlite.org/rescode.html."""
    match getattr(error, "sqlite_errorname", "").split("_")[1:2]:
        case ["BUSY" | "LOCKED"]:
            return "it is busy; nothing was changed, try again"
        case ["FULL"]:
            return "the disk is full; nothing was changed"
        case ["CANTOPEN" | "IOERR" | "READONLY" | "CORRUPT" | "NOTADB" | "PERM" | "AUTH"]:
            return f"its file cannot be used ({error})"
    return None


def _postgres_sentence(error: DBAPIError) -> str | None:
    """What to tell, or None when it is our mistake. Source: postgresql.org/docs, appendix A, classes of SQLSTATE."""
    if error.connection_invalidated:
        return "the connection was lost; see whether it was done, then try again"
    match str(getattr(error.orig, "sqlstate", None))[:2]:
        case "08" | "57":
            return _AWAY
        case "28" | "3D":
            return "it does not let us in: check the user, password and database of [database] url"
        case "25" | "40" | "53" | "55" | "58":
            return "it could not do that just now; nothing was changed, try again"
    return None


def _tune_sqlite(connection: Any, _record: object) -> None:
    """Durable enough beside the write-ahead log, patient, foreign keys on. Source: sqlite.org/pragma.html."""
    # The driver would begin transactions by itself, too late to lock; `_begin_immediate` does it instead.
    connection.isolation_level = None
    cursor: sqlite3.Cursor = connection.cursor()
    for pragma in ("synchronous=NORMAL", f"busy_timeout={BUSY_S * 1000}", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    looks = onlooking.is_looking()
    if looks or connection.info.get(_READS):
        # Said anew before each transaction, so that it is over however the one before ended.
        connection.exec_driver_sql(f"PRAGMA query_only={'ON' if looks else 'OFF'}")
        connection.info[_READS] = looks
    # A deferred transaction that reads and then writes fails with "database is locked" at once, whatever the timeout.
    connection.exec_driver_sql("BEGIN" if looks else "BEGIN IMMEDIATE")

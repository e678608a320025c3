"""One connection to SQLite, on a thread of its own, that nobody's cancellation can leave half closed."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, Self, TypeVar

import aiosqlite

T = TypeVar("T")

_ROWS_AT_ONCE = 64


class Connection(aiosqlite.Connection):
    """What the thread has begun is waited for, and it ends once.

    aiosqlite's own does neither. A statement goes on in the thread after its asker was cancelled; SQLAlchemy then has
    the connection closed, and stopped as well when a second cancellation comes; and the second of two stops is waited
    for on a thread that the first has ended.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connect, _ROWS_AT_ONCE)
        self._thread.daemon = True
        self._ending: asyncio.Future[Any] | None = None

    async def _connect(self) -> Self:
        try:
            await finished(super()._connect())
        except asyncio.CancelledError:
            await self.close()
            raise
        return self

    def cursor(self) -> Cursor:  # type: ignore[override]  # theirs can be awaited too, which SQLAlchemy does not
        """One for a statement, as SQLAlchemy makes it."""
        return Cursor(self)

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if not self._running or self._connection is None:
            raise ValueError("Connection closed")
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._tx.put_nowait((done, partial(fn, *args, **kwargs)))
        return await finished(done)

    def stop(self) -> asyncio.Future[Any] | None:
        """Have the thread close the connection and end, after what it was given before."""
        if self._ending is None:
            self._tx.put_nowait((None, self._undo))
            self._ending = super().stop()
        return self._ending

    async def close(self) -> None:
        """The same, and wait for it."""
        if ending := self.stop():
            await finished(ending)

    def _undo(self) -> None:
        # A cursor that somebody still holds keeps a closed connection's transaction, and so its lock.
        if self._connection is not None:
            self._connection.rollback()


class Cursor(aiosqlite.Cursor):
    """A statement with all that it gives, in one visit to the thread: a visit costs more than most statements.

    aiosqlite's own goes there to be made, to execute, to fetch and to be closed.
    """

    def __init__(self, on: Connection) -> None:
        self._on = on
        self._rows: list[Any] = []
        self.iter_chunk_size = _ROWS_AT_ONCE

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> Self:
        """Run a statement, and fetch all of its rows."""
        await self._on._execute(self._run, sqlite3.Cursor.execute, sql, parameters or ())
        return self

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> Self:
        """Run it once with each of the parameters."""
        await self._on._execute(self._run, sqlite3.Cursor.executemany, sql, parameters)
        return self

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        """The next rows, one unless told."""
        rows, self._rows = self._rows[: size or 1], self._rows[size or 1 :]
        return rows

    async def fetchone(self) -> Any:
        """The next row; None when there is none."""
        return next(iter(await self.fetchmany(1)), None)

    async def fetchall(self) -> list[Any]:
        """The rows that are left."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Nothing is open: every row was fetched."""
        self._rows = []

    def _run(self, how: Callable[..., Any], sql: str, parameters: Any) -> None:
        self._cursor = self._on._conn.cursor()
        how(self._cursor, sql, parameters)
        self._rows = self._cursor.fetchall() if self._cursor.description else []


def connection(*args: Any, **kwargs: Any) -> Connection:
    """A connection to be awaited; takes what `sqlite3.connect` takes."""
    return Connection(partial(sqlite3.connect, *args, **kwargs))


async def finished(work: Awaitable[T]) -> T:
    """Wait for it to its end, and only then be cancelled, however often somebody tried meanwhile."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as e:
            cancelled = e
    if cancelled is not None:
        if not task.cancelled():
            task.exception()
        raise cancelled
    return task.result()

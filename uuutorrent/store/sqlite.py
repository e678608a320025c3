"""One connection to SQLite, on a thread of its own, that nobody's cancellation can leave half closed."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
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

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await finished(super()._execute(fn, *args, **kwargs))  # type: ignore[no-untyped-call]  # as they left it

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

"""PgQueuer's two ways to PostgreSQL: a connection kept for long outside the pool, and a caller's open transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager

from asyncpg import (  # type: ignore[import-untyped] # it has no types
    DeadlockDetectedError,
    InsufficientPrivilegeError,
    InterfaceError,
    PostgresError,
    UniqueViolationError,
)
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from uuutorrent.store.database import Database, Tx, to_postgres, told_to_people

LOST = (PostgresError, InterfaceError, OSError, TimeoutError)
"""What a connection that is gone, or of no more use, raises."""
FORBIDDEN = InsufficientPrivilegeError
_EXPECTED = (UniqueViolationError, DeadlockDetectedError)
"""What PgQueuer answers itself: somebody else was quicker."""


class Line(AsyncpgDriver):
    """A connection of one's own. Once anything fails on it, it is cut, so that whatever waits for it fails at once."""

    def __init__(self, connection: object) -> None:
        super().__init__(connection)
        self.lost = asyncio.Event()
        self.why: BaseException | None = None
        """What failed on it first."""
        self._connection.add_termination_listener(lambda _: self.lost.set())

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """The rows of a statement."""
        with self._cut_if_it_fails():
            return await super().fetch(query, *args)

    async def execute(self, query: str, *args: object) -> str:
        """Run a statement."""
        with self._cut_if_it_fails():
            return await super().execute(query, *args)

    def cut(self) -> None:
        """End the connection without a word."""
        self._connection.terminate()
        self.lost.set()

    @contextmanager
    def _cut_if_it_fails(self) -> Iterator[None]:
        try:
            yield
        except _EXPECTED:
            raise
        except LOST as e:
            self.why = self.why or e
            self.cut()
            raise


@asynccontextmanager
async def line(database: Database) -> AsyncGenerator[Line]:
    """A new connection, closed at the end.

    Raises:
        Unreachable: there is none to be had.
    """
    url = database.engine.url
    engine = create_async_engine(url, hide_parameters=True, poolclass=NullPool, connect_args=to_postgres())
    with told_to_people():
        async with engine.connect() as connection:
            driver = Line((await connection.get_raw_connection()).driver_connection)
            try:
                yield driver
            finally:
                # It listens, and what it was doing may be half done: it is of no use to anybody else.
                driver.cut()
                await connection.invalidate()


class Within(AsyncpgDriver):
    """A transaction of ours, as PgQueuer asks for it: what it writes is kept or lost with all the rest.

    Statements go through SQLAlchemy, which begins the transaction on the server with the first of them. On its bare
    driver connection there may be none yet, and a job would stay though everything else was rolled back.
    """

    def __init__(self, tx: Tx) -> None:
        super().__init__(None)
        self._tx = tx

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """The rows of a statement."""
        answer = await (await self._tx.connection()).exec_driver_sql(query, args)
        return [dict(row) for row in answer.mappings()]

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, StatementError

from tests.servers.postgres import Postgres
from uuutorrent.accounts import User
from uuutorrent.errors import BadConfig, Unreachable
from uuutorrent.store import database as module
from uuutorrent.store.database import NOBODY, SYSTEM, Database
from uuutorrent.store.tables import EntryRow


async def remember(database: Database, user: User, media_id: int, at: datetime) -> None:
    async with database.begin(user.id) as tx:
        values = {"user_id": user.id, "media_id": media_id, "status": "CURRENT", "progress": 0, "updated_at": at}
        await tx.execute(insert(EntryRow).values(**values))


async def media(database: Database) -> list[int]:
    async with database.begin(SYSTEM) as tx:
        return list(await tx.scalars(select(EntryRow.media_id)))


async def test_what_ends_well_is_kept_and_what_fails_is_undone(database: Database, ann: User) -> None:
    await remember(database, ann, 1, datetime.now(UTC))

    async def fail() -> None:
        async with database.begin(SYSTEM) as tx:
            await tx.execute(text("DELETE FROM entries"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await media(database) == [1]


async def test_a_cancelled_transaction_is_undone_and_locks_nobody_out(database: Database, ann: User) -> None:
    inside = asyncio.Event()

    async def hang() -> None:
        async with database.begin(SYSTEM) as tx:
            await tx.execute(text("UPDATE users SET name = 'eve'"))
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with database.begin(SYSTEM) as tx:
        assert await tx.scalar(text("SELECT name FROM users")) == "ann"


async def test_times_come_back_aware_and_in_utc(database: Database, ann: User) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=9)))
    await remember(database, ann, 1, at)
    async with database.begin(SYSTEM) as tx:
        stored = await tx.scalar(select(EntryRow.updated_at))
    assert stored == at
    assert stored is not None
    assert stored.tzinfo is UTC


async def test_a_time_without_a_zone_is_not_stored(database: Database, ann: User) -> None:
    with pytest.raises(StatementError, match="must carry its zone"):
        await remember(database, ann, 1, datetime(2026, 1, 2))  # noqa: DTZ001 - the mistake under test


async def test_our_own_mistakes_are_not_told_as_an_outage(database: Database) -> None:
    with pytest.raises(DBAPIError):
        async with database.begin(NOBODY) as tx:
            await tx.execute(text("SELECT * FROM nowhere"))


async def test_an_error_does_not_quote_what_was_to_be_stored(database: Database) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with database.begin(NOBODY) as tx:
            await tx.execute(text("INSERT INTO nowhere VALUES (:token)"), {"token": "a secret"})
    assert "a secret" not in str(caught.value)


async def test_many_transactions_at_once_all_get_their_turn(database: Database, ann: User) -> None:
    now = datetime.now(UTC)
    await asyncio.gather(*(remember(database, ann, number, now) for number in range(60)))
    assert len(await media(database)) == 60


async def test_the_sqlite_file_is_for_this_account_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "uuutorrent.db"
    async with Database(f"sqlite+aiosqlite:///{path}") as database:
        async with database.begin(NOBODY) as tx:
            await tx.execute(text("CREATE TABLE t (a)"))
        files = {entry.name: entry.stat().st_mode & 0o777 for entry in path.parent.iterdir()}
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert "uuutorrent.db-wal" in files
    assert set(files.values()) == {0o600}


async def test_a_file_that_is_no_database_is_told_by_name(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, " * 100)
    with pytest.raises(BadConfig, match=r"notes\.txt cannot be used"):
        async with Database(f"sqlite+aiosqlite:///{path}"):
            pass


async def test_a_place_where_no_file_can_be_made_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadConfig, match=r"file/x\.db cannot be used: (Not a directory|File exists)"):
        async with Database(f"sqlite+aiosqlite:///{tmp_path / 'file' / 'x.db'}"):
            pass


async def test_sqlite_kept_locked_by_another_program_is_told_as_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.db"
    monkeypatch.setattr(module, "BUSY_S", 0.1)
    async with Database(f"sqlite+aiosqlite:///{path}") as database:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unreachable, match="busy"):
                await database.ping()
            other.execute("ROLLBACK")
        await database.ping()


@pytest.mark.real
async def test_a_postgresql_that_is_gone_is_told_and_used_again_when_it_is_back(postgres_cluster: Postgres) -> None:
    async with Database(postgres_cluster.fresh()) as database:
        await database.ping()
        postgres_cluster.stop()
        try:
            with pytest.raises(Unreachable, match="does not answer just now"):
                await database.ping()
        finally:
            postgres_cluster.start()
        await database.ping()


@pytest.mark.real
async def test_a_postgresql_that_goes_away_during_a_transaction_is_told(postgres_cluster: Postgres) -> None:
    async with Database(postgres_cluster.fresh()) as database:

        async def outlive_it() -> None:
            async with database.begin(NOBODY) as tx:
                await tx.execute(text("SELECT 1"))
                postgres_cluster.stop()
                await tx.execute(text("SELECT 1"))

        try:
            with pytest.raises(Unreachable, match="connection was lost"):
                await outlive_it()
        finally:
            postgres_cluster.start()
        await database.ping()


@pytest.mark.real
async def test_an_address_that_nothing_answers_at_and_a_database_that_is_not_there_are_told(
    postgres_cluster: Postgres,
) -> None:
    async with Database("postgresql+asyncpg://u:p@127.0.0.1:9/x") as database:
        with pytest.raises(Unreachable, match="does not answer"):
            await database.ping()
    url = postgres_cluster.fresh()
    async with Database(url.replace(postgres_cluster.name_of(url), "nowhere")) as database:
        with pytest.raises(Unreachable, match=r"check the user, password and database of \[database\] url"):
            await database.ping()


async def test_closing_waits_for_open_transactions_and_lets_no_new_one_in(database_url: str) -> None:
    begun, end = asyncio.Event(), asyncio.Event()

    async def work(database: Database) -> int:
        async with database.begin(NOBODY) as tx:
            begun.set()
            await end.wait()
            return int(await tx.scalar(text("SELECT 42")) or 0)

    async with Database(database_url) as database:
        working = asyncio.create_task(work(database))
        await begun.wait()
        asyncio.get_running_loop().call_later(0.1, end.set)
    assert working.done()
    assert await working == 42
    with pytest.raises(Unreachable, match="it is being closed"):
        await database.ping()


async def test_rows_come_together_in_pieces_and_one_by_one(database_url: str) -> None:
    numbers = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) SELECT i FROM n")
    async with Database(database_url) as database, database.begin(NOBODY) as tx:
        await tx.execute(text("CREATE TABLE t (i INTEGER)"))
        await tx.execute(text("INSERT INTO t VALUES (:i)"), [{"i": i} for i in range(1, 201)])
        assert list(await tx.scalars(numbers)) == list(range(1, 201))
        assert [row.i async for row in await tx.stream(text("SELECT i FROM t ORDER BY i"))] == list(range(1, 201))
        streamed = await tx.stream(numbers)
        first, more = await streamed.fetchone(), await streamed.fetchmany(3)
        assert (first, [row.i for row in more]) == ((1,), [2, 3, 4])
        assert len(await streamed.fetchall()) == 196
        assert await tx.scalar(text("UPDATE t SET i = 0 WHERE i = 7 RETURNING i")) == 0
        assert (await tx.execute(text("SELECT i FROM t WHERE i = 999"))).one_or_none() is None


async def test_a_statement_that_fails_leaves_a_connection_that_works(database_url: str) -> None:
    async with Database(database_url) as database:
        with pytest.raises(DBAPIError):
            async with database.begin(NOBODY) as tx:
                await tx.execute(text("SELECT nothing FROM nowhere"))
        await database.ping()

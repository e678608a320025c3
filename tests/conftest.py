"""What tests stand on: a real database (SQLite, and PostgreSQL where a test is real), accounts and a few people."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from itertools import groupby, zip_longest
from pathlib import Path

import asyncpg  # type: ignore[import-untyped] # it has no types
import httpx
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from tests.people import CHEAP_ROUNDS, PATIENCE_S, trust
from tests.servers.postgres import Postgres, postgres
from uuutorrent.accounts import Accounts, Admin, Operator, User
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.store.database import Database
from uuutorrent.store.tables import Base

PASSWORD = "plain horses battery staple"
"""Everybody's, in tests."""

STORIES = Path(__file__).parent / "stories"

# How long one example takes says how busy the machine is, and nothing about the code.
settings.register_profile(
    "patient", settings(), max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the stories, which mostly wait, over the tests that compute, and let none of them begin near the end."""
    stories = [item for item in items if STORIES in item.path.parents]
    others = [item for item in items if STORIES not in item.path.parents]
    files = [list(tests) for _, tests in groupby(others, lambda item: item.path)]
    none: list[pytest.Item] = []
    early = max(1, len(files) * 3 // 4)
    spread = [stories[len(stories) * at // early : len(stories) * (at + 1) // early] for at in range(early)]
    items[:] = [one for waiting, busy in zip_longest(spread, files, fillvalue=none) for one in (*waiting, *busy)]


_TABLES = [f'"{table}"' for table in Base.metadata.tables]
_AS_NEW = f"""
BEGIN;
LOCK {", ".join(_TABLES)};
SET LOCAL session_replication_role = replica;
{"".join(f"DELETE FROM {table};" for table in _TABLES)}
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
FROM pg_sequences WHERE last_value IS NOT NULL AND schemaname = 'public';
DROP SCHEMA IF EXISTS jobs CASCADE;
COMMIT;
"""
"""TRUNCATE would make new files for every table and index, which costs more than most tests."""


@pytest.fixture(autouse=True)
def the_hour_of_codes_stands_still(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a test makes codes of a second factor, no step of them ends between one and the look at it."""
    if hasattr(request.module, "code_of"):
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now)


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Postgres]:
    """One PostgreSQL per test process, started when the first test asks for it."""
    with postgres() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def furnished_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the whole schema in it and nothing else, to be copied."""
    file = tmp_path_factory.mktemp("furnished") / "uuutorrent.db"
    asyncio.run(_furnish(f"sqlite+aiosqlite:///{file}"))
    return file


@pytest.fixture
def sqlite_url(tmp_path: Path, furnished_file: Path) -> str:
    """The address of an SQLite database with the whole schema, for what does not depend on the kind of database."""
    return f"sqlite+aiosqlite:///{shutil.copyfile(furnished_file, tmp_path / 'uuutorrent.db')}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database of the test's own, on each kind of database.

    For a test that asks for `database` the whole schema is in it already; for any other it is empty.
    """
    wants_schema = "database" in request.fixturenames
    if request.param == "sqlite":
        file = tmp_path / "uuutorrent.db"
        if wants_schema:
            shutil.copyfile(request.getfixturevalue("furnished_file"), file)
        yield f"sqlite+aiosqlite:///{file}"
        return
    cluster: Postgres = request.getfixturevalue("postgres_cluster")
    url = cluster.furnished(lambda url: asyncio.run(_furnish(url))) if wants_schema else cluster.fresh()
    yield url
    if not (wants_schema and asyncio.run(_cleared(url))):
        cluster.drop(url)


async def _furnish(url: str) -> None:
    async with Database(url) as opened, opened.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)


async def _cleared(url: str) -> bool:
    """Whether a furnished database is as new again, for the next test."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            connection = await asyncpg.connect(
                database=Postgres.name_of(url), host=make_url(url).query["host"], user="postgres"
            )
            try:
                await connection.execute(_AS_NEW)
            finally:
                await connection.close()
    except (TimeoutError, OSError, asyncpg.PostgresError):
        return False
    return True


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A database with the whole schema in it."""
    async with Database(database_url) as opened:
        if not await _has_schema(opened):
            await _furnish(database_url)
        yield opened


async def _has_schema(opened: Database) -> bool:
    """Rooms with an address of their own for it hand over an empty one."""
    try:
        async with opened.engine.connect() as connection:
            await connection.execute(text("SELECT 1 FROM users LIMIT 1"))
    except DBAPIError:
        return False
    return True


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """What the daemon asks the world with."""
    async with httpx.AsyncClient(timeout=PATIENCE_S, verify=trust()) as client:
        yield client


@pytest.fixture
async def accounts(database: Database) -> Accounts:
    return Accounts(database, AccountSettings(), rounds=CHEAP_ROUNDS)


@pytest.fixture
async def boss(accounts: Accounts) -> Admin:
    """An admin, the only one."""
    return await accounts.admin(await accounts.create(Operator(), "boss", role="admin", password=PASSWORD))


@pytest.fixture
async def ann(accounts: Accounts) -> User:
    return await accounts.create(Operator(), "ann", password=PASSWORD)


@pytest.fixture
async def bob(accounts: Accounts) -> User:
    return await accounts.create(Operator(), "bob", password=PASSWORD)

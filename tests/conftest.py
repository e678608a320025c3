"""What tests stand on: a real database (SQLite, and PostgreSQL where a test is real), accounts and a few people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, settings

from tests.people import CHEAP_ROUNDS, PATIENCE_S
from tests.servers.postgres import Postgres, postgres
from uuutorrent.accounts import Accounts, Admin, Operator, User
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.store.database import Database
from uuutorrent.store.tables import Base

PASSWORD = "plain horses battery staple"
"""Everybody's, in tests."""

# How long one example takes says how busy the machine is, and nothing about the code.
settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Postgres]:
    """One PostgreSQL per test process, started when the first test asks for it."""
    with postgres() as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database of the test's own, on each kind of database."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'uuutorrent.db'}"
        return
    cluster: Postgres = request.getfixturevalue("postgres_cluster")
    url = cluster.fresh()
    yield url
    cluster.drop(url)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A database with the whole schema in it."""
    async with Database(database_url) as opened:
        async with opened.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield opened


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """What the daemon asks the world with."""
    async with httpx.AsyncClient(timeout=PATIENCE_S) as client:
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

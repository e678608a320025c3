from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from uuutorrent.accounts import Accounts, Operator
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.errors import BadConfig
from uuutorrent.store.database import NOBODY, SYSTEM, Database
from uuutorrent.store.migrate import at_head, downgrade, upgrade
from uuutorrent.store.tables import Base


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


async def test_migrations_give_exactly_the_schema_up_down_and_up_again(database_url: str) -> None:
    async with Database(database_url) as database:
        await upgrade(database)
        async with database.connect() as connection:
            assert await connection.run_sync(differences) == []
        await downgrade(database, "base")
        async with database.connect() as connection:
            assert await connection.run_sync(tables) == {"alembic_version"}
        await upgrade(database)
        async with database.connect() as connection:
            assert await connection.run_sync(differences) == []


async def test_a_database_is_at_head_after_the_upgrade_and_only_then(database_url: str) -> None:
    async with Database(database_url) as database:
        assert not await at_head(database)
        await upgrade(database)
        assert await at_head(database)


async def test_an_upgrade_that_is_done_already_changes_nothing(database_url: str) -> None:
    async with Database(database_url) as database:
        await upgrade(database)
        await Accounts(database, AccountSettings(), rounds=4).create(Operator(), "ann")
        await upgrade(database)
        assert (await Accounts(database, AccountSettings(), rounds=4).by_name("ann")).name == "ann"


async def test_daemons_that_start_at_once_take_turns(database_url: str) -> None:
    async with Database(database_url) as one, Database(database_url) as two, Database(database_url) as three:
        await asyncio.gather(upgrade(one), upgrade(two), upgrade(three))
        assert await at_head(two)


async def test_foreign_keys_count_again_after_the_upgrade(database_url: str) -> None:
    async with Database(database_url) as database:
        await upgrade(database)
        accounts = Accounts(database, AccountSettings(), rounds=4)
        ann = await accounts.create(Operator(), "ann")
        async with database.begin(SYSTEM) as tx:
            await tx.execute(text("INSERT INTO tastes VALUES (:id, '{}')"), {"id": ann.id})
        await accounts.delete(Operator(), "ann")
        async with database.begin(SYSTEM) as tx:
            assert await tx.scalar(text("SELECT count(*) FROM tastes")) == 0


async def test_quotas_move_to_a_table_of_their_own_and_back(database_url: str) -> None:
    made = "INSERT INTO users (name, role, password_expired, quota_bytes, quota_torrents, created_at) VALUES "
    async with Database(database_url) as database:
        await upgrade(database)
        await downgrade(database, "0005")
        async with database.begin(NOBODY) as tx:
            values = "('ann', 'user', false, 7, NULL, :now), ('bob', 'user', false, NULL, NULL, :now)"
            await tx.execute(text(made + values), {"now": datetime.now(UTC)})
            await tx.execute(text("INSERT INTO tastes SELECT id, '{}' FROM users"))
        await upgrade(database)
        async with database.begin(SYSTEM) as tx:
            moved = "SELECT name, bytes, torrents, active FROM limits JOIN users ON users.id = limits.user_id"
            assert (await tx.execute(text(moved))).all() == [("ann", 7, None, None)]
            assert await tx.scalar(text("SELECT count(*) FROM tastes")) == 2
        await downgrade(database, "0005")
        async with database.begin(NOBODY) as tx:
            found = await tx.execute(text("SELECT name, quota_bytes, quota_torrents FROM users ORDER BY name"))
            assert found.all() == [("ann", 7, None), ("bob", None, None)]
            assert await tx.scalar(text("SELECT count(*) FROM tastes")) == 2


async def test_a_database_of_a_newer_program_is_refused_and_left_alone(database_url: str) -> None:
    async with Database(database_url) as database:
        await upgrade(database)
        async with database.begin(NOBODY) as tx:
            await tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        assert not await at_head(database)
        with pytest.raises(BadConfig, match=r"newer uuutorrent .*9999"):
            await upgrade(database)


async def test_an_upgrade_that_fails_half_way_leaves_nothing(tmp_path: Path, database_url: str) -> None:
    async with Database(database_url) as database:
        async with database.begin(NOBODY) as tx:
            await tx.execute(text("CREATE TABLE grabs (id INTEGER)"))
        with pytest.raises(Exception, match="already exists"):
            await upgrade(database)
        async with database.connect() as connection:
            assert await connection.run_sync(tables) == {"grabs"}

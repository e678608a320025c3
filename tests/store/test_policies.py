"""Row-level security, as somebody who types SQL into a user's transaction would meet it."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from tests.servers.postgres import OWNER, Postgres
from uuutorrent.accounts import User
from uuutorrent.errors import BadConfig
from uuutorrent.store.database import NOBODY, SYSTEM, Database, Tx, as_system
from uuutorrent.store.migrate import upgrade
from uuutorrent.store.policies import Whose, column_of
from uuutorrent.store.tables import Base

pytestmark = pytest.mark.real

POLICIES = "SELECT tablename, policyname, permissive, roles, cmd, qual, with_check FROM pg_policies ORDER BY tablename"
FORCED = "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity ORDER BY relname"
TORRENT = """
INSERT INTO torrents (v1, name, folder, stopped, held_back, waits_turn, keep_files, added_at)
VALUES ('a', 'Show', 'a', false, false, false, false, now()) RETURNING id
"""
CLAIM = "INSERT INTO claims (user_id, torrent_id, note, claimed_at) VALUES (:user, :torrent, '', now())"
BLOCK = """
INSERT INTO blocks (user_id, infohash, title, reason, made_at, until) VALUES (:user, 'a', 't', 'r', now(), now())
"""


@pytest.fixture
def database_url(postgres_cluster: Postgres) -> str:
    """PostgreSQL's only: SQLite has no such thing."""
    return postgres_cluster.fresh()


@pytest.fixture
async def torrent(database: Database, ann: User, bob: User) -> int:
    """Both have claimed it."""
    async with database.begin(SYSTEM) as tx:
        torrent = await tx.scalar(text(TORRENT))
        for user in (ann, bob):
            await claim(tx, user, torrent or 0)
    return torrent or 0


async def claim(tx: Tx, user: User, torrent: int) -> None:
    await tx.execute(text(CLAIM), {"user": user.id, "torrent": torrent})


async def owners(database: Database, whose: int | Whose) -> list[int]:
    async with database.begin(whose) as tx:
        return sorted(row.user_id for row in await tx.execute(text("SELECT * FROM claims")))


async def test_a_users_transaction_shows_only_their_claims_and_nobodys_none(
    database: Database, torrent: int, ann: User, bob: User
) -> None:
    assert await owners(database, ann.id) == [ann.id]
    assert await owners(database, bob.id) == [bob.id]
    assert await owners(database, NOBODY) == []
    assert await owners(database, SYSTEM) == [ann.id, bob.id]


async def test_whose_a_transaction_was_is_over_with_it(database: Database, torrent: int, ann: User) -> None:
    async with Database(str(database.engine.url), pool_size=1) as narrow:
        for whose in (ann.id, SYSTEM):
            await owners(narrow, whose)
            assert await owners(narrow, NOBODY) == []
            async with narrow.connect() as connection:
                assert await connection.scalar(text("SELECT count(*) FROM claims")) == 0
            with pytest.raises(RuntimeError):
                async with narrow.begin(whose):
                    raise RuntimeError
            assert await owners(narrow, NOBODY) == []


async def test_transactions_at_once_see_each_their_own(database: Database, torrent: int, ann: User, bob: User) -> None:
    seen = await asyncio.gather(*(owners(database, user.id) for user in [ann, bob] * 50))
    assert seen == [[ann.id], [bob.id]] * 50


async def test_nobody_writes_changes_or_deletes_for_another(
    database: Database, torrent: int, ann: User, bob: User
) -> None:
    async with database.begin(bob.id) as tx:
        await tx.execute(text("DELETE FROM claims"))
    assert await owners(database, SYSTEM) == [ann.id]
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with database.begin(ann.id) as tx:
            await claim(tx, bob, torrent)
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with database.begin(ann.id) as tx:
            await tx.execute(text("UPDATE claims SET user_id = :bob"), {"bob": bob.id})
    async with database.begin(bob.id) as tx:
        await tx.execute(text("UPDATE claims SET note = 'mine now'"))
    async with database.begin(ann.id) as tx:
        assert await tx.scalar(text("SELECT note FROM claims")) == ""


async def test_a_step_within_a_users_transaction_may_concern_others(
    database: Database, torrent: int, ann: User, bob: User
) -> None:
    async with database.begin(ann.id) as tx:
        async with as_system(tx):
            async with as_system(tx):
                assert await tx.scalar(text("SELECT count(*) FROM claims")) == 2
            assert await tx.scalar(text("SELECT count(*) FROM claims")) == 2
        assert await tx.scalar(text("SELECT count(*) FROM claims")) == 1


async def test_whoever_catches_what_fails_in_such_a_step_goes_on_as_who_they_were(
    database: Database, torrent: int, ann: User, bob: User
) -> None:
    counted = text("SELECT count(*) FROM claims")
    async with database.begin(ann.id) as tx:
        with pytest.raises(RuntimeError):
            async with as_system(tx):
                raise RuntimeError
        assert await tx.scalar(counted) == 1
        with pytest.raises(DBAPIError, match="division by zero"):
            async with tx.begin_nested(), as_system(tx):
                await tx.execute(text("SELECT 1 / 0"))
        assert await tx.scalar(counted) == 1
        async with as_system(tx):
            assert await tx.scalar(counted) == 2


async def test_a_block_for_all_is_seen_by_all_and_made_changed_or_lifted_by_none_of_them(
    database: Database, ann: User
) -> None:
    async with database.begin(SYSTEM) as tx:
        await tx.execute(text(BLOCK), {"user": None})
    async with database.begin(ann.id) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM blocks")) == 1
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with database.begin(ann.id) as tx:
            await tx.execute(text(BLOCK), {"user": None})
    async with database.begin(ann.id) as tx:
        await tx.execute(text("DELETE FROM blocks"))
        await tx.execute(text("UPDATE blocks SET until = '2000-01-01'"))
    async with database.begin(SYSTEM) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM blocks WHERE until > '2001-01-01'")) == 1


async def test_who_goes_takes_with_them_what_refers_to_them(
    database: Database, torrent: int, ann: User, bob: User
) -> None:
    async with database.begin(ann.id) as tx:
        await tx.execute(text("DELETE FROM users"))
    assert await owners(database, SYSTEM) == [bob.id]


async def test_every_table_that_names_a_user_has_its_policy_and_migrations_make_the_same(
    database: Database, postgres_cluster: Postgres
) -> None:
    async with Database(postgres_cluster.fresh()) as migrated:
        await upgrade(migrated)
        for query in (POLICIES, FORCED):
            async with database.connect() as one, migrated.connect() as other:
                made, grown = [(await each.execute(text(query))).all() for each in (one, other)]
            assert made == grown
            assert {row[0] for row in made} == {
                name for name, table in Base.metadata.tables.items() if column_of(table)
            }
    assert {"users", "claims", "picks", "audit", "keys", "links", "notices"} <= {row[0] for row in made}


async def test_a_role_that_may_not_become_the_system_is_told_what_to_have_run(postgres_cluster: Postgres) -> None:
    url = postgres_cluster.fresh()
    postgres_cluster.as_superuser(f'CREATE ROLE lonely LOGIN; ALTER DATABASE "{Postgres.name_of(url)}" OWNER TO lonely')
    async with Database(url.replace(f"{OWNER}@", "lonely@")) as database:
        with pytest.raises(BadConfig, match='GRANT uuutorrent_system TO "lonely"'):
            await upgrade(database)
        postgres_cluster.as_superuser("GRANT uuutorrent_system TO lonely")
        await upgrade(database)
        async with database.begin(SYSTEM) as tx:
            assert await tx.scalar(text("SELECT count(*) FROM users")) == 0

"""Row-level security comes to a PostgreSQL that an older program left, with people and jobs in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config as Alembic
from sqlalchemy import Connection, text
from structlog.testing import capture_logs

from tests.servers.postgres import OWNER, Postgres
from uuutorrent.accounts import Accounts, Operator
from uuutorrent.automation.jobs import Jobs
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.config import Config, Server
from uuutorrent.config import Database as DatabaseSettings
from uuutorrent.config import QBittorrent as EngineSettings
from uuutorrent.daemon import opened
from uuutorrent.errors import BadConfig
from uuutorrent.store.database import NOBODY, SYSTEM, Database
from uuutorrent.store.migrate import at_head, downgrade, scripts, upgrade
from uuutorrent.tally import Tally

pytestmark = pytest.mark.real

OLD = "0007"
PEOPLE = """
INSERT INTO users (name, role, password_expired, awaits_approval, created_at)
VALUES ('ann', 'admin', false, false, now()), ('bob', 'user', false, false, now()) RETURNING id
"""
TASTES = "INSERT INTO tastes SELECT id, '{}' FROM users"
NOTE = """
INSERT INTO audit (at, who_id, who, source, act, target, outcome, detail)
SELECT now() - interval '402 days', id, name, '', 'password', '', 'ok', '' FROM users
"""


def make_old(connection: Connection) -> None:
    """The older program's schema, made as it made it: by one role that knew of no other."""
    config = Alembic(attributes={"connection": connection})
    config.set_main_option("script_location", str(scripts()))
    command.upgrade(config, OLD)
    for statement in (PEOPLE, TASTES, NOTE):
        connection.execute(text(statement))


@pytest.fixture
def url(postgres_cluster: Postgres) -> str:
    """Of a plain role's own database; nobody has granted it anything."""
    url = postgres_cluster.fresh()
    name = Postgres.name_of(url)
    postgres_cluster.as_superuser(f'CREATE ROLE older LOGIN; ALTER DATABASE "{name}" OWNER TO older')
    return url.replace(f"{OWNER}@", "older@")


async def test_the_newer_daemon_waits_for_its_role_and_then_finds_everybody(
    url: str, postgres_cluster: Postgres
) -> None:
    async with Database(url) as database:
        async with database.engine.begin() as connection:
            await connection.run_sync(make_old)
        postgres_cluster.as_superuser("CREATE TABLE somebodys AS SELECT * FROM users", url)
        await Jobs(database, Tally()).prepare()
        with pytest.raises(BadConfig, match='superuser run: GRANT uuutorrent_system TO "older"'):
            await upgrade(database)
        postgres_cluster.as_superuser("GRANT uuutorrent_system TO older")
        await upgrade(database)
        assert await at_head(database)

        accounts, jobs = Accounts(database, AccountSettings(), rounds=4), Jobs(database, Tally())
        assert [one.user.name for one in await accounts.users(Operator())] == ["ann", "bob"]
        ann = await accounts.by_name("ann")
        for whose, seen in ((NOBODY, 0), (ann.id, 1), (SYSTEM, 2)):
            async with database.begin(whose) as tx:
                assert await tx.scalar(text("SELECT count(*) FROM tastes")) == seen
                await jobs.soon("audit", tx=tx)
        await accounts.audit.drop_once()
        assert await accounts.audit.search(await accounts.admin(ann)) == ()
        await accounts.create(Operator(), "cat")

        await downgrade(database, OLD)
        async with database.connect() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM users")) == 3, "the older program's again"
            await connection.execute(text("UPDATE users SET role = 'admin'"))


async def test_a_daemon_that_signs_in_as_superuser_runs_and_warns_once(
    postgres_cluster: Postgres, tmp_path: Path
) -> None:
    url = postgres_cluster.fresh()
    warned = {}
    for role in (OWNER, "postgres"):
        config = Config(
            server=Server(data_dir=tmp_path / role),
            database=DatabaseSettings(url=url.replace(f"{OWNER}@", f"{role}@")),
            qbittorrent=EngineSettings(url="http://127.0.0.1:9"),
        )
        with capture_logs() as logs:
            async with opened(config) as house:
                assert await house.services.accounts.users(Operator()) == ()
        warned[role] = [one["why"] for one in logs if one["event"] == "database.people_not_kept_apart"]
    told = "postgres is a superuser, whom row-level security does not bind: sign in as a plain role"
    assert warned == {OWNER: [], "postgres": [told]}

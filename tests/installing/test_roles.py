"""The roles of PostgreSQL as `uuutorrent install` makes them, mends them and takes them back, on a real one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.installing.box import CLUSTER, OK
from tests.operating import Operating
from tests.servers.postgres import Postgres, as_postgres, postgres
from uuutorrent.errors import BadConfig, Unreachable
from uuutorrent.installing import step
from uuutorrent.installing.postgresql import steps
from uuutorrent.installing.step import Step
from uuutorrent.installing.system import Said, System
from uuutorrent.store.database import SYSTEM, Database
from uuutorrent.store.migrate import upgrade

pytestmark = pytest.mark.real


@dataclass
class Machine:
    """One whose PostgreSQL is real; its other programs say yes."""

    server: Postgres
    root: Path

    @property
    def url(self) -> str:
        return f"postgresql+asyncpg://uuutorrent@/uuutorrent?host={self.server.home}"

    @property
    def plan(self) -> list[Step]:
        """What is about roles and databases."""
        return steps(System(self.run, self.root))[:4]

    def run(self, words: Sequence[str], given: str) -> Said:
        if words[0] == "pg_lsclusters":
            return Said(0, CLUSTER)
        if "psql" not in words:
            return OK
        options = words[words.index("-AtXq") :]
        program = as_postgres("psql", "-h", str(self.server.home), "-U", "postgres", *options)
        done = subprocess.run(program, input=given, capture_output=True, text=True, check=False, cwd="/")
        return Said(done.returncode, done.stdout, done.stderr)

    def install(self, *, dry_run: bool = False) -> str:
        return "\n".join(step.install(self.plan, dry_run=dry_run))

    def uninstall(self, *, purge: bool) -> str:
        return "\n".join(step.uninstall(self.plan, dry_run=False, purge=purge))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with postgres() as server:
        yield Machine(server, tmp_path_factory.mktemp("root"))


async def test_the_daemons_role_and_the_systems_are_made_mended_and_taken_back(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    uuutorrent = Operating(tmp_path, monkeypatch, capsys)
    monkeypatch.setenv("UUUTORRENT_DATABASE__URL", machine.url)
    assert "to do   PostgreSQL has a role uuutorrent_system" in machine.install(dry_run=True)
    assert machine.install().count("done ") == 3
    assert machine.install().count("is so ") == 4, "the second time it does nothing"

    machine.server.as_superuser("DROP ROLE uuutorrent_system")
    async with Database(machine.url) as database:
        with pytest.raises(BadConfig, match="run sudo uuutorrent install again"):
            await upgrade(database)
        assert "done    PostgreSQL has a role uuutorrent_system" in machine.install(), "as from before there was one"
        await upgrade(database)
        async with database.begin(SYSTEM) as tx:
            assert await tx.scalar(text("SELECT count(*) FROM users")) == 0
    assert "ok    row-level security: " in (await uuutorrent("check")).out

    machine.server.as_superuser("REVOKE uuutorrent_system FROM uuutorrent")
    told = (await uuutorrent("check")).out
    assert "FAIL  row-level security: PostgreSQL lacks a role: run sudo uuutorrent install again" in told
    assert "done    PostgreSQL has a role uuutorrent_system" in machine.install()
    machine.server.as_superuser("ALTER ROLE uuutorrent_system LOGIN")
    assert "done    PostgreSQL has a role uuutorrent_system" in machine.install()
    assert machine.install().count("is so ") == 4, "nobody signs in as it any more"
    machine.server.as_superuser("ALTER ROLE uuutorrent SUPERUSER")
    assert "FAIL  row-level security: uuutorrent is a superuser" in (await uuutorrent("check")).out
    machine.server.as_superuser("ALTER ROLE uuutorrent NOSUPERUSER")
    assert machine.uninstall(purge=False).count("stays ") == 4
    assert machine.uninstall(purge=True).count("undone ") == 3
    async with Database(machine.url) as database:
        with pytest.raises(Unreachable, match="does not let us in"):
            await database.ping()

"""PostgreSQL lost under load and put back from what had left it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.operating import Operating
from tests.servers.cluster import STANZA, Cluster, cluster
from uuutorrent.backup.pgbackrest import PgBackRest
from uuutorrent.config import Backup as BackupSettings
from uuutorrent.config import Config
from uuutorrent.config import Database as DatabaseSettings
from uuutorrent.store import migrate
from uuutorrent.store.database import NOBODY, Database

ARCHIVE_TIMEOUT_S = 2
OLD = "0005"
"""A schema that the newest program would change."""


@pytest.fixture(scope="module")
def there() -> Iterator[Cluster]:
    with cluster(archive_timeout_s=ARCHIVE_TIMEOUT_S) as made:
        yield made


@pytest.fixture
def uuutorrent(
    tmp_path: Path, there: Cluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Operating:
    operating = Operating(tmp_path, monkeypatch, capsys)
    monkeypatch.setenv("UUUTORRENT_DATABASE__URL", there.url)
    monkeypatch.setenv("UUUTORRENT_BACKUP__STANZA", STANZA)
    monkeypatch.setenv("UUUTORRENT_BACKUP__PGBACKREST_CONFIG", str(there.pgbackrest))
    return operating


async def write(there: Cluster, seconds: float) -> float:
    """A row every few milliseconds; the time of the last that was committed."""
    last, until = 0.0, time.time() + seconds
    async with Database(there.url) as database:
        async with database.begin(NOBODY) as tx:
            await tx.execute(text("CREATE TABLE IF NOT EXISTS canary (at double precision)"))
        while time.time() < until:
            async with database.begin(NOBODY) as tx:
                await tx.execute(text("INSERT INTO canary VALUES (:at)"), {"at": (last := time.time())})
            await asyncio.sleep(0.005)
    return last


async def newest(there: Cluster) -> float:
    async with Database(there.url) as database, database.begin(NOBODY) as tx:
        return float(await tx.scalar(text("SELECT max(at) FROM canary")) or 0)


def left_by_drills() -> list[Path]:
    return list(Path("/tmp").glob("uuu-drill-*"))


async def recovered(there: Cluster) -> None:
    async with asyncio.timeout(30), Database(there.url) as database:
        while True:
            async with database.begin(NOBODY) as tx:
                if not await tx.scalar(text("SELECT pg_is_in_recovery()")):
                    return
            await asyncio.sleep(0.05)


@pytest.mark.real
async def test_a_cluster_is_practised_lost_and_put_back_and_no_more_is_lost_than_the_log_takes_to_leave(
    uuutorrent: Operating, there: Cluster
) -> None:
    assert (await uuutorrent("user", "add", "ann", "--generate")).code == 0
    done = await uuutorrent("backup")
    assert (done.code, "pgBackRest's" in done.out) == (0, True), done
    done = await uuutorrent("drill", "--json")
    assert done.code == 0, done
    assert json.loads(done.out)["rows"] > 0
    assert not left_by_drills()
    last = await write(there, seconds=2 * ARCHIVE_TIMEOUT_S)
    done = await uuutorrent("restore", "--yes")
    assert (done.code, "pgBackRest: " in done.err) == (76, True), "it runs"
    await asyncio.to_thread(there.lose)
    done = await uuutorrent("restore", "--yes")
    assert (done.code, "Start PostgreSQL, then the daemon." in done.out) == (0, True), done
    there.start()
    await recovered(there)
    assert [user["name"] for user in await uuutorrent.users()] == ["ann"]
    assert 0 <= last - await newest(there) <= ARCHIVE_TIMEOUT_S + 5
    kinds = [one["kind"] for one in json.loads((await uuutorrent("backups", "--json")).out)]
    assert sorted(kinds) == ["files", "full"]


async def revision(there: Cluster) -> str:
    async with Database(there.url) as database, database.begin(NOBODY) as tx:
        return str(await tx.scalar(text("SELECT version_num FROM alembic_version")))


@pytest.mark.real
async def test_a_newer_program_leaves_a_way_back_and_each_repository_gets_backups(
    uuutorrent: Operating, there: Cluster
) -> None:
    assert (await uuutorrent("user", "add", "ben", "--generate")).code == 0
    async with Database(there.url) as database:
        await migrate.downgrade(database, OLD)
    assert (await uuutorrent("db", "upgrade")).code == 0
    newest = json.loads((await uuutorrent("backups", "--json")).out)[0]
    assert newest["kind"] in ("full", "diff")
    assert await revision(there) != OLD
    assert (await uuutorrent("user", "add", "too-late", "--generate")).code == 0
    there.stop()
    done = await uuutorrent("restore", newest["backup"], "--yes")
    assert (done.code, f"PostgreSQL's {newest['backup']} are put back" in done.out) == (0, True), done
    there.start()
    await recovered(there)
    assert await revision(there) == OLD
    names = {user["name"] for user in await uuutorrent.users()}
    assert ("ben" in names, "too-late" in names, await revision(there) != OLD) == (True, False, True)

    there.add_second_repository()
    assert (await uuutorrent("backup")).code == 0
    config = Config(
        database=DatabaseSettings(url=there.url),
        backup=BackupSettings(stanza=STANZA, pgbackrest_config=str(there.pgbackrest)),
    )
    kinds = {(one.repository, one.kind) for one in await PgBackRest(config).every()}
    assert {(1, "full"), (2, "full")} <= kinds


@pytest.mark.real
@pytest.mark.parametrize(
    ("variable", "why"),
    [("STANZA", "backup.stanza is not set"), ("PGBACKREST_CONFIG", "nowhere")],
    ids=["none", "closed"],
)
async def test_where_pgbackrest_cannot_be_asked_the_log_says_what_is_not_covered(
    variable: str, why: str, uuutorrent: Operating, there: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"UUUTORRENT_BACKUP__{variable}", "" if variable == "STANZA" else "/nowhere")
    async with Database(there.url) as database:
        await migrate.upgrade(database)
        await migrate.downgrade(database, OLD)
    done = await uuutorrent("db", "upgrade")
    assert (done.code, "backup.database_not_covered" in done.err, why in done.err) == (0, True, True), done

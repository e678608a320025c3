"""What a lost database costs: what was written and is gone, and the seconds until it is back.

Run: python -m benchmarks.backups [--gib 1] [--mib 200] [--archive-timeout 30]

PostgreSQL is filled with notes of the audit until it has so many GiB, backed up by pgBackRest, ended with kill -9 while
rows are written, and its directory destroyed; then it is put back and has replayed its log. The aims: no more is lost
than `archive_timeout` and 5 s, and it is back in 5 minutes. SQLite, of so many MiB, is backed up and put back.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from benchmarks.machine import machine
from tests.servers.cluster import STANZA, Cluster, cluster
from uuutorrent.backup.pgbackrest import PgBackRest
from uuutorrent.backup.restoring import restore
from uuutorrent.backup.taking import Place, Taking
from uuutorrent.config import Backup, Config
from uuutorrent.config import Database as DatabaseSettings
from uuutorrent.store import migrate
from uuutorrent.store.database import NOBODY, SYSTEM, Database
from uuutorrent.tally import Tally

GIB, MIB = 2**30, 2**20
AT_ONCE = 20_000
MARGIN_S, RESTORE_S = 5, 300
"""The aims: what may be lost beyond `archive_timeout`, and how long a restore may take."""
NOTES = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :rows)
INSERT INTO audit (at, who, source, act, target, outcome, detail)
SELECT '2026-11-21 18:00:00', 'user' || (i % 300), '198.51.100.' || (i % 250), 'torrents delete', {noise}, 'ok',
       '[Group] Some Show - ' || i || ' (1080p) [' || {noise} || '].mkv' FROM n
"""


@dataclass(frozen=True, slots=True)
class Seconds:
    """How long each step took, and what was lost."""

    backup: float
    restore: float
    lost: float = 0.0


async def fill(database: Database, size_bytes: int) -> int:
    """Notes until the database is that large; how large it is."""
    noise = "hex(randomblob(16))" if database.is_sqlite else "md5(random()::text)"
    size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    asked = text(size if database.is_sqlite else "SELECT pg_database_size(current_database())")
    while True:
        async with database.begin(SYSTEM) as tx:
            if (held := int(await tx.scalar(asked) or 0)) >= size_bytes:
                return held
            stamped = NOTES if database.is_sqlite else NOTES.replace("00:00'", "00:00'::timestamptz")
            await tx.execute(text(stamped.format(noise=noise)), {"rows": AT_ONCE})


async def postgresql(size_bytes: int, archive_timeout_s: int) -> Seconds:
    """A cluster that is lost under load."""
    with cluster(archive_timeout_s=archive_timeout_s) as there:
        async with Database(there.url) as database:
            await migrate.upgrade(database)
            print(f"PostgreSQL: {await fill(database, size_bytes) / GIB:.2f} GiB", flush=True)
        settings = Backup(stanza=STANZA, pgbackrest_config=str(there.pgbackrest))
        backups = PgBackRest(Config(database=DatabaseSettings(url=there.url), backup=settings))
        began = time.monotonic()
        await backups.take()
        taken = time.monotonic() - began
        last = await write(there, 1.5 * archive_timeout_s)
        await asyncio.to_thread(there.lose)
        began = time.monotonic()
        await backups.restore(None)
        there.start()
        newest = await recovered(there)
        return Seconds(taken, time.monotonic() - began, last - newest)


async def write(there: Cluster, seconds: float) -> float:
    """A row every few milliseconds; the time of the last that was committed."""
    last, until = 0.0, time.time() + seconds
    async with Database(there.url) as database:
        async with database.begin(NOBODY) as tx:
            await tx.execute(text("CREATE TABLE canary (at double precision)"))
        while time.time() < until:
            async with database.begin(NOBODY) as tx:
                await tx.execute(text("INSERT INTO canary VALUES (:at)"), {"at": (last := time.time())})
            await asyncio.sleep(0.005)
    return last


async def recovered(there: Cluster) -> float:
    """Waits until it has replayed its log; the time of the newest row."""
    async with Database(there.url) as database:
        while True:
            async with database.begin(NOBODY) as tx:
                if not await tx.scalar(text("SELECT pg_is_in_recovery()")):
                    return float(await tx.scalar(text("SELECT max(at) FROM canary")) or 0)
            await asyncio.sleep(0.1)


async def sqlite(size_bytes: int) -> Seconds:
    """A file that is put back."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        async with Database(f"sqlite+aiosqlite:///{home}/uuutorrent.db") as database:
            await migrate.upgrade(database)
            print(f"SQLite: {await fill(database, size_bytes) / MIB:.0f} MiB", flush=True)
        place = Place(home, home / "uuutorrent.db", None, home / "backups", "")
        taking = Taking(place, Tally())
        began = time.monotonic()
        backup = await taking.take()
        taken = time.monotonic() - began
        (home / "uuutorrent.db").unlink()
        return Seconds(taken, (await restore(place, taking, backup)).seconds)


async def main() -> None:
    """Both, and what they come to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gib", type=float, default=1.0)
    parser.add_argument("--mib", type=float, default=200.0)
    parser.add_argument("--archive-timeout", type=int, default=30)
    given = parser.parse_args()
    print(machine())
    file = await sqlite(int(given.mib * MIB))
    print(f"  backup {file.backup:.1f} s, restore {file.restore:.1f} s")
    one = await postgresql(int(given.gib * GIB), given.archive_timeout)
    is_little = one.lost <= given.archive_timeout + MARGIN_S
    print(f"  backup {one.backup:.1f} s")
    print(f"  lost {one.lost:.1f} s (aim {given.archive_timeout + MARGIN_S}): {'kept' if is_little else 'MISSED'}")
    print(f"  restore {one.restore:.1f} s (aim {RESTORE_S}): {'kept' if one.restore < RESTORE_S else 'MISSED'}")


if __name__ == "__main__":
    asyncio.run(main())

"""Restoring for practice, in a scratch place: only what was restored once is a backup."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select

from uuutorrent.backup.backup import DRILL, Backup, Drill
from uuutorrent.backup.pgbackrest import PgBackRest
from uuutorrent.backup.restoring import put_back
from uuutorrent.backup.taking import KEYRING, Place, Taking, look_into
from uuutorrent.errors import Invalid, UuuError
from uuutorrent.store import migrate
from uuutorrent.store.database import SYSTEM, Database
from uuutorrent.store.sealed import KeyRing
from uuutorrent.store.tables import Base


async def drill(place: Place, taking: Taking, cluster: PgBackRest | None) -> Drill:
    """Restore the newest backup into a scratch place and see whether a daemon could live on it; the result is kept.

    With a `cluster` the database is PostgreSQL's, and the files are those of the newest backup here.

    Raises:
        Missing: there is no backup.
    """
    began, why, rows, secrets = time.monotonic(), "", 0, 0
    backup = await asyncio.to_thread(taking.find)
    try:
        rows, secrets = await _practise(place, taking, backup, cluster)
    except UuuError as e:
        why = e.message
    at = datetime.now(UTC).isoformat(timespec="seconds")
    done = Drill(backup.name, at, not why, why, round(time.monotonic() - began, 3), rows, secrets)
    await asyncio.to_thread((place.backups / DRILL).write_text, json.dumps(asdict(done)) + "\n")
    return done


async def _practise(place: Place, taking: Taking, backup: Backup, cluster: PgBackRest | None) -> tuple[int, int]:
    with tempfile.TemporaryDirectory(prefix="uuutorrent-drill-", ignore_cleanup_errors=True) as scratch:
        there = Place(Path(scratch), Path(scratch) / "uuutorrent.db", None, place.backups, "")
        await asyncio.to_thread(backup.check, taking.folder(backup))
        await asyncio.to_thread(put_back, there, taking.folder(backup), backup)
        keyring = await asyncio.to_thread(KeyRing.open, there.data / KEYRING)
        if cluster is not None:
            async with cluster.practised() as url:
                return await _live_on(url, keyring)
        assert there.database is not None
        _, rows = await asyncio.to_thread(look_into, there.database)
        if rows != dict(backup.rows):
            raise Invalid(f"the rows are not those that were backed up: {_differences(backup.rows, rows)}")
        return await _live_on(f"sqlite+aiosqlite:///{there.database}", keyring)


async def _live_on(url: str, keyring: KeyRing) -> tuple[int, int]:
    """What a start would do and ask: the schema brought to ours, every table counted, every secret opened."""
    rows = secrets = 0
    async with Database(url) as database:
        await migrate.upgrade(database)
        async with database.begin(SYSTEM) as tx:
            for table in Base.metadata.sorted_tables:
                rows += await tx.scalar(select(func.count()).select_from(table)) or 0
                for column in (one for one in table.columns if one.name.startswith("sealed_")):
                    owner = table.columns["user_id" if "user_id" in table.columns else "digest"]
                    # The tokens of links are bound to the column's whole name, everything else to what is sealed.
                    what = column.name if table.name == "links" else column.name.removeprefix("sealed_")
                    for sealed, whose in await tx.execute(select(column, owner)):
                        keyring.unseal(sealed, place=f"{table.name}:{what}:{whose}")
                        secrets += 1
    return rows, secrets


def _differences(were: Mapping[str, int], are: Mapping[str, int]) -> str:
    names = sorted(name for name in {*were, *are} if were.get(name) != are.get(name))
    return ", ".join(f"{name} {were.get(name, 0)} → {are.get(name, 0)}" for name in names)

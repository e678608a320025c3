"""Putting a backup back, and doing so for practice in a scratch place: only what was restored once is a backup."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from uuutorrent.backup.backup import DRILL, Backup, Drill
from uuutorrent.backup.taking import CONFIGURATION, DATABASE, KEYRING, PRECIOUS, Place, Taking, look_into, synced
from uuutorrent.errors import Invalid, UuuError
from uuutorrent.store import migrate
from uuutorrent.store.database import Database
from uuutorrent.store.private import hold_alone, make_directory, make_file
from uuutorrent.store.sealed import KeyRing

RESTORED = "restored.json"
"""Written by a restore, for the daemon to compare what it claims with what is really there, and say so."""
_SIDE_FILES = ("-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put back."""

    backup: Backup
    aside: Path
    """Where what was there before is now."""
    seconds: float


async def restore(place: Place, taking: Taking, backup: Backup) -> Restored:
    """Put the database, the key ring and the host key back; what is there now is moved aside, never deleted.

    The configuration is left where it is: it may name this machine's own places by now.

    Raises:
        Refused: a daemon runs with this data directory.
        Invalid: the backup is damaged.
    """
    began = time.monotonic()
    with hold_alone(place.data):
        await asyncio.to_thread(backup.check, taking.folder(backup))
        aside = await asyncio.to_thread(_put_back, place, taking.folder(backup), backup)
    return Restored(backup, aside, round(time.monotonic() - began, 3))


async def drill(place: Place, taking: Taking, backup: Backup) -> Drill:
    """Restore a backup into a scratch place and see whether a daemon could live on it; the result is kept."""
    began, why, secrets = time.monotonic(), "", 0
    with tempfile.TemporaryDirectory(prefix="uuutorrent-drill-") as scratch:
        there = Place(Path(scratch), Path(scratch) / "uuutorrent.db", None, place.backups, "")
        try:
            await asyncio.to_thread(backup.check, taking.folder(backup))
            await asyncio.to_thread(_put_back, there, taking.folder(backup), backup)
            secrets = await _practise(there, backup)
        except UuuError as e:
            why = e.message
    rows = sum(backup.rows.values())
    at = datetime.now(UTC).isoformat(timespec="seconds")
    done = Drill(backup.name, at, not why, why, round(time.monotonic() - began, 3), backup.revision, rows, secrets)
    await asyncio.to_thread((place.backups / DRILL).write_text, json.dumps(asdict(done)) + "\n")
    return done


async def _practise(there: Place, backup: Backup) -> int:
    """What a start would do and ask: the schema brought to ours, the counts, and every kind of secret opened."""
    assert there.database is not None
    _, rows = await asyncio.to_thread(look_into, there.database)
    if rows != dict(backup.rows):
        raise Invalid(f"the rows are not those that were backed up: {_differences(backup.rows, rows)}")
    async with Database(f"sqlite+aiosqlite:///{there.database}") as database:
        await migrate.upgrade(database)
    return await asyncio.to_thread(_open_secrets, there)


def _open_secrets(there: Place) -> int:
    """Every sealed secret in the database, whatever its table, opened with the key ring of the backup."""
    keyring, opened = KeyRing.open(there.data / KEYRING), 0
    with closing(sqlite3.connect(there.database or "")) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
            owner = "user_id" if "user_id" in columns else "digest"
            for column in (one for one in columns if one.startswith("sealed_")):
                # The tokens of links are bound to the column's whole name, everything else to what is sealed.
                what = column if table == "links" else column.removeprefix("sealed_")
                for sealed, whose in connection.execute(f'SELECT "{column}", "{owner}" FROM "{table}"'):  # noqa: S608
                    keyring.unseal(sealed, place=f"{table}:{what}:{whose}")
                    opened += 1
    return opened


def _put_back(place: Place, folder: Path, backup: Backup) -> Path:
    aside = place.data / f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    make_directory(place.data)
    if DATABASE in backup.files and place.database is not None:
        for old in (place.database, *(Path(f"{place.database}{end}") for end in _SIDE_FILES)):
            _move_aside(old, aside)
        _copy(folder / DATABASE, place.database, mode=0o600)
    for name in PRECIOUS:
        if name in backup.files:
            _move_aside(place.data / name, aside)
            _copy(folder / name, place.data / name, mode=0o400)
    if CONFIGURATION in backup.files and aside.is_dir():
        _copy(folder / CONFIGURATION, aside / f"backed-up-{CONFIGURATION}", mode=0o600)
    (place.data / RESTORED).write_text(json.dumps({"backup": backup.name, "at": backup.at.isoformat()}) + "\n")
    synced(place.data)
    return aside


def _move_aside(file: Path, aside: Path) -> None:
    if file.exists():
        make_directory(aside)
        shutil.move(file, aside / file.name)


def _copy(source: Path, target: Path, *, mode: int) -> None:
    draft = target.with_name(f".{target.name}.restoring")
    draft.unlink(missing_ok=True)
    make_file(draft)
    shutil.copyfile(source, draft)
    draft.chmod(mode)
    synced(draft)
    draft.rename(target)


def _differences(were: Mapping[str, int], are: Mapping[str, int]) -> str:
    names = sorted(name for name in {*were, *are} if were.get(name) != are.get(name))
    return ", ".join(f"{name} {were.get(name, 0)} → {are.get(name, 0)}" for name in names)

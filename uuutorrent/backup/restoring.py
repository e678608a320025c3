"""Putting a backup back."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from uuutorrent.backup.backup import Backup
from uuutorrent.backup.taking import CONFIGURATION, DATABASE, PRECIOUS, Place, Taking, synced
from uuutorrent.store.private import hold_alone, make_directory, make_file

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


@dataclass(frozen=True, slots=True)
class Mark:
    """That a backup was put back, and nobody has looked yet what became of it."""

    file: Path
    backup: str
    key: str
    """Another each time."""

    def done(self) -> None:
        """Somebody has."""
        self.file.unlink(missing_ok=True)


def restored_in(data: Path) -> Mark | None:
    """The mark in a data directory."""
    file = data / RESTORED
    try:
        told = json.loads(file.read_text())
        return Mark(file, str(told["backup"]), str(told["at"]))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        return Mark(file, "of an unknown time", "unknown")


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
        aside = await asyncio.to_thread(put_back, place, taking.folder(backup), backup)
    return Restored(backup, aside, round(time.monotonic() - began, 3))


def put_back(place: Place, folder: Path, backup: Backup) -> Path:
    """Copy a backup's files to a place, and return where to what was there has been moved."""
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
    marked = {"backup": backup.name, "at": datetime.now(UTC).isoformat()}
    (place.data / RESTORED).write_text(json.dumps(marked) + "\n")
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

"""Putting a backup back."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from uuutorrent.backup.backup import Backup
from uuutorrent.backup.taking import CONFIGURATION, DATABASE, PRECIOUS, Place, Taking, synced
from uuutorrent.errors import Refused, Unexpected
from uuutorrent.store import migrate
from uuutorrent.store.private import hold_alone, make_directory, make_file

RESTORED = "restored.json"
"""Written by a restore, for the daemon to compare what it claims with what is really there, and say so."""
RESTORING = "restoring"
"""There while files are moved: what is in the data directory is neither the old nor the new until it is gone."""
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


def check_whole(data: Path) -> None:
    """Check that no restore was ended in the middle: a start would make an empty database where the old one was.

    Raises:
        Refused: one was.
    """
    if (data / RESTORING).exists():
        raise Refused(f"a restore into {data} did not come to its end: run `uuutorrent restore` again")


async def restore(
    place: Place, taking: Taking, backup: Backup, *, first: Callable[[], Awaitable[None]] | None = None
) -> Restored:
    """Put the database, the key ring and the host key back; what is there now is moved aside, never deleted.

    The configuration is left where it is: it may name this machine's own places by now. `first` is what has to go well
    before anything is moved.

    Raises:
        Refused: a daemon runs with this data directory, or the backup is a newer program's.
        Invalid: the backup is damaged.
        Unexpected: the disk does not take it.
    """
    began = time.monotonic()
    if backup.revision and not migrate.is_known(backup.revision):
        raise Refused(f"{backup.name} is of a newer uuutorrent (its schema is {backup.revision}): upgrade this program")
    with hold_alone(place.data):
        await asyncio.to_thread(backup.check, taking.folder(backup))
        if first is not None:
            await first()
        try:
            aside = await asyncio.to_thread(put_back, place, taking.folder(backup), backup)
        except OSError as e:
            raise Unexpected("the disk", f"{backup.name} is not put back: {e.strerror or e}") from e
    return Restored(backup, aside, round(time.monotonic() - began, 3))


def put_back(place: Place, folder: Path, backup: Backup) -> Path:
    """Copy a backup's files to a place, and return where to what was there has been moved."""
    aside = place.data / f"before-restore-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    make_directory(place.data)
    targets = {name: place.data / name for name in PRECIOUS if name in backup.files}
    if DATABASE in backup.files and place.database is not None:
        targets[DATABASE] = place.database
    drafts = _drafts(folder, targets)  # nothing is moved before everything is there
    begun = place.data / RESTORING
    begun.write_text(f"{backup.name}\n")
    synced(place.data)
    for name, draft in drafts.items():
        target = targets[name]
        for end in ("", *(_SIDE_FILES if name == DATABASE else ())):
            _move_aside(Path(f"{target}{end}"), aside)
        draft.rename(target)
        synced(target.parent)
    if CONFIGURATION in backup.files and aside.is_dir():
        _copy(folder / CONFIGURATION, aside / f"backed-up-{CONFIGURATION}", mode=0o600)
    marked = {"backup": backup.name, "at": datetime.now(UTC).isoformat()}
    (place.data / RESTORED).write_text(json.dumps(marked) + "\n")
    synced(place.data)
    begun.unlink()
    return aside


def _move_aside(file: Path, aside: Path) -> None:
    if file.exists():
        make_directory(aside)
        shutil.move(file, aside / file.name)


def _drafts(folder: Path, targets: Mapping[str, Path]) -> dict[str, Path]:
    """Each file of a backup copied to beside where it belongs; all of them, or none."""
    drafts: dict[str, Path] = {}
    try:
        for name, target in targets.items():
            drafts[name] = target.with_name(f".{target.name}.restoring")
            _copy(folder / name, drafts[name], mode=0o600 if name == DATABASE else 0o400)
    except OSError:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)
        raise
    return drafts


def _copy(source: Path, target: Path, *, mode: int) -> None:
    target.unlink(missing_ok=True)
    make_file(target)
    shutil.copyfile(source, target)
    target.chmod(mode)
    if os.geteuid() == 0:  # the database may be elsewhere than the data directory, and is its account's there as well
        owner = target.parent.stat()
        os.chown(target, owner.st_uid, owner.st_gid, follow_symlinks=False)
    synced(target)

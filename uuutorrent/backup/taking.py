"""Taking backups: the SQLite database as it is at one moment, and the few files without which it is worth little.

`VACUUM INTO` reads one snapshot while others write (0.3 s for 60 MB; SQLite's incremental backup starts anew with each
foreign write and took minutes). What PostgreSQL holds is pgBackRest's to take; the files are taken here all the same.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import structlog
from sqlalchemy.engine import make_url

from uuutorrent import config as settings
from uuutorrent.backup.backup import Backup, is_name, kept, last_drill, name_at, sha256
from uuutorrent.config import Config
from uuutorrent.errors import Conflict, Invalid, Missing, Unexpected
from uuutorrent.store.private import make_directory, make_file
from uuutorrent.tally import Tally

log = structlog.get_logger()

DATABASE = "database.sqlite"
KEYRING = "keyring"
PRECIOUS = (KEYRING, "ssh_host_ed25519_key")
"""Files of the data directory without which a restored database opens no secret, and clients see an impostor."""
CONFIGURATION = "config.toml"
BUSY_S = 30
ABANDONED = timedelta(hours=1)
"""After so long nobody works on an unfinished one any more."""
COPY_S = 600
"""How long copying to the second place may take."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything is: what is backed up, and where to."""

    data: Path
    database: Path | None
    """None: it is PostgreSQL's."""
    configuration: Path | None
    backups: Path
    second: str
    """Where rclone copies each backup to; empty: nowhere."""
    rclone_config: Path | None = None

    @classmethod
    def of(cls, config: Config, file: Path | None) -> Place:
        """As configured."""
        url = make_url(config.database_url)
        database = Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None
        rclone = Path(config.backup.rclone_config).expanduser() if config.backup.rclone_config else None
        return cls(config.server.data, database, file, directory(config), config.backup.second, rclone)


def directory(config: Config) -> Path:
    """Where backups are kept."""
    configured: settings.Backup = config.backup
    return Path(configured.dir).expanduser() if configured.dir else config.server.data / "backups"


class Taking:
    """Takes backups, and drops those that are not kept any longer."""

    def __init__(self, place: Place, tally: Tally, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._place = place
        self._tally = tally
        self._now = now

    async def take(self) -> Backup:
        """Take one, copy it to the second place, and drop what is old.

        Raises:
            Conflict: one was taken in this very second.
            Unexpected: the disk does not take it, the copy is damaged, or the second place does not take it.
        """
        try:
            backup = await asyncio.to_thread(self._take)
            # Before the second place is asked: one that is away for days must not fill the disk here.
            await asyncio.to_thread(self._drop_old, backup)
        except OSError as e:
            raise Unexpected("the disk", f"no backup could be taken: {e.strerror or e}") from e
        self._tally.mark("backup_last_success_timestamp_seconds", backup.at.timestamp(), "files")
        if self._place.second:
            await self._copy(backup)
        return backup

    def every(self) -> tuple[Backup, ...]:
        """All there are, newest first. A folder without a manifest was not finished, and counts for nothing."""
        found = []
        for folder in sorted(_folders(self._place.backups), reverse=True):
            try:
                found.append(Backup.read(folder))
            except Invalid as e:
                log.warning("backup.passed_over", why=e.message)
        return tuple(found)

    def find(self, *, name: str = "", until: datetime | None = None) -> Backup:
        """The backup of this name, else the newest that is not after `until`, else the newest.

        Raises:
            Missing: there is none.
        """
        for backup in self.every():
            if (not name or backup.name == name) and (until is None or backup.at <= until):
                return backup
        when = f" of {until.isoformat()} or before" if until else ""
        raise Missing(f"there is no backup {name or ''}{when} in {self._place.backups}".replace("  ", " "))

    def folder(self, backup: Backup) -> Path:
        """Where a backup is."""
        return self._place.backups / backup.name

    def last_practised(self) -> float:
        """When a restore for practice went well last, in Unix time; 0 if none did."""
        last = last_drill(self._place.backups)
        return datetime.fromisoformat(last.at).timestamp() if last and last.ok else 0.0

    def _take(self) -> Backup:
        at, began = self._now().replace(microsecond=0), time.monotonic()
        make_directory(self._place.backups)
        draft = self._place.backups / f".{name_at(at)}"
        if (self._place.backups / name_at(at)).exists():
            raise Conflict("a backup was taken in this second: that one will do")
        try:
            draft.mkdir(mode=0o700)
        except FileExistsError as e:
            raise Conflict("somebody takes a backup in this second: that one will do") from e
        try:
            return self._fill(draft, at, began)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)  # on a full disk it would stay full
            raise

    def _fill(self, draft: Path, at: datetime, began: float) -> Backup:
        revision, rows = self._take_database(draft) if self._place.database else ("", {})
        self._take_files(draft)
        sizes = {file.name: file.stat().st_size for file in draft.iterdir()}
        sums = {name: sha256(draft / name) for name in sorted(sizes)}
        backup = Backup(at, revision, rows, sums, sum(sizes.values()), round(time.monotonic() - began, 3))
        backup.write(draft)
        for file in draft.iterdir():
            file.chmod(0o600)
            synced(file)
        synced(draft)
        draft.rename(self._place.backups / backup.name)
        return backup

    def _take_database(self, draft: Path) -> tuple[str, Mapping[str, int]]:
        copy = draft / DATABASE
        make_file(copy)
        try:
            # One that is not there must not be made.
            place = f"file:{quote(str(self._place.database))}?mode=rw"
            with closing(sqlite3.connect(place, uri=True, timeout=BUSY_S)) as source:
                source.execute("VACUUM INTO ?", (str(copy),))
        except sqlite3.DatabaseError as e:
            raise Unexpected("the database", f"it cannot be backed up: {e}") from e
        return look_into(copy)

    def _take_files(self, draft: Path) -> None:
        taken = {name: self._place.data / name for name in PRECIOUS}
        if self._place.configuration:
            taken[CONFIGURATION] = self._place.configuration
        for name, source in taken.items():
            if source.is_file():
                make_file(draft / name)
                shutil.copyfile(source, draft / name)

    async def _copy(self, backup: Backup) -> None:
        """To the second place. rclone copies to folders of this machine and to whatever else it has a remote for."""
        target = f"{self._place.second.rstrip('/')}/{backup.name}"
        own = ("--config", str(self._place.rclone_config)) if self._place.rclone_config else ()
        await run("rclone", *own, "copy", "--no-traverse", str(self.folder(backup)), target, seconds=COPY_S)
        self._tally.mark("backup_last_success_timestamp_seconds", backup.at.timestamp(), "second")

    def _drop_old(self, newest: Backup) -> None:
        every = self.every()
        # The newest by the clock may be another, where the clock went back.
        keep = kept(one.at for one in every) | {newest.at}
        for old in every:
            if old.at not in keep:
                shutil.rmtree(self.folder(old))
        for draft in self._place.backups.glob(".*"):
            if is_name(draft.name[1:]) and draft.name[1:] < name_at(newest.at - ABANDONED):
                shutil.rmtree(draft, ignore_errors=True)


def look_into(file: Path) -> tuple[str, dict[str, int]]:
    """The revision of a SQLite file's schema, and how many rows each table has.

    Raises:
        Unexpected: it is damaged.
    """
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)) as copy:
            (verdict,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
            if verdict != "ok":
                raise Unexpected("the backup", f"it is damaged: {verdict}")
            names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            tables = [name for (name,) in copy.execute(names)]
            rows = {name: copy.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}  # noqa: S608
            (revision,) = copy.execute("SELECT version_num FROM alembic_version").fetchone()
            return str(revision), rows
    except sqlite3.DatabaseError as e:
        raise Unexpected("the backup", f"it cannot be read: {e}") from e


def synced(place: Path) -> None:
    """Wait until a file or a folder is on the disk."""
    descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


async def run(*words: str, seconds: float, name: str = "") -> str:
    """What a program says on stdout; `name` is what errors call it.

    Raises:
        Unexpected: it is not there, fails, or takes too long.
    """
    name = name or words[0]
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as e:
        raise Unexpected(name, f"it cannot be run ({e.strerror})") from e
    try:
        async with asyncio.timeout(seconds):
            out, err = await process.communicate()
    except TimeoutError as e:
        raise Unexpected(name, f"it took longer than {seconds:.0f} s") from e
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        said = (err or out).decode(errors="replace").strip().splitlines() or [f"it ended with {process.returncode}"]
        raise Unexpected(name, next((line for line in said if "ERROR" in line), said[-1]))
    return out.decode(errors="replace")


def _folders(backups: Path) -> list[Path]:
    return [one for one in backups.iterdir() if is_name(one.name)] if backups.is_dir() else []

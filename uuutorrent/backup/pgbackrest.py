"""PostgreSQL's backups, which are pgBackRest's: it archives every piece of the log and takes full and differential
backups; here it is asked to, and what it has is restored for practice.

It reads the cluster's files, so it runs as the account that owns them. Source: pgbackrest.org/command.html.
"""

from __future__ import annotations

import asyncio
import configparser
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from uuutorrent.backup.taking import run
from uuutorrent.config import Config
from uuutorrent.errors import BadConfig, Refused, Unexpected

BACKUP_S = 6 * 3600
RESTORE_S = 3600
INFO_S = 60
FULL_EVERY = timedelta(days=7)
"""Between full backups, backups hold what changed since the last full one."""
_OWN_LOG = "--log-level-console=error"


@dataclass(frozen=True, slots=True)
class ClusterBackup:
    """One of pgBackRest's."""

    label: str
    kind: str
    """"full" or "diff"."""
    began_at: datetime
    ended_at: datetime
    bytes: int
    """Of the databases in it."""
    repository: int
    """The number of the one that it is in."""


class PgBackRest:
    """One stanza of pgBackRest."""

    def __init__(self, config: Config) -> None:
        self._stanza, self._config = config.backup.stanza, Path(config.backup.pgbackrest_config)
        self._url = make_url(config.database_url)

    async def take(self, *, everywhere: bool = True) -> ClusterBackup:
        """Take a backup in each repository, or the first only: a full one where there is none of this week.

        Raises:
            Unexpected: pgBackRest fails; its sentence says why. What comes before that repository is done.
        """
        told = await self._told()
        every = [_cluster_backup(one) for stanza in told for one in stanza.get("backup", ())]
        places = sorted({int(repository["key"]) for stanza in told for repository in stanza.get("repo", ())}) or [1]
        for place in places if everywhere else places[:1]:
            full = [one.began_at for one in every if one.kind == "full" and one.repository == place]
            is_due = not full or datetime.now(UTC) - max(full) >= FULL_EVERY
            kind = "full" if is_due else "diff"
            await self._call("backup", f"--repo={place}", f"--type={kind}", seconds=BACKUP_S)
        return next(one for one in await self.every() if one.repository == places[0])

    async def every(self) -> tuple[ClusterBackup, ...]:
        """All there are, newest first.

        Raises:
            Unexpected: pgBackRest fails.
        """
        found = [_cluster_backup(one) for stanza in await self._told() for one in stanza.get("backup", ())]
        return tuple(sorted(found, key=lambda one: one.began_at, reverse=True))

    async def find(self, label: str) -> ClusterBackup | None:
        """The backup of this label."""
        return next((one for one in await self.every() if one.label == label), None)

    async def restore(self, until: datetime | ClusterBackup | None) -> None:
        """Put the cluster back as it was at a time, or in a backup, or as late as the log reaches. PostgreSQL must not
        run; when it is started next, it replays the log.

        Raises:
            Unexpected: pgBackRest fails, for instance because PostgreSQL runs.
        """
        await self._call("restore", "--delta", *_target(until), seconds=RESTORE_S)

    @asynccontextmanager
    async def practised(self) -> AsyncGenerator[str]:
        """The newest backup restored in a scratch place, with a PostgreSQL on it for as long as this lasts: its URL.

        Raises:
            Unexpected: it cannot be restored, or PostgreSQL does not start on it.
        """
        # A socket's path is short, and the cluster's account has to get there.
        scratch = Path(tempfile.mkdtemp(prefix="uuu-drill-", dir="/tmp"))
        try:
            if os.geteuid() == 0:
                shutil.chown(scratch, self._owner())
            data = scratch / "data"
            await run(*self._as_owner(), "mkdir", "-m", "700", str(data), seconds=INFO_S)
            await self._call("restore", f"--pg1-path={data}", "--archive-mode=off", seconds=RESTORE_S)
            async with _started(self._as_owner(), scratch):
                yield f"postgresql+asyncpg://{self._url.username}@/{self._url.database}?host={scratch}"
        finally:
            await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)

    async def _told(self) -> list[dict[str, Any]]:
        """What there is, by stanza. Source: pgbackrest.org/command.html, info."""
        stanzas: list[dict[str, Any]] = json.loads(await self._call("info", "--output=json", seconds=INFO_S) or "[]")
        return stanzas

    async def _call(self, command: str, *options: str, seconds: float) -> str:
        stanza = (f"--config={self._config}", f"--stanza={self._stanza}", _OWN_LOG)
        words = (*self._as_owner(), "pgbackrest", *stanza, *options, command)
        return await run(*words, seconds=seconds, name="pgBackRest")

    def _owner(self) -> str:
        """Whose the cluster is."""
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(self._config.read_text())
            return Path(parser[self._stanza]["pg1-path"]).parent.owner()
        except (OSError, KeyError, configparser.Error) as e:
            raise BadConfig(f"{self._config} says nothing of the cluster of [{self._stanza}]: {e}") from e

    def _as_owner(self) -> tuple[str, ...]:
        owner = self._owner()
        if os.geteuid() == 0:
            return ("setpriv", f"--reuid={owner}", f"--regid={owner}", "--init-groups", "--pdeathsig=INT", "--")
        if Path(f"/proc/{os.getpid()}").owner() == owner:
            return ()
        raise Refused(f"PostgreSQL's files are {owner}'s: run this as {owner} or as root")


@asynccontextmanager
async def _started(as_owner: tuple[str, ...], scratch: Path) -> AsyncGenerator[None]:
    """A PostgreSQL of its own on restored files: on a socket only, archiving nothing, trusting whoever gets there."""
    data = scratch / "data"
    release = (data / "PG_VERSION").read_text().strip()
    settings = (
        f"config_file={scratch / 'postgresql.conf'}",
        f"hba_file={scratch / 'hba.conf'}",
        f"unix_socket_directories={scratch}",
        "listen_addresses=",
        "archive_mode=off",
        "hot_standby=off",
    )
    for name, content in (("postgresql.conf", ""), ("hba.conf", "local all all trust\n")):
        (scratch / name).write_text(content)
        (scratch / name).chmod(0o644)  # the owner has to read them, whatever our mask is
    words = [word for one in settings for word in ("-c", one)]
    with (scratch / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *as_owner, _program("postgres", release), "-D", str(data), *words, stdout=log, stderr=log
        )
    try:
        await _answers(process, scratch, release)
        yield
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            await process.wait()


async def _answers(process: asyncio.subprocess.Process, scratch: Path, release: str) -> None:
    deadline = time.monotonic() + RESTORE_S
    while True:
        ready = await asyncio.create_subprocess_exec(_program("pg_isready", release), "-q", "-h", str(scratch))
        if await ready.wait() == 0:
            return
        if process.returncode is not None or time.monotonic() > deadline:
            last = (scratch / "log").read_text(errors="replace").strip().splitlines()[-1:]
            raise Unexpected("the restored PostgreSQL", *(last or ["it does not start"]))
        await asyncio.sleep(0.1)


def _program(name: str, release: str) -> str:
    """Of this release of PostgreSQL, where Debian puts it; else whatever the path has."""
    found = Path(f"/usr/lib/postgresql/{release}/bin/{name}")
    return str(found) if found.exists() else name


def _cluster_backup(told: dict[str, Any]) -> ClusterBackup:
    times = told["timestamp"]
    return ClusterBackup(
        label=str(told["label"]),
        kind=str(told["type"]),
        began_at=datetime.fromtimestamp(times["start"], UTC),
        ended_at=datetime.fromtimestamp(times["stop"], UTC),
        bytes=int(told["info"]["size"]),
        repository=int(told["database"]["repo-key"]),
    )


def _target(until: datetime | ClusterBackup | None) -> tuple[str, ...]:
    """Options that say where the log is to end."""
    if until is None:
        return ()
    if isinstance(until, ClusterBackup):
        return (f"--set={until.label}", "--type=immediate", "--target-action=promote")
    return ("--type=time", f"--target={_stamp(until)}", "--target-action=promote")


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00")

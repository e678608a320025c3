"""What `uuutorrent check` looks at: the settings, and the things on this machine they name. It changes nothing."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import socket
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy.engine import make_url

from uuutorrent.automation.health.ffprobe import installed
from uuutorrent.backup.backup import last_drill
from uuutorrent.backup.pgbackrest import PgBackRest
from uuutorrent.backup.taking import PRECIOUS, Place, Taking, directory
from uuutorrent.config import Config
from uuutorrent.errors import BadConfig, Unreachable, UuuError
from uuutorrent.store import migrate, policies
from uuutorrent.store.database import Database
from uuutorrent.tally import Tally
from uuutorrent.torrents.qbittorrent import BANNED, WRONG_LOGIN, QBittorrent

ANSWER_S = 5
"""How long anything is waited for."""
OLD = timedelta(minutes=10)
"""How late a backup may be, beside four that failed."""
OLD_CLUSTER = timedelta(hours=26)
"""They are taken daily."""
ANYWHERE = "0.0.0.0"  # noqa: S104 - compared with


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what was found, and the error if that will not do."""

    text: str
    error: UuuError | None = None


async def look(config: Config, file: Path | None, *, online: bool = False) -> AsyncGenerator[Finding]:
    """Look at one thing after the other; at what is not on this machine only where it is asked for."""
    yield Finding(f"configuration: {file or 'no file, the defaults'}")
    for finding in await asyncio.to_thread(_secrets, config, file):
        yield finding
    yield await asyncio.to_thread(_directory, "data directory", config.server.data, os.W_OK)
    reading = os.R_OK if config.qbittorrent.url else os.W_OK
    yield await asyncio.to_thread(_directory, "download directory", config.download_dir, reading)
    yield (database := await _database(config))
    if database.error is None and not config.database_url.startswith("sqlite"):
        yield await _rows(config)
    yield await _engine(config)
    yield await asyncio.to_thread(_ffprobe, config)
    yield await _port(config)
    yield await asyncio.to_thread(_backups, config, file)
    yield await asyncio.to_thread(_drill, config)
    if config.backup.stanza:
        yield await _cluster(config)
    elif not config.database_url.startswith("sqlite"):
        yield Finding("PostgreSQL's backups: none from here, nor before its schema changes (backup.stanza is not set)")
    linking = f"client {config.anilist.client_id}" if config.anilist.client_id else "no client_id, nobody can link"
    yield await _outside("AniList", config.anilist.api_url, f" ({linking})", online=online)
    yield await _outside("Nyaa", config.nyaa.base_url, "", online=online)
    yield Finding(f"people sign in with: {config.ssh.reach('NAME')}")


def _secrets(config: Config, file: Path | None) -> list[Finding]:
    """Nobody but their owner may read them."""
    named = [config.database.url_file, config.qbittorrent.password_file]
    places = [Path(name).expanduser() for name in named if name]
    places += [config.server.data / name for name in PRECIOUS]
    if file and not named[1] and config.qbittorrent.password:
        places.append(file)
    return [_secret(place) for place in places if place.is_file()]


def _secret(place: Path) -> Finding:
    mode = place.stat().st_mode & 0o777
    if mode & 0o077:
        wrong = BadConfig(f"others of this machine may look at it (mode {mode:04o}): chmod 0400 {place}")
        return _wrong(f"secret {place}", wrong)
    return Finding(f"secret {place}: its owner's alone")


def _directory(name: str, path: Path, right: int) -> Finding:
    """Whether we may write or read there, or make it."""
    there = path
    while not there.exists():
        there = there.parent
    if not there.is_dir() or not os.access(there, right | os.X_OK):
        verb = "write to" if right == os.W_OK else "read"
        return _wrong(name, BadConfig(f"{path}: {there} is not a directory we may {verb}"))
    return Finding(f"{name}: {path}" + ("" if there == path else " (made at the first start)"))


async def _database(config: Config) -> Finding:
    shown = make_url(config.database_url).render_as_string(hide_password=True)
    database = Database(config.database_url, pool_size=1)
    if database.is_sqlite and not await asyncio.to_thread(os.path.exists, database.engine.url.database or ""):
        return Finding(f"database: {shown} (made at the first start)")
    try:
        async with database:
            at_head = await migrate.at_head(database)
    except UuuError as e:
        return _wrong(f"database: {shown}", e)
    return Finding(f"database: {shown}" + ("" if at_head else " (its schema is brought up to date by the next start)"))


async def _rows(config: Config) -> Finding:
    """Without it the daemon runs all the same, and nothing but its own code keeps people apart."""
    name = "row-level security"
    try:
        async with Database(config.database_url, pool_size=1) as database, database.connect() as connection:
            await connection.run_sync(policies.check)
    except UuuError as e:
        return _wrong(name, e)
    return Finding(f"{name}: PostgreSQL shows a user's transactions no rows of others")


async def _engine(config: Config) -> Finding:
    url = config.qbittorrent.url
    if not url:
        found = shutil.which("qbittorrent-nox")
        missing = BadConfig(
            "qbittorrent-nox is not installed: apt-get install qbittorrent-nox, or set [qbittorrent] url"
        )
        return Finding(f"qBittorrent: our own, {found}") if found else _wrong("qBittorrent", missing)
    async with QBittorrent(url, config.qbittorrent.username, config.qbittorrent.password, Tally()) as engine:
        try:
            return Finding(f"qBittorrent: {url} answers, {await engine.version()}, and takes the password")
        except Unreachable as e:
            if WRONG_LOGIN in e.message or BANNED in e.message:
                return _wrong(f"qBittorrent: {url}", e)
            start = "start it (systemctl start uuutorrent-qbittorrent), or correct [qbittorrent] url"
            return _wrong(f"qBittorrent: {url}", Unreachable("qBittorrent", f"nothing answers at {url}: {start}"))
        except UuuError as e:
            return _wrong(f"qBittorrent: {url}", e)


async def _port(config: Config) -> Finding:
    """Whether it is free, or the daemon's already."""
    host, port = config.ssh.host, config.ssh.port
    name = f"port {port}"
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, port))
        return Finding(f"{name}: free")
    except PermissionError:
        return _wrong(name, BadConfig("below 1024 only root may listen: choose another [ssh] port and redirect"))
    except OSError as e:
        if e.errno != errno.EADDRINUSE:
            return _wrong(name, BadConfig(f"{host} cannot be listened on: {e.strerror}"))
    if "uuutorrent" in await _banner("127.0.0.1" if host == ANYWHERE else host, port):
        return Finding(f"{name}: a uuutorrent listens there")
    return _wrong(
        name, BadConfig(f"another program listens there (ss -ltnp 'sport = :{port}'): choose another [ssh] port")
    )


async def _banner(host: str, port: int) -> str:
    """What an SSH server calls itself."""
    with suppress(OSError, TimeoutError, ValueError):
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                return (await reader.readline()).decode(errors="replace")
            finally:
                writer.close()
    return ""


def _backups(config: Config, file: Path | None) -> Finding:
    """The daemon takes them, so old ones say that it does not run, or cannot."""
    place = Place.of(config, file)
    try:
        newest = next(iter(Taking(place, Tally()).every()), None)
    except OSError as e:
        return _wrong("backups", BadConfig(f"{place.backups}: {e.strerror}: run this as root"))
    if newest is None:
        return Finding(f"backups: none yet in {place.backups} (the first is made at the first start)")
    age = datetime.now(UTC) - newest.at
    if age > timedelta(seconds=4 * config.backup.every_s) + OLD:
        late = f"the newest is of {newest.at:%Y-%m-%d %H:%M} UTC: see that the daemon runs, and what its log says"
        return _wrong("backups", BadConfig(late))
    second = f", copied to {config.backup.second}" if config.backup.second else ", in no second place (backup.second)"
    return Finding(f"backups: the newest is of {newest.at:%Y-%m-%d %H:%M} UTC{second}")


def _drill(config: Config) -> Finding:
    last = last_drill(directory(config))
    if last is None:
        return Finding("restore for practice: never yet, try: uuutorrent drill")
    if not last.ok:
        return _wrong("restore for practice", BadConfig(f"it went wrong at {last.at}: {last.why}"))
    return Finding(f"restore for practice: went well at {last.at}, in {last.seconds:.1f} s")


async def _cluster(config: Config) -> Finding:
    name = f"pgBackRest: stanza {config.backup.stanza}"
    try:
        newest = next(iter(await PgBackRest(config).every()), None)
    except UuuError as e:
        return _wrong(name, e)
    if newest is None:
        return _wrong(name, BadConfig("there is no backup of PostgreSQL yet: uuutorrent backup"))
    if datetime.now(UTC) - newest.ended_at > OLD_CLUSTER:
        late = f"the newest backup is of {newest.ended_at:%Y-%m-%d %H:%M} UTC: systemctl status uuutorrent-backup.timer"
        return _wrong(name, BadConfig(late))
    return Finding(f"{name}: the newest backup is of {newest.ended_at:%Y-%m-%d %H:%M} UTC")


async def _outside(name: str, url: str, more: str, *, online: bool) -> Finding:
    """Any answer will do: it is about the way there."""
    if not online:
        return Finding(f"{name}: {url}{more}")
    with suppress(httpx.HTTPError):
        async with httpx.AsyncClient(timeout=ANSWER_S) as http:
            await http.get(url)
        return Finding(f"{name}: {url} answers{more}")
    return _wrong(f"{name}: {url}", Unreachable(name, "no answer: see whether this machine reaches the internet"))


def _ffprobe(config: Config) -> Finding:
    """Without it the daemon runs all the same."""
    if not config.health.probe:
        return Finding("ffprobe: not used")
    missing = "not installed, so only the first bytes of videos are looked at: apt-get install ffmpeg"
    return Finding(f"ffprobe: {installed() or missing}")


def _wrong(name: str, error: UuuError) -> Finding:
    return Finding(f"{name}: {error.message}", error)

"""What `uuutorrent check` looks at: the settings, and the things on this machine they name. It changes nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy.engine import make_url

from uuutorrent.automation.health.ffprobe import installed
from uuutorrent.config import Config
from uuutorrent.errors import BadConfig, Unreachable, UuuError
from uuutorrent.store import migrate
from uuutorrent.store.database import Database

ANSWER_S = 5
"""How long anything is waited for."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what was found, and the error if that will not do."""

    text: str
    error: UuuError | None = None


async def look(config: Config, file: Path | None) -> AsyncGenerator[Finding]:
    """Look at one thing after the other."""
    yield Finding(f"configuration: {file or 'no file, the defaults'}")
    yield await asyncio.to_thread(_directory, "data directory", config.server.data)
    yield await asyncio.to_thread(_directory, "download directory", config.download_dir)
    yield await _database(config)
    yield await _engine(config)
    yield await asyncio.to_thread(_ffprobe, config)
    linking = f"client {config.anilist.client_id}" if config.anilist.client_id else "no client_id, nobody can link"
    yield Finding(f"AniList: {config.anilist.api_url} ({linking})")
    yield Finding(f"Nyaa: {config.nyaa.base_url}")
    yield Finding(f"people sign in with: {config.ssh.reach('NAME')}")


def _directory(name: str, path: Path) -> Finding:
    """Whether we may write there, or make it."""
    there = path
    while not there.exists():
        there = there.parent
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return _wrong(name, BadConfig(f"{path}: {there} is not a directory we may write to"))
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


async def _engine(config: Config) -> Finding:
    url = config.qbittorrent.url
    if not url:
        found = shutil.which("qbittorrent-nox")
        missing = BadConfig(
            "qbittorrent-nox is not installed: apt-get install qbittorrent-nox, or set [qbittorrent] url"
        )
        return Finding(f"qBittorrent: our own, {found}") if found else _wrong("qBittorrent", missing)
    with suppress(httpx.HTTPError):
        async with httpx.AsyncClient(timeout=ANSWER_S) as http:
            await http.get(url)
        return Finding(f"qBittorrent: {url} answers")
    return _wrong(f"qBittorrent: {url}", Unreachable("qBittorrent", f"nothing answers at {url}"))


def _ffprobe(config: Config) -> Finding:
    """Without it the daemon runs all the same."""
    if not config.health.probe:
        return Finding("ffprobe: not used")
    missing = "not installed, so only the first bytes of videos are looked at: apt-get install ffmpeg"
    return Finding(f"ffprobe: {installed() or missing}")


def _wrong(name: str, error: UuuError) -> Finding:
    return Finding(f"{name}: {error.message}", error)

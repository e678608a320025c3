"""Looks into a torrent's content: whether it is what its name says, and can be watched.

Only what is claimed for an anime is looked into. What cannot be told (ffprobe missing or hanging, files on another
machine) is nobody's fault and nothing is held against the torrent.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from uuutorrent.anime.anime import MediaId
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.automation.health import archives, listing
from uuutorrent.automation.health.ffprobe import FFprobe, Sight, installed
from uuutorrent.automation.health.health import span
from uuutorrent.errors import Missing, RemoteError
from uuutorrent.torrents import beneath
from uuutorrent.torrents.engine import Engine, Torrent, TorrentFile
from uuutorrent.torrents.holdings import BY_HAND, Claim, Stored

log = structlog.get_logger()

MOST_FILES = 30
"""Of one torrent that are looked into."""
SHORT_S = 900.0
"""What is longer than this passes for an episode without asking AniList how long one is."""
REAL_MIN = 10
"""Shows with shorter episodes than this have videos of any length."""
LEAST_S = 120.0
LEAST_PART = 5
"""An episode is at least one fifth as long as AniList says."""


@dataclass(frozen=True, slots=True)
class Chief:
    """A file that a torrent is claimed for."""

    file: TorrentFile
    media_id: MediaId
    is_episode: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What came of looking into a torrent's content."""

    trouble: str = ""
    """In words that can follow "because"; empty: nothing."""
    is_sure: bool = True
    """False: something could not be looked at now."""


def is_for_anime(stored: Stored) -> bool:
    """Whether somebody claims it for an anime."""
    return any(claim.media_id is not None for claim in stored.claims)


class Probing:
    """Looks at lists of files and into files."""

    def __init__(
        self, engine: Engine, watchlists: Watchlists, download_dir: Path, ffprobe: FFprobe | None = None
    ) -> None:
        self._engine = engine
        self._watchlists = watchlists
        self._download_dir = download_dir
        self._ffprobe = ffprobe or FFprobe()

    async def listed(self, torrent: Torrent) -> Found:
        """What is wrong with the list of its files; not sure while that is not known.

        Raises:
            Unreachable: the engine is away.
        """
        try:
            files = await self._engine.files(torrent.id)
        except Missing:
            files = ()
        return Found(listing.trouble(files), is_sure=bool(files))

    async def content(self, stored: Stored, torrent: Torrent) -> Found:
        """What is wrong with the files of a complete torrent. Of a batch: only if it is wrong with each of them.

        Raises:
            Unreachable: the engine is away.
        """
        try:
            files = await self._engine.files(torrent.id)
        except Missing:
            return Found(is_sure=False)
        found: list[Found] = []
        for chief in _chiefs(stored, files):
            found.append(await self._look(stored, chief))
            if not found[-1].is_sure:  # nor would the next one be: it hangs, or the files are elsewhere
                return found[-1]
        return found[0] if found and all(one.trouble for one in found) else Found(is_sure=bool(files))

    async def _look(self, stored: Stored, chief: Chief) -> Found:
        """Look into one file."""
        name = chief.file.path.rsplit("/", 1)[-1]
        try:
            fd = await asyncio.to_thread(beneath.open_file, self._download_dir, f"{stored.folder}/{chief.file.path}")
        except OSError as e:
            log.info("content not looked at", infohash=stored.infohash, why=e.strerror)
            return Found(is_sure=False)
        try:
            trouble = await asyncio.to_thread(_beginning, fd, name)
            if trouble or not listing.is_video(name) or installed() is None:
                return Found(trouble)
            return await self._watch(fd, name, chief)
        except (OSError, RemoteError) as e:
            log.info("content not looked at", infohash=stored.infohash, why=str(e))
            return Found(is_sure=False)
        finally:
            os.close(fd)

    async def _watch(self, fd: int, name: str, chief: Chief) -> Found:
        sight = await self._ffprobe.look(fd)
        if sight is None:
            return Found(f"{name} cannot be read as a video")
        if not sight.has_picture:
            return Found(f"{name} has no picture")
        return Found(await self._too_short(sight, name, chief))

    async def _too_short(self, sight: Sight, name: str, chief: Chief) -> str:
        """What to say of a video that is too short to be the episode; empty when it is not."""
        lasts_s = sight.duration_s
        if lasts_s is None or lasts_s >= SHORT_S or not chief.is_episode:
            return ""
        try:
            minutes = (await self._watchlists.anime(chief.media_id)).duration_min or 0
        except Missing:
            return ""
        if minutes < REAL_MIN or lasts_s >= max(LEAST_S, minutes * 60 / LEAST_PART):
            return ""
        return f"{name} lasts {span(lasts_s)}, where an episode lasts {minutes} min"


def _chiefs(stored: Stored, files: tuple[TorrentFile, ...]) -> tuple[Chief, ...]:
    """The files that the torrent is claimed for; one that several claim is looked into once."""
    whole = tuple(file for file in files if file.priority and file.progress >= 1.0)
    found = {chief.file.index: chief for claim in stored.claims for chief in _chiefs_of(claim, whole)}
    return tuple(found.values())[:MOST_FILES]


def _chiefs_of(claim: Claim, files: tuple[TorrentFile, ...]) -> Iterator[Chief]:
    picks = [pick for pick in claim.picks if pick.media_id != BY_HAND]
    for pick in picks:
        if file := listing.episode(files, pick.files):
            yield Chief(file, MediaId(pick.media_id), is_episode=True)
    if picks or claim.is_part or claim.media_id is None:
        return
    if file := listing.main(files):
        yield Chief(file, MediaId(claim.media_id), is_episode=claim.episode is not None)


def _beginning(fd: int, name: str) -> str:
    """What is wrong with a file by its first bytes; blocks."""

    def read(at: int, size: int) -> bytes:
        return os.pread(fd, size, at)

    kind = archives.kind_of(read(0, archives.HEAD_BYTES))
    if kind in archives.RUNS or (kind and listing.is_video(name)):
        return f"{name} is {kind}"
    if kind in archives.ARCHIVES and archives.is_locked(read):
        return f"{name} asks for a password"
    return ""

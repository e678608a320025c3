"""What lies below the download root and belongs to no torrent, and what qBittorrent has that nobody claims.

It is found and shown to admins; nothing is ever removed that they did not name.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import structlog

from uuutorrent import audit
from uuutorrent.accounts import Admin
from uuutorrent.errors import Missing, Refused, Unreachable
from uuutorrent.store.database import NOBODY, SYSTEM, Database
from uuutorrent.torrents import beneath, kept
from uuutorrent.torrents.claims import Claims
from uuutorrent.torrents.engine import Engine, EngineId, Torrent
from uuutorrent.torrents.kept import Kept
from uuutorrent.torrents.placing import OURS

log = structlog.get_logger()

YOUNG = timedelta(hours=1)
"""What changed since is left alone: somebody may be at it."""
NICENESS = 10
"""Of the thread that goes through the disk."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """A file or a folder at the top of the download root that belongs to no torrent."""

    path: str
    """Relative to the download root."""
    size_bytes: int
    changed_at: datetime
    """When anything in it changed last."""
    kept: Kept | None
    """It was left on purpose, when its torrent was given up without its files."""
    is_mounted: bool
    """A disk of its own is in it."""


@dataclass(frozen=True, slots=True)
class Stray:
    """A torrent in qBittorrent that is not remembered here."""

    id: EngineId
    infohash: str
    name: str
    size_bytes: int
    added_at: datetime
    is_ours: bool
    """It carries our tag; the others were added by somebody outside."""


@dataclass(frozen=True, slots=True)
class Orphans:
    """All that was found at one time."""

    at: datetime
    files: tuple[Leftover, ...] = ()
    kept: tuple[Leftover, ...] = ()
    torrents: tuple[Stray, ...] = ()
    """With our tag."""
    others: tuple[Stray, ...] = ()
    missing: tuple[str, ...] = ()
    """The other way round: names of claimed torrents that qBittorrent had, and has not any more."""


class OrphanHunt:
    """Looks for orphans."""

    def __init__(
        self,
        database: Database,
        claims: Claims,
        engine: Engine,
        root: Path,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._claims = claims
        self._engine = engine
        self._root = root
        self._names = tuple(dict.fromkeys((f"{root}/", f"{root.resolve()}/")))
        """How a path below it may begin."""
        self.now = now
        self.last: Orphans | None = None
        """What was found last."""

    async def look(self) -> Orphans:
        """Look through the top of the download root and all torrents of qBittorrent.

        Raises:
            Unreachable: the disk or the engine does not answer; without both nothing can be called an orphan.
        """
        torrents = await self._engine.torrents()
        every = await self._claims.every()
        async with self._database.begin(NOBODY) as tx:
            stayed = await kept.every(tx)
        belongs = {stored.folder for stored in every} | {top for one in torrents for top in self._tops(one)}
        try:
            found = await _gently(partial(_leftovers, self._root, belongs, stayed))
        except OSError as e:
            raise Unreachable("The disk", f"it cannot be looked at ({e.strerror})") from e
        if await asyncio.to_thread(_holds_anything, self._root):  # else a disk may not be mounted just now
            await self._forget(stayed.keys() - {one.path for one in found})
        known = {name for stored in every for name in (stored.v1, stored.v2) if name}
        there = {name for one in torrents for name in (one.v1, one.v2) if name}
        strays = [_stray(one) for one in torrents if not {one.v1, one.v2} & known]
        self.last = Orphans(
            self.now(),
            files=tuple(one for one in found if one.kept is None),
            kept=tuple(one for one in found if one.kept is not None),
            torrents=tuple(one for one in strays if one.is_ours),
            others=tuple(one for one in strays if not one.is_ours),
            missing=tuple(one.name for one in every if one.confirmed_at and not {one.v1, one.v2} & there),
        )
        return self.last

    async def find(self, by: Admin) -> Orphans:
        """What there is now, for an admin."""
        return await self.look()

    async def remove(self, by: Admin, what: str) -> str:
        """Remove one orphan, named by its path or its hash as `look` gives it; says what was done.

        Raises:
            Missing: there is no such orphan.
            Refused: it is not from here, it changed within the hour, or it cannot be removed.
            Unreachable: the disk or the engine does not answer.
        """
        done = await self._removed(what)
        async with self._database.begin(SYSTEM) as tx:
            audit.note(tx, by, "orphans remove", what, detail=done)
        return done

    async def _removed(self, what: str) -> str:
        found, name = await self.look(), self._relative(what)
        for stray in (*found.torrents, *found.others):
            if name.lower() in (stray.infohash, stray.id):
                return await self._remove_torrent(stray)
        leftovers = {one.path: one for one in (*found.files, *found.kept)}
        if leftover := leftovers.get(self._relative(what, exactly=True)) or leftovers.get(name):
            return await self._remove_files(leftover)
        if name.split("/")[0] in {stored.folder for stored in await self._claims.every()}:
            raise Refused(f"{what} belongs to a torrent that somebody claims.")
        raise Missing(f"{what} is no orphan. `orphans` lists what can be removed, by its path or its hash.")

    async def _remove_torrent(self, stray: Stray) -> str:
        if not stray.is_ours:
            raise Refused(f"{stray.name} was not added from here; remove it in qBittorrent.")
        self._check_age(stray.name, stray.added_at)
        await self._engine.delete([stray.id], with_files=False)
        log.info("orphan removed", infohash=stray.infohash)
        return f"Took {stray.name} out of qBittorrent; its files are still there."

    async def _remove_files(self, leftover: Leftover) -> str:
        if leftover.is_mounted:
            raise Refused(f"A disk of its own is mounted in {leftover.path}; it is not touched from here.")
        self._check_age(leftover.path, leftover.changed_at)
        # Asked again: looking through a large disk takes minutes, in which somebody may have claimed it.
        if leftover.path in {stored.folder for stored in await self._claims.every()}:
            raise Refused(f"{leftover.path} belongs to a torrent that somebody claims.")
        try:
            await _gently(partial(beneath.remove, self._root, leftover.path))
        except OSError as e:
            raise Refused(f"{leftover.path} cannot be removed ({e.strerror}).") from e
        await self._forget({leftover.path})
        log.info("orphan removed", path=leftover.path, size_bytes=leftover.size_bytes)
        return f"Removed {leftover.path}."

    def _check_age(self, name: str, at: datetime) -> None:
        if self.now() - at < YOUNG:
            raise Refused(f"{name} changed less than an hour ago; somebody may be at it.")

    async def _forget(self, folders: Collection[str]) -> None:
        if folders:
            async with self._database.begin(NOBODY) as tx:
                await kept.forget(tx, folders)

    def _relative(self, what: str, *, exactly: bool = False) -> str:
        return (what if exactly else what.strip()).removeprefix(self._names[0]).rstrip("/")

    def _tops(self, there: Torrent) -> Iterator[str]:
        """What a torrent has at the top of the download root, whoever added it."""
        for path in (there.save_path, there.content_path):
            for name in self._names:
                if path.startswith(name):
                    yield path.removeprefix(name).split("/")[0]


async def _gently(work: Callable[[], tuple[Leftover, ...] | None]) -> tuple[Leftover, ...]:
    """Do it in a thread that lets everything else go first."""
    pool = ThreadPoolExecutor(1, "orphans", initializer=_yield_to_others)
    try:
        return await asyncio.get_running_loop().run_in_executor(pool, work) or ()
    finally:
        pool.shutdown(wait=False)


def _yield_to_others() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def _leftovers(root: Path, belongs: Collection[str], stayed: Mapping[str, Kept]) -> tuple[Leftover, ...]:
    with os.scandir(root) as entries:
        names = sorted(entry.name for entry in entries if entry.name not in belongs)
    device = root.stat().st_dev
    return tuple(_measured(root, name, device, stayed.get(name)) for name in names)


def _holds_anything(root: Path) -> bool:
    return any(root.iterdir())


def _measured(root: Path, name: str, device: int, why: Kept | None) -> Leftover:
    """A leftover with all that is in it; no link is followed."""
    size, changed, is_mounted = 0, 0.0, False
    for place in _walk(root / name):
        try:
            seen = place.lstat()
        except OSError:
            continue
        size += seen.st_blocks * 512
        changed = max(changed, seen.st_mtime, seen.st_ctime)
        is_mounted |= seen.st_dev != device
    return Leftover(name, size, datetime.fromtimestamp(changed, UTC), why, is_mounted)


def _walk(top: Path) -> Iterator[Path]:
    yield top
    if not top.is_symlink():
        for place, folders, files in os.walk(top):
            yield from (Path(place) / name for name in (*folders, *files))


def _stray(there: Torrent) -> Stray:
    is_ours = OURS in there.tags
    return Stray(there.id, there.v1 or there.v2, there.name, there.size_bytes, there.added_at, is_ours)

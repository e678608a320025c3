"""The read-only view that the file door serves: `/<torrent name>/…`, the finished files of one's own claims.

What a path means is decided from the claims; only then is the disk touched, beneath the download root and in a thread.
Other people's files do not exist here. All paths are virtual: no name in them is ever handed to the disk as it came.
"""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from uuutorrent.accounts import User, UserId
from uuutorrent.errors import Invalid, Missing, Refused, Unreachable, UuuError
from uuutorrent.torrents import beneath
from uuutorrent.torrents.holdings import Finished
from uuutorrent.torrents.library import Library

FRESH_S = 30.0
"""How long a view is used though nothing was said to have changed."""
MAX_VIEWS = 256
"""Views kept, one per user."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder of the view."""

    name: str
    is_dir: bool
    size_bytes: int
    """0 for a folder."""
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """A file opened for reading. Whoever asked for it closes `fd`."""

    fd: int
    entry: Entry
    place: str
    """Where it is beneath the download root."""


@dataclass(slots=True)
class _Folder:
    """A folder of the view: where it is beneath the download root, and what it shows."""

    place: str
    files: dict[str, str] = field(default_factory=dict)
    """Name on the disk by name in the view."""
    folders: dict[str, _Folder] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _View:
    folders: dict[str, _Folder]
    turn: tuple[int, int]
    made_at: float


class Files:
    """What each user may read."""

    def __init__(self, library: Library, download_dir: Path) -> None:
        self._library = library
        self._root = download_dir
        self._views: dict[UserId, _View] = {}

    async def list(self, user: User, path: str = "/") -> tuple[Entry, ...]:
        """What a folder holds, by name.

        Raises:
            Missing: there is no such folder, or it is not yours.
            Invalid: it is a file.
        """
        view = await self._view(user)
        parts = _parts(path)
        if not parts:
            return await asyncio.to_thread(self._look, view.folders)
        found = _find(view, parts)
        if isinstance(found, str):
            raise Invalid(f"{path} is a file.", field="path")
        return await asyncio.to_thread(self._list, found)

    async def stat(self, user: User, path: str) -> Entry:
        """What is at a path.

        Raises:
            Missing: nothing, or it is not yours.
        """
        view = await self._view(user)
        parts = _parts(path)
        if not parts:
            newest = max((entry.modified_at for entry in await self.list(user)), default=datetime.fromtimestamp(0, UTC))
            return Entry("/", is_dir=True, size_bytes=0, modified_at=newest)
        found = _find(view, parts)
        if isinstance(found, _Folder):
            entries = await asyncio.to_thread(self._look, {parts[-1]: found})
            if entries:
                return entries[0]
            raise _missing(path)
        opened = await self.open(user, path)
        os.close(opened.fd)
        return opened.entry

    async def open(self, user: User, path: str) -> Opened:
        """Open a file for reading. It stays readable though its torrent is deleted meanwhile.

        Raises:
            Missing: there is no such file, or it is not yours.
            Invalid: it is a folder.
            Refused: the daemon may not read it.
        """
        parts = _parts(path)
        found = _find(await self._view(user), parts) if parts else _Folder("")
        if isinstance(found, _Folder):
            raise Invalid(f"{path} is a folder.", field="path")
        opening = asyncio.ensure_future(asyncio.to_thread(beneath.open_file, self._root, found))
        try:
            fd = await asyncio.shield(opening)
        except asyncio.CancelledError:
            # The thread goes on: what it opens must not stay open.
            opening.add_done_callback(_close)
            raise
        except OSError as e:
            raise _told(e, path) from e
        return Opened(fd, _entry(parts[-1], os.fstat(fd)), found)

    async def space(self) -> os.statvfs_result:
        """How full the disk of the downloads is.

        Raises:
            Unreachable: the disk does not answer.
        """
        try:
            return await asyncio.to_thread(os.statvfs, self._root)
        except OSError as e:
            raise Unreachable("The disk", f"it cannot be looked at ({e.strerror})") from e

    async def _view(self, user: User) -> _View:
        turn = await self._library.turn()
        known, now = self._views.get(user.id), time.monotonic()
        if known and known.turn == turn and now - known.made_at < FRESH_S:
            return known
        finished = await self._library.finished(user)
        view = _View(await asyncio.to_thread(_folders, finished), turn, now)
        while len(self._views) >= MAX_VIEWS and user.id not in self._views:
            del self._views[next(iter(self._views))]
        self._views[user.id] = view
        return view

    def _look(self, folders: dict[str, _Folder]) -> tuple[Entry, ...]:
        """Those of the folders that are on the disk."""
        found = []
        for name, folder in sorted(folders.items()):
            try:
                with beneath.folder(self._root, folder.place) as here:
                    found.append(_entry(name, os.fstat(here)))
            except OSError as e:
                if e.errno in (errno.EMFILE, errno.ENFILE):
                    raise _told(e, name) from e
        return tuple(found)

    def _list(self, folder: _Folder) -> tuple[Entry, ...]:
        found = list(self._look(folder.folders))
        try:
            with beneath.folder(self._root, folder.place) as here:
                for name, real in folder.files.items():
                    seen = _regular(real, here)
                    if seen is not None:
                        found.append(_entry(name, seen))
        except OSError as e:
            raise _told(e, folder.place) from e
        return tuple(sorted(found, key=lambda entry: entry.name))


def _regular(name: str, folder: int) -> os.stat_result | None:
    try:
        seen = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None
    return seen if stat.S_ISREG(seen.st_mode) else None


def _folders(finished: Iterable[Finished]) -> dict[str, _Folder]:
    """The view's root. Claims that have nothing to show yet keep their name, so that no other's changes later."""
    names: dict[str, _Folder] = {}
    for one in finished:
        names[_free(one.name, names)] = _tree(one)
    return {name: folder for name, folder in names.items() if folder.files or folder.folders}


def _tree(one: Finished) -> _Folder:
    """The files of a torrent, without the folder that holds all of them when there is one."""
    split = [path.split("/") for path in one.files]
    common = {parts[0] for parts in split if len(parts) > 1}
    strip = len(common) == 1 and all(len(parts) > 1 for parts in split)
    top = _Folder(f"{one.folder}/{split[0][0]}" if strip else one.folder)
    made: dict[str, _Folder] = {top.place: top}
    for parts in split:
        here = top
        for part in parts[strip:-1]:
            place = f"{here.place}/{part}"
            if place not in made:
                made[place] = here.folders[_free(part, here.files, here.folders)] = _Folder(place)
            here = made[place]
        here.files[_free(parts[-1], here.files, here.folders)] = parts[-1]
    return top


def _free(name: str, *taken: dict[str, str] | dict[str, _Folder]) -> str:
    """A name that can be shown and that nothing else in its folder has."""
    shown = "".join("_" if c == "/" or ord(c) < 32 or ord(c) == 127 else c for c in name)
    shown = "_" if shown in ("", ".", "..") else shown
    candidate, n = shown, 1
    while any(candidate in names for names in taken):
        n += 1
        candidate = f"{shown} ({n})"
    return candidate


def _parts(path: str) -> list[str]:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return parts


def _find(view: _View, parts: list[str]) -> _Folder | str:
    """The folder, or the file's place beneath the download root."""
    here = _Folder("", folders=view.folders)
    *way, last = parts
    for part in way:
        if part not in here.folders:
            raise _missing("/".join(parts))
        here = here.folders[part]
    if last in here.folders:
        return here.folders[last]
    if last in here.files:
        return f"{here.place}/{here.files[last]}"
    raise _missing("/".join(parts))


def _entry(name: str, seen: os.stat_result) -> Entry:
    is_dir = stat.S_ISDIR(seen.st_mode)
    return Entry(name, is_dir, 0 if is_dir else seen.st_size, datetime.fromtimestamp(seen.st_mtime, UTC))


def _close(opening: asyncio.Future[int]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        os.close(opening.result())


def _missing(path: str) -> Missing:
    return Missing(f"There is no {path}.")


def _told(e: OSError, path: str) -> UuuError:
    if e.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
        return Unreachable("The disk", "too many files are open just now; try again")
    if e.errno == errno.EACCES:
        return Refused(f"The daemon may not read {path}; tell an admin.")
    if e.errno == errno.EIO:
        return Unreachable("The disk", f"{path} cannot be read")
    return _missing(path)

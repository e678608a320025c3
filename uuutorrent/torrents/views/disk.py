"""The disk below a view: looks at what the view names, and opens it, beneath the download root and nowhere else."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

from uuutorrent.errors import Missing, Refused, Unreachable, UuuError
from uuutorrent.torrents import beneath
from uuutorrent.torrents.views.entry import Entry
from uuutorrent.torrents.views.tree import Arriving, Folder, Leaf

Named = tuple[str, Leaf]
READERS = 4
"""Reads that may wait for a disk at the same time: the threads for everything else are not taken up by them."""

LOCAL_FOR_S = 60.0
"""How long it is believed which kind of disk it is: another may be mounted there."""


class Disk:
    """The download root. `look` and `list` block: call them in a thread."""

    def __init__(self, root: Path, *, hard_links: bool = False) -> None:
        self._root = root
        self._hard_links = hard_links
        self._is_local, self._local_until = False, 0.0
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="read")

    async def open(self, place: str, path: str) -> int:
        """A descriptor of the file at a place; `path` is what people call it.

        Raises:
            Missing: it is not there, or no plain file.
            Refused: the daemon may not read it.
            Unreachable: not now.
        """
        try:
            with suppress(BlockingIOError):
                await self._check_local()
                return beneath.open_file(self._root, place, hard_links=self._hard_links, at_once=True)
            return await self._open_in_thread(place)
        except OSError as e:
            raise _told(e, path) from e

    async def stat(self, path: str, found: Folder | Leaf) -> Entry:
        """As `look`, without blocking."""
        if isinstance(found, Leaf):
            with suppress(OSError):  # whatever else it is, `look` says it in words
                await self._check_local()
                seen = beneath.look(self._root, found.place, at_once=True)
                return seen_as(path.rpartition("/")[2], seen, found.arriving)
        return await asyncio.to_thread(self.look, path, found)

    async def _check_local(self) -> None:
        """Raises BlockingIOError where the disk may have to be waited for although the name is in memory."""
        if time.monotonic() >= self._local_until:
            self._is_local = await asyncio.to_thread(beneath.is_local, self._root)
            self._local_until = time.monotonic() + LOCAL_FOR_S
        if not self._is_local:
            raise BlockingIOError(errno.EAGAIN, "it is not a disk of this machine's")

    async def _open_in_thread(self, place: str) -> int:
        opening = asyncio.ensure_future(
            asyncio.to_thread(beneath.open_file, self._root, place, hard_links=self._hard_links)
        )
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            # The thread goes on: what it opens must not stay open.
            opening.add_done_callback(_close)
            raise

    def read(self, fd: int, offset: int, size: int) -> asyncio.Future[bytes]:
        """Read in a thread. It goes on though nobody waits for it: `fd` must stay open until it is done."""
        return asyncio.get_running_loop().run_in_executor(self._readers, os.pread, fd, size, offset)

    async def space(self) -> os.statvfs_result:
        """How full it is.

        Raises:
            Unreachable: it does not answer.
        """
        try:
            return await asyncio.to_thread(os.statvfs, self._root)
        except OSError as e:
            raise Unreachable("The disk", f"it cannot be looked at ({e.strerror})") from e

    def look(self, path: str, found: Folder | Leaf) -> Entry:
        """The file or folder at a path of the view.

        Raises:
            Missing: it is not there.
        """
        if isinstance(found, Folder) and found.place is None:
            return made(path, found.modified_at)
        name = path.rpartition("/")[2]
        try:
            if isinstance(found, Leaf):
                return seen_as(name, beneath.look(self._root, found.place), found.arriving)
            with beneath.folder(self._root, found.place or "") as here:
                return seen_as(name, os.fstat(here))
        except OSError as e:
            if isinstance(found, Leaf) and found.arriving and e.errno == errno.ENOENT:
                return _awaited(path, found.arriving)
            raise _told(e, path) from e

    def list(self, folder: Folder, path: str) -> tuple[Entry, ...]:
        """What is in a folder of the view, by name.

        Raises:
            Missing: it is not there.
        """
        found = []
        for name, below in folder.folders.items():
            try:
                found.append(self.look(f"{path}/{name}", below))
            except Missing:
                continue
        places = defaultdict[str, list[Named]](list)
        if folder.place is not None:
            places[folder.place] = []
        for name, leaf in folder.files.items():
            places[leaf.place.rpartition("/")[0]].append((name, leaf))
        for place, leaves in places.items():
            found += self._list_one(place, leaves, path, is_all=place == folder.place)
        return tuple(sorted(found, key=lambda entry: entry.name))

    def _list_one(self, place: str, leaves: Sequence[Named], path: str, *, is_all: bool) -> tuple[Entry, ...]:
        """Those of the files in one folder of the disk that are there, or on their way."""
        try:
            with beneath.folder(self._root, place) as here:
                seen = [(name, leaf, _regular(leaf.place.rpartition("/")[2], here)) for name, leaf in leaves]
        except OSError as e:
            if is_all or e.errno in (errno.EMFILE, errno.ENFILE):
                raise _told(e, path) from e
            seen = [(name, leaf, None) for name, leaf in leaves]
        there = (seen_as(name, known, leaf.arriving) for name, leaf, known in seen if known)
        coming = (
            _awaited(f"{path}/{name}", leaf.arriving) for name, leaf, known in seen if not known and leaf.arriving
        )
        return (*there, *coming)


def seen_as(name: str, seen: os.stat_result, arriving: Arriving | None = None) -> Entry:
    """What is on the disk, under the name that the view gives it."""
    is_dir = stat.S_ISDIR(seen.st_mode)
    size = 0 if is_dir else seen.st_size if arriving is None else arriving.shown_bytes
    return Entry(name, is_dir, size, datetime.fromtimestamp(seen.st_mtime, UTC), seen.st_ino)


def made(path: str, modified_at: datetime, size_bytes: int | None = None) -> Entry:
    """What is made up, and on no disk; a folder, if it has no size. Its number is that of its path."""
    inode = int.from_bytes(blake2b(path.strip("/").encode(errors="replace"), digest_size=7).digest())
    name = path.rpartition("/")[2] or "/"
    return Entry(name, size_bytes is None, size_bytes or 0, modified_at, inode)


def missing(path: str) -> Missing:
    """There is no such thing, or it is somebody else's."""
    # What a client sent may be no text.
    return Missing(f"There is no {path.encode(errors='replace').decode()}.")


def _awaited(path: str, arriving: Arriving) -> Entry:
    """A file that is not on the disk yet."""
    return made(path, arriving.since, arriving.shown_bytes)


def _regular(name: str, folder: int) -> os.stat_result | None:
    try:
        seen = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except (OSError, ValueError):
        return None
    return seen if stat.S_ISREG(seen.st_mode) else None


def _close(opening: asyncio.Future[int]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        os.close(opening.result())


def _told(e: OSError, path: str) -> UuuError:
    if e.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
        return Unreachable("The disk", "too many files are open just now; try again")
    if e.errno == errno.EACCES:
        return Refused(f"The daemon may not read {path}; tell an admin.")
    if e.errno == errno.EMLINK:
        return Refused(f"{path} has another name on the server's disk and is not served; tell an admin.")
    if e.errno == errno.EIO:
        return Unreachable("The disk", f"{path} cannot be read")
    return missing(path)

"""The read-only view that the file doors serve: `/torrents/<name>/…`, and other rooms over the same bytes.

What a path means is decided from one's own claims; only then is the disk touched, beneath the download root and in a
thread. Other people's files do not exist here. All paths are virtual: no name in them is ever handed to the disk as it
came.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from uuutorrent.accounts import User, UserId
from uuutorrent.errors import Invalid, Missing, Refused
from uuutorrent.remote import Clock
from uuutorrent.torrents.holdings import Finished
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.views.disk import Disk, made, missing, seen_as
from uuutorrent.torrents.views.entry import Entry, Opened, Readable
from uuutorrent.torrents.views.room import Drop, Room, Torrents
from uuutorrent.torrents.views.tree import NEVER, Arriving, Folder, Leaf

__all__ = ["Entry", "Files", "Opened", "Readable"]

FRESH_S = 30.0
"""How long a view is used though nothing was said to have changed."""
MAX_VIEWS = 256
"""Views kept, one per user."""
TORRENTS = "torrents"
DROP = "drop"


@dataclass(slots=True)
class _View:
    """What one user has, and the rooms that were made of it, each with the moment until which it is used."""

    finished: tuple[Finished, ...]
    turn: tuple[int, int]
    made_at: float
    rooms: dict[str, tuple[Folder, float]] = field(default_factory=dict)


class Files:
    """What each user may read."""

    def __init__(
        self,
        library: Library,
        download_dir: Path,
        rooms: Mapping[str, Room] | None = None,
        *,
        drop: Drop | None = None,
        hard_links: bool = False,
        clock: Clock = time.monotonic,
    ) -> None:
        self._library = library
        self._disk = Disk(download_dir, hard_links=hard_links)
        self._rooms: Mapping[str, Room] = {TORRENTS: Torrents(), **(rooms or {})}
        self._drop = drop
        self._clock = clock
        self._views: dict[UserId, _View] = {}

    async def list(self, user: User, path: str = "/") -> tuple[Entry, ...]:
        """What a folder holds, by name.

        Raises:
            Missing: there is no such folder, or it is not yours.
            Invalid: it is a file.
        """
        parts = _parts(path)
        if not parts:
            return await self._list_rooms(user)
        if self._drop and parts[0] == DROP:
            return self._list_drop(self._drop, user, parts)
        view = await self._view(user)
        if len(parts) == 1 and parts[0] in self._rooms and await self._rooms[parts[0]].entered(user):
            view.rooms.pop(parts[0], None)
        found = await self._find(user, view, parts)
        if isinstance(found, Leaf):
            raise Invalid(f"{path} is a file.", field="path")
        return await asyncio.to_thread(self._disk.list, found, "/".join(parts))

    async def stat(self, user: User, path: str) -> Entry:
        """What is at a path.

        Raises:
            Missing: nothing, or it is not yours.
        """
        parts = _parts(path)
        if self._drop and parts[:1] == (DROP,):
            return self._stat_drop(self._drop, user, parts)
        if len(parts) <= 1:
            rooms = await self._list_rooms(user)
            newest = max((entry.modified_at for entry in rooms), default=NEVER)
            return _room(rooms, parts[0]) if parts else made("/", newest)
        found = await self._find(user, await self._view(user), parts)
        return await self._disk.stat("/".join(parts), found)

    async def open(self, user: User, path: str) -> Opened:
        """Open a file for reading. It stays readable though its torrent is deleted meanwhile.

        Raises:
            Missing: there is no such file, or it is not yours.
            Invalid: it is a folder.
            Refused: the daemon may not read it, or it is still arriving.
        """
        parts = _parts(path)
        if self._drop and parts[:1] == (DROP,) and len(parts) > 1:
            return self._open_drop(self._drop, user, "/".join(parts[1:]))
        is_folder = not parts or (self._drop is not None and parts == (DROP,))
        found = Folder() if is_folder else await self._find(user, await self._view(user), parts)
        if isinstance(found, Folder):
            raise Invalid(f"{path} is a folder.", field="path")
        readable = await self._readable(user, parts[0], found.arriving) if found.arriving else None
        fd = await self._disk.open(found.place, path)
        return Opened(fd, seen_as(parts[-1], os.fstat(fd), found.arriving), found.place, readable)

    def read(self, opened: Opened, offset: int, size: int) -> asyncio.Future[bytes]:
        """Read so much of a file, or less, in a thread of the disk's own, which goes on though nobody waits for it: the
        descriptor must stay open until it is done."""
        return self._disk.read(opened.fd, offset, size)

    async def where(self, user: User, infohash: str) -> str:
        """The path of the one file that a torrent of theirs brought, or else of the folder that holds everything.

        Raises:
            Missing: nothing of it is here.
        """
        view = await self._view(user)
        folder = next((one.folder for one in view.finished if one.infohash == infohash), None)
        every = (await self._folder(user, view, TORRENTS, self._rooms[TORRENTS])).folders
        for name, shown in every.items():
            if shown.place is not None and shown.place.split("/")[0] == folder:
                return "/".join(["", TORRENTS, name, *_only(shown)])
        raise Missing("Nothing of it is here.")

    async def brought(self, user: User, infohash: str) -> Mapping[int, str]:
        """The paths of the whole files that a torrent of theirs brought, by their place in the torrent's list; nothing
        of a torrent that is not theirs."""
        view = await self._view(user)
        one = next((one for one in view.finished if one.infohash == infohash), None)
        if one is None:
            return {}
        index_of = {f"{one.folder}/{path}": index for index, path in one.whole.items()}
        every = await self._folder(user, view, TORRENTS, self._rooms[TORRENTS])
        for name, shown in every.folders.items():
            if shown.place is not None and shown.place.split("/")[0] == one.folder:
                return {index_of[place]: f"/{TORRENTS}/{name}/{path}" for path, place in _leaves(shown)}
        return {}

    async def space(self) -> os.statvfs_result:
        """How full the disk of the downloads is.

        Raises:
            Unreachable: the disk does not answer.
        """
        return await self._disk.space()

    # From a path to what it means

    async def _view(self, user: User) -> _View:
        turn = await self._library.turn()
        known, now = self._views.get(user.id), self._clock()
        if known and known.turn == turn and now - known.made_at < FRESH_S:
            return known
        finished = await self._library.finished(user)
        view = _View(finished, turn, now)
        if known and known.finished == finished:
            view.rooms = known.rooms
        while len(self._views) >= MAX_VIEWS and user.id not in self._views:
            del self._views[next(iter(self._views))]
        self._views[user.id] = view
        return view

    async def _find(self, user: User, view: _View, parts: Sequence[str]) -> Folder | Leaf:
        name, *below = parts
        room = self._rooms.get(name)
        found = (await self._folder(user, view, name, room)).find(below) if room else None
        if found is None:
            raise missing("/".join(parts))
        return found

    async def _folder(self, user: User, view: _View, name: str, room: Room) -> Folder:
        kept = view.rooms.get(name)
        if kept and self._clock() < kept[1]:
            return kept[0]
        folder, fresh_s = await room.folder(user, view.finished)
        view.rooms[name] = folder, self._clock() + fresh_s
        return folder

    async def _readable(self, user: User, room: str, arriving: Arriving) -> Readable:
        readable = await self._rooms[room].readable(user, arriving)
        if readable is None:
            raise Refused("It is still arriving, and can be read here when it is whole.")
        return readable

    # Rooms

    async def _list_rooms(self, user: User) -> tuple[Entry, ...]:
        newest = max((one.at for one in (await self._view(user)).finished), default=NEVER)
        names = sorted([*self._rooms, DROP] if self._drop else self._rooms)
        return tuple(made(f"/{name}", newest) for name in names)

    @staticmethod
    def _list_drop(drop: Drop, user: User, parts: Sequence[str]) -> tuple[Entry, ...]:
        if len(parts) > 1:
            one = drop.entry(user, "/".join(parts[1:]))
            raise Invalid(f"/{DROP}/{one.name} is a file.", field="path")
        return tuple(made(f"/{DROP}/{one.name}", one.modified_at, one.size_bytes) for one in drop.entries(user))

    @staticmethod
    def _stat_drop(drop: Drop, user: User, parts: Sequence[str]) -> Entry:
        if len(parts) == 1:
            return made(f"/{DROP}", max((one.modified_at for one in drop.entries(user)), default=NEVER))
        one = drop.entry(user, "/".join(parts[1:]))
        return made(f"/{DROP}/{one.name}", one.modified_at, one.size_bytes)

    @staticmethod
    def _open_drop(drop: Drop, user: User, name: str) -> Opened:
        content, one = drop.read(user, name), drop.entry(user, name)
        fd = os.memfd_create("drop", os.MFD_CLOEXEC)
        os.write(fd, content)
        return Opened(fd, made(f"/{DROP}/{name}", one.modified_at, len(content)), "")


def _parts(path: str) -> tuple[str, ...]:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return tuple(parts)


def _only(folder: Folder) -> Sequence[str]:
    """The way to the only file below a folder, as far as it leads."""
    way: list[str] = []
    while len(folder.folders) + len(folder.files) == 1:
        way += [*folder.folders, *folder.files]
        folder = next(iter(folder.folders.values()), Folder())
    return way


def _leaves(folder: Folder) -> Iterator[tuple[str, str]]:
    """The way to every file below a folder, and where it is."""
    for name, leaf in folder.files.items():
        yield name, leaf.place
    for name, below in folder.folders.items():
        yield from ((f"{name}/{path}", place) for path, place in _leaves(below))


def _room(rooms: tuple[Entry, ...], name: str) -> Entry:
    for entry in rooms:
        if entry.name == name:
            return entry
    raise missing(name)

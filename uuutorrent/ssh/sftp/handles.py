"""What one client has open: files being read or put, and folders being listed, as many as one may have and no more."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from uuutorrent.automation.inbox.coverage import Coverage
from uuutorrent.desk import Desk
from uuutorrent.errors import Invalid
from uuutorrent.ssh.filexfer import Attributes
from uuutorrent.ssh.sftp.depot import Depot
from uuutorrent.torrents.drop import Dropping
from uuutorrent.torrents.files import Entry, Readable

MAX_HANDLES = 64
MAX_LISTED = 20_000
"""Entries of all folders being listed at once in one session; a folder alone may have more."""
AT_LEAST = 256 * 1024
"""Bytes that are read in a thread at a time, where reads go on one after the other."""


@dataclass(slots=True)
class OpenFile:
    """A file being read. `fd` is closed once no thread reads from it any more."""

    fd: int
    attributes: Attributes
    place: str
    coverage: Coverage
    readable: Readable | None = None
    """To be asked before each read, while the file is still arriving."""
    size: int = 0
    """Bytes it has, as far as is known."""
    read_to: int = 0
    """Where the last read in a thread ended."""
    fetched: list[tuple[int, bytes]] = field(default_factory=list)
    """What threads have read and is not sent yet, each with its offset."""
    reading: asyncio.Future[bytes] | None = None

    def close(self) -> None:
        """Give the descriptor back."""
        self.fetched.clear()
        if self.reading is None or self.reading.done():
            os.close(self.fd)
        else:
            self.reading.add_done_callback(lambda _: os.close(self.fd))

    def sized(self, offset: int, size: int) -> int:
        """How many of so many bytes from there on it has."""
        if offset + size > self.size:
            self.size = os.fstat(self.fd).st_size
        return max(0, min(size, self.size - offset))

    def fill(self, places: Sequence[memoryview], offset: int, size: int) -> bool:
        """Put so many bytes into the places, without waiting for a disk. False: they are not in memory."""
        for start, content in self.fetched:
            if start <= offset and offset + size <= start + len(content):
                _scatter(memoryview(content)[offset - start :], places)
                return True
        try:
            return os.preadv(self.fd, places, offset, os.RWF_NOWAIT) == size
        except OSError as e:
            if e.errno in (errno.EAGAIN, errno.EOPNOTSUPP):
                return False
            raise

    async def fetch(self, depot: Depot, offset: int, size: int, *, ahead: bool = False) -> bool:
        """Read so many bytes in a thread; `ahead`: and more if it goes on where the last one ended.

        False: it has fewer.
        """
        wanted = max(size, AT_LEAST) if ahead and offset == self.read_to else size
        # asyncio cannot stop the thread, so the descriptor must outlive it.
        self.reading = depot.read(self.fd, offset, wanted, size)
        content = await asyncio.shield(self.reading)
        self.fetched.append((offset, content))
        self.read_to = offset + len(content)
        if len(content) < size:
            self.size = self.read_to
        return len(content) >= size

    def forget(self, upto: int) -> None:
        """What was fetched and ends before there was sent."""
        if self.fetched:
            self.fetched = [kept for kept in self.fetched[-1:] if kept[0] + len(kept[1]) > upto]


@dataclass(slots=True)
class Listing:
    """A folder being listed."""

    attributes: Attributes
    left: Sequence[Entry]

    def close(self) -> None:
        """Nothing is held."""


@dataclass(slots=True)
class PutFile:
    """A file being put into the drop folder; `appends`: whatever is written goes to its end."""

    dropping: Dropping
    appends: bool = False

    @property
    def attributes(self) -> Attributes:
        """As they are by now."""
        return Attributes(False, self.dropping.size_bytes, self.dropping.modified_at)

    def close(self) -> None:
        """Nobody said that it is complete."""
        self.dropping.abandon()


Handle = OpenFile | Listing | PutFile


class Handles:
    """What is open in one session, by the name that the client was given for it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._open: dict[bytes, Handle] = {}
        self._opened = 0

    def __len__(self) -> int:
        return len(self._open)

    def check_room(self) -> None:
        """Ask before anything is opened.

        Raises:
            Invalid: as much is open as may be.
        """
        if len(self._open) >= MAX_HANDLES:
            raise Invalid(f"at most {MAX_HANDLES} files can be open at once: close some first")

    def check_listing(self, entries: int) -> None:
        """Ask before a folder of so many entries is kept.

        Raises:
            Invalid: others are being listed, and all together are too many.
        """
        kept = sum(len(one.left) for one in self._open.values() if isinstance(one, Listing))
        if kept and kept + entries > MAX_LISTED:
            raise Invalid("too many large folders are being listed at once: finish one first")

    def keep(self, opened: Handle) -> bytes:
        """Remember it; returns its name."""
        self._opened += 1
        name = self._opened.to_bytes(4)
        self._open[name] = opened
        return name

    def called(self, name: bytes) -> Handle:
        """What has that name.

        Raises:
            Invalid: nothing.
        """
        try:
            return self._open[name]
        except KeyError as e:
            raise Invalid("that handle is not open") from e

    def close(self, name: bytes) -> None:
        """Close what has that name.

        Raises:
            Invalid: nothing has.
        """
        handle = self.called(name)
        del self._open[name]
        self._let_go(handle)

    def close_all(self) -> None:
        """The session is over."""
        while self._open:
            self._let_go(self._open.popitem()[1])

    def _let_go(self, handle: Handle) -> None:
        handle.close()
        if isinstance(handle, OpenFile):
            self._desk.uses.closed(self._desk.user, handle.place, handle.coverage)


def _scatter(content: memoryview, places: Sequence[memoryview]) -> None:
    at = 0
    for place in places:
        place[:] = content[at : at + len(place)]
        at += len(place)

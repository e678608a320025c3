"""What one client has open: files being read or put, and folders being listed, as many as one may have and no more."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass

from uuutorrent.automation.inbox.coverage import Coverage
from uuutorrent.desk import Desk
from uuutorrent.errors import Invalid
from uuutorrent.ssh.filexfer import Attributes
from uuutorrent.torrents.drop import Dropping
from uuutorrent.torrents.files import Entry

MAX_HANDLES = 64


@dataclass(slots=True)
class OpenFile:
    """A file being read. `fd` is closed once no thread reads from it any more."""

    fd: int
    attributes: Attributes
    place: str
    coverage: Coverage
    reading: asyncio.Future[bytes] | None = None

    def close(self) -> None:
        """Give the descriptor back."""
        if self.reading is None or self.reading.done():
            os.close(self.fd)
        else:
            self.reading.add_done_callback(lambda _: os.close(self.fd))

    async def read(self, offset: int, size: int) -> bytes | bytearray:
        """So many bytes, or fewer at the end of the file. What the kernel has in memory costs no thread."""
        found = _from_memory(self.fd, offset, size)
        if found is not None and (len(found) == size or offset + len(found) == self.attributes.size_bytes):
            return found
        # asyncio cannot stop the thread, so the descriptor must outlive it.
        self.reading = asyncio.ensure_future(asyncio.to_thread(os.pread, self.fd, size, offset))
        return await asyncio.shield(self.reading)


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


def _from_memory(fd: int, offset: int, size: int) -> bytearray | None:
    """What the kernel can give without waiting for a disk; None when it cannot tell."""
    content = bytearray(size)
    try:
        got = os.preadv(fd, [content], offset, os.RWF_NOWAIT)
    except OSError as e:
        if e.errno in (errno.EAGAIN, errno.EOPNOTSUPP):
            return None
        raise
    del content[got:]
    return content

"""Files in a channel: an SFTP server that only reads, over the view that `Files` gives of one user's own files.

One request is served at a time and nothing is read that the client does not take, so a client can hold this much and no
more: its open files, one packet, and one answer. A path is resolved when something is opened; after that it is plain
reads of a descriptor, which go on when the torrent is deleted meanwhile.
"""

from __future__ import annotations

import asyncio
import errno
import os
import posixpath
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from uuutorrent.automation.inbox.coverage import Coverage
from uuutorrent.desk import Desk
from uuutorrent.errors import Invalid, Missing, Refused, Unreachable, UuuError
from uuutorrent.ssh import filexfer
from uuutorrent.ssh.channel import Channel
from uuutorrent.ssh.door import Door
from uuutorrent.ssh.filexfer import Attributes, Fields, Malformed, Request, Status
from uuutorrent.torrents.files import Entry

log = structlog.get_logger()

MAX_HANDLES = 64
READ_AHEAD = 64 * 1024
"""Bytes of requests that may wait."""
ENTRIES_AT_ONCE = 100
"""Entries of a listing in one answer."""
TURN_S = 0.002
"""How long one session may serve before others have their turn."""
QUIET_S = 1.0
"""While the server stops: a client without open files that asks nothing for so long is not in a transfer."""

READ_ONLY = "files here are read-only"
EXPIRED = "your password is a one-time password: sign in with ssh and choose another first"
BROKE = "something broke on the server; it was logged"

WRITING = frozenset(
    {
        Request.WRITE,
        Request.SETSTAT,
        Request.FSETSTAT,
        Request.REMOVE,
        Request.MKDIR,
        Request.RMDIR,
        Request.RENAME,
        Request.SYMLINK,
    }
)


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
class Inbox:
    """Bytes from the client, cut into packets."""

    channel: Channel
    bytes_: bytearray = field(default_factory=bytearray)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False
    paused: bool = False

    def put(self, data: bytes) -> None:
        """More came."""
        self.bytes_ += data
        self.came.set()
        if len(self.bytes_) > READ_AHEAD and not self.paused:
            self.paused = True
            self.channel.pause_reading()

    def take(self) -> bytes | None:
        """The next whole packet, if there is one.

        Raises:
            Invalid: it has a size that no request has.
        """
        if len(self.bytes_) < 4:
            return None
        size = int.from_bytes(self.bytes_[:4])
        if not 0 < size <= filexfer.MAX_PACKET:
            raise Invalid("that is not SFTP")
        if len(self.bytes_) < 4 + size:
            return None
        packet = bytes(self.bytes_[4 : 4 + size])
        del self.bytes_[: 4 + size]
        return packet

    async def wait(self) -> None:
        """Until more came, or nothing more will."""
        self.came.clear()
        if self.paused:
            self.paused = False
            self.channel.resume_reading()
        if not self.ended:
            await self.came.wait()


class Sftp(Door):
    """Serves one client's requests."""

    kind = "sftp"

    def __init__(self, channel: Channel, desk: Desk) -> None:
        super().__init__(channel)
        self._desk = desk
        self._inbox = Inbox(channel)
        self._handles: dict[bytes, OpenFile | Listing] = {}
        self._opened = 0
        self._farewell = ""
        self._answers: Mapping[int, Callable[[int, Fields], Awaitable[bytes]]] = {
            Request.OPEN: self._open,
            Request.CLOSE: self._close,
            Request.READ: self._read,
            Request.LSTAT: self._stat,
            Request.STAT: self._stat,
            Request.FSTAT: self._fstat,
            Request.OPENDIR: self._opendir,
            Request.READDIR: self._readdir,
            Request.REALPATH: self._realpath,
            Request.READLINK: self._readlink,
            Request.EXTENDED: self._extended,
        }

    async def run(self) -> int:
        """Answer until the client has no more questions. Without an exit code of 0 `scp` calls its copy failed."""
        if self._desk.user.password_expired:
            raise Refused(EXPIRED)
        try:
            return await self._serve()
        finally:
            for handle in self._handles.values():
                self._let_go(handle)

    def received(self, data: bytes) -> None:
        """Requests, or parts of them."""
        self._inbox.put(data)

    def input_ended(self) -> None:
        """The client is done; what it asked is still answered."""
        self._inbox.ended = True
        self._inbox.came.set()

    def leave(self, sentence: str) -> None:
        """Transfers go on; a client that transfers nothing is told."""
        self._farewell = sentence
        self._inbox.came.set()

    def lost(self) -> None:
        """Nobody takes an answer."""
        self.input_ended()
        self._inbox.bytes_.clear()

    # Serving

    async def _serve(self) -> int:
        turn_began = time.monotonic()
        while (packet := await self._next()) is not None:
            self.channel.write(await self._answer(packet))
            await self.channel.writable()
            if time.monotonic() - turn_began > TURN_S:
                await asyncio.sleep(0)
                turn_began = time.monotonic()
        if self._farewell:
            self.channel.say(self._farewell)
            return Unreachable.exit_code
        return 0

    async def _next(self) -> bytes | None:
        """The next request; None at the end."""
        while (packet := self._inbox.take()) is None and not self._inbox.ended:
            try:
                async with asyncio.timeout(QUIET_S if self._farewell and not self._handles else None):
                    await self._inbox.wait()
            except TimeoutError:
                return None
        return packet

    async def _answer(self, packet: bytes) -> bytes:
        kind = packet[0]
        if kind == Request.INIT:
            return filexfer.version()
        fields = Fields(packet[1:])
        try:
            request_id = fields.number()
        except Malformed as e:
            raise Invalid("that is not SFTP") from e
        try:
            if kind in WRITING:
                return filexfer.status(request_id, Status.PERMISSION_DENIED, READ_ONLY)
            if kind not in self._answers:
                return filexfer.status(request_id, Status.OP_UNSUPPORTED, "that is not done here")
            return await self._answers[kind](request_id, fields)
        except Malformed:
            return filexfer.status(request_id, Status.BAD_MESSAGE, "that request is cut short")
        except UuuError as e:
            return filexfer.status(request_id, _status_of(e), e.message)
        except OSError as e:
            return filexfer.status(request_id, Status.FAILURE, f"it cannot be read just now ({e.strerror})")
        except Exception:  # what the table of errors calls "anything else"
            log.exception("sftp_request_crashed", user=self._desk.user.name, request=kind)
            return filexfer.status(request_id, Status.FAILURE, BROKE)

    async def _open(self, request_id: int, fields: Fields) -> bytes:
        path, flags = fields.path(), fields.number()
        if flags != filexfer.OPEN_READ:
            raise Refused(READ_ONLY)
        self._check_room()
        opened = await self._desk.files.open(self._desk.user, path)
        coverage = Coverage(opened.entry.size_bytes)
        file = OpenFile(opened.fd, _attributes(opened.entry), opened.place, coverage)
        return filexfer.handle(request_id, self._keep(file))

    async def _close(self, request_id: int, fields: Fields) -> bytes:
        name = fields.string()
        self._let_go(self._handle(name))
        del self._handles[name]
        return filexfer.status(request_id, Status.OK)

    async def _read(self, request_id: int, fields: Fields) -> bytes:
        file, offset, size = self._handle(fields.string()), fields.number(8), fields.number()
        if not isinstance(file, OpenFile):
            raise Invalid("that is a folder")
        if offset >= 2**63:
            return filexfer.status(request_id, Status.EOF)
        content = await file.read(offset, min(size, filexfer.MAX_READ))
        if not content:
            return filexfer.status(request_id, Status.EOF)
        file.coverage.note(offset, len(content))
        self._desk.tally.count("sftp_bytes", "out", by=len(content))
        return filexfer.data(request_id, content)

    async def _stat(self, request_id: int, fields: Fields) -> bytes:
        entry = await self._desk.files.stat(self._desk.user, fields.path())
        return filexfer.attributes(request_id, _attributes(entry))

    async def _fstat(self, request_id: int, fields: Fields) -> bytes:
        return filexfer.attributes(request_id, self._handle(fields.string()).attributes)

    async def _opendir(self, request_id: int, fields: Fields) -> bytes:
        path, files, user = fields.path(), self._desk.files, self._desk.user
        self._check_room()
        listing = Listing(_attributes(await files.stat(user, path)), await files.list(user, path))
        return filexfer.handle(request_id, self._keep(listing))

    async def _readdir(self, request_id: int, fields: Fields) -> bytes:
        listing = self._handle(fields.string())
        if not isinstance(listing, Listing):
            raise Invalid("that is a file")
        now, listing.left = listing.left[:ENTRIES_AT_ONCE], listing.left[ENTRIES_AT_ONCE:]
        if not now:
            return filexfer.status(request_id, Status.EOF)
        listed = [(entry.name, _attributes(entry)) for entry in now]
        return filexfer.names(request_id, listed, self._desk.user.name)

    async def _realpath(self, request_id: int, fields: Fields) -> bytes:
        # Two leading slashes would survive `normpath`.
        return filexfer.path(request_id, "/" + posixpath.normpath("/" + fields.path()).lstrip("/"))

    async def _readlink(self, request_id: int, fields: Fields) -> bytes:
        raise Invalid("there are no links here")

    async def _extended(self, request_id: int, fields: Fields) -> bytes:
        match fields.string():
            case b"limits@openssh.com":
                return filexfer.limits(request_id, MAX_HANDLES)
            case b"statvfs@openssh.com":
                await self._desk.files.stat(self._desk.user, fields.path())
                return await self._space(request_id)
            case b"fstatvfs@openssh.com":
                self._handle(fields.string())
                return await self._space(request_id)
        return filexfer.status(request_id, Status.OP_UNSUPPORTED, "that is not done here")

    async def _space(self, request_id: int) -> bytes:
        """What the user may claim, as `df` shows it; the disk itself where there is no quota."""
        disk, usage = await self._desk.files.space(), await self._desk.library.usage(self._desk.user)
        available = disk.f_bavail * disk.f_frsize
        total, free = disk.f_blocks * disk.f_frsize, disk.f_bfree * disk.f_frsize
        if usage.quota_bytes:
            total, free = usage.quota_bytes, max(0, usage.quota_bytes - usage.bytes)
        return filexfer.space(request_id, total_bytes=total, free_bytes=free, available_bytes=min(free, available))

    def _check_room(self) -> None:
        if len(self._handles) >= MAX_HANDLES:
            raise Invalid(f"at most {MAX_HANDLES} files can be open at once: close some first")

    def _keep(self, opened: OpenFile | Listing) -> bytes:
        self._opened += 1
        name = self._opened.to_bytes(4)
        self._handles[name] = opened
        return name

    def _let_go(self, handle: OpenFile | Listing) -> None:
        handle.close()
        if isinstance(handle, OpenFile):
            self._desk.uses.closed(self._desk.user, handle.place, handle.coverage)

    def _handle(self, name: bytes) -> OpenFile | Listing:
        try:
            return self._handles[name]
        except KeyError as e:
            raise Invalid("that handle is not open") from e


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


def _attributes(entry: Entry) -> Attributes:
    return Attributes(entry.is_dir, entry.size_bytes, entry.modified_at)


def _status_of(error: UuuError) -> Status:
    if isinstance(error, Missing):
        return Status.NO_SUCH_FILE
    return Status.PERMISSION_DENIED if isinstance(error, Refused) else Status.FAILURE

"""The answer to each request; what writes is answered by `Putting`."""

from __future__ import annotations

import posixpath
from collections.abc import Awaitable, Callable, Mapping

import structlog

from uuutorrent.automation.inbox.coverage import Coverage
from uuutorrent.desk import Desk
from uuutorrent.errors import Invalid, Missing, Refused, Unreachable, UuuError
from uuutorrent.serving import Serving
from uuutorrent.ssh import filexfer
from uuutorrent.ssh.filexfer import Attributes, Fields, Malformed, Request, Status
from uuutorrent.ssh.sftp.handles import MAX_HANDLES, Handles, Listing, OpenFile, PutFile
from uuutorrent.ssh.sftp.putting import Putting, is_in_drop
from uuutorrent.ssh.sftp.stream import Piece, unreadable
from uuutorrent.torrents.files import Entry

log = structlog.get_logger()

ENTRIES_AT_ONCE = 100
"""Entries of a listing in one answer."""

UNKNOWN = "that is not done here"
BROKE = "something broke on the server; it was logged"

Answer = Callable[[int, Fields], Awaitable[bytes | Piece]]
"""Takes a request's id and its fields; returns the packet that answers it, or its head and what of a file follows."""


class Answers:
    """Answers one client's requests, one at a time."""

    def __init__(self, desk: Desk, handles: Handles, serving: Serving) -> None:
        self._desk = desk
        self._serving = serving
        self._handles = handles
        self._putting = Putting(desk, handles)
        self._table: Mapping[int, Answer] = {
            Request.OPEN: self._open,
            Request.READ: self._read,
            Request.CLOSE: self._close,
            Request.FSTAT: self._fstat,
            Request.LSTAT: self._stat,
            Request.STAT: self._stat,
            Request.OPENDIR: self._opendir,
            Request.READDIR: self._readdir,
            Request.REALPATH: self._realpath,
            Request.READLINK: self._readlink,
            Request.EXTENDED: self._extended,
            **self._putting.table,
        }
        self._extensions: Mapping[bytes, Answer] = {
            b"limits@openssh.com": self._limits,
            b"statvfs@openssh.com": self._statvfs,
            b"fstatvfs@openssh.com": self._fstatvfs,
        }

    async def to(self, packet: bytes) -> bytes | Piece:
        """The answer to one request.

        Raises:
            Invalid: it is no request.
        """
        kind = packet[0]
        if kind == Request.INIT:
            return filexfer.version()
        fields = Fields(packet[1:])
        try:
            request_id = fields.number()
        except Malformed as e:
            raise Invalid("that is not SFTP") from e
        try:
            return await self._table.get(kind, self._unknown)(request_id, fields)
        except Malformed:
            return filexfer.status(request_id, Status.BAD_MESSAGE, "that request is cut short")
        except UuuError as e:
            return filexfer.status(request_id, _status_of(e), e.message)
        except OSError as e:
            return filexfer.status(request_id, Status.FAILURE, unreadable(e))
        except Exception:  # what the table of errors calls "anything else"
            log.exception("sftp_request_crashed", user=self._desk.user.name, request=kind)
            return filexfer.status(request_id, Status.FAILURE, BROKE)

    # Files

    async def _open(self, request_id: int, fields: Fields) -> bytes:
        path, flags = fields.path(), fields.number()
        if flags != filexfer.OPEN_READ:
            return await self._putting.open(request_id, path, flags)
        self._handles.check_room()
        opened = await self._desk.files.open(self._desk.user, path)
        coverage = Coverage(opened.entry.size_bytes)
        file = OpenFile(opened.fd, _attributes(opened.entry), opened.place, coverage, opened.readable)
        return filexfer.handle(request_id, self._handles.keep(file))

    async def _read(self, request_id: int, fields: Fields) -> bytes | Piece:
        file, offset, size = self._handles.called(fields.string()), fields.number(8), fields.number()
        if not isinstance(file, OpenFile):
            raise Invalid("that is not open for reading")
        if self._serving.budget() <= 0:
            await self._serving.wait()
        size = min(size, filexfer.MAX_READ)
        if size and file.readable is not None:
            size = await file.readable.whole(offset, size)
            if size and not file.sized(offset, size):  # on the disk it is not as long yet as it will be
                raise Unreachable("This part of the file", "it has not arrived yet")
        size = file.sized(offset, size)
        if not size:
            return filexfer.status(request_id, Status.EOF)
        return Piece(filexfer.data_head(request_id, size), file, offset, size, request_id)

    async def _close(self, request_id: int, fields: Fields) -> bytes:
        name = fields.string()
        handle = self._handles.called(name)
        try:
            if isinstance(handle, PutFile):
                await handle.dropping.close()
        finally:
            self._handles.close(name)
        return filexfer.status(request_id, Status.OK)

    async def _fstat(self, request_id: int, fields: Fields) -> bytes:
        return filexfer.attributes(request_id, self._handles.called(fields.string()).attributes)

    # Names

    async def _stat(self, request_id: int, fields: Fields) -> bytes:
        entry = await self._desk.files.stat(self._desk.user, fields.path())
        return filexfer.attributes(request_id, _attributes(entry))

    async def _opendir(self, request_id: int, fields: Fields) -> bytes:
        path, files, user = fields.path(), self._desk.files, self._desk.user
        self._handles.check_room()
        listing = Listing(_attributes(await files.stat(user, path)), await files.list(user, path))
        self._handles.check_listing(len(listing.left))
        return filexfer.handle(request_id, self._handles.keep(listing))

    async def _readdir(self, request_id: int, fields: Fields) -> bytes:
        listing = self._handles.called(fields.string())
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

    # Extensions

    async def _extended(self, request_id: int, fields: Fields) -> bytes | Piece:
        return await self._extensions.get(fields.string(), self._unknown)(request_id, fields)

    async def _unknown(self, request_id: int, fields: Fields) -> bytes:
        return filexfer.status(request_id, Status.OP_UNSUPPORTED, UNKNOWN)

    async def _limits(self, request_id: int, fields: Fields) -> bytes:
        return filexfer.limits(request_id, MAX_HANDLES)

    async def _statvfs(self, request_id: int, fields: Fields) -> bytes:
        path = fields.path()
        await self._desk.files.stat(self._desk.user, path)
        return await self._space(request_id, writable=is_in_drop(path))

    async def _fstatvfs(self, request_id: int, fields: Fields) -> bytes:
        self._handles.called(fields.string())
        return await self._space(request_id)

    async def _space(self, request_id: int, *, writable: bool = False) -> bytes:
        """What the user may claim, as `df` shows it; the disk itself where there is no quota."""
        disk, usage = await self._desk.files.space(), await self._desk.library.usage(self._desk.user)
        available = disk.f_bavail * disk.f_frsize
        total, free = disk.f_blocks * disk.f_frsize, disk.f_bfree * disk.f_frsize
        if usage.quota_bytes:
            total, free = usage.quota_bytes, max(0, usage.quota_bytes - usage.bytes)
        return filexfer.space(
            request_id,
            total_bytes=total,
            free_bytes=free,
            available_bytes=min(free, available),
            writable=writable,
        )


def _attributes(entry: Entry) -> Attributes:
    return Attributes(entry.is_dir, entry.size_bytes, entry.modified_at)


def _status_of(error: UuuError) -> Status:
    if isinstance(error, Missing):
        return Status.NO_SUCH_FILE
    return Status.PERMISSION_DENIED if isinstance(error, Refused) else Status.FAILURE

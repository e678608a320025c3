"""The requests that write: done in the drop folder, refused with a reason everywhere else.

Clients do more than write: they set times and permissions, put under another name and rename, and remove what was there
before. In the drop folder that succeeds, so that they do, and grants nothing: permissions are ignored, and what is
renamed or removed is only the user's own and only there.
"""

from __future__ import annotations

import posixpath
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from uuutorrent.desk import Desk
from uuutorrent.errors import Conflict, Refused
from uuutorrent.ssh import filexfer
from uuutorrent.ssh.filexfer import Fields, Request, Status
from uuutorrent.ssh.sftp.handles import Handles, PutFile

FOLDER = "/drop"
READ_ONLY = "files here are read-only: only /drop takes files"
NO_FOLDERS = "there are no folders in /drop: put files into it itself"

_WRITE, _APPEND, _CREATE, _TRUNCATE, _EXCLUSIVE = 0x02, 0x04, 0x08, 0x10, 0x20
"""Flags of OPEN. Source: draft-ietf-secsh-filexfer-02, 6.3."""
_SIZE, _OWNER, _PERMISSIONS, _TIMES = 1, 2, 4, 8


@dataclass(frozen=True, slots=True)
class Wished:
    """What a client wants a file's attributes to be, as far as it is of interest here."""

    size_bytes: int | None
    modified_at: datetime | None


class Putting:
    """Answers those requests of one client."""

    def __init__(self, desk: Desk, handles: Handles) -> None:
        self._desk = desk
        self._handles = handles
        self.table: Mapping[int, Callable[[int, Fields], Awaitable[bytes]]] = {
            Request.WRITE: self._write,
            Request.SETSTAT: self._setstat,
            Request.FSETSTAT: self._fsetstat,
            Request.REMOVE: self._remove,
            Request.MKDIR: self._mkdir,
            Request.RMDIR: self._refuse,
            Request.RENAME: self._rename,
            Request.SYMLINK: self._refuse,
        }

    async def open(self, request_id: int, path: str, flags: int) -> bytes:
        """Answer OPEN with other flags than those for reading.

        Raises:
            Refused: it is not in the drop folder, or the drop folder does not take it.
        """
        name = _name(path)
        if not flags & (_WRITE | _APPEND):
            raise Refused(READ_ONLY)
        self._handles.check_room()
        new = bool(flags & _EXCLUSIVE) or None if flags & _CREATE else False
        dropping = self._desk.drop.create(self._desk.user, name, fresh=bool(flags & _TRUNCATE), new=new)
        return filexfer.handle(request_id, self._handles.keep(PutFile(dropping, bool(flags & _APPEND))))

    async def _write(self, request_id: int, fields: Fields) -> bytes:
        file, offset, data = self._put_file(fields.string()), fields.number(8), fields.string()
        file.dropping.write(file.dropping.size_bytes if file.appends else offset, data)
        return filexfer.status(request_id, Status.OK)

    async def _setstat(self, request_id: int, fields: Fields) -> bytes:
        path = fields.path()
        if not _is_folder(path):
            name, wished = _name(path), _wished(fields)
            drop, user = self._desk.drop, self._desk.user
            drop.entry(user, name)
            if wished.size_bytes is not None:
                drop.truncate(user, name, wished.size_bytes)
            if wished.modified_at is not None:
                drop.touch(user, name, wished.modified_at)
        return filexfer.status(request_id, Status.OK)

    async def _fsetstat(self, request_id: int, fields: Fields) -> bytes:
        file, wished = self._put_file(fields.string()), _wished(fields)
        if wished.size_bytes is not None:
            file.dropping.truncate(wished.size_bytes)
        if wished.modified_at is not None:
            file.dropping.touch(wished.modified_at)
        return filexfer.status(request_id, Status.OK)

    async def _remove(self, request_id: int, fields: Fields) -> bytes:
        self._desk.drop.remove(self._desk.user, _name(fields.path()))
        return filexfer.status(request_id, Status.OK)

    async def _rename(self, request_id: int, fields: Fields) -> bytes:
        old, new = _name(fields.path()), _name(fields.path())
        await self._desk.drop.rename(self._desk.user, old, new)
        return filexfer.status(request_id, Status.OK)

    async def _mkdir(self, request_id: int, fields: Fields) -> bytes:
        if _is_folder(path := fields.path()):
            raise Conflict(f"{FOLDER} is there already")
        _name(path)
        raise Refused(NO_FOLDERS)

    async def _refuse(self, request_id: int, fields: Fields) -> bytes:
        raise Refused(READ_ONLY)

    def _put_file(self, handle: bytes) -> PutFile:
        """The file being put of that handle.

        Raises:
            Refused: it is open for reading.
        """
        file = self._handles.called(handle)
        if not isinstance(file, PutFile):
            raise Refused(READ_ONLY)
        return file


def is_in_drop(path: str) -> bool:
    """Whether a path is the drop folder or something in it."""
    return _is_folder(path) or posixpath.normpath("/" + path).lstrip("/").startswith(FOLDER[1:] + "/")


def _is_folder(path: str) -> bool:
    return posixpath.normpath("/" + path).lstrip("/") == FOLDER[1:]


def _name(path: str) -> str:
    """The name in the drop folder that a path leads to.

    Raises:
        Refused: it leads elsewhere.
    """
    folder, name = posixpath.split(posixpath.normpath("/" + path))
    if not is_in_drop(path) or _is_folder(path):
        raise Refused(READ_ONLY)
    if not _is_folder(folder):
        raise Refused(NO_FOLDERS)
    return name


def _wished(fields: Fields) -> Wished:
    """The attributes of a request. Source: draft-ietf-secsh-filexfer-02, 5."""
    flags, size_bytes, modified_at = fields.number(), None, None
    if flags & _SIZE:
        size_bytes = fields.number(8)
    if flags & _OWNER:
        fields.number(8)
    if flags & _PERMISSIONS:
        fields.number()
    if flags & _TIMES:
        fields.number()
        modified_at = datetime.fromtimestamp(fields.number(), UTC)
    return Wished(size_bytes, modified_at)

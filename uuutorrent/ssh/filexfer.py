"""The words of the SSH File Transfer Protocol, version 3: packets in and out. Pure.

Source: draft-ietf-secsh-filexfer-02, which every client speaks; OpenSSH, PROTOCOL, section 4, for the extensions.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

VERSION = 3
MAX_PACKET = 256 * 1024
"""Bytes of a request; OpenSSH's server takes as many."""
MAX_READ = 255 * 1024
"""Bytes given for one READ, whatever it asks for."""

OPEN_READ = 0x01
"""The only flag of OPEN that is honoured: all others write."""

_SIZE, _OWNER, _PERMISSIONS, _TIMES = 1, 2, 4, 8
_DIRECTORY_MODE, _FILE_MODE = 0o040555, 0o100444
_HALF_A_YEAR_S = 182 * 86400
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_READ_ONLY_MOUNT = 1
_LONGEST_NAME = 255


class Request(IntEnum):
    """What a client asks."""

    INIT = 1
    OPEN = 3
    CLOSE = 4
    READ = 5
    WRITE = 6
    LSTAT = 7
    FSTAT = 8
    SETSTAT = 9
    FSETSTAT = 10
    OPENDIR = 11
    READDIR = 12
    REMOVE = 13
    MKDIR = 14
    RMDIR = 15
    REALPATH = 16
    STAT = 17
    RENAME = 18
    READLINK = 19
    SYMLINK = 20
    EXTENDED = 200


class Status(IntEnum):
    """How a request went."""

    OK = 0
    EOF = 1
    NO_SUCH_FILE = 2
    PERMISSION_DENIED = 3
    FAILURE = 4
    BAD_MESSAGE = 5
    OP_UNSUPPORTED = 8


_VERSION, _STATUS, _HANDLE, _DATA, _NAME, _ATTRS, _EXTENDED_REPLY = 2, 101, 102, 103, 104, 105, 201


class Malformed(Exception):
    """A packet that ends too early."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """What is told of a file or a folder. There is nothing to write, so permissions follow from the kind."""

    is_dir: bool
    size_bytes: int
    modified_at: datetime

    @property
    def mtime(self) -> int:
        """Seconds since 1970, in the 32 bits there are for it."""
        return min(max(0, int(self.modified_at.timestamp())), 2**32 - 1)


class Fields:
    """The fields of one request, read one after the other."""

    def __init__(self, packet: bytes) -> None:
        self._packet = packet
        self._at = 0

    def number(self, size: int = 4) -> int:
        """An unsigned number of so many bytes.

        Raises:
            Malformed: it is not there.
        """
        return int.from_bytes(self._take(size))

    def string(self) -> bytes:
        """A string.

        Raises:
            Malformed: it is not there.
        """
        return self._take(self.number())

    def path(self) -> str:
        """A string that is a path or a name. Bytes that are not UTF-8 come back as they were by `encoded`.

        Raises:
            Malformed: it is not there.
        """
        return self.string().decode("utf-8", "surrogateescape")

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._packet):
            raise Malformed
        taken = self._packet[self._at : end]
        self._at = end
        return taken


def version() -> bytes:
    """The answer to INIT, with the extensions there are."""
    extensions = (("statvfs@openssh.com", "2"), ("fstatvfs@openssh.com", "2"), ("limits@openssh.com", "1"))
    return _framed(_VERSION, struct.pack(">I", VERSION), *(_string(word) for pair in extensions for word in pair))


def status(request_id: int, code: Status, message: str = "") -> bytes:
    """How it went, with a sentence for the person."""
    return _framed(_STATUS, struct.pack(">II", request_id, code), _string(message), _string("en"))


def handle(request_id: int, name: bytes) -> bytes:
    """Something was opened."""
    return _framed(_HANDLE, struct.pack(">I", request_id), _bytes(name))


def data_head(request_id: int, size: int) -> bytes:
    """What stands before a piece of a file of so many bytes."""
    return struct.pack(">IBII", 9 + size, _DATA, request_id, size)


def attributes(request_id: int, of: Attributes) -> bytes:
    """A file's or a folder's attributes."""
    return _framed(_ATTRS, struct.pack(">I", request_id), _attributes(of))


def path(request_id: int, normal: str) -> bytes:
    """The normal form of a path."""
    return _framed(_NAME, struct.pack(">II", request_id, 1), _string(normal), _string(normal), bytes(4))


def names(request_id: int, entries: Sequence[tuple[str, Attributes]], owner: str) -> bytes:
    """Part of a listing."""
    listed = (_string(name) + _string(long_name(name, of, owner)) + _attributes(of) for name, of in entries)
    return _framed(_NAME, struct.pack(">II", request_id, len(entries)), *listed)


def limits(request_id: int, handles: int) -> bytes:
    """The largest packet, read and write, and how many handles. Source: OpenSSH, PROTOCOL, limits@openssh.com."""
    return _framed(_EXTENDED_REPLY, struct.pack(">IQQQQ", request_id, MAX_PACKET, MAX_READ, MAX_READ, handles))


def space(request_id: int, *, total_bytes: int, free_bytes: int, available_bytes: int, writable: bool = False) -> bytes:
    """How full it is here, in blocks of 4 KiB. Source: OpenSSH, PROTOCOL, statvfs@openssh.com."""
    block = 4096
    blocks = (block, block, total_bytes // block, free_bytes // block, available_bytes // block)
    flags = 0 if writable else _READ_ONLY_MOUNT
    return _framed(_EXTENDED_REPLY, struct.pack(">I11Q", request_id, *blocks, 0, 0, 0, 0, flags, _LONGEST_NAME))


def long_name(name: str, of: Attributes, owner: str) -> str:
    """A line as `ls -l` prints it, times in UTC; clients show it as it is, so nothing in it may drive a terminal."""
    mode, links = ("dr-xr-xr-x", 2) if of.is_dir else ("-r--r--r--", 1)
    shown = "".join(char if char.isprintable() else "?" for char in name)
    return f"{mode} {links:4} {owner:8} uuutorrent {of.size_bytes:12} {_when(of.modified_at)} {shown}"


def encoded(name: str) -> bytes:
    """A name as it goes out; bytes that came from a disk go out as they were."""
    try:
        return name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return name.encode("utf-8", "replace")


def _when(at: datetime) -> str:
    at = at.astimezone(UTC)
    day = f"{_MONTHS[at.month - 1]} {at.day:2}"
    is_recent = abs(time.time() - at.timestamp()) < _HALF_A_YEAR_S
    return f"{day} {at:%H:%M}" if is_recent else f"{day}  {at.year}"


def _attributes(of: Attributes) -> bytes:
    mode = _DIRECTORY_MODE if of.is_dir else _FILE_MODE
    flags = _SIZE | _OWNER | _PERMISSIONS | _TIMES
    return struct.pack(">IQIIIII", flags, of.size_bytes, 0, 0, mode, of.mtime, of.mtime)


def _framed(kind: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">IB", 1 + len(body), kind) + body


def _string(text: str) -> bytes:
    return _bytes(encoded(text))


def _bytes(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content

"""What the first bytes of a file say it is, and whether an archive asks for a password. Pure.

Only some headers are read, never the whole list of an archive: what people are sent may be made to fill a memory, and
libraries that open archives read all of it.
Source: PKWARE APPNOTE 4.3.7; RAR 4 and RAR 5 technical notes (rarlab); 7-Zip, DOC/7zFormat.txt.
"""

from __future__ import annotations

import lzma
import re
import struct
from collections.abc import Callable
from enum import StrEnum

Read = Callable[[int, int], bytes]
"""Bytes of a file: from where, at most how many."""

HEAD_BYTES = 4096
"""So much of a file is enough for `kind_of`."""
MOST_HEADERS = 64
MOST_7Z = 4 << 20


class Kind(StrEnum):
    """What a file is, in words that can follow "it is"."""

    PROGRAM = "a program"
    SHORTCUT = "a shortcut"
    SCRIPT = "a script"
    INSTALLER = "an installer"
    WEB_PAGE = "a web page"
    DOCUMENT = "a document"
    ZIP = "a zip archive"
    RAR = "a rar archive"
    SEVEN_ZIP = "a 7z archive"
    PACKED = "a packed file"
    TORRENT = "a .torrent file"
    OTHER = ""
    """Nothing that is looked for here: perhaps a video."""


ARCHIVES = frozenset({Kind.ZIP, Kind.RAR, Kind.SEVEN_ZIP})
RUNS = frozenset({Kind.PROGRAM, Kind.SHORTCUT, Kind.SCRIPT, Kind.INSTALLER})
"""What does something when it is opened."""

_RAR4, _RAR5, _7Z = b"Rar!\x1a\x07\x00", b"Rar!\x1a\x07\x01\x00", b"7z\xbc\xaf\x27\x1c"
_BEGINNINGS = (
    (b"MZ", Kind.PROGRAM),
    (b"\x7fELF", Kind.PROGRAM),
    (b"\xcf\xfa\xed\xfe", Kind.PROGRAM),
    (b"L\0\0\0\x01\x14\x02\0", Kind.SHORTCUT),
    (b"#!", Kind.SCRIPT),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind.INSTALLER),
    (b"MSCF", Kind.INSTALLER),
    (b"%PDF", Kind.DOCUMENT),
    (b"PK\x03\x04", Kind.ZIP),
    (b"PK\x05\x06", Kind.ZIP),
    (b"Rar!\x1a\x07", Kind.RAR),
    (_7Z, Kind.SEVEN_ZIP),
    (b"\x1f\x8b\x08", Kind.PACKED),
    (b"\xfd7zXZ\0", Kind.PACKED),
    (b"(\xb5/\xfd", Kind.PACKED),
    (b"d8:announce", Kind.TORRENT),
)
_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|script|\?xml)", re.IGNORECASE)
_AES = b"\x24\x06\xf1\x07\x01"
"""7z: a coder with properties whose id is that of AES-256."""
_LZMA = re.compile(rb"\x23\x03\x01\x01\x05(.)(.{4})\x0c", re.DOTALL)
"""7z: the LZMA coder with its properties: lc/lp/pb, and the size of its dictionary."""
_LZMA2 = re.compile(rb"\x21\x21\x01.\x0c", re.DOTALL)
"""7z: the LZMA2 coder, with the size of its dictionary."""


def kind_of(head: bytes) -> Kind:
    """What a file is that begins like this."""
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    return Kind.WEB_PAGE if _PAGE.match(head) else Kind.OTHER


def is_locked(read: Read) -> bool:
    """Whether the file is an archive that asks for a password; False where that cannot be told."""
    head = read(0, 8)
    try:
        if head.startswith(b"PK\x03\x04"):
            return _zip(read)
        if head.startswith(_RAR5):
            return _rar5(read)
        if head.startswith(_RAR4):
            return _rar4(read)
        return head.startswith(_7Z) and _seven_zip(read)
    except (struct.error, IndexError, OverflowError, ValueError, lzma.LZMAError):
        return False


def _zip(read: Read) -> bool:
    at = 0
    for _ in range(MOST_HEADERS):
        header = read(at, 30)
        if not header.startswith(b"PK\x03\x04"):
            return False
        flags, size, name, extra = *struct.unpack_from("<H", header, 6), *struct.unpack_from("<I4xHH", header, 18)
        if flags & 1:
            return True
        if flags & 8 or size == 0xFFFFFFFF:  # how long it is comes after it, or elsewhere
            return False
        at += 30 + name + extra + size
    return False


def _rar4(read: Read) -> bool:
    at = len(_RAR4)
    for _ in range(MOST_HEADERS):
        header = read(at, 40)
        kind, flags, size = struct.unpack_from("<BHH", header, 2)
        if (kind == 0x73 and flags & 0x80) or (kind == 0x74 and flags & 0x04):
            return True
        more = struct.unpack_from("<I", header, 7)[0] if flags & 0x8000 else 0
        if kind == 0x74 and flags & 0x100:
            more |= struct.unpack_from("<I", header, 32)[0] << 32
        if kind == 0x7B or size < 7:
            return False
        at += size + more
    return False


def _rar5(read: Read) -> bool:
    at = len(_RAR5)
    for _ in range(MOST_HEADERS):
        block = read(at, HEAD_BYTES)
        size, begin = _vint(block, 4)
        kind, place = _vint(block, begin)
        flags, place = _vint(block, place)
        extra = data = 0
        if flags & 1:
            extra, place = _vint(block, place)
        if flags & 2:
            data, place = _vint(block, place)
        if kind == 4 or (kind in (2, 3) and _has_encryption(block[begin + size - extra : begin + size])):
            return True
        if kind == 5:
            return False
        at += begin + size + data
    return False


def _has_encryption(extra: bytes) -> bool:
    """Whether the extra area of a file in RAR 5 has the record about how it is encrypted."""
    at = 0
    while at < len(extra):
        size, begin = _vint(extra, at)
        kind, _ = _vint(extra, begin)
        if kind == 1:
            return True
        at = begin + max(size, 1)
    return False


def _vint(data: bytes, at: int) -> tuple[int, int]:
    """A number of RAR 5, 7 bits in each byte, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        value, at = value | (byte & 0x7F) << shift, at + 1
        if not byte & 0x80:
            break
    return value, at


def _seven_zip(read: Read) -> bool:
    offset, size = struct.unpack_from("<QQ", read(0, 32), 12)
    header = read(32 + offset, size) if 0 < size <= MOST_7Z else b""
    if header.startswith(b"\x17") and _AES not in header:
        header = _unpacked(header, read)
    return _AES in header


def _unpacked(header: bytes, read: Read) -> bytes:
    """The list of a 7z archive, where that is packed itself."""
    coder = _LZMA.search(header) or _LZMA2.search(header)
    if coder is None or header[1] != 0x06:
        return b""
    place, at = _number(header, 2)
    _, at = _number(header, at)
    size, _ = _number(header, at + 1)
    whole, _ = _number(header, coder.end())
    if size > MOST_7Z or whole > MOST_7Z:
        return b""
    # No dictionary need be larger than all there is; the one it asks for may be gigabytes.
    how: dict[str, int] = {"id": lzma.FILTER_LZMA2, "dict_size": max(4096, whole)}
    if coder.re is _LZMA:
        byte = coder[1][0]
        how |= {"id": lzma.FILTER_LZMA1, "lc": byte % 9, "lp": byte // 9 % 5, "pb": byte // 45}
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[how])
    return unpacker.decompress(read(32 + place, size), max_length=whole)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of 7z: how many bits lead its first byte says how many bytes follow."""
    first, value, mask = data[at], 0, 0x80
    for count in range(8):
        if not first & mask:
            return value | (first & (mask - 1)) << (8 * count), at + 1 + count
        value |= data[at + 1 + count] << (8 * count)
        mask >>= 1
    return value, at + 9

"""What the first bytes of a file say, and which archives ask for a password."""

from __future__ import annotations

import base64
import io
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uuutorrent.automation.health.archives import Kind, Read, is_locked, kind_of

RAR4, RAR5 = b"Rar!\x1a\x07\x00", b"Rar!\x1a\x07\x01\x00"

# Made with 7-Zip 26.02 and, where the list is packed with LZMA2, py7zr 1.1.4.
SEVEN_ZIP = {
    "open": (
        "N3q8ryccAATkzA2tBwAAAAAAAABiAAAAAAAAAE4r0XABAAJoaQoAAQQGAAEJBwAHCwEAASEhAQAMAwAICgF6em/tAAAFARkMAAAAAAAA"
        "AAAAAAAAER0AUwBoAG8AdwAgAC0AIAAwADEALgBtAGsAdgAAABQKAQALsG6e1XndARUGAQAggKSBAAA="
    ),
    "open, packed list": (
        "N3q8ryccAARDejMNdgAAAAAAAAAUAAAAAAAAACnePUDgABEAC10ANBlJ7o3pUJWF4AAA4ABgAFtdAACBMweuD88n8IwHsMPaKtdYZKyz"
        "eM5U3aa2sJl66yrBb96qF4cALEjHV2XXqIe/mQVI6ruYHOwYXCDe4EGdpRUYbg0LIKsNgEuFG9BSRBV53PQ32ZNnrCoAAAAAFwYTAQlj"
        "AAcLAQABISEBGAxhAAA="
    ),
    "locked": (
        "N3q8ryccAAStNvU1EAAAAAAAAAByAAAAAAAAAIZT9tVFQGIVxZR6wB4Cd+DdqhohAQQGAAEJEAAHCwEAAiQG8QcBElMPYXhGe+Yngzkh"
        "Swi3cpkQmyEhAQABAAwHAwAICgF6em/tAAAFARkBABEdAFMAaABvAHcAIAAtACAAMAAxAC4AbQBrAHYAAAAUCgEAC7BuntV53QEVBgEA"
        "IICkgQAA"
    ),
    "locked, list packed with LZMA": (
        "N3q8ryccAARgSR9q1wAAAAAAAAAiAAAAAAAAANobggf+woURU64GTrzLkSLJAVy+zZjacTmejHBtXbBTEj/AVAAAgTMHrg/QDrA8nzkQ"
        "nJ+m1TPasi6w2a4xMv/USOPmiprorE+ERTCMMcBilxbkvPGGcfERuzxpeQQxhJp+lv5nDagTdJmESr2KCHlYrNjBK/zJqJJ23ftY5v8W"
        "ThCKIuc//UKBBWPKbA+wJUdyKnHWDOWOCnMKK5Our89CSu6Sxoy2P7cMoHEy0zXyGz1W/Q3YQ1bI9KfB+c82jIoFYyK0P7O4NSrENnNS"
        "9t0+bub3KOO1tn4AABcGIAEJgLcABwsBAAEjAwEBBV0AEAAADIHiCgH9gq89AAA="
    ),
    "locked, list packed with LZMA2": (
        "N3q8ryccAARPJ/VumwAAAAAAAAAUAAAAAAAAAAe/mkmiyFXqjbooFXP6mvqcXwICiEsjqwjxHB+koEBhcljv/uAAdABzXQAAgTMHrg/Q"
        "Dv4TxgVDyWNBIWyIXH3yAR0h4cUaSD/A9TmU2am1wRBO6EzyG1OM3AowMK+4/EeV/sxQQ6kbT9JrPOeDG7wtyt464cOIaV4EyHVQqS7i"
        "FKnmDTig8EVVXJfkQmalIX2iZGwMspysSOYOoAAAABcGIAEJewAHCwEAASEhARgMdQAA"
    ),
    "locked, list too": (
        "N3q8ryccAATGM1bMkAAAAAAAAAAvAAAAAAAAAICvKsZlVq68lZf1xFpnENPoYJzLf62UnlusZlmrgHiIa70lR6j3bUoFMg9PQM7ssuMo"
        "RFAYlpPNaXE4fiVKhbRi7xW2tbLADmd6Z47gAqo+Io0kJKDfpOW2nKpGPM4kKhH+zOxlvI7NgOptXBXNoFIzAc0pEn+esVdOPIGuXXlD"
        "4uYJGHj/BjBEK60B5K312mJ16oUXBhABCYCAAAcLAQABJAbxBwESUw+TAGPklpV7ao5+0Ys8VJqdDHIKAX/5w1MAAA=="
    ),
}


def reading(data: bytes) -> Read:
    return lambda at, size: data[at : at + size]


def zipped(*names: str) -> bytearray:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"content of " + name.encode())
    return bytearray(file.getvalue())


def rar4(kind: int, flags: int, body: bytes = b"\0" * 25, data: bytes = b"") -> bytes:
    more = struct.pack("<I", len(data)) if flags & 0x8000 else b""
    return struct.pack("<HBHH", 0, kind, flags, 7 + len(more) + len(body)) + more + body + data


def rar5(kind: int, extra: bytes = b"", data: bytes = b"") -> bytes:
    flags = bool(extra) | 2 * bool(data)
    head = bytes([kind, flags]) + (bytes([len(extra)]) if extra else b"") + (bytes([len(data)]) if data else b"")
    head += b"\0" * 10 + extra
    return b"\0\0\0\0" + bytes([len(head)]) + head + data


@pytest.mark.parametrize(
    ("beginning", "kind"),
    [
        (b"MZ\x90\0\x03", Kind.PROGRAM),
        (b"\x7fELF\x02\x01", Kind.PROGRAM),
        (b"L\0\0\0\x01\x14\x02\0\0\0", Kind.SHORTCUT),
        (b"#!/bin/sh\n", Kind.SCRIPT),
        (b"\n  <!DOCTYPE HTML>", Kind.WEB_PAGE),
        (b"<html lang='en'>", Kind.WEB_PAGE),
        (b"%PDF-1.7", Kind.DOCUMENT),
        (b"PK\x03\x04\x14\0", Kind.ZIP),
        (RAR4, Kind.RAR),
        (RAR5, Kind.RAR),
        (b"7z\xbc\xaf\x27\x1c\0\x04", Kind.SEVEN_ZIP),
        (b"\x1a\x45\xdf\xa3\x01", Kind.OTHER),
        (b"\0\0\0\x20ftypisom", Kind.OTHER),
        (b"RIFF\x24\0\0\0AVI ", Kind.OTHER),
        (b"", Kind.OTHER),
    ],
)
def test_the_first_bytes_say_what_a_file_is(beginning: bytes, kind: Kind) -> None:
    assert kind_of(beginning) is kind


def test_a_zip_archive_says_whether_it_asks_for_a_password() -> None:
    archive = zipped("folder/", "Show - 01.mkv", "Show - 02.mkv")
    assert not is_locked(reading(bytes(archive)))
    last = archive.rindex(b"PK\x03\x04")
    archive[last + 6] |= 1
    assert is_locked(reading(bytes(archive)))


@pytest.mark.parametrize(
    ("blocks", "locked"),
    [
        ((rar4(0x73, 0), rar4(0x74, 0x8000, data=b"x" * 99), rar4(0x7B, 0)), False),
        ((rar4(0x73, 0), rar4(0x74, 0x8000, data=b"x" * 99), rar4(0x74, 0x8004, data=b"x")), True),
        ((rar4(0x73, 0x80), b"who knows"), True),
    ],
)
def test_a_rar_4_archive_says_whether_it_asks_for_a_password(blocks: tuple[bytes, ...], locked: bool) -> None:
    assert is_locked(reading(RAR4 + b"".join(blocks))) is locked


@pytest.mark.parametrize(
    ("blocks", "locked"),
    [
        ((rar5(1), rar5(2, data=b"x" * 99), rar5(5)), False),
        ((rar5(1), rar5(2, extra=b"\x02\x03\x00"), rar5(5)), False),
        ((rar5(1), rar5(2, data=b"x" * 99), rar5(2, extra=b"\x02\x03\x00\x03\x01\x00\x00"), rar5(5)), True),
        ((rar5(4), b"who knows"), True),
    ],
)
def test_a_rar_5_archive_says_whether_it_asks_for_a_password(blocks: tuple[bytes, ...], locked: bool) -> None:
    assert is_locked(reading(RAR5 + b"".join(blocks))) is locked


@pytest.mark.parametrize("name", SEVEN_ZIP)
def test_a_7z_archive_says_whether_it_asks_for_a_password(name: str) -> None:
    archive = base64.b64decode(SEVEN_ZIP[name])
    assert kind_of(archive) is Kind.SEVEN_ZIP
    assert is_locked(reading(archive)) is name.startswith("locked")


@given(st.sampled_from([b"PK\x03\x04", RAR4, RAR5, b"7z\xbc\xaf\x27\x1c\0\x04"]), st.binary(max_size=300))
def test_damaged_archives_are_read_without_harm(beginning: bytes, rest: bytes) -> None:
    is_locked(reading(beginning + rest))


@given(st.sampled_from(sorted(SEVEN_ZIP)), st.integers(0, 400), st.integers(0, 255))
def test_a_damaged_byte_in_a_7z_archive_does_no_harm(name: str, at: int, value: int) -> None:
    archive = bytearray(base64.b64decode(SEVEN_ZIP[name]))
    archive[at % len(archive)] = value
    is_locked(reading(bytes(archive)))


def test_what_is_no_archive_asks_for_nothing() -> None:
    assert not is_locked(reading(b"\x1a\x45\xdf\xa3"))
    assert not is_locked(reading(b""))

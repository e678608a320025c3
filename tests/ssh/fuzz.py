"""Input that no client would send: requests for files, and first bytes of a connection, made from a seed."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from random import Random
from typing import cast

import asyncssh
from asyncssh.packet import NameList

from uuutorrent.desk import Desk
from uuutorrent.errors import UuuError
from uuutorrent.ssh.channel import Channel
from uuutorrent.ssh.filexfer import Request
from uuutorrent.ssh.sftp.depot import Depot
from uuutorrent.ssh.sftp.door import Sftp

NUMBERS = (0, 1, 2, 255, 256, 32768, 2**31 - 1, 2**31, 2**32 - 1)
PATHS = (
    b"", b"/", b".", b"..", b"/..", b"/../../etc/passwd", b"//etc/passwd", b"/torrents", b"/torrents/Lecture",
    b"/torrents/Lecture/one.mkv", b"/torrents/Lecture/one.mkv", b"/torrents/Lecture/../Lecture/./one.mkv",
    b"torrents/Lecture/one.mkv/", b"/torrents/Lecture/one.mkv\0.txt", b"\xff\xfe", b"/" * 300,
    b"../" * 500 + b"etc/passwd", b"x" * 255, b"x" * 4096, "/Łéctüre/ひとつ.mkv".encode(), b"/proc/self/environ",
    b"/torrents\\one.mkv", b"~", b"/\x1b[2J", b"-rf", b"%2e%2e%2f", b"C:\\", b"/new", b"/anime",
    b"/drop", b"/drop/x.torrent", b"/drop/x.txt", b"/drop/.in.x.txt", b"/drop/../drop/x.txt", b"/drop/a/x.txt",
)  # fmt: skip
OPENINGS = (
    *[b"SSH-2.0-x\r\n"] * 4, b"SSH-2.0-x\n", b"SSH-1.5-x\r\n", b"SSH-2.0-" + b"x" * 300 + b"\r\n", b"",
    b"GET / HTTP/1.1\r\n\r\n",
)  # fmt: skip
ALGORITHMS = (b"mlkem768x25519-sha256", b"curve25519-sha256", b"ssh-ed25519", b"aes128-gcm@openssh.com", b"none", b"")
EXTENSIONS = (
    b"statvfs@openssh.com", b"fstatvfs@openssh.com", b"limits@openssh.com", b"copy-data", b"hardlink@openssh.com",
    b"posix-rename@openssh.com", b"expand-path@openssh.com", b"", b"x" * 1000,
)  # fmt: skip


class Line:
    """Stands where asyncssh's channel would, and keeps what is sent."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.said = bytearray()

    def set_write_buffer_limits(self, **_: int) -> None: ...

    def get_terminal_type(self) -> None:
        return None

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def is_closing(self) -> bool:
        return False

    def write(self, data: bytes, datatype: int | None) -> None:
        (self.sent if datatype is None else self.said).extend(data)


def string(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def request(random: Random) -> bytes:
    """One packet, with its length: mostly almost right."""
    kind = random.choice([*[*Request] * 2, *[Request.OPEN, Request.READ] * 8, random.randrange(256)])
    if kind == Request.INIT:
        return string(bytes([Request.INIT]) + struct.pack(">I", random.choice(NUMBERS)))
    body = struct.pack(">I", random.choice(NUMBERS))
    body += _fields(random, kind)
    packet = bytearray([kind]) + body
    if random.random() < 0.03:
        del packet[random.randrange(1, len(packet)) :]
    if random.random() < 0.1:
        packet[random.randrange(len(packet))] = random.randrange(256)
    whole = bytearray(string(bytes(packet)))
    if random.random() < 0.01:
        whole[:4] = struct.pack(">I", random.choice(NUMBERS))
    return bytes(whole)


def _fields(random: Random, kind: int) -> bytes:
    """What belongs to such a request, more often than not."""
    draw = random.random()
    if kind == Request.OPEN and draw < 0.6:
        return string(random.choice(PATHS)) + struct.pack(">II", random.choice([1, 1, 1, 2, 26, 26, 10, 14, 58]), 0)
    if kind == Request.WRITE and draw < 0.7:
        content = random.randbytes(random.choice([0, 1, 1000]))
        return string(_handle(random)) + struct.pack(">Q", random.choice([0, 1, 500, *NUMBERS])) + string(content)
    if kind in (Request.SETSTAT, Request.FSETSTAT) and draw < 0.7:
        of = _handle(random) if kind == Request.FSETSTAT else random.choice(PATHS)
        return string(of) + struct.pack(
            ">IQ5I", random.randrange(16), random.choice([0, 9, *NUMBERS]), *[2**32 - 1] * 5
        )
    if kind == Request.READ and draw < 0.7:
        return string(_handle(random)) + struct.pack(">QI", random.choice([0, 1, *NUMBERS]), random.choice(NUMBERS))
    return b"".join(_field(random, kind) for _ in range(random.randrange(1, 4)))


def _handle(random: Random) -> bytes:
    return random.randrange(1, 8).to_bytes(4)


def _field(random: Random, kind: int) -> bytes:
    draw = random.random()
    if kind == Request.EXTENDED and draw < 0.5:
        return string(random.choice(EXTENSIONS))
    if kind in (Request.READ, Request.WRITE, Request.CLOSE, Request.FSTAT, Request.READDIR) and draw < 0.6:
        return string(_handle(random))
    if draw < 0.7:
        return string(random.choice(PATHS))
    if draw < 0.85:
        return struct.pack(">I", random.choice(NUMBERS))
    return struct.pack(">Q", random.choice([*NUMBERS, 2**63 - 1, 2**63, 2**64 - 1]))


async def asks(desk: Desk, packets: Sequence[bytes]) -> bytes:
    """What one file session answers to these packets. It may end early, with a sentence; nothing else."""
    line = Line()
    door = Sftp(Channel(cast("asyncssh.SSHServerChannel[bytes]", line)), desk, Depot("a line that goes nowhere"))
    for packet in packets:
        door.received(packet)
    door.input_ended()
    with suppress(UuuError):
        async with asyncio.timeout(60):
            await door.run()
    return bytes(line.sent)


def answers(sent: bytes) -> Iterator[tuple[int, bytes]]:
    """The packets of an answer: kind and body.

    Raises:
        ValueError: it is cut short.
    """
    while sent:
        size = int.from_bytes(sent[:4])
        if not 0 < size <= len(sent) - 4:
            raise ValueError("an answer is cut short")
        yield sent[4], sent[5 : 4 + size]
        sent = sent[4 + size :]


def first_bytes(random: Random) -> bytes:
    """How a connection might begin."""
    packet = bytearray(_kexinit(random) if random.random() < 0.6 else random.randbytes(1 + random.randrange(600)))
    for _ in range(random.choice([0, 0, 1, 3])):
        packet[random.randrange(len(packet))] = random.randrange(256)
    if random.random() < 0.3:
        del packet[random.randrange(len(packet)) :]
    return random.choice([*OPENINGS, random.randbytes(random.randrange(400))]) + bytes(packet)


def _kexinit(random: Random) -> bytes:
    lists = [random.choices(ALGORITHMS, k=random.randrange(5)) for _ in range(10)]
    payload: bytes = b"\x14" + random.randbytes(16) + b"".join(map(NameList, lists)) + b"\0" + b"\0" * 4
    padding = 8 - (len(payload) + 5) % 8 + 8
    return struct.pack(">IB", len(payload) + padding + 1, padding) + payload + b"\0" * padding

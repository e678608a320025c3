"""Ways out of one's own files, tried at the real door: none leads anywhere, and each looks like a path of nothing."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import pytest
from asyncssh.packet import SSHPacket, String, UInt32

from tests.ssh.port import PATIENCE_S, Port
from tests.ssh.prompt import Pipe
from uuutorrent.errors import Missing, Refused, UuuError
from uuutorrent.ssh.call import Call
from uuutorrent.ssh.filexfer import Request, Status
from uuutorrent.ssh.verbs import files as verbs
from uuutorrent.users import User

OWN, SECRET = b"one's own", b"what nobody may read"
ROOMS = (
    "",
    "/anime",
    "/drop",
    "/incoming",
    "/new",
    "/torrents",
    "/torrents/Show",
    "/torrents/Show/a.mkv",
    "/unwatched",
)
OUTSIDE = ("etc/passwd", "secret", "uuutorrent.db", "downloads/{bobs}/Secret/b.mkv", "{bobs}/Secret/b.mkv")
UPWARDS = (
    "..", "../..", "../../..", "../../../../../../../..", "./..", "x/../..", "..//..", ".//../.", "../torrents/../..",
)  # fmt: skip
OTHERWISE = (
    # As other systems, programs and encodings say "upwards" or "elsewhere".
    r"..\..\secret", r"\..\secret", r"torrents\Show\a.mkv", "..;/secret", "....//....//secret", ".../secret",
    "%2e%2e/secret", "%2e%2e%2fsecret", "..%2fsecret", "..%252fsecret", "%c0%ae%c0%ae/secret", "..%00/secret",
    "\u2024\u2024/secret", "\uff0e\uff0e/secret", "..\u2215secret", "..\uff0fsecret", "..\u2044secret", "\u2025/secret",
    "\u202e../secret", "..\u200b/secret", "\ufeff../secret", ". ./secret", "..\t/secret", ".. /secret", "..\n/secret",
    "C:/secret", r"C:\secret", r"\\?\C:\secret", r"\\host\share\secret", "//host/share/secret", "file:///etc/passwd",
    "http://127.0.0.1/secret", "~/secret", "~root/.ssh/id_rsa", "~", "$HOME/secret", "${HOME}", "`id`", "$(id)", "|id",
    ";id", "-rf", "--help", "*", "/torrents/*", "/torrents/Sho?/a.mkv", "/torrents/{Show,x}/a.mkv", "[a-z]*",
    "/proc/self/root/etc/passwd", "/proc/self/cwd/secret", "/proc/self/environ", "/proc/1/root/secret",
    "/proc/self/fd/3",
    "/dev/fd/3", "/dev/stdin", "/dev/zero", "/dev/random", "/sys/kernel", "/run", "/etc/shadow", "/root/.ssh", "/tmp",
    "/TORRENTS/Show/a.mkv", "/torrents/SHOW/a.mkv", "/torrents/show", "/Torrents", "/torrents./Show", "/torrents /Show",
    "/torrents/Show./a.mkv", "/torrents/Show /a.mkv", "/torrents/Show/a.mkv.", "/torrents/Show/a.mkv ",
    "/torrents/Show/a.mkv::$DATA", "/torrents/Show/a.mkv:secret", "/torrents/Show/A.MKV", "/torrents/Show/a.mkv/.x",
    "/torrents/Show/a.mkv/secret", "/torrents/Show/CON", "/torrents/Show/nul", "/torrents/Show/.git/config",
    "/torrents/Show/\0", "/torrents/Show/a.mkv\0", "\0", "/torrents\0/Show", "/torrents/Show/a.mkv\0.txt",
    "/torrents/Show/a.mkv\n", "/torrents/Show/\x1b[2J", "/torrents/Show/\x7f", "/torrents/\u0000Show", "\r\n", " ",
    "/torrents/{bobs}/b.mkv", "/torrents/Secret", "/torrents/Secret/b.mkv", "/torrents/{short}",
    "/torrents/{anns}/a.mkv",
    "/{bobs}", "/{bobs}/Secret", "/{anns}/Show/a.mkv", "/bob", "/home/bob", "/bob/torrents/Secret/b.mkv",
    "/torrents/bob",
    "/new/Secret", "/new/Secret/b.mkv", "/new/b.mkv", "/incoming/Secret", "/incoming/{bobs}", "/unwatched/b.mkv",
    "/anime/Secret", "/anime/Secret/Season 01", "/drop/b.torrent", "/drop/Secret", "/drop/a/b", "/users/bob", "/all",
    "/torrents/Secret/../Show/nothing", "/torrents/Secret/../../torrents/Secret/b.mkv",
    "/torrents/Show/../Secret/b.mkv",
    "x" * 255, "x" * 256, "/".join(["x"] * 2000), "../" * 5000 + "secret", "a" * 60_000, "あ" * 86,
    "/torrents/" + "x" * 5000,
)  # fmt: skip
BYTES = (
    b"\xc0\xae\xc0\xae/secret",
    b"\xff\xfe/secret",
    b"/torrents/Show/\xff",
    b"\xe2\x80",
    b"\xed\xa0\x80/x",
    b"\xf8\x88",
)


def attempts(bobs: str, anns: str) -> Iterator[bytes]:
    """Every path: upwards out of every room, and all the rest."""
    named = {"bobs": bobs, "anns": anns, "short": bobs[:6]}
    for room in ROOMS:
        for up in UPWARDS:
            for place, outside in enumerate(OUTSIDE):
                if (len(room) + len(up) + place) % 3 == 0:
                    yield f"{room}/{up}/{outside.format(**named)}".encode()
    for path in OTHERWISE:
        yield (path.format(**named) if "s}" in path or "t}" in path else path).encode()
    yield from BYTES


@dataclass
class Prison:
    """Ann's connection to a door behind which Bob and the machine have files too."""

    port: Port
    ann: User
    process: asyncssh.SSHClientProcess[bytes]
    bobs: str
    anns: str

    def send(self, kind: int, *fields: bytes) -> None:
        body = bytes([kind]) + UInt32(kind) + b"".join(fields)
        self.process.stdin.write(UInt32(len(body)) + body)

    async def hears(self) -> tuple[int, str]:
        """The status and its sentence; -1 for an answer that is none."""
        async with asyncio.timeout(PATIENCE_S):
            size = int.from_bytes(await self.process.stdout.readexactly(4))
            answer = await self.process.stdout.readexactly(size)
        packet = SSHPacket(answer[5:])
        assert SECRET not in answer
        return (packet.get_uint32(), packet.get_string().decode()) if answer[0] == 101 else (-1, "")

    async def asks(self, path: bytes) -> list[tuple[int, str]]:
        """Open it, look at it both ways, list it."""
        self.send(Request.OPEN, String(path), UInt32(1), UInt32(0))
        for kind in (Request.STAT, Request.LSTAT, Request.OPENDIR):
            self.send(kind, String(path))
        return [await self.hears() for _ in range(4)]


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
async def prison(port: Port, ann: User, bob: User, tmp_path: Path) -> AsyncIterator[Prison]:
    (tmp_path / "secret").write_bytes(SECRET)
    bobs = await port.give(bob, "Secret", {"b.mkv": SECRET})
    anns = await port.give(ann, "Show", {"a.mkv": OWN, **{f"{n}.mkv": OWN for n in range(len(TRAPS))}})
    async with port.as_user(ann) as connection:
        process = await connection.create_process(subsystem="sftp", encoding=None)
        process.stdin.write(UInt32(5) + bytes([1]) + UInt32(3))
        await process.stdout.readexactly(int.from_bytes(await process.stdout.readexactly(4)))
        yield Prison(port, ann, process, bobs, anns)


TRAPS = (
    "../../../secret", "/etc/passwd", "../../{bobs}/Secret/b.mkv", "/proc/self/root/etc/passwd", "/dev/zero",
    "/proc/self/environ", "a.mkv", ".", "..", "../..", "/", "/proc/self/cwd", "none", "", "fifo", "socket", "hard link",
    "folder", "folder link", "link to a link",
)  # fmt: skip
"""What lies in the place of a finished file: where a symlink leads, or what else it is."""


def lay(place: Path, trap: str, outside: Path, bobs: str) -> None:
    """Put it there."""
    place.unlink()
    match trap:
        case "fifo":
            os.mkfifo(place)
        case "socket":
            here = Path.cwd()
            os.chdir(place.parent)
            with socket.socket(socket.AF_UNIX) as listening:
                listening.bind(place.name)
            os.chdir(here)
        case "hard link":
            place.hardlink_to(outside)
        case "folder":
            place.mkdir()
            (place / "secret").hardlink_to(outside)
        case "folder link":
            place.symlink_to(outside.parent)
        case "link to a link":
            (place.parent / "link").symlink_to(outside)
            place.symlink_to("link")
        case "":
            place.write_bytes(b"")
            place.chmod(0)
            place.unlink()
        case _:
            place.symlink_to(trap.format(bobs=bobs))


async def test_no_path_leads_out_and_all_look_like_paths_of_nothing(prison: Prison) -> None:
    every = list(dict.fromkeys(attempts(prison.bobs, prison.anns)))
    assert len(every) >= 200
    got_out = []
    for path in every:
        answers = await prison.asks(path)
        if {status for status, _ in answers} != {Status.NO_SUCH_FILE} or len({said for _, said in answers}) > 1:
            got_out.append((path[:80], answers))
    assert got_out == []


async def test_no_path_leads_out_by_cat_or_files(prison: Prison) -> None:
    desk = prison.port.services.desk(prison.ann)
    got_out = []
    for path in dict.fromkeys(attempts(prison.bobs, prison.anns)):
        for verb in (verbs.cat, verbs.files):
            pipe = Pipe()
            try:
                await verb(path.decode(errors="surrogateescape"), call=Call(desk, pipe, json=False))
            except Missing:
                continue
            except UuuError as e:
                got_out.append((path[:80], e.message))
            else:
                got_out.append((path[:80], pipe.written.decode()))
    assert got_out == []


async def test_somebody_elses_path_is_told_in_the_words_of_a_path_of_nothing(prison: Prison) -> None:
    words = []
    for name in (b"Secret", b"Nobody"):
        answers = [await prison.asks(b"/%s/%s%s" % (room, name, file)) for room in (b"torrents", b"new", b"anime")
                   for file in (b"", b"/b.mkv")]  # fmt: skip
        words.append(str(answers).replace(name.decode(), "-"))

    assert words[0] == words[1]


async def test_nothing_in_the_place_of_a_file_is_followed_or_waited_for(prison: Prison, tmp_path: Path) -> None:
    folder = next(prison.port.services.config.download_dir.rglob("a.mkv")).parent
    for number, trap in enumerate(TRAPS):
        lay(folder / f"{number}.mkv", trap, tmp_path / "secret", prison.bobs)
    opened = {}
    for number, trap in enumerate(TRAPS):
        path = b"/torrents/Show/%d.mkv" % number
        prison.send(Request.OPEN, String(path), UInt32(1), UInt32(0))
        opened[trap] = (await prison.hears())[0]
        with pytest.raises((Missing, Refused)):
            await prison.port.services.files.open(prison.ann, path.decode())
    everything = dict.fromkeys(TRAPS, Status.NO_SUCH_FILE)

    assert opened == {**everything, "hard link": Status.PERMISSION_DENIED}
    assert (await prison.asks(b"/torrents/Show/a.mkv"))[0][0] == -1


WRITES = (
    (Request.OPEN, 2, "flags"), (Request.OPEN, 2 | 8, "flags"), (Request.OPEN, 2 | 8 | 16, "flags"),
    (Request.OPEN, 4, "flags"), (Request.OPEN, 1 | 2, "flags"), (Request.SETSTAT, 0, "attributes"),
    (Request.REMOVE, 0, ""), (Request.MKDIR, 0, "attributes"), (Request.RMDIR, 0, ""), (Request.RENAME, 0, "other"),
    (Request.SYMLINK, 0, "other"),
)  # fmt: skip


async def test_nothing_is_written_removed_renamed_or_linked(prison: Prison, tmp_path: Path) -> None:
    before = {str(path): path.stat().st_mtime_ns for path in prison.port.services.config.download_dir.rglob("*")}
    done = []
    for path in ("/torrents/Show/a.mkv", "/torrents/Show/new", "/torrents/Secret/b.mkv", "/../secret", "/etc/passwd"):
        for kind, flags, more in WRITES:
            rest = {"flags": UInt32(flags) + UInt32(0), "attributes": UInt32(0), "other": String("/x"), "": b""}[more]
            prison.send(kind, String(path), rest)
            status, _ = await prison.hears()
            if status in (Status.OK, -1):
                done.append((path, kind, flags))

    assert done == []
    assert (tmp_path / "secret").read_bytes() == SECRET
    assert before == {
        str(path): path.stat().st_mtime_ns for path in prison.port.services.config.download_dir.rglob("*")
    }

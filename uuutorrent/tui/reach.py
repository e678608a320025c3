"""How a person gets at home what a torrent of theirs brought: lines to type, and a code for a phone's camera."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal

from uuutorrent.desk import Desk
from uuutorrent.errors import UuuError
from uuutorrent.sections import SSH_PORT, Ssh
from uuutorrent.torrents.holdings import Holding
from uuutorrent.torrents.views.names import safe
from uuutorrent.tui.cells import Column, Row
from uuutorrent.tui.dialogs import Ask, Choice, Dialog
from uuutorrent.tui.line import Span
from uuutorrent.tui.panel import Panel, said
from uuutorrent.tui.qr import Qr, halves
from uuutorrent.tui.table import Table

ROOMY, FRAMED, BARE = 26, 4, 2
"""From so many lines on there is a frame; and how many of them a code cannot have with one, and without."""
CODE = "code"
"""The answer of who wants the code."""


@dataclass(frozen=True, slots=True)
class Way:
    """One program's way: the key that copies its line, and the line."""

    key: str
    program: str
    line: str


async def path_of(desk: Desk, holding: Holding) -> str:
    """The path of the one file there is, or else of the folder that holds everything."""
    path = f"/torrents/{safe(holding.name)}"
    with suppress(UuuError):
        path = await desk.files.where(desk.user, holding.infohash)
    return path


async def line_for(desk: Desk, holding: Holding) -> str:
    """The line that fetches it into the folder one is in."""
    return desk.config.ssh.fetch(desk.user.name, await path_of(desk, holding))


def ways(ssh: Ssh, user: str, path: str) -> tuple[Way, ...]:
    """Lines of several programs. Those that play are for the one file there is.

    mpv hands the address on as it stands: what is encoded in it would not be found.
    """
    host, port = ssh.name, ssh.port
    folder = "/".join(path.split("/")[:3])
    cat = f"cat {shlex.quote(path)}"
    lines = [
        Way("c", "scp", ssh.fetch(user, path)),
        Way("s", "sftp", f"sftp {_port('-P', port)}{shlex.quote(f'{user}@{host}:{folder}')}"),
        Way("r", "rclone", f"rclone copy -P {shlex.quote(f':sftp,host={host},port={port},user={user}:{path}')} ."),
    ]
    if path != folder:
        lines += [
            Way("m", "mpv", f"mpv {shlex.quote(f'sftp://{user}@{host}:{port}{path}')}"),
            Way("p", "ssh | mpv", f"{ssh.reach(user)} {shlex.quote(cat)} | mpv -"),
        ]
    return tuple(lines)


def url(ssh: Ssh, user: str, path: str) -> str:
    """The address of a file or folder, as programs with windows and phones take it."""
    return f"sftp://{user}@{ssh.name}:{ssh.port}{quote(path)}"


def ask_way(name: str, offered: tuple[Way, ...]) -> Ask:
    """Ask for the program whose line is wanted; the answer is its key, or `CODE`."""
    choices = [Choice(way.key, f"{way.program:<10} {way.line}", way.key) for way in offered]
    return Ask(f"Get {name}", choices=(*choices, Choice("k", "a code for a phone's camera", CODE)))


class CodeDialog(Dialog[None]):
    """Shows the address of what a torrent brought to a phone's camera, or of what holds it where that is too long."""

    HINT: ClassVar[str] = "Point a camera at it: an app that opens sftp addresses takes it from there."
    SHORT: ClassVar[str] = "The whole address needs a larger window. This is what holds it:"

    def __init__(self, ssh: Ssh, user: str, path: str) -> None:
        super().__init__("A code for your phone")
        parts = path.split("/")
        self._addresses = [url(ssh, user, "/".join(parts[:n])) for n in range(len(parts), 1, -1)]
        self.add_class("code")

    def body(self) -> ComposeResult:
        """The code, and beside it what it leads to."""
        lines = self.app.size.height
        self.set_class(lines < ROOMY, "tight")
        room = lines - (BARE if lines < ROOMY else FRAMED)
        fitting = (one for one in self._addresses if len(halves(one, border=1)) <= room)
        address = next(fitting, self._addresses[-1])
        with Horizontal():
            yield Qr(address, border=1)
            yield Panel(
                said(Span(self.HINT, "dim"), wraps=True),
                *([] if address == self._addresses[0] else [said(), said(Span(self.SHORT, "warn"), wraps=True)]),
                said(),
                said(Span(address, "accent"), wraps=True),
            )


class WhichFile(Dialog[int]):
    """Asks for one of a torrent's files; the answer is its place in the torrent's list."""

    def __init__(self, name: str, paths: Mapping[int, str]) -> None:
        super().__init__(f"Save which file of {name}?")
        self._paths = paths
        self.add_class("large")

    def body(self) -> ComposeResult:
        """The files, as they are called in its folder."""
        yield Offered((Column("path", "File", 18, flex=1),), empty="")

    def on_mount(self) -> None:
        """Show them."""
        rows = [Row(str(index), ("/".join(path.split("/")[3:]),)) for index, path in self._paths.items()]
        self.query_one(Offered).set_rows(rows)

    @on(Table.Selected)
    def _answer(self, event: Table.Selected) -> None:
        self.dismiss(int(event.key))


class Offered(Table):
    """Files; Enter takes one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Save", id="reach.save", tooltip="Have the browser save it."),
    ]


def _port(flag: str, port: int) -> str:
    return "" if port == SSH_PORT else f"{flag} {port} "

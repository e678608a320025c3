"""The SSH port over real services: only the engine and the outside world are made up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import asyncssh
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from tests.fakes import FakeEngine
from tests.torrents import metainfos
from uuutorrent.desk import Desk, Services
from uuutorrent.ssh.screen import OpenApp
from uuutorrent.ssh.server import Server, serve
from uuutorrent.tui.shell import Shell
from uuutorrent.tui.terminal import Terminal
from uuutorrent.users import User

PATIENCE_S = 30


class Greeting(Static):
    def render(self) -> str:
        return f"hello {self.name} on {self.app.size.width}x{self.app.size.height}"


class Hello(Shell):
    """Screens of one line, with keys for what can go wrong. Before it hangs it rings the bell."""

    BINDINGS: ClassVar[list[BindingType]] = [("b", "break", "Break"), ("h", "hang", "Hang")]

    def compose(self) -> ComposeResult:
        yield Greeting(name=self.who)

    def action_break(self) -> None:
        secret = "what the person typed"
        raise ValueError(f"broken by {len(secret)}")

    async def action_hang(self) -> None:
        self.bell()
        await asyncio.Event().wait()


def hello(desk: Desk, terminal: Terminal) -> Shell:
    return Hello(terminal, who=desk.user.name)


@dataclass
class Port:
    """A running port. `connect` as somebody; `give` somebody a finished torrent."""

    services: Services
    engine: FakeEngine
    server: Server
    keys: dict[str, asyncssh.SSHKey] = field(default_factory=dict)

    @property
    def number(self) -> int:
        return self.server.port

    def counted(self, family: str, *labels: str) -> float:
        return self.services.tally.counters.get((family, labels), 0)

    async def key_of(self, user: User) -> asyncssh.SSHKey:
        """A key that signs the user in."""
        if user.name not in self.keys:
            key = asyncssh.generate_private_key("ssh-ed25519")
            await self.services.accounts.add_key(user, key.export_public_key().decode())
            self.keys[user.name] = key
        return self.keys[user.name]

    @asynccontextmanager
    async def connect(self, name: str, **options: Any) -> AsyncGenerator[asyncssh.SSHClientConnection]:
        """A connection with nothing of this machine's own SSH settings in it."""
        alone = {"known_hosts": None, "client_keys": None, "config": None, "agent_path": None}
        async with asyncssh.connect("127.0.0.1", self.number, username=name, **{**alone, **options}) as connection:
            yield connection

    @asynccontextmanager
    async def as_user(self, user: User) -> AsyncGenerator[asyncssh.SSHClientConnection]:
        """Signed in with a key."""
        async with self.connect(user.name, client_keys=[await self.key_of(user)]) as connection:
            yield connection

    async def give(self, user: User, name: str, files: dict[str, bytes]) -> str:
        """A finished torrent of this user's: `files` by path, in the folder `name`. Returns its hash."""
        library = self.services.library
        metainfo = metainfos.several(name, {path: len(content) for path, content in files.items()})
        added = await library.add_given(user, metainfo)
        self.engine.complete(added.infohash, {f"{name}/{path}": content for path, content in files.items()})
        await self.services.live.refresh()
        await library.reconcile()
        return added.infohash

    async def until(self, true: Callable[[], object]) -> None:
        """Wait until it is so."""
        async with asyncio.timeout(PATIENCE_S):
            while not true():  # noqa: ASYNC110 - what is waited for tells nobody
                await asyncio.sleep(0.005)


async def part(file: asyncssh.SFTPClientFile, size: int, offset: int) -> bytes:
    """A piece of a remote file."""
    content: Any = await file.read(size, offset)
    assert isinstance(content, bytes)
    return content


@asynccontextmanager
async def opened(services: Services, engine: FakeEngine, open_app: OpenApp | None = hello) -> AsyncGenerator[Port]:
    anywhere = services.config.ssh.model_copy(update={"host": "127.0.0.1", "port": 0})
    config = services.config.model_copy(update={"ssh": anywhere})
    async with serve(config, services, open_app=open_app) as server:
        yield Port(services, engine, server)


class Person:
    """Somebody at a terminal: what they type and what they have seen."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes]) -> None:
        self.process = process
        self.seen = b""

    async def sees(self, text: bytes) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            while text not in self.seen:
                more = await self.process.stdout.read(65536)
                assert more, f"{text!r} never came: {self.seen!r}"
                self.seen += more
        return self.seen

    def types(self, keys: bytes) -> None:
        self.process.stdin.write(keys)

    async def ends(self) -> int | None:
        async with asyncio.timeout(PATIENCE_S):
            while more := await self.process.stdout.read(65536):
                self.seen += more
            ended = await self.process.wait()
        return ended.exit_status


async def sit_down(connection: asyncssh.SSHClientConnection, **options: Any) -> Person:
    """The screens, as a person with a terminal of 80x24 sees them."""
    asked = {"term_type": "xterm-256color", "term_size": (80, 24), "encoding": None, "stderr": asyncssh.STDOUT}
    return Person(await connection.create_process(**{**asked, **options}))

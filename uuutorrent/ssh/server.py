"""The open port: listens, holds everybody who is connected, and lets them finish when the daemon stops."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncssh
import structlog

from uuutorrent.automation.every import Job, every
from uuutorrent.config import Config
from uuutorrent.desk import Services
from uuutorrent.errors import BadConfig, Unreachable
from uuutorrent.ssh import algorithms, sealing
from uuutorrent.ssh.connection import CUT_S, HANG_UP_S, STATES, Connection
from uuutorrent.ssh.door import KINDS
from uuutorrent.ssh.entrance import CLOSING
from uuutorrent.ssh.guests import Guests
from uuutorrent.ssh.screen import OpenApp
from uuutorrent.ssh.sftp.depot import Depot
from uuutorrent.store.private import write_once
from uuutorrent.tui.app import UuuApp
from uuutorrent.tui.join import JoinApp
from uuutorrent.tui.pace import Studio
from uuutorrent.users import User

log = structlog.get_logger()

HOST_KEY = "ssh_host_ed25519_key"
WINDOW = 64 * 1024
"""Bytes a client may send in one channel before it is told to go on."""
BACKLOG = 256
ACCEPTED_AT_ONCE = 4
"""Connections that are let in before everybody else has a turn; the others wait in the kernel, BACKLOG of them."""
LOOK_EVERY_S, LOOK_DEADLINE_S = 20.0, 10.0
"""How often it is looked who may not be here any more, and how long that may take: together half a minute."""
REKEY_BYTES, REKEY_S = 2**30, 3600


class Server:
    """The port while it is open, and who is on it."""

    def __init__(self, acceptor: asyncssh.SSHAcceptor, guests: Guests) -> None:
        self._acceptor = acceptor
        self._guests = guests
        self.port = acceptor.get_port()
        """The one in use, also when the configuration leaves the choice to the system."""

    def sessions(self) -> Mapping[str, float]:
        """Sessions open now, by kind."""
        opened = Counter(session.kind for session in self._guests.sessions)
        return {kind: opened[kind] for kind in KINDS}

    def connections(self) -> Mapping[str, float]:
        """Connections open now, by how far they are."""
        counted = Counter(one.state for one in self._guests.connections)
        return {state: counted[state] for state in STATES}

    def connections_of(self, user: User) -> int:
        """How many connections this user has open."""
        return self._guests.connections_of(user)

    async def send_away(self) -> None:
        """Hang up on everybody who could not come the same way again, would come as somebody else, or does nothing."""
        for connection in tuple(self._guests.connections):
            connection.hang_up_if_idle()
        here = {connection: connection.signed_in for connection in self._guests.connections if connection.signed_in}
        if not here:
            return
        now = await self._guests.services.accounts.still_here(set(here.values()))
        async with asyncio.TaskGroup() as group:
            for connection, signed_in in here.items():
                if why := connection.outstays(now.get(signed_in)):
                    group.create_task(connection.send_away(why), name="send away")

    async def drain(self, grace_s: float) -> None:
        """Take nobody new, tell everybody, end the screens, and give commands and transfers `grace_s` to finish."""
        self._guests.closing = True
        for connection in tuple(self._guests.connections):
            if not connection.is_in:
                connection.disconnect(CLOSING)
        for session in tuple(self._guests.sessions):
            session.leave(CLOSING)
        await self._doors_close(grace_s)

    async def close(self) -> None:
        """End what is left, and hang up."""
        self._guests.closing = True
        self._acceptor.close()
        for session in tuple(self._guests.sessions):
            session.cut(CLOSING, exit_code=Unreachable.exit_code)
        await self._doors_close(CUT_S)
        for connection in tuple(self._guests.connections):
            connection.disconnect(CLOSING)
        if self._guests.checks:
            await asyncio.wait(self._guests.checks, timeout=CUT_S)
        await self._acceptor.wait_closed()

    async def _doors_close(self, patience_s: float) -> None:
        """Wait until every door is closed and every client with nothing left to do has hung up, but not for ever."""
        tasks = [session.task for session in self._guests.sessions if session.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=patience_s)
        with suppress(TimeoutError):  # a connection may be kept open without a session, or still have one
            async with asyncio.timeout(HANG_UP_S):
                await self._guests.all_gone()


@asynccontextmanager
async def serve(config: Config, services: Services, *, open_app: OpenApp | None = None) -> AsyncGenerator[Server]:
    """Answer on the port while the context is open. Call `drain` before leaving it, to let people finish.

    Raises:
        BadConfig: the port cannot be had, or the host key cannot be used.
    """
    studio = Studio()
    guests = Guests(
        services,
        open_app or (lambda desk, terminal: UuuApp(desk, terminal, studio)),
        lambda lobby, terminal: JoinApp(lobby, terminal, studio),
        _depot(),
    )
    key = await asyncio.to_thread(host_key, config.server.data)
    try:
        acceptor = await asyncssh.create_server(
            lambda: Connection(guests), config.ssh.host, config.ssh.port, **_options(config, key)
        )
    except OSError as e:
        raise BadConfig.no_port("ssh", config.ssh.host, config.ssh.port, e) from e
    _let_wait(acceptor)
    server = Server(acceptor, guests)
    log.info("ssh_listens", host=config.ssh.host, port=server.port, host_key=key.get_fingerprint())
    send_away = Job("send away", LOOK_EVERY_S, LOOK_DEADLINE_S, server.send_away)
    looking = asyncio.create_task(every(send_away, services.tally), name="who is still here")
    try:
        yield server
    finally:
        looking.cancel()
        await server.close()
        await asyncio.wait({looking})
        guests.depot.close()


def _let_wait(acceptor: asyncssh.SSHAcceptor) -> None:
    """asyncio takes one number for how many wait in the kernel and for how many are accepted in one go."""
    for listening in acceptor.sockets:
        with listening.dup() as same:
            same.listen(BACKLOG)


def host_key(data_dir: Path) -> asyncssh.SSHKey:
    """The key by which people recognise this server: made once, then kept. Losing it alarms every client.

    Raises:
        BadConfig: it cannot be read, or others on this machine could read it.
    """
    path = data_dir / HOST_KEY
    try:
        if not path.exists():
            made = asyncssh.generate_private_key("ssh-ed25519", comment="uuutorrent")
            write_once(path, made.export_private_key("openssh"), mode=0o600)
        if path.stat().st_mode & 0o077:
            raise BadConfig(f"{path} can be read by others: chmod 600 it, or remove it to have a new one made")
        return asyncssh.read_private_key(path)
    except (OSError, asyncssh.KeyImportError) as e:
        raise BadConfig(f"{path} cannot be used as the host key: {e}") from e


def _depot() -> Depot:
    why_not = sealing.examined(algorithms.CIPHERS, algorithms.MACS)
    log.info("sftp_sealing", by="asyncssh" if why_not else "here", why=why_not)
    return Depot(why_not)


def _options(config: Config, key: asyncssh.SSHKey) -> Mapping[str, Any]:
    return {
        "backlog": ACCEPTED_AT_ONCE,
        "server_host_keys": [key],
        "send_server_host_keys": True,
        "server_version": "uuutorrent",
        "kex_algs": algorithms.KEY_EXCHANGE,
        "encryption_algs": algorithms.CIPHERS,
        "mac_algs": algorithms.MACS,
        "compression_algs": algorithms.COMPRESSION,
        "signature_algs": algorithms.SIGNATURES,
        "rekey_bytes": REKEY_BYTES,
        "rekey_seconds": REKEY_S,
        "login_timeout": config.ssh.login_grace_s,
        "keepalive_interval": config.ssh.keepalive_s,
        "keepalive_count_max": config.ssh.keepalives,
        "gss_host": None,
        "host_based_auth": False,
        "agent_forwarding": False,
        "x11_forwarding": False,
        "allow_scp": False,
        # An editor would hand sessions a stand-in for the channel, and strict UTF-8 would hang up on a stray byte.
        "line_editor": False,
        "encoding": None,
        "window": WINDOW,
    }

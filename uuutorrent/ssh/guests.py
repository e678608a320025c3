"""Who is connected to one server, and what is still being done for those who left."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import structlog

from uuutorrent.admission import Admission
from uuutorrent.delays import Delays
from uuutorrent.desk import Services
from uuutorrent.ssh.joining import Joiners, OpenJoin
from uuutorrent.ssh.screen import OpenApp
from uuutorrent.ssh.session import Session
from uuutorrent.ssh.sftp.depot import Depot
from uuutorrent.ssh.turns import Debt, Turns
from uuutorrent.users import User

if TYPE_CHECKING:  # a connection knows its guests, too
    from uuutorrent.ssh.connection import Connection

log = structlog.get_logger()


class Guests:
    """Who is connected to one server, and what they are shown."""

    def __init__(self, services: Services, open_app: OpenApp, open_join: OpenJoin, depot: Depot) -> None:
        self.services = services
        self.depot = depot
        self.admission = Admission(services.config.ssh, services.penalties)
        self.delays = Delays()
        self.joiners = Joiners(services, open_join)
        self.turns = Turns()
        self.strangers = Debt(self.turns)
        """What everybody who is not signed in took of the loop's time, together."""
        self.open_app = open_app
        self.connections: set[Connection] = set()
        self.closing = False
        """The server is about to stop: nobody new comes in."""
        self.sessions: set[Session] = set()
        """All that are not over, also those whose connection is gone."""
        self.checks: set[asyncio.Task[Any]] = set()
        """Sign-ins being looked at."""
        self._all_gone = asyncio.Event()
        self._all_gone.set()

    def came(self, connection: Connection) -> None:
        """One more."""
        self.connections.add(connection)
        self._all_gone.clear()

    def left(self, connection: Connection) -> None:
        """One less."""
        self.connections.discard(connection)
        if not self.connections:
            self._all_gone.set()

    def look_at(self, check: Coroutine[Any, Any, None]) -> None:
        """Do something that is to be finished though the connection is gone."""
        task = asyncio.get_running_loop().create_task(check, name="after a connection")
        self.checks.add(task)
        task.add_done_callback(self._looked_at)

    def _looked_at(self, task: asyncio.Task[Any]) -> None:
        self.checks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("connection not looked at", why=str(error))

    def connections_of(self, user: User) -> int:
        """How many connections this user has open."""
        return sum(one.user is not None and one.user.id == user.id for one in self.connections)

    async def all_gone(self) -> None:
        """Wait until nobody is connected."""
        await self._all_gone.wait()

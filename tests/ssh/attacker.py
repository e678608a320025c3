"""A client that keeps to no rules: it sends whatever sign-in requests it likes, in any order, without waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncssh
from asyncssh.packet import Boolean, Byte, String, UInt32

from tests.ssh.port import PATIENCE_S, Port

REQUEST, FAILURE, SUCCESS, PK_OK, INFO_RESPONSE = 50, 51, 52, 60, 61
SERVICE_ACCEPT = 6
_NAMES = {FAILURE: "failure", SUCCESS: "success", PK_OK: "challenge"}


class _Listener:
    """Stands where asyncssh's own client would think about what to do next."""

    def __init__(self, heard: asyncio.Queue[str]) -> None:
        self.heard = heard

    def process_packet(self, pkttype: int, _id: int, _packet: Any) -> bool:
        self.heard.put_nowait(_NAMES.get(pkttype, str(pkttype)))
        return True

    def log_received_packet(self, *_: Any) -> None: ...

    def auth_succeeded(self) -> None: ...

    def cancel(self) -> None: ...


class Attacker(asyncssh.SSHClient):
    def __init__(self) -> None:
        self.heard: asyncio.Queue[str] = asyncio.Queue()
        self.conn: Any = None
        self.may_ask = asyncio.Event()
        self.lost: Exception | None = None

    def connection_made(self, conn: Any) -> None:
        self.conn = conn
        succeed = conn._packet_handlers[SUCCESS]

        def accepted(conn: Any, *_: Any) -> bool:
            conn._auth, conn._auth_in_progress = _Listener(self.heard), True
            self.may_ask.set()
            return True

        def failed(*_: Any) -> bool:
            self.heard.put_nowait("failure")
            return True

        def succeeded(conn: Any, *packet: Any) -> bool:
            succeed(conn, *packet)
            self.heard.put_nowait("success")
            return True

        conn._packet_handlers = conn._packet_handlers | {
            SERVICE_ACCEPT: accepted,
            FAILURE: failed,
            SUCCESS: succeeded,
        }

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = exc
        self.heard.put_nowait("gone")

    async def hears(self) -> str:
        async with asyncio.timeout(PATIENCE_S):
            return await self.heard.get()

    def shows(self, name: str, key: asyncssh.SSHKey) -> None:
        """Ask whether a key would do."""
        self._ask(name, b"publickey", Boolean(False), String(key.algorithm), String(key.public_data))

    def signs(self, name: str, key: asyncssh.SSHKey, *, shown: asyncssh.SSHKey | None = None, sig: bytes = b"") -> None:
        """Sign with `key`, though the request may name another."""
        body = (Boolean(True), String(sig or key.algorithm), String((shown or key).public_data))
        signed = String(self.conn._session_id) + Byte(REQUEST) + self._head(name, b"publickey") + b"".join(body)
        self._ask(name, b"publickey", *body, String(key.sign(signed, sig or key.algorithm)))

    def password(self, name: str, password: str) -> None:
        self._ask(name, b"password", Boolean(False), String(password))

    def begins_interactive(self, name: str) -> None:
        self._ask(name, b"keyboard-interactive", String(""), String(""))

    def answers(self, *answers: str) -> None:
        self.conn.send_packet(INFO_RESPONSE, UInt32(len(answers)), *map(String, answers))

    def _ask(self, name: str, method: bytes, *body: bytes) -> None:
        self.conn.send_packet(REQUEST, self._head(name, method), *body)

    @staticmethod
    def _head(name: str, method: bytes) -> bytes:
        return String(name) + String("ssh-connection") + String(method)


@asynccontextmanager
async def attacking(port: Port) -> AsyncIterator[tuple[Attacker, asyncio.Future[asyncssh.SSHClientConnection]]]:
    """An attacker who may ask, and the connection that becomes of it."""
    attacker = Attacker()
    connecting = asyncio.ensure_future(
        asyncssh.connect(
            "127.0.0.1",
            port.number,
            username="x",
            client_factory=lambda: attacker,
            known_hosts=None,
            client_keys=None,
            config=None,
            agent_path=None,
        )
    )
    async with asyncio.timeout(PATIENCE_S):
        await attacker.may_ask.wait()
    try:
        yield attacker, connecting
    finally:
        attacker.conn.abort()
        await asyncio.gather(connecting, return_exceptions=True)

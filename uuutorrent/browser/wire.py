"""A websocket as a terminal's transport: what is painted waits here until the browser takes it, and never much."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from aiohttp import web

HIGH_WATER, LOW_WATER = 64 * 1024, 16 * 1024
"""Bytes that may wait for the browser before nothing more is painted, and until it goes on."""
SOCKET_BYTES = 32 * 1024
"""Bytes that may wait in the socket's own buffer: what waits here can still be replaced."""
CLOSE_S = 2.0
"""How long a browser may take to say good-bye."""


class Wire:
    """One websocket. Writing never waits and never fails; `full` is told when the browser is behind, and when it is
    not any more; `sent` of bytes that it took."""

    def __init__(
        self, socket: web.WebSocketResponse, full: Callable[[bool], None], sent: Callable[[int], None]
    ) -> None:
        self._socket = socket
        self._tell_full = full
        self._tell_sent = sent
        self._waiting: deque[bytes | str] = deque()
        self._size = 0
        self._is_full = False
        self._is_over = False
        self._more = asyncio.Event()
        self._hears = asyncio.Event()
        self._hears.set()
        self._drained = asyncio.Event()
        self._drained.set()

    def write(self, data: bytes) -> None:
        """Send what is painted."""
        self._put(data, len(data))

    def tell(self, kind: str, what: object) -> None:
        """Send something that is not painted, in the words of textual-serve's page."""
        text = json.dumps([kind, what])
        self._put(text, len(text))

    def pause_reading(self) -> None:
        """Take no more input; the browser's side of the connection fills up."""
        self._hears.clear()

    def resume_reading(self) -> None:
        """Take input again."""
        self._hears.set()

    async def hears(self) -> None:
        """Wait until input is wanted, and the browser takes what it is answered: each of its messages may add to it."""
        await self._hears.wait()
        await self._drained.wait()

    def finish(self) -> None:
        """Nothing more is written: close once all is sent."""
        self._is_over = True
        self._more.set()
        self._hears.set()
        self._drained.set()

    async def send(self) -> None:
        """Send what is written until it is finished, or the browser is gone."""
        with suppress(ConnectionError):
            while True:
                await self._more.wait()
                while self._waiting:
                    await self._send_next()
                self._more.clear()
                if self._is_over:
                    await self._socket.close()
                    return

    async def _send_next(self) -> None:
        part = self._waiting.popleft()
        if isinstance(part, str):
            await self._socket.send_str(part)
        else:
            await self._socket.send_bytes(part)
        self._size -= len(part)
        self._tell_sent(len(part))
        if self._is_full and self._size <= LOW_WATER:
            self._is_full = False
            self._drained.set()
            self._tell_full(False)

    def _put(self, part: bytes | str, size: int) -> None:
        if self._is_over:
            return
        self._waiting.append(part)
        self._size += size
        self._more.set()
        if not self._is_full and self._size > HIGH_WATER:
            self._is_full = True
            self._drained.clear()
            self._tell_full(True)

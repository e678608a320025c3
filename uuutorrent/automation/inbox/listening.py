"""Everyone who follows their notices: one look at the database for all of them, and none while nobody follows."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from uuutorrent.accounts import UserId
from uuutorrent.automation.inbox.notice import Notice
from uuutorrent.errors import Unreachable

LOOK_S = 2.0
"""How soon it is seen what another daemon wrote."""
MOST_WAITING = 100
"""Notices that wait for one slow follower; the oldest go first."""

Read = Callable[[int], Awaitable[tuple[Sequence[Notice], int]]]
"""Everybody's notices after a number, oldest first, and up to which number nothing is missing."""


@dataclass(slots=True, eq=False)
class _Listener:
    user_id: UserId
    heard: deque[Notice] = field(default_factory=lambda: deque(maxlen=MOST_WAITING))


class Listeners:
    """Who follows. `stir` them after something was told here; what others told they find by looking."""

    def __init__(self, read: Read, newest: Callable[[], Awaitable[int]], *, look_s: float = LOOK_S) -> None:
        self._read = read
        self._newest = newest
        self.look_s = look_s
        self._listeners: set[_Listener] = set()
        self._since: int | None = None
        self._handed_out: set[int] = set()
        """Those after `_since` that were handed out already."""
        self._looking = asyncio.Lock()
        self._looks = 0
        self._stirs = 0
        self._heeded = 0
        self._stirred = asyncio.Event()

    @property
    def count(self) -> int:
        """How many follow just now."""
        return len(self._listeners)

    @property
    def looks(self) -> int:
        """How often the database was asked."""
        return self._looks

    def stir(self) -> None:
        """Something was told here."""
        self._stirs += 1
        self._stirred.set()
        self._stirred = asyncio.Event()

    async def follow(self, user_id: UserId) -> AsyncGenerator[Notice]:
        """What is told to a user from now on. Leave it with `aclosing`."""
        me = _Listener(user_id)
        try:
            async with self._looking:
                if self._since is None:
                    self._since, self._handed_out = await self._newest(), set()
                self._listeners.add(me)
            while True:
                while me.heard:
                    yield me.heard.popleft()
                await self._next_look()
        finally:
            self._listeners.discard(me)
            if not self._listeners:
                self._since = None

    async def _next_look(self) -> None:
        """Wait until somebody has looked; whoever wakes up first does it for all."""
        looks, stirred = self._looks, self._stirred
        if self._stirs == self._heeded:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.look_s):
                    await stirred.wait()
        async with self._looking:
            if self._looks == looks:
                await self._look()

    async def _look(self) -> None:
        stirs, since = self._stirs, self._since or 0
        try:
            found, upto = await self._read(since)
        except Unreachable:
            found, upto = (), since
        self._looks += 1
        self._heeded = stirs
        for notice in found:
            if notice.id not in self._handed_out:
                for listener in self._listeners:
                    if listener.user_id == notice.user_id:
                        listener.heard.append(notice)
        self._since = upto
        self._handed_out = {notice.id for notice in found if notice.id > upto}

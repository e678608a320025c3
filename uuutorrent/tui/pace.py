"""When sessions look at what changed: each at its own moment of the second.

Sessions that follow the same snapshots would all repaint in the instant a new one arrives, and a key pressed then would
wait for all of them. So each session has a slot in the period and looks then; what it sees is at most a period old.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from uuutorrent.tui.cells import StripCache
from uuutorrent.tui.inks import InkStore
from uuutorrent.tui.rules import Rules

T = TypeVar("T")

HURRY_S = 2.0
"""How long a session looks at once after its person did something."""
_GOLDEN = 0.6180339887498949
_EARLY = 0.05
_BREATH_S = 0.001
"""Between two sessions that want to look at the same time; enough for a key to go all its way."""


class Gate:
    """Lets sessions through one by one, with a breath in between, in the order they came.

    When the machine is late, every session's moment comes at once; a key pressed then must not wait for all of them.
    """

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_shut = False

    async def through(self) -> None:
        """Wait until it is your turn. Work from then to your next `await` delays nobody but the next in line."""
        loop = asyncio.get_running_loop()
        if self._is_shut:
            place = loop.create_future()
            self._waiting.append(place)
            await place
        else:
            self._is_shut = True
            loop.call_soon(self._breathe)

    def _breathe(self) -> None:
        asyncio.get_running_loop().call_later(_BREATH_S, self._open)

    def _open(self) -> None:
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                asyncio.get_running_loop().call_soon(self._breathe)
                return
        self._is_shut = False


class Studio:
    """What all sessions of a daemon share: painted lines, style rules, and slots spread evenly over the period."""

    def __init__(self) -> None:
        self.strips = StripCache()
        self.rules = Rules()
        self.inks = InkStore()
        self.gate = Gate()
        self._count = itertools.count()

    def slot(self) -> float:
        """A place in the period, 0..1, far from the places given before. Source: the golden-ratio sequence."""
        return next(self._count) * _GOLDEN % 1.0


class Pace:
    """One session's turns: at `slot` of every `period_s`, or at once while it is hurried."""

    def __init__(self, slot: float, gate: Gate, period_s: float = 1.0) -> None:
        self._slot = slot
        self._gate = gate
        self._period_s = period_s
        self._hurried_until = 0.0
        self._nudge = asyncio.Event()

    def hurry(self) -> None:
        """The person did something: show what comes of it without waiting for the slot."""
        self._hurried_until = asyncio.get_running_loop().time() + HURRY_S
        self._nudge.set()

    async def turn(self) -> None:
        """Wait for the session's next turn."""
        now = asyncio.get_running_loop().time()
        if now < self._hurried_until:
            return
        self._nudge.clear()
        try:
            async with asyncio.timeout(self.wait_s(now)):
                await self._nudge.wait()
        except TimeoutError:
            await self._gate.through()

    def wait_s(self, now: float) -> float:
        """Seconds from `now` until the slot comes round again."""
        share = (self._slot - now / self._period_s) % 1.0
        # A timer may fire a little early; the turn it was set for is not taken twice.
        return (share if share > _EARLY else share + 1.0) * self._period_s

    async def paced(self, source: AsyncIterator[T]) -> AsyncIterator[T]:
        """The first of `source` at once, then what is newest at each turn. The source itself keeps the newest."""
        async with _closed_after(source):
            async for value in source:
                yield value
                await self.turn()


@asynccontextmanager
async def _closed_after(source: AsyncIterator[T]) -> AsyncIterator[None]:
    """A follower left early must not count as a looker until the garbage collector comes by."""
    try:
        yield
    finally:
        if isinstance(source, AsyncGenerator):
            await source.aclose()

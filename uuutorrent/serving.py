"""Being served: each session of a file door asks here before it sends, and says what it sent.

Where nothing is limited that costs a few additions. A session that has no budget waits for its turn.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from uuutorrent.errors import Refused
from uuutorrent.limits import Limits, Meter
from uuutorrent.shares import Share, Shares
from uuutorrent.tally import Tally
from uuutorrent.torrents.holdings import amount
from uuutorrent.users import User

PLENTY = 2**40
"""The budget where nothing is limited."""
SOONEST_S, LATEST_S = 0.001, 0.05
"""While sessions wait it is looked so often who may go on."""


class Turns:
    """Lets sessions wait until their user may be served; one at a time for each user."""

    def __init__(self, total_bps: int = 0, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.shares = Shares(total_bps)
        self._clock = clock
        self._waiters: dict[Share, deque[asyncio.Future[None]]] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def turn(self, share: Share) -> None:
        """Wait until this share may be used; sessions of one user in the order in which they came."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(share, deque()).append(waiter)
        self._look()
        try:
            await waiter
        finally:
            self._forget(share, waiter)

    def _look(self) -> None:
        """Wake who may go on, and look again when there is more."""
        for share, queue in self._waiters.items():
            if share.balance > 0 or not self.shares.is_limited(share):
                _wake(queue)
            else:
                self.shares.ask(share)
        for share in self.shares.grant(self._clock()):
            _wake(self._waiters[share])
        wait_s = self.shares.next_s()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiters:
            # Whoever was woken may not come to use it: then the next of the same user is woken a little later.
            soon_s = LATEST_S if wait_s is None else max(SOONEST_S, min(wait_s, LATEST_S))
            self._timer = asyncio.get_running_loop().call_later(soon_s, self._look)

    def _forget(self, share: Share, waiter: asyncio.Future[None]) -> None:
        queue = self._waiters[share]
        queue.remove(waiter)
        if not queue:
            del self._waiters[share]
            self.shares.leave(share)


def _wake(queue: deque[asyncio.Future[None]]) -> None:
    if queue and not queue[0].done():
        queue[0].set_result(None)


class Serving:
    """What one session of a file door may send."""

    def __init__(self, user: User, door: str, limits: Limits, turns: Turns, tally: Tally) -> None:
        self._door = door
        self._limits = limits
        self._turns = turns
        self._tally = tally
        self._meter: Meter = limits.meter(user)
        self._is_free = not turns.shares.is_shared
        """There is enough for all."""

    def budget(self) -> int:
        """Bytes that may be sent now. 0 or less: `wait` first. An answer that was begun may be a little more."""
        meter = self._meter
        if meter.is_free and self._is_free:
            return PLENTY
        if meter.limit is None:
            return 0
        left = meter.left
        most = PLENTY if left is None else left
        return min(most, meter.share.balance) if self._turns.shares.is_limited(meter.share) else most

    def sent(self, size: int) -> None:
        """So many bytes were sent."""
        meter = self._meter
        self._limits.count(meter, size)
        if not (meter.is_free and self._is_free):
            meter.share.balance -= size * self._turns.shares.is_limited(meter.share)
        self._tally.count("served_bytes", self._door, by=size)

    async def wait(self) -> None:
        """Until there is budget.

        Raises:
            Refused: the user was served all that they may be in this month.
            Unreachable: the database does not answer.
        """
        while self.budget() <= 0:
            left = self._meter.left
            if self._meter.limit is None or (left is not None and left <= 0):
                await self._limits.refresh(self._meter)
                self._check_month()
            else:
                await self._turns.turn(self._meter.share)

    def _check_month(self) -> None:
        left, limit = self._meter.left, self._meter.limit
        if limit is not None and left is not None and left <= 0:
            ends = f"{self._limits.until():%-d %B}"
            raise Refused(
                f"You were served {amount(limit.month_bytes)} this month, which is all you may have. "
                f"It goes on on {ends} (UTC), or when an admin raises it."
            )

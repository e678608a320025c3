"""The pace at which the whole daemon may ask AniList, whoever it asks for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from uuutorrent.errors import Unreachable
from uuutorrent.remote import Clock

BURST = 5
"""Requests that may go out at once after a quiet time. AniList ends longer bursts with a minute of silence."""
SHARE = 5 / 6
"""How much of the announced limit is used: the service counts its minutes differently, and others share the address."""
FASTEST_PER_MIN = 60_000.0


class Pace:
    """A bucket of `BURST` tokens that fills at so many per minute; those who wait are served in order."""

    def __init__(self, service: str, per_min: float, *, clock: Clock = time.monotonic) -> None:
        self._service = service
        self._gap_s = 60 / per_min
        self._clock = clock
        self._full_at = 0.0
        """When the bucket is full again, counting everybody who has a turn already."""

    @property
    def per_min(self) -> float:
        """Requests per minute in the long run."""
        return 60 / self._gap_s

    async def turn(self, *, longest_wait_s: float) -> None:
        """Wait for one's turn. Whoever is cancelled while waiting leaves their turn to the next.

        Raises:
            Unreachable: it would take longer than that; fails at once, with `retry_after_s`.
        """
        now = self._clock()
        full_at = max(now, self._full_at) + self._gap_s
        wait_s = full_at - BURST * self._gap_s - now
        if wait_s > longest_wait_s:
            message = f"too many people are asking at once; try again in {wait_s:.0f} s"
            raise Unreachable(self._service, message, retry_after_s=wait_s)
        self._full_at = full_at
        try:
            await asyncio.sleep(max(0.0, wait_s))
        except asyncio.CancelledError:
            self._full_at -= self._gap_s
            raise

    def learn(self, headers: Mapping[str, str]) -> None:
        """Follow the limit that an answer announces.

        Source: AniList docs, rate limiting: X-RateLimit-Limit counts requests per minute.
        """
        said = headers.get("x-ratelimit-limit", "")
        if said.isascii() and said.isdigit() and int(said) > 0:
            gap_s, now = 60 / min(max(1.0, int(said) * SHARE), FASTEST_PER_MIN), self._clock()
            # Turns taken at the old pace weigh as many tokens at the new one.
            self._full_at = now + max(0.0, self._full_at - now) * gap_s / self._gap_s
            self._gap_s = gap_s

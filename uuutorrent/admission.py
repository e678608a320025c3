"""Who is let in through the port: decided before a byte is sent, so that a flood costs no cryptography.

Source of the shape: MaxStartups, PerSourceMaxStartups and PerSourcePenalties of sshd_config(5).
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable

from uuutorrent.config import Ssh
from uuutorrent.penalties import Penalties, Source


class Admission:
    """Counts connections. Each that is let in is either `proved` or `failed`, and `gone` in the end."""

    def __init__(self, limits: Ssh, penalties: Penalties, *, random: Callable[[], float] = random.random) -> None:
        self.penalties = penalties
        self._limits = limits
        self._random = random
        self._open = 0
        self._unproved: Counter[Source] = Counter()
        self._startups = 0

    def refusal(self, source: Source) -> str:
        """Why a connection is not let in: one word for the figures; empty, and it is counted in, when it is."""
        why = self._why_not(source)
        if not why:
            self._open += 1
            self._startups += 1
            self._unproved[source] += 1
        return why

    def proved(self, source: Source) -> None:
        """A connection that was let in is signed in now."""
        self._startups -= 1
        self._unproved[source] -= 1
        if self._unproved[source] <= 0:
            del self._unproved[source]

    def gone(self, source: Source, *, proved: bool) -> None:
        """A connection that was let in is over."""
        self._open -= 1
        if not proved:
            self.proved(source)

    def _why_not(self, source: Source) -> str:
        limits = self._limits
        if self.penalties.left_s(source) > 0 and not self.penalties.knows(source):
            return "banned"
        if self._open >= limits.connections:
            return "full"
        if self._unproved[source] >= limits.startups_per_source:
            return "source"
        return "startups" if self._random() < self._risk() else ""

    def _risk(self) -> float:
        """How likely it is that a new connection is refused because so many are signing in."""
        limits = self._limits
        if self._startups < limits.startups_begin:
            return 0.0
        if self._startups >= limits.startups_full:
            return 1.0
        first = limits.startups_percent / 100
        steps = limits.startups_full - limits.startups_begin
        return first + (1 - first) * (self._startups - limits.startups_begin) / steps


class Pace:
    """So many at once, and so many more each second. `clock` counts seconds and does not jump."""

    def __init__(self, at_once: int, per_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._at_once = at_once
        self._per_s = per_s
        self._clock = clock
        self._left = float(at_once)
        self._at = clock()

    def allows(self) -> bool:
        """Whether there may be one more now; it is counted if so."""
        now = self._clock()
        self._left = min(self._at_once, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

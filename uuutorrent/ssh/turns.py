"""How the event loop's time is shared between those who send much: nobody's packets keep everybody else waiting.

A packet costs us some 50 us and its sender next to nothing. So the time that taking packets in takes is a debt, which
is paid off by not listening: all who send too much share half of the loop's time between them, and the other half stays
for everything else.
"""

from __future__ import annotations

import time
from collections.abc import Callable

SHARE = 0.5
"""Of the loop's time, for all who send too much together."""
LITTLE = 0.01
"""Who takes no more than this of the loop's time is heard at once, whatever others do."""
FREE_S = 0.02
"""So much may be taken in at once without any debt: more than anything does that a person starts."""
LONGEST_S = 2.0
"""Nobody is left unheard for longer at a time."""


class _Account:
    """Seconds that were taken, less those that were paid off, so many each second."""

    def __init__(self, paid: float, now: float) -> None:
        self._paid = paid
        self._at = now
        self.owed_s = 0.0

    def add(self, seconds: float, now: float) -> None:
        self.owed_s = max(0.0, self.owed_s - (now - self._at) * self._paid) + seconds
        self._at = now


class Turns:
    """What all together took of the loop's time."""

    def __init__(self, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock = clock
        self.all = _Account(SHARE, clock())


class Debt:
    """What one sender, or several who count as one, took of the loop's time and has not paid off yet."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._own = _Account(LITTLE, turns.clock())

    def took(self, seconds: float) -> float:
        """Taking in what came took so long. Returns for how long nothing more is to be taken in; 0: go on."""
        now, everybodys = self._turns.clock(), self._turns.all
        self._own.add(seconds, now)
        everybodys.add(seconds, now)
        if min(self._own.owed_s, everybodys.owed_s) <= FREE_S:
            return 0.0
        # It is not let alone with a debt that grew while there was time enough for it.
        self._own.owed_s = min(self._own.owed_s, everybodys.owed_s)
        return min(LONGEST_S, (everybodys.owed_s - FREE_S / 2) / SHARE)

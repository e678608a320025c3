"""Names at which wrong passwords were tried lately: the next password for them is looked at a little later.

It slows down who tries one name from many sources, and locks nobody out: whoever has the right password waits some
seconds at most, and keys are not delayed at all. Names that nobody has are treated the same.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

FREE = 3
"""So many wrong passwords cost no time."""
STEP_S, LONGEST_S = 0.5, 5.0
FORGOTTEN_S = 600.0
"""After so long without another wrong password a name is as any other."""
NAMES = 4096
LONGEST_NAME = 64


class Delays:
    """Wrong passwords by name, while the daemon runs."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def failed(self, name: str) -> None:
        """A password for this name was wrong."""
        key = name[:LONGEST_NAME]
        count = self._count(key) + 1
        self._wrong.pop(key, None)
        self._wrong[key] = count, self._clock()
        while len(self._wrong) > NAMES:
            self._wrong.popitem(last=False)

    def succeeded(self, name: str) -> None:
        """Somebody with this name signed in."""
        self._wrong.pop(name[:LONGEST_NAME], None)

    def wait_s(self, name: str) -> float:
        """How long the next password for this name waits."""
        return min(LONGEST_S, max(0, self._count(name[:LONGEST_NAME]) - FREE) * STEP_S)

    def _count(self, key: str) -> int:
        count, at = self._wrong.get(key, (0, 0.0))
        return count if self._clock() - at < FORGOTTEN_S else 0

"""A gate between a fake service and those who ask it: while it is shut, answers that are ready wait behind it.

service.gate.shut()
asking = asyncio.create_task(…)
await service.gate.holds()
… whatever is to happen while the answer is on its way …
service.gate.open()
"""

from __future__ import annotations

import asyncio
import threading

PATIENCE_S = 60


class Gate:
    """Open until a test shuts it. Answers come to it in threads of the service's own."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._shut_for = 0.0
        """How many more answers have to stop here."""
        self._turn = 0
        self._waiting = 0

    def shut(self, answers: float = float("inf")) -> None:
        """Hold back every answer that comes from now on; or so many, and let those after them through."""
        with self._changed:
            self._shut_for = answers

    def open(self) -> None:
        """Let go of every answer that waits, and hold back no more."""
        with self._changed:
            self._shut_for = 0
            self._turn += 1
            self._changed.notify_all()

    def let_through(self) -> None:
        """Called with an answer, in its thread: comes back when it may go on."""
        with self._changed:
            if self._shut_for <= 0:
                return
            self._shut_for -= 1
            self._waiting += 1
            self._changed.notify_all()
            turn = self._turn
            self._changed.wait_for(lambda: self._turn != turn)
            self._waiting -= 1

    async def holds(self, answers: int = 1) -> None:
        """Wait until so many answers stand behind it."""
        if not await asyncio.to_thread(self._gathered, answers):
            raise TimeoutError(f"{self._waiting} of {answers} answers came to the gate")

    def _gathered(self, answers: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._waiting >= answers, PATIENCE_S)

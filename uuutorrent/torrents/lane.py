"""One thread for a library that is neither asynchronous nor safe to share: calls go one after another."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
Job = tuple[Callable[[], Any], "Future[Any]"]


class Lane:
    """A worker thread. Unlike an executor's it is a daemon thread, so a hung call does not hold the exit.

    A call that is given up before its turn is not made; one that runs goes on by itself and its answer is dropped.
    """

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        threading.Thread(target=_work, args=(self._jobs,), name=name, daemon=True).start()

    async def do(self, call: Callable[[], T]) -> T:
        """Make the call on the thread and wait for it."""
        future: Future[T] = Future()
        self._jobs.put((call, future))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Let the thread end after the calls it has; waits for nothing."""
        self._jobs.put(None)


def _work(jobs: queue.SimpleQueue[Job | None]) -> None:
    while (job := jobs.get()) is not None:
        _make(*job)
        del job  # else the last answer, and with it the client, lives until the next call


def _make(call: Callable[[], Any], future: Future[Any]) -> None:
    if future.set_running_or_notify_cancel():
        try:
            future.set_result(call())
        except Exception as e:  # noqa: BLE001 - it goes to the one who waits
            future.set_exception(e)

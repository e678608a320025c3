"""What all file sessions of one port share: whose turn it is to send much, and the threads that wait for the disk."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor

THREADS = 4
"""Reads that may wait for a disk at the same time; the daemon's other threads are not kept from their work."""
AHEAD = 1024 * 1024
"""Bytes behind a read that the kernel is asked to fetch meanwhile."""


class Rounds:
    """One turn for each round of the event loop, in the order in which they were asked for.

    However many clients pull, between two key presses there is at most one turn of one of them.
    """

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._taken = False

    async def turn(self) -> None:
        """Wait for a turn; at once if nobody had one in this round."""
        loop = asyncio.get_running_loop()
        if not self._taken:
            self._taken = True
            loop.call_soon(self._next)
            return
        turn = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                asyncio.get_running_loop().call_soon(self._next)
                return
        self._taken = False


class Depot:
    """Made once for the port. `why_not_sealed`: empty where packets of files are sealed here, not by asyncssh."""

    def __init__(self, why_not_sealed: str = "") -> None:
        self.why_not_sealed = why_not_sealed
        self.rounds = Rounds()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="disk")

    def read(self, fd: int, offset: int, size: int, least: int) -> asyncio.Future[bytes]:
        """Read so much in a thread; fewer than `least` only at the end of the file. The thread goes on though nobody
        waits for it: `fd` must stay open until it is done."""
        return asyncio.get_running_loop().run_in_executor(self._threads, _read, fd, offset, size, least)

    def close(self) -> None:
        """The port is closed. Whatever a thread still reads is let go when it is read."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _read(fd: int, offset: int, size: int, least: int) -> bytes:
    os.posix_fadvise(fd, offset + size, AHEAD, os.POSIX_FADV_WILLNEED)
    content = os.pread(fd, size, offset)
    # Short before something that cannot be read, which must not be taken for the end: asked for alone it is an error.
    while len(content) < least and (more := os.pread(fd, least - len(content), offset + len(content))):
        content += more
    return content

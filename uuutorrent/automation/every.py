"""Run a job for ever: a turn, a pause, a deadline for each turn; no turn's failure ends the job."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from uuutorrent.errors import UuuError

log = structlog.get_logger()


async def every(interval_s: float, turn: Callable[[], Awaitable[None]], *, name: str, deadline_s: float) -> None:
    """Take a turn at once and then every `interval_s`, until cancelled.

    A turn that takes longer than `deadline_s` is ended. A failure that can be told is one log line; any other keeps its
    traceback. Either way the next turn comes.
    """
    while True:
        try:
            async with asyncio.timeout(deadline_s):
                await turn()
        except UuuError as e:
            log.warning("job: not this time", job=name, why=e.message)
        except Exception:  # the job lives on; see the docstring
            log.exception("job failed", job=name)
        await asyncio.sleep(interval_s)

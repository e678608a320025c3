"""A job that comes round: its turns, a deadline for each; no turn's failure ends the job."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from uuutorrent.errors import UuuError
from uuutorrent.tally import Last, Tally

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Job:
    """Something to look at again and again. A turn does what there is to do, and may come twice or be cut short.

    The name is one of those that the tally knows.
    """

    name: str
    interval_s: float
    deadline_s: float
    """A turn that takes longer is ended."""
    turn: Callable[[], Awaitable[object]]


async def take_turn(job: Job, tally: Tally) -> None:
    """One turn. A failure that can be told is one log line; any other keeps its traceback."""
    outcome, why, began = "broken", "", time.monotonic()
    tally.mark("job_interval_seconds", job.interval_s, job.name)
    try:
        async with asyncio.timeout(job.deadline_s):
            await job.turn()
        outcome = "ok"
        tally.mark("job_last_success_timestamp_seconds", time.time(), job.name)
    except UuuError as e:
        outcome, why = "failed", e.message
        log.warning("job: not this time", job=job.name, why=e.message)
    except asyncio.CancelledError:
        outcome = "cancelled"
        raise
    except Exception:  # the job lives on; see the docstring of this file
        log.exception("job failed", job=job.name)
    finally:
        tally.count("jobs", job.name, outcome)
        tally.turns[job.name] = Last(outcome, time.monotonic() - began, time.time(), why)


async def every(job: Job, tally: Tally) -> None:
    """Take a turn at once and then after each interval, until cancelled: for what each daemon does for itself."""
    while True:
        await take_turn(job, tally)
        await asyncio.sleep(job.interval_s)

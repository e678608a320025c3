import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from structlog.testing import capture_logs

from uuutorrent.automation.every import Job, every, take_turn
from uuutorrent.errors import Unreachable
from uuutorrent.tally import Tally


def job(turn: Callable[[], Awaitable[object]], deadline_s: float = 1) -> Job:
    return Job("feeds", 0, deadline_s, turn)


async def turns_taken(failure: BaseException) -> int:
    taken = 0
    enough = asyncio.Event()

    async def turn() -> None:
        nonlocal taken
        taken += 1
        if taken >= 3:
            enough.set()
        raise failure

    running = asyncio.create_task(every(job(turn), Tally()))
    await enough.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    return taken


@pytest.mark.parametrize("failure", [Unreachable("Nyaa", "no answer"), ZeroDivisionError()])
async def test_a_failed_turn_does_not_end_the_job(failure: Exception) -> None:
    assert await turns_taken(failure) >= 3


async def test_a_turn_that_hangs_is_ended() -> None:
    started = 0
    twice = asyncio.Event()

    async def hang() -> None:
        nonlocal started
        started += 1
        if started == 2:
            twice.set()
        await asyncio.sleep(3600)

    running = asyncio.create_task(every(job(hang, 0.01), Tally()))
    await twice.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_how_turns_went_is_counted_and_told_once() -> None:
    counted = Tally()

    async def fine() -> None:
        """Goes well."""

    async def away() -> None:
        raise Unreachable("Nyaa", "no answer")

    async def broken() -> None:
        raise ZeroDivisionError("counted wrong")

    with capture_logs() as logged:
        before = time.time()
        for turn in (fine, away, broken):
            await take_turn(job(turn), counted)
    assert [counted.counters["jobs", ("feeds", outcome)] for outcome in ("ok", "failed", "broken")] == [1, 1, 1]
    assert before <= counted.counters["job_last_success_timestamp_seconds", ("feeds",)] <= time.time()
    told, shown = logged
    assert (told["log_level"], told["job"], told["why"]) == ("warning", "feeds", "Nyaa: no answer")
    assert (shown["log_level"], shown["job"]) == ("error", "feeds")

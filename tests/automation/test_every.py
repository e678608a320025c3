import asyncio

import pytest

from uuutorrent.automation.every import every
from uuutorrent.errors import Unreachable


async def turns_taken(failure: BaseException) -> int:
    taken = 0
    enough = asyncio.Event()

    async def turn() -> None:
        nonlocal taken
        taken += 1
        if taken >= 3:
            enough.set()
        raise failure

    job = asyncio.create_task(every(0, turn, name="test", deadline_s=1))
    await enough.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
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

    job = asyncio.create_task(every(0, hang, name="test", deadline_s=0.01))
    await twice.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job

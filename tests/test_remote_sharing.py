"""What many ask a service for at once is asked once, kept for a while, and never asked too fast."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable

import pytest

from tests.clock import Clock
from uuutorrent.errors import Unreachable
from uuutorrent.remote import Fresh, Spacing


async def test_those_who_ask_for_the_same_share_one_call() -> None:
    fresh: Fresh[str, int] = Fresh("answer")
    calls, go = 0, asyncio.Event()

    async def make() -> int:
        nonlocal calls
        calls += 1
        await go.wait()
        return calls

    asking = [asyncio.create_task(fresh.get("a", 60, make)) for _ in range(5)]
    await asyncio.sleep(0)
    go.set()
    assert await asyncio.gather(*asking) == [1] * 5
    assert await fresh.get("a", 60, make) == 1
    assert await fresh.get("b", 60, make) == 2


async def test_an_answer_is_kept_as_long_as_the_asker_finds_it_fresh() -> None:
    clock = Clock()
    fresh: Fresh[str, int] = Fresh("answer", clock=clock)
    numbers = iter(range(10))

    async def make() -> int:
        return next(numbers)

    await fresh.get("a", 60, make)
    clock.move(59)
    assert await fresh.get("a", 60, make) == 0
    assert await fresh.get("a", 30, make) == 1
    clock.move(20)
    assert await fresh.get("a", lambda value: 10 if value == 1 else 60, make) == 2
    clock.move(1000)
    assert fresh.peek("a") == 2
    assert fresh.peek("a", 60) is None
    assert fresh.peek("b") is None


async def test_errors_go_to_everybody_who_waits_and_are_not_kept() -> None:
    fresh: Fresh[str, int] = Fresh("answer")
    outcomes: list[int | Exception] = [Unreachable("Service", "away"), 7]

    async def make() -> int:
        await asyncio.sleep(0)
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    first = await asyncio.gather(*(fresh.get("a", 60, make) for _ in range(2)), return_exceptions=True)
    assert [type(error) for error in first] == [Unreachable, Unreachable]
    assert await fresh.get("a", 60, make) == 7


async def test_who_stops_waiting_does_not_end_the_call_for_the_others() -> None:
    fresh: Fresh[str, str] = Fresh("answer")
    go = asyncio.Event()

    async def make() -> str:
        await go.wait()
        return "here"

    impatient, patient = (asyncio.create_task(fresh.get("a", 60, make)) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    go.set()
    assert await patient == "here"


async def test_the_call_ends_when_nobody_waits_any_more() -> None:
    fresh: Fresh[str, None] = Fresh("answer of somebody")
    begun, ended = asyncio.Event(), asyncio.Event()
    names = []

    async def make() -> None:
        task = asyncio.current_task()
        assert task is not None
        names.append(task.get_name())
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
            raise Unreachable("Service", "the connection broke while leaving")

    waiting = [asyncio.create_task(fresh.get("a", 60, make)) for _ in range(3)]
    await begun.wait()
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert ended.is_set()
    assert names == ["answer of somebody a"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_call_carries_nothing_of_the_session_that_began_it() -> None:
    fresh: Fresh[str, str] = Fresh("answer")
    session: contextvars.ContextVar[str] = contextvars.ContextVar("session", default="nobody's")
    session.set("ann's")

    async def make() -> str:
        return session.get()

    assert await fresh.get("a", 60, make) == "nobody's"


async def test_only_so_many_answers_are_kept_and_the_least_used_goes_first() -> None:
    fresh: Fresh[int, int] = Fresh("answer", entries=2)

    async def make() -> int:
        return 1

    for key in (1, 2, 1, 3):
        await fresh.get(key, 60, make)
    assert [fresh.peek(key) for key in (1, 2, 3)] == [1, None, 1]


async def test_an_answer_from_before_a_change_does_not_undo_it() -> None:
    fresh: Fresh[str, str] = Fresh("answer")
    go = asyncio.Event()

    async def old() -> str:
        await go.wait()
        return "old"

    changes: list[Callable[[], None]] = [
        lambda: fresh.put("a", "new"),
        lambda: fresh.forget_where(lambda key: key == "a"),
    ]
    for change in changes:
        go.clear()
        fresh.forget("a")
        waiting = asyncio.create_task(fresh.get("a", 60, old))
        await asyncio.sleep(0)
        change()
        go.set()
        assert await waiting == "old"
        assert fresh.peek("a") != "old"


async def test_what_is_put_in_can_be_old_already() -> None:
    fresh: Fresh[str, str] = Fresh("answer")
    fresh.put("a", "from the file", age_s=3600)
    assert fresh.peek("a") == "from the file"
    assert fresh.peek("a", 60) is None


async def test_requests_keep_their_distance_and_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, started = Clock(), []

    async def sleep(seconds: float) -> None:
        clock.move(seconds)

    monkeypatch.setattr("uuutorrent.remote.asyncio.sleep", sleep)
    spacing = Spacing(2, clock=clock)

    async def request(number: int) -> None:
        async with spacing:
            started.append((number, clock() - 1000))

    await asyncio.gather(*(request(number) for number in range(3)))
    clock.move(60)
    await request(3)
    assert started == [(0, 0), (1, 2), (2, 4), (3, 64)]


async def test_who_gives_up_waiting_takes_no_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, sleeps, sleeping = Clock(), [], asyncio.Event()

    async def sleep(seconds: float) -> None:
        sleeps.append(seconds)
        sleeping.set()
        if len(sleeps) == 2:
            await asyncio.Event().wait()

    monkeypatch.setattr("uuutorrent.remote.asyncio.sleep", sleep)
    spacing = Spacing(2, clock=clock)

    async def request() -> None:
        async with spacing:
            pass

    await request()
    sleeping.clear()
    impatient = asyncio.create_task(request())
    await sleeping.wait()
    impatient.cancel()
    await asyncio.gather(impatient, return_exceptions=True)
    await request()
    assert sleeps == [0, 2, 2]

import asyncio

import pytest

from tests.clock import Clock
from uuutorrent.anime.pace import BURST, Pace
from uuutorrent.errors import Unreachable


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> list[float]:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(round(seconds, 3))
        clock.move(seconds)

    monkeypatch.setattr("uuutorrent.anime.pace.asyncio.sleep", sleep)
    return waits


async def test_a_burst_goes_out_at_once_and_then_one_per_gap(clock: Clock, slept: list[float]) -> None:
    pace = Pace("AniList", 25, clock=clock)
    for _ in range(BURST + 3):
        await pace.turn(longest_wait_s=60)
    assert slept == [0] * BURST + [2.4] * 3


async def test_no_minute_sees_more_than_the_service_allows(clock: Clock, slept: list[float]) -> None:
    pace, turns = Pace("AniList", 25, clock=clock), []
    for _ in range(100):
        await pace.turn(longest_wait_s=60)
        turns.append(clock())
    most = max(sum(1 for other in turns if turn <= other < turn + 60) for turn in turns)
    assert most <= 30


async def test_a_quiet_time_fills_the_bucket_and_no_more(clock: Clock, slept: list[float]) -> None:
    pace = Pace("AniList", 25, clock=clock)
    clock.move(86400)
    for _ in range(BURST + 1):
        await pace.turn(longest_wait_s=60)
    assert slept == [0] * BURST + [2.4]


async def test_who_would_wait_too_long_is_told_at_once_and_books_nothing(clock: Clock) -> None:
    pace = Pace("AniList", 6, clock=clock)
    for _ in range(BURST):
        await pace.turn(longest_wait_s=0)
    for _ in range(20):
        with pytest.raises(Unreachable, match="too many people are asking at once; try again in 10 s") as raised:
            await pace.turn(longest_wait_s=8)
        assert raised.value.retry_after_s == pytest.approx(10)
    clock.move(10)
    await pace.turn(longest_wait_s=0)


async def test_who_is_cancelled_leaves_the_turn_to_the_next(clock: Clock) -> None:
    pace = Pace("AniList", 6, clock=clock)
    for _ in range(BURST):
        await pace.turn(longest_wait_s=0)
    waiting = asyncio.create_task(pace.turn(longest_wait_s=60))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    clock.move(10)
    await pace.turn(longest_wait_s=0)


@pytest.mark.parametrize(("said", "per_min"), [("30", 25), ("90", 75), ("6", 5), ("1", 1)])
async def test_the_limit_that_the_service_announces_is_followed_with_a_margin(said: str, per_min: float) -> None:
    pace = Pace("AniList", 25)
    pace.learn({"x-ratelimit-limit": said})
    assert pace.per_min == pytest.approx(per_min)


@pytest.mark.parametrize("said", ["", "0", "-5", "many", "²"])
async def test_a_limit_that_makes_no_sense_is_ignored(said: str) -> None:
    pace = Pace("AniList", 25)
    pace.learn({"x-ratelimit-limit": said})
    assert pace.per_min == pytest.approx(25)


async def test_turns_taken_before_the_limit_was_known_weigh_no_more_than_others(clock: Clock) -> None:
    pace = Pace("AniList", 25, clock=clock)
    for _ in range(BURST):
        await pace.turn(longest_wait_s=0)
    pace.learn({"x-ratelimit-limit": "120"})
    with pytest.raises(Unreachable) as raised:
        await pace.turn(longest_wait_s=0)
    assert raised.value.retry_after_s == pytest.approx(0.6)

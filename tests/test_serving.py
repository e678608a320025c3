"""What a session of a file door may send, and when."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from uuutorrent import config
from uuutorrent.accounts import Operator, User
from uuutorrent.errors import Refused
from uuutorrent.limits import Limits
from uuutorrent.serving import PLENTY, Serving, Turns
from uuutorrent.store.database import Database
from uuutorrent.tally import Tally


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


class Hall:
    """Where sessions are served; the clock runs a hundred times as fast."""

    def __init__(self, database: Database, *, total_bps: int = 0, month_bytes: int = 0, user_bps: int = 0) -> None:
        self.limits = Limits(
            database,
            config.Torrents(),
            config.Files(month_bytes=month_bytes, user_bps=user_bps),
            now=lambda: datetime(2026, 11, 21, tzinfo=UTC),
        )
        self.tally = Tally()
        self.turns = Turns(total_bps, clock=lambda: 100 * asyncio.get_running_loop().time())

    def session(self, user: User, door: str = "sftp") -> Serving:
        return Serving(user, door, self.limits, self.turns, self.tally)


async def test_where_nothing_is_limited_there_is_always_plenty(database: Database, ann: User) -> None:
    hall = Hall(database)
    session, other = hall.session(ann), hall.session(ann, "cat")
    await session.wait()
    assert session.budget() == PLENTY
    for _ in range(3):
        session.sent(2**39)
    other.sent(5)
    assert session.budget() == other.budget() == PLENTY
    assert await hall.limits.served(ann) == 3 * 2**39 + 5
    assert hall.tally.counters == {("served_bytes", ("sftp",)): 3 * 2**39, ("served_bytes", ("cat",)): 5}


async def test_a_month_that_is_used_up_says_when_it_ends_and_an_admin_can_raise_it(
    database: Database, ann: User, bob: User
) -> None:
    hall = Hall(database, month_bytes=3 * 2**20)
    session, bobs = hall.session(ann), hall.session(bob)
    await session.wait()
    assert session.budget() == 3 * 2**20
    session.sent(2**22)

    for one in (session, hall.session(ann)):
        with pytest.raises(Refused) as refused:
            await one.wait()
        assert refused.value.message == (
            "You were served 3.0 MiB this month, which is all you may have. "
            "It goes on on 1 December (UTC), or when an admin raises it."
        )
    await bobs.wait()
    assert bobs.budget() > 0

    await hall.limits.set(Operator(), "ann", {"month_bytes": 5 * 2**20})
    await session.wait()
    assert session.budget() == 2**20


async def serve(session: Serving, answers: list[str], name: str, *, size: int = 10_000) -> None:
    while True:
        if session.budget() <= 0:
            await session.wait()
        session.sent(size)
        answers.append(name)


async def test_two_users_share_what_all_may_have_whatever_their_number_of_sessions(
    database: Database, ann: User, bob: User
) -> None:
    hall, answers = Hall(database, total_bps=100_000), list[str]()
    one = [("ann", ann)]
    pulling = [
        asyncio.create_task(serve(hall.session(user), answers, name), name=name)
        for name, user in one + [(f"bob {n}", bob) for n in range(5)]
    ]
    async with asyncio.timeout(20):
        while len(answers) < 200:  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)
    for task in pulling:
        task.cancel()
    await asyncio.gather(*pulling, return_exceptions=True)

    anns = answers.count("ann")
    assert 80 <= anns / len(answers) * 200 <= 120
    bobs = [answers.count(f"bob {n}") for n in range(5)]
    assert min(bobs) >= 10
    assert sum(bobs) + anns == len(answers)


async def test_a_session_that_goes_while_it_waits_keeps_nobody_waiting(database: Database, ann: User) -> None:
    hall = Hall(database, user_bps=200_000)
    first, second = hall.session(ann), hall.session(ann)
    await first.wait()
    first.sent(1_000_000)
    waiting = [asyncio.create_task(one.wait(), name="waits") for one in (first, second)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    async with asyncio.timeout(10):
        await waiting[1]
    assert second.budget() > 0


async def test_a_limit_that_is_lifted_lets_who_waits_go_on(database: Database, ann: User) -> None:
    hall = Hall(database, user_bps=1)
    session = hall.session(ann)
    waiting = asyncio.create_task(session.wait(), name="waits")
    async with asyncio.timeout(10):
        await asyncio.sleep(0)
        await hall.limits.set(Operator(), "ann", {"bps": 0})
        await waiting
    assert session.budget() == PLENTY

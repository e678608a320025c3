"""Feeds that two daemons share: each is polled once in its interval, and each item taken once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.automation.evening import Clock, Evening
from tests.automation.test_jobs import until
from tests.desks import built
from tests.people import CHEAP_ROUNDS
from tests.servers.postgres import Postgres
from tests.servers.site import serving
from uuutorrent.accounts import Accounts, Operator, User
from uuutorrent.automation.every import Job
from uuutorrent.automation.feeds.rule import Outcome
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.store import migrate
from uuutorrent.store.database import Database

pytestmark = pytest.mark.real

INTERVAL_S = 0.4
FEEDS = 6
EVERY_MIN = 10


@dataclass
class Pair:
    """Two daemons' worth of services on one database, and the one clock that both go by."""

    one: Evening
    two: Evening
    ann: User
    turns: Counter[str]


@pytest.fixture
def url(postgres_cluster: Postgres) -> Iterator[str]:
    made = postgres_cluster.fresh()
    yield made
    postgres_cluster.drop(made)


@pytest.fixture
async def pair(url: str, tmp_path: Path) -> AsyncIterator[Pair]:
    clock, turns = Clock(), Counter[str]()
    async with AsyncExitStack() as stack:
        site = await stack.enter_async_context(serving())
        evenings, working = [], []
        for name in ("one", "two"):
            database = await stack.enter_async_context(Database(url))
            await migrate.upgrade(database)
            opened = await stack.enter_async_context(built(database, tmp_path))
            evening = Evening(opened, site, clock, opened.services.feeds.paced(now=clock, gap_s=0))
            evenings.append(evening)
            poll = Counted(evening, name, turns)
            working.append(opened.services.jobs.run([Job("feeds", INTERVAL_S, 60, poll)]))
        ann = await Accounts(database, AccountSettings(), rounds=CHEAP_ROUNDS).create(Operator(), "ann")
        tasks = [asyncio.create_task(work) for work in working]
        yield Pair(evenings[0], evenings[1], ann, turns)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


class Counted:
    """A poll, and by whom."""

    def __init__(self, evening: Evening, name: str, turns: Counter[str]) -> None:
        self._evening, self._name, self._turns = evening, name, turns

    async def __call__(self) -> None:
        await self._evening.feeds.poll_once()
        self._turns[self._name] += 1


async def all_asked(pair: Pair, times: int) -> None:
    """Wait until each feed was polled so often, and everything was looked at once more from beginning to end."""

    def asked() -> set[int]:
        return {pair.one.site.asked(f"/feed{n}") for n in range(FEEDS)}

    await until(lambda: asked() == {times})
    before = pair.turns.total()
    await until(lambda: pair.turns.total() >= before + 2)
    assert asked() == {times}


async def test_each_feed_is_polled_once_in_its_interval_and_each_item_taken_once(pair: Pair) -> None:
    one, two, site = pair.one, pair.two, pair.one.site
    for n in range(FEEDS):
        one.titles.clear()
        address = one.offer(f"[G] Show {n} - 01", path=f"/feed{n}")
        await (one if n % 2 else two).rule(pair.ann, address)
    for interval in range(1, 4):
        await all_asked(pair, interval)
        for n in range(FEEDS):
            one.titles[:] = [f"[G] Show {n} - {episode:02}" for episode in range(1, interval + 1)]
            one.offer(f"[G] Show {n} - {interval + 1:02}", path=f"/feed{n}")
        one.clock.move(minutes=EVERY_MIN)
    await all_asked(pair, 4)
    takings = await one.takings(pair.ann)
    titles = [f"[G] Show {n} - {episode:02}" for n in range(FEEDS) for episode in range(1, 5)]
    assert sorted(one.title for one in takings) == titles
    assert {one.outcome for one in takings} == {Outcome.TAKEN}
    assert {site.asked(f"/{title.replace(' ', '_')}.torrent") for title in titles} == {1}
    assert len(await one.names(pair.ann)) == len(titles)

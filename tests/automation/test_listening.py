"""Notices followed live: in the same daemon, from another on the same database, and read on in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from tests.servers.postgres import Postgres
from uuutorrent.accounts import Accounts, Operator, User
from uuutorrent.automation.inbox.inbox import Inbox, Kind, Notice
from uuutorrent.automation.inbox.listening import Listeners
from uuutorrent.automation.inbox.notice import settled
from uuutorrent.config import Accounts as AccountSettings
from uuutorrent.errors import Unreachable
from uuutorrent.store.database import Database
from uuutorrent.store.migrate import upgrade
from uuutorrent.users import UserId

PATIENCE_S = 30
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Ear:
    """Somebody who follows, and what they heard so far."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def listen(self, inbox: Inbox, user: User) -> None:
        async with aclosing(inbox.follow(user)) as notices:
            async for notice in notices:
                self.heard.append(notice.text)

    async def hears(self, *texts: str) -> None:
        await until(lambda: len(self.heard) >= len(texts))
        assert self.heard == [*texts]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.005)


@asynccontextmanager
async def following(inbox: Inbox, *users: User) -> AsyncGenerator[list[Ear]]:
    """Everybody follows, and has begun to."""
    ears, before = [Ear() for _ in users], inbox.listeners.count
    tasks = [asyncio.create_task(ear.listen(inbox, user)) for ear, user in zip(ears, users, strict=True)]
    await until(lambda: inbox.listeners.count == before + len(users))
    yield ears
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def test_what_is_told_here_comes_without_waiting_for_the_next_look(database: Database, ann: User) -> None:
    inbox = Inbox(database)
    inbox.listeners.look_s = 3600
    await inbox.tell(ann.id, Kind.FINISHED, "Before.", key="0")
    async with following(inbox, ann) as (ear,):
        await inbox.tell(ann.id, Kind.FINISHED, "One.", key="1")
        await ear.hears("One.")
        async with database.begin(ann.id) as tx:
            await inbox.tell(ann.id, Kind.FINISHED, "Two.", key="2", tx=tx)
            await tx.connection()
        await ear.hears("One.", "Two.")


async def test_what_another_daemon_told_is_found_by_looking(database_url: str, database: Database, ann: User) -> None:
    async with Database(database_url) as elsewhere:
        here, there = Inbox(database), Inbox(elsewhere)
        async with following(here, ann) as (ear,):
            await there.tell(ann.id, Kind.FINISHED, "One.", key="1")
            await ear.hears("One.")
            await here.tell(ann.id, Kind.FINISHED, "Two.", key="2")
            await ear.hears("One.", "Two.")


async def test_another_ones_notices_are_not_heard(database: Database, ann: User, bob: User) -> None:
    inbox = Inbox(database)
    async with following(inbox, ann, bob) as (hers, his):
        await inbox.tell(ann.id, Kind.FINISHED, "For Ann.", key="1")
        await inbox.tell(bob.id, Kind.FINISHED, "For Bob.", key="2")
        await hers.hears("For Ann.")
        await his.hears("For Bob.")


async def test_fifty_who_follow_cost_one_question_and_nobody_none(database: Database, ann: User) -> None:
    inbox = Inbox(database)
    inbox.listeners.look_s = 0.02
    async with following(inbox, *[ann] * 50) as ears:
        before = inbox.listeners.looks
        await inbox.tell(ann.id, Kind.FINISHED, "One.", key="1")
        for ear in ears:
            await ear.hears("One.")
        # One look finds it; a busy machine may have fitted some more in between.
        assert inbox.listeners.looks - before < 50
    assert inbox.listeners.count == 0
    before = inbox.listeners.looks
    await inbox.tell(ann.id, Kind.FINISHED, "Two.", key="2")
    assert inbox.listeners.looks == before


async def test_who_comes_back_hears_only_what_is_new(database: Database, ann: User) -> None:
    inbox = Inbox(database)
    async with following(inbox, ann):
        pass
    await inbox.tell(ann.id, Kind.FINISHED, "Meanwhile.", key="1")
    async with following(inbox, ann) as (ear,):
        await inbox.tell(ann.id, Kind.FINISHED, "Two.", key="2")
        await ear.hears("Two.")


async def test_a_database_that_is_away_ends_nobodys_following() -> None:
    notice = Notice(1, UserId(7), Kind.FINISHED, "1", "One.", AT)
    answers: list[BaseException | None] = [Unreachable("the database", "away"), None]

    async def read(_since: int) -> tuple[tuple[Notice, ...], int]:
        if answers and (trouble := answers.pop(0)):
            raise trouble
        return (notice,), 1

    async def newest() -> int:
        return 0

    listeners = Listeners(read, newest, look_s=0.01)
    async with asyncio.timeout(PATIENCE_S), aclosing(listeners.follow(UserId(7))) as notices:
        assert await anext(notices) == notice


def numbered(*numbers: int, at: datetime = AT) -> list[Notice]:
    return [Notice(number, UserId(1), Kind.FINISHED, str(number), "", at) for number in numbers]


@pytest.mark.parametrize(
    ("numbers", "read"),
    [((), ()), ((4, 5, 6), (4, 5, 6)), ((4, 6, 7), (4,)), ((5, 6), ())],
)
def test_whoever_reads_on_waits_for_numbers_that_are_missing(numbers: tuple[int, ...], read: tuple[int, ...]) -> None:
    assert tuple(one.id for one in settled(numbered(*numbers), 3, AT)) == read
    later = AT + timedelta(minutes=1)
    assert tuple(one.id for one in settled(numbered(*numbers), 3, later)) == numbers


@pytest.mark.real
async def test_a_notice_that_is_committed_late_is_missed_by_nobody(postgres_cluster: Postgres) -> None:
    """PostgreSQL shows the later number first; with SQLite the second has to wait for the first."""
    url = postgres_cluster.fresh()
    async with Database(url) as database:
        await upgrade(database)
        ann = await Accounts(database, AccountSettings(), rounds=4).create(Operator(), "ann")
        inbox = Inbox(database)
        inbox.listeners.look_s = 0.02
        async with following(inbox, ann) as (ear,):
            async with database.begin(ann.id) as tx:
                await inbox.tell(ann.id, Kind.FINISHED, "Slow.", key="slow", tx=tx)
                await inbox.tell(ann.id, Kind.FINISHED, "Quick.", key="quick")
                await ear.hears("Quick.")
                assert await inbox.after(0) == ()
            await ear.hears("Quick.", "Slow.")
        assert [one.text for one in await inbox.after(0)] == ["Slow.", "Quick."]
    postgres_cluster.drop(url)

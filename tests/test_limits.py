"""What each user may, and what they were served: settled by admins, counted by every daemon, kept by the month."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from uuutorrent import config
from uuutorrent.accounts import Accounts, Admin, Operator, User
from uuutorrent.errors import Missing, Refused
from uuutorrent.limits import Limit, Limits, Settled, Which
from uuutorrent.store.database import Database

GIB = 2**30
TORRENTS = config.Torrents(quota_bytes=50 * GIB, quota_torrents=500, quota_active=3)
FILES = config.Files(month_bytes=1000, user_bps=70)


class Calendar:
    def __init__(self) -> None:
        self.today = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.today


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@pytest.fixture
def limits(database: Database, calendar: Calendar) -> Limits:
    return Limits(database, TORRENTS, FILES, now=calendar)


async def test_what_is_configured_holds_until_an_admin_settles_it_otherwise(
    limits: Limits, boss: Admin, ann: User, bob: User
) -> None:
    usual = Limit(bytes=50 * GIB, torrents=500, active=3, month_bytes=1000, bps=70)
    assert await limits.of(ann) == usual

    assert await limits.set(boss, "ann", {"active": 1, "bps": 0}) == Settled(active=1, bps=0)
    assert await limits.set(boss, "ann", {"bytes": GIB}) == Settled(bytes=GIB, active=1, bps=0)
    assert await limits.of(ann) == Limit(bytes=GIB, torrents=500, active=1, month_bytes=1000, bps=0)
    assert await limits.of(bob) == usual
    assert await limits.settled([ann.id, bob.id]) == {ann.id: Settled(bytes=GIB, active=1, bps=0), bob.id: Settled()}

    assert await limits.set(boss, "ann", {"active": None, "bytes": None, "bps": None}) == Settled()
    assert await limits.of(ann) == usual


async def test_two_admins_who_settle_different_limits_at_once_both_do(limits: Limits, ann: User) -> None:
    changes: list[Mapping[Which, int | None]] = [{"bytes": 1}, {"torrents": 2}, {"active": 3}, {"bps": 4}]
    await asyncio.gather(*(limits.set(Operator(), "ann", change) for change in changes))
    assert (await limits.settled([ann.id]))[ann.id] == Settled(bytes=1, torrents=2, active=3, bps=4)


async def test_who_is_no_admin_any_more_settles_nothing(
    limits: Limits, accounts: Accounts, boss: Admin, ann: User
) -> None:
    await accounts.set_role(Operator(), "ann", "admin")
    before = await accounts.admin(ann)
    await accounts.set_role(boss, "ann", "user")
    with pytest.raises(Refused, match="only admins"):
        await limits.set(before, "ann", {"bytes": 0})
    with pytest.raises(Missing, match="no user eve"):
        await limits.set(boss, "eve", {"bytes": 0})
    assert (await limits.settled([ann.id]))[ann.id] == Settled()


async def test_served_bytes_add_up_over_daemons_and_restarts(
    database: Database, limits: Limits, calendar: Calendar, ann: User, bob: User
) -> None:
    other = Limits(database, TORRENTS, FILES, now=calendar)
    for one, size in ((limits, 100), (other, 20), (limits, 3)):
        one.count(one.meter(ann), size)
    other.count(other.meter(bob), 7)
    assert (await limits.served(ann), await other.served(ann)) == (103, 20)

    await asyncio.gather(limits.flush(), other.flush())
    await limits.flush()
    assert [await limits.served(user) for user in (ann, bob)] == [123, 7]
    assert await Limits(database, TORRENTS, FILES, now=calendar).served(ann) == 123


async def test_a_daemon_learns_with_its_next_turn_what_another_served_and_what_an_admin_settled(
    database: Database, limits: Limits, calendar: Calendar, ann: User
) -> None:
    other, meter = Limits(database, TORRENTS, FILES, now=calendar), limits.meter(ann)
    await limits.refresh(meter)
    assert meter.left == 1000

    other.count(other.meter(ann), 600)
    await other.flush()
    await other.set(Operator(), "ann", {"month_bytes": 700, "bps": 5})
    limits.count(meter, 50)
    await limits.flush()
    assert (meter.left, meter.share.bucket.bps) == (50, 5)


async def test_a_new_month_begins_with_nothing_served(limits: Limits, calendar: Calendar, ann: User) -> None:
    meter = limits.meter(ann)
    limits.count(meter, 400)
    await limits.flush()
    assert meter.left == 600
    assert limits.until() == datetime(2026, 12, 1, tzinfo=UTC)

    calendar.today = datetime(2026, 12, 1, tzinfo=UTC)
    await limits.flush()
    assert (meter.left, await limits.served(ann)) == (1000, 0)
    assert limits.until() == datetime(2027, 1, 1, tzinfo=UTC)


async def test_what_is_counted_is_kept_though_the_session_is_over(limits: Limits, ann: User) -> None:
    limits.count(limits.meter(ann), 9)
    assert limits.meter(ann).unwritten == 9
    await limits.flush()
    assert await limits.served(ann) == 9
    assert limits.meter(ann).unwritten == 0


async def test_who_was_deleted_while_they_were_served_keeps_nobody_elses_bytes_from_being_counted(
    limits: Limits, accounts: Accounts, ann: User, bob: User
) -> None:
    for user in (ann, bob):
        limits.count(limits.meter(user), 5)
    await accounts.delete(Operator(), "ann")
    await limits.flush()
    await limits.flush()
    assert await limits.served(bob) == 5

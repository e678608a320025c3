"""The month's traffic: counted once whatever restarts, warned of, and slowed before it is used up."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from tests.automation.evening import Clock
from tests.fakes import FakeEngine
from uuutorrent import config
from uuutorrent.accounts import Accounts, Admin, Operator, User
from uuutorrent.automation.inbox.inbox import Inbox, Kind
from uuutorrent.automation.upkeep.meters import Meters
from uuutorrent.automation.upkeep.traffic import Traffic
from uuutorrent.store.database import NOBODY, Database
from uuutorrent.store.tables import TrafficRow
from uuutorrent.tally import Tally

GIB = 2**30
SLOW_BPS = 65_536


@dataclass
class Line:
    """The line of a machine, and a daemon that counts what goes over it."""

    database: Database
    accounts: Accounts
    boss: Admin
    clock: Clock
    engine: FakeEngine
    tally: Tally
    budget_bytes: int = 100 * GIB

    def __post_init__(self) -> None:
        self.inbox = Inbox(self.database, now=self.clock)
        settings = config.Upkeep(egress_bytes=self.budget_bytes, slow_seeding_bps=SLOW_BPS)
        meters = Meters(self.database)
        self.traffic = Traffic(
            self.database, self.engine, self.tally, self.accounts, self.inbox, meters, settings, now=self.clock
        )

    def serve(self, gib: float) -> None:
        self.tally.count("served_bytes", "sftp", by=round(gib * GIB))

    def seed(self, gib: float) -> None:
        self.engine.uploaded_bytes += round(gib * GIB)

    def restarted(self) -> Line:
        """Another daemon on the same database, with an empty tally."""
        return replace(self, tally=Tally())

    async def turn(self) -> None:
        await self.traffic.flush()
        await self.traffic.run_once()

    async def counted(self) -> tuple[float, float]:
        """GiB served and seeded."""
        by_kind = (await self.traffic.month(self.boss)).by_kind
        return by_kind["sftp"] / GIB, by_kind["seeding"] / GIB

    async def told(self, user: User) -> list[str]:
        return [notice.text for notice in reversed(await self.inbox.of(user)) if notice.kind is Kind.TROUBLE]


@pytest.fixture
async def line(database: Database, accounts: Accounts, boss: Admin) -> Line:
    there = Line(database, accounts, boss, Clock(datetime(2026, 11, 16, tzinfo=UTC)), FakeEngine(), Tally())
    await there.turn()
    return there


async def test_what_was_served_and_seeded_counts_once(line: Line) -> None:
    for _ in range(2):
        line.serve(1)
        line.seed(2)
        await line.turn()
        await line.turn()
    assert await line.counted() == (2, 4)


async def test_who_asks_while_it_is_counted_has_nothing_counted_twice(line: Line) -> None:
    line.serve(1)
    await asyncio.gather(line.traffic.flush(), line.traffic.month(line.boss), line.traffic.flush())
    assert await line.counted() == (1, 0)


async def test_a_restart_of_qbittorrent_counts_nothing_twice_and_nothing_negative(line: Line) -> None:
    line.seed(5)
    await line.turn()
    line.engine.uploaded_bytes = GIB
    await line.turn()
    line.engine.uploaded_bytes = 0
    await line.turn()
    line.seed(0.5)
    await line.turn()
    assert await line.counted() == (0, 6.5)


async def test_a_restart_of_the_daemon_goes_on_where_it_was(line: Line) -> None:
    line.serve(1)
    line.seed(1)
    await line.turn()
    again = line.restarted()
    again.seed(1)
    await again.turn()
    assert await again.counted() == (1, 2)


async def test_what_an_engine_had_seeded_before_it_was_first_seen_is_not_this_months(
    database: Database, accounts: Accounts, boss: Admin
) -> None:
    line = Line(database, accounts, boss, Clock(), FakeEngine(), Tally())
    line.seed(500)
    await line.turn()
    line.seed(1)
    await line.turn()
    assert await line.counted() == (0, 1)


async def test_two_daemons_count_the_same_engine_once_and_each_its_own_doors(line: Line) -> None:
    other = line.restarted()
    line.serve(1)
    other.serve(2)
    line.seed(3)
    await line.turn()
    await other.turn()
    assert await other.counted() == (3, 3)


async def test_an_answer_that_another_daemon_overtook_counts_for_nothing(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, asked = line.restarted(), line.engine.uploaded
    line.seed(3)

    async def slowly() -> int:
        answer = await asked()
        monkeypatch.undo()
        line.seed(1)
        await other.turn()
        return answer

    monkeypatch.setattr(line.engine, "uploaded", slowly)
    await line.turn()
    assert await line.counted() == (0, 4)


async def test_months_are_those_of_utc_and_begin_at_nothing(line: Line) -> None:
    line.serve(7)
    await line.turn()
    line.clock.at = datetime(2026, 12, 1, 0, 0, 1, tzinfo=UTC)
    line.serve(1)
    await line.turn()
    month = await line.traffic.month(line.boss)
    assert (month.name, month.used_bytes) == ("2026-12", GIB)


async def test_the_end_of_the_month_is_projected(line: Line) -> None:
    line.serve(10)
    await line.turn()
    assert (await line.traffic.month(line.boss)).projected_bytes == 20 * GIB  # half of November is over


async def test_the_course_of_a_month_goes_by_days_of_all_daemons(line: Line) -> None:
    other = line.restarted()
    line.serve(3)
    line.seed(1)
    await line.turn()
    line.clock.at = datetime(2026, 11, 18, 23, 59, tzinfo=UTC)
    other.serve(2)
    await other.turn()
    async with line.database.begin(NOBODY) as tx:  # as counted before there were days
        await tx.execute(update(TrafficRow).where(TrafficRow.kind == "sftp").values(bytes=TrafficRow.bytes + GIB))
    month = await line.traffic.month(line.boss)
    assert (month.used_bytes, month.days, len(month.course)) == (7 * GIB, 30, 18)
    assert [used // GIB for used in month.course] == [1] * 15 + [5, 5, 7]


async def test_every_admin_is_told_once_a_month_at_80_percent_and_at_95(line: Line, ann: User) -> None:
    second = await line.accounts.create(Operator(), "second", role="admin")
    line.serve(79)
    await line.turn()
    assert await line.told(second) == []

    for gib in (1, 1, 15):
        line.serve(gib)
        await line.turn()
        await line.turn()

    told = [
        (
            "80 % of the traffic budget of 2026-11 is used: 80.0 GiB of 100.0 GiB. "
            "At 95 % seeding is slowed until the month ends."
        ),
        (
            "95 % of the traffic budget of 2026-11 is used: 96.0 GiB of 100.0 GiB. "
            "Seeding is slowed to 64 KiB/s until the month ends; nothing else is."
        ),
    ]
    assert await line.told(second) == told
    assert await line.told(line.boss.user) == told
    assert await line.told(ann) == []


async def test_seeding_is_slowed_at_95_percent_and_let_go_on_the_first_with_the_limit_of_before(line: Line) -> None:
    line.engine.up_limit_bps = 1_000_000
    line.serve(95)
    await line.turn()
    assert line.engine.up_limit_bps == SLOW_BPS
    assert (await line.traffic.month(line.boss)).is_slowed

    line.engine.up_limit_bps = 0  # a qBittorrent that was killed forgets it
    again = line.restarted()
    await again.turn()
    assert line.engine.up_limit_bps == SLOW_BPS

    again.clock.at = datetime(2026, 12, 1, tzinfo=UTC)
    await again.turn()
    assert line.engine.up_limit_bps == 1_000_000
    assert not (await again.traffic.month(line.boss)).is_slowed

    line.engine.up_limit_bps = 7_000_000  # the operator's business again
    await again.turn()
    assert line.engine.up_limit_bps == 7_000_000


async def test_a_limit_that_is_lower_already_stays(line: Line) -> None:
    line.engine.up_limit_bps = 10_240
    line.serve(99)
    await line.turn()
    assert line.engine.up_limit_bps == 10_240


async def test_without_a_budget_nobody_is_told_and_nothing_is_slowed(
    database: Database, accounts: Accounts, boss: Admin
) -> None:
    line = Line(database, accounts, boss, Clock(), FakeEngine(), Tally(), budget_bytes=0)
    line.serve(5000)
    await line.turn()
    assert line.engine.up_limit_bps == 0
    assert await line.told(boss.user) == []


async def test_admins_are_warned_while_qbittorrent_is_away_and_its_share_is_counted_later(line: Line) -> None:
    line.engine.go_down()
    line.serve(80)
    line.seed(3)
    await line.turn()
    assert len(await line.told(line.boss.user)) == 1
    line.engine.come_back()
    await line.turn()
    assert await line.counted() == (80, 3)

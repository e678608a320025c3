"""The traffic budget: what leaves the machine in a month, served and seeded, and what is done when it runs out.

Months are those of UTC. Served bytes come from the tally, which the doors fill; seeded ones from the engine's counter,
which begins anew with each of its starts. At most what came since the last turn is lost when the daemon is killed.
"""

from __future__ import annotations

import asyncio
from calendar import monthrange
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate

import structlog
from sqlalchemy import UpdateBase, select, update
from sqlalchemy.exc import IntegrityError

from uuutorrent import config
from uuutorrent.accounts import Accounts, Admin, Operator
from uuutorrent.automation.inbox.inbox import Inbox, Kind
from uuutorrent.automation.upkeep.meters import Meters
from uuutorrent.errors import Unreachable
from uuutorrent.store.database import NOBODY, Database, Tx
from uuutorrent.store.tables import TrafficDayRow, TrafficRow
from uuutorrent.tally import FILE_DOORS, Tally
from uuutorrent.torrents.engine import Engine
from uuutorrent.torrents.holdings import amount

log = structlog.get_logger()

SFTP, SEEDING = "sftp", "seeding"
KINDS = (SFTP, SEEDING)
WARN_AT = 0.8
SLOW_AT = 0.95
"""Of the budget."""
UPLOADED, LIMIT = "uploaded", "limit"
"""Names of meters: how far the engine's counter was read, and its own limit while seeding is slowed."""
ROUNDING_BPS = 1024
"""qBittorrent may round a limit by so much."""
SOONEST = timedelta(hours=1)
"""From less of a month nothing is projected."""


@dataclass(frozen=True, slots=True)
class Month:
    """A month's traffic, in bytes."""

    name: str
    """2026-11."""
    by_kind: Mapping[str, int] = field(default_factory=dict)
    budget_bytes: int = 0
    """0: no limit."""
    projected_bytes: int = 0
    """At its end, if it goes on as it did so far."""
    is_slowed: bool = False
    """Seeding is slowed until it ends."""
    course: tuple[int, ...] = ()
    """What had left by the end of each of its days so far."""
    days: int = 30
    """It has so many."""

    @property
    def used_bytes(self) -> int:
        """Everything that left."""
        return sum(self.by_kind.values())

    @property
    def share(self) -> float:
        """How much of the budget is used; 0 without one."""
        return self.used_bytes / self.budget_bytes if self.budget_bytes else 0.0


class Traffic:
    """The owner of the tables `traffic` and `traffic_days`."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        tally: Tally,
        accounts: Accounts,
        inbox: Inbox,
        meters: Meters,
        settings: config.Upkeep,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._engine = engine
        self._tally = tally
        self._accounts = accounts
        self._inbox = inbox
        self._meters = meters
        self._settings = settings
        self._now = now
        self._served = 0
        """Bytes of the tally that were counted already."""
        self._flushing = asyncio.Lock()
        self.last = Month("")
        """As it was seen last."""

    async def month(self, by: Admin) -> Month:
        """This month so far, for an admin."""
        await self.flush()
        return await self._look()

    async def flush(self) -> None:
        """Count what the doors of this daemon served since the last time."""
        async with self._flushing:
            served = round(sum(self._tally.counters.get(("served_bytes", (door,)), 0) for door in FILE_DOORS))
            more = served - self._served
            if more > 0:
                async with self._database.begin(NOBODY) as tx:
                    await self._count(tx, SFTP, more)
                self._served = served
        await self._look()

    async def run_once(self) -> None:
        """Count what was seeded, and warn, slow or let go; while the engine is away, later."""
        await self._warn(await self._look())
        with suppress(Unreachable):
            await self.count_seeded()
            month = await self._look()
            await self._warn(month)
            await self._steer(month)

    async def count_seeded(self) -> None:
        """Count what the engine uploaded since the last time, whichever daemon counted that.

        Raises:
            RemoteError: the engine does not answer; it is counted later.
        """
        before = await self._meters.read(UPLOADED)
        # Asked after the meter was read: if another daemon reads on meanwhile, this answer counts for nothing.
        uploaded = await self._engine.uploaded()
        if before is None:
            await self._meters.write(UPLOADED, uploaded, self._now(), before=None)
            return
        more = uploaded - before.value if uploaded >= before.value else uploaded
        if uploaded == before.value:
            return
        async with self._database.begin(NOBODY) as tx:
            if await self._meters.within(tx, UPLOADED, uploaded, self._now(), before=before):
                await self._count(tx, SEEDING, more)

    async def _count(self, tx: Tx, kind: str, more: int) -> None:
        month, day = _name(now := self._now()), _day(now)
        to_month = update(TrafficRow).where(TrafficRow.month == month, TrafficRow.kind == kind)
        to_day = update(TrafficDayRow).where(TrafficDayRow.day == day)
        more_of_month = to_month.values(bytes=TrafficRow.bytes + more).returning(TrafficRow.bytes)
        more_of_day = to_day.values(bytes=TrafficDayRow.bytes + more).returning(TrafficDayRow.bytes)
        await _add(tx, more_of_month, lambda: TrafficRow(month=month, kind=kind, bytes=more))
        await _add(tx, more_of_day, lambda: TrafficDayRow(day=day, bytes=more))

    async def _look(self) -> Month:
        now = self._now()
        async with self._database.begin(NOBODY) as tx:
            rows = (await tx.scalars(select(TrafficRow).where(TrafficRow.month == _name(now)))).all()
            this_month = select(TrafficDayRow).where(TrafficDayRow.day.startswith(_name(now)))
            by_day = {row.day: row.bytes for row in await tx.scalars(this_month)}
        by_kind = dict.fromkeys(KINDS, 0) | {row.kind: row.bytes for row in rows}
        is_slowed = await self._meters.read(LIMIT) is not None
        projected = _projected(sum(by_kind.values()), now)
        self.last = Month(
            _name(now),
            by_kind,
            self._settings.egress_bytes,
            projected,
            is_slowed,
            *_course(by_day, sum(by_kind.values()), now),
        )
        return self.last

    async def _warn(self, month: Month) -> None:
        if month.share >= WARN_AT:
            await self._tell(month, WARN_AT, "At 95 % seeding is slowed until the month ends.")
        if month.share >= SLOW_AT:
            bps = amount(self._settings.slow_seeding_bps)
            await self._tell(month, SLOW_AT, f"Seeding is slowed to {bps}/s until the month ends; nothing else is.")

    async def _tell(self, month: Month, share: float, then: str) -> None:
        used, budget = amount(month.used_bytes), amount(month.budget_bytes)
        text = f"{share * 100:.0f} % of the traffic budget of {month.name} is used: {used} of {budget}. {then}"
        for one in await self._accounts.users(Operator()):
            if one.user.is_admin and one.disabled_at is None:
                key = f"traffic:{month.name}:{share:.0%}"
                await self._inbox.tell(one.user.id, Kind.TROUBLE, text, key=key)

    async def _steer(self, month: Month) -> None:
        """Slow seeding or let it go. What limit there was is written down before it is changed."""
        before = await self._meters.read(LIMIT)
        if month.share >= SLOW_AT:
            now_bps = await self._engine.up_limit()
            if before is None and not await self._meters.write(LIMIT, now_bps, self._now(), before=None):
                return
            own = before.value if before else now_bps
            slow = min(self._settings.slow_seeding_bps, own or self._settings.slow_seeding_bps)
            if abs(now_bps - slow) >= ROUNDING_BPS:
                await self._engine.set_up_limit(slow)
                log.info("seeding slowed", bps=slow, month=month.name)
        elif before is not None:
            await self._engine.set_up_limit(before.value)
            await self._meters.drop(LIMIT, before)
            log.info("seeding as before", bps=before.value)


async def _add(tx: Tx, more: UpdateBase, first: Callable[[], TrafficRow | TrafficDayRow]) -> None:
    for _ in range(2):
        if await tx.scalar(more) is not None:
            return
        try:
            async with tx.begin_nested():
                tx.add(first())
            return
        except IntegrityError:
            continue  # another daemon counted the first bytes at this moment


def _name(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m")


def _day(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d")


def _course(by_day: Mapping[str, int], used: int, now: datetime) -> tuple[tuple[int, ...], int]:
    """What had left by the end of each day so far, and how many days the month has.

    What was counted before there were days had left before the first of them.
    """
    days = monthrange(now.astimezone(UTC).year, now.astimezone(UTC).month)[1]
    each = [by_day.get(f"{_name(now)}-{day:02}", 0) for day in range(1, now.astimezone(UTC).day + 1)]
    return tuple(accumulate(each, initial=used - sum(each)))[1:], days


def _projected(used: int, now: datetime) -> int:
    begin = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = (begin + timedelta(days=32)).replace(day=1)
    gone = max(now - begin, SOONEST)
    return round(used * ((end - begin) / gone))

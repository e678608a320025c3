"""The traffic budget: what leaves the machine in a month, served and seeded, and what is done when it runs out.

Months are those of UTC. Served bytes come from the tally, which the doors fill; seeded ones from the engine's counter,
which begins anew with each of its starts. At most what came since the last turn is lost when the daemon is killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from uuutorrent import config
from uuutorrent.accounts import Accounts, Admin, Operator
from uuutorrent.automation.inbox.inbox import Inbox, Kind
from uuutorrent.automation.upkeep.meters import Meters
from uuutorrent.errors import Unreachable
from uuutorrent.store.database import NOBODY, Database, Tx
from uuutorrent.store.tables import TrafficRow
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

    @property
    def used_bytes(self) -> int:
        """Everything that left."""
        return sum(self.by_kind.values())

    @property
    def share(self) -> float:
        """How much of the budget is used; 0 without one."""
        return self.used_bytes / self.budget_bytes if self.budget_bytes else 0.0


class Traffic:
    """The owner of the table `traffic`."""

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
        which = (TrafficRow.month == _name(self._now()), TrafficRow.kind == kind)
        for _ in range(2):
            add = update(TrafficRow).where(*which).values(bytes=TrafficRow.bytes + more).returning(TrafficRow.kind)
            if await tx.scalar(add) is not None:
                return
            try:
                async with tx.begin_nested():
                    tx.add(TrafficRow(month=_name(self._now()), kind=kind, bytes=more))
                return
            except IntegrityError:
                continue  # another daemon counted the month's first bytes at this moment

    async def _look(self) -> Month:
        now = self._now()
        async with self._database.begin(NOBODY) as tx:
            rows = (await tx.scalars(select(TrafficRow).where(TrafficRow.month == _name(now)))).all()
        by_kind = dict.fromkeys(KINDS, 0) | {row.kind: row.bytes for row in rows}
        is_slowed = await self._meters.read(LIMIT) is not None
        projected = _projected(sum(by_kind.values()), now)
        self.last = Month(_name(now), by_kind, self._settings.egress_bytes, projected, is_slowed)
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


def _name(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m")


def _projected(used: int, now: datetime) -> int:
    begin = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = (begin + timedelta(days=32)).replace(day=1)
    gone = max(now - begin, SOONEST)
    return round(used * ((end - begin) / gone))

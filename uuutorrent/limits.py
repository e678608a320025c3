"""What each user may do, and what the file doors served them: the tables `limits` and `egress`.

What is configured holds for everybody for whom no admin settled otherwise. Served bytes are counted in memory and
written down by a job; at most what came since its last turn is lost when the daemon is killed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from weakref import WeakValueDictionary

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from uuutorrent import audit, config
from uuutorrent.accounts import Authority, User, UserId
from uuutorrent.people import hold_for, people
from uuutorrent.shares import Share
from uuutorrent.store.database import SYSTEM, Database, Tx
from uuutorrent.store.tables import EgressRow, LimitRow

Which = Literal["bytes", "torrents", "active", "month_bytes", "bps"]


@dataclass(frozen=True, slots=True)
class Limit:
    """What somebody may, as it is in force; 0: no limit."""

    bytes: int = 0
    """Disk they may claim."""
    torrents: int = 0
    """Torrents they may claim."""
    active: int = 0
    """Downloads that may run at the same time."""
    month_bytes: int = 0
    """What the file doors may serve them in a month."""
    bps: int = 0
    """How fast these serve them, in bytes/s."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What admins settled for somebody; None: as configured."""

    bytes: int | None = None
    torrents: int | None = None
    active: int | None = None
    month_bytes: int | None = None
    bps: int | None = None


@dataclass(slots=True, eq=False, weakref_slot=True)
class Meter:
    """What one user is served by this daemon just now; the counter that all their sessions share."""

    user_id: UserId
    share: Share = field(default_factory=Share)
    limit: Limit | None = None
    """None: not looked up yet."""
    before: int = 0
    """Bytes of the month that are written down."""
    unwritten: int = 0
    """Bytes that are not yet."""
    is_free: bool = False
    """They may read as much and as fast as they like, as far as they alone are concerned."""

    @property
    def left(self) -> int | None:
        """Bytes that the month has left; None: no limit."""
        most = self.limit.month_bytes if self.limit else 0
        return most - self.before - self.unwritten if most else None


class Limits:
    """The owner of the tables `limits` and `egress`."""

    def __init__(
        self,
        database: Database,
        torrents: config.Torrents,
        files: config.Files,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._usual = Limit(
            torrents.quota_bytes, torrents.quota_torrents, torrents.quota_active, files.month_bytes, files.user_bps
        )
        self._now = now
        self._meters: WeakValueDictionary[UserId, Meter] = WeakValueDictionary()
        self._busy: dict[UserId, Meter] = {}
        """Those with something unwritten: it must not be lost with the last session."""
        self._flushing = asyncio.Lock()

    # What they may

    async def of(self, user: User) -> Limit:
        """What this user may now."""
        async with self._database.begin(user.id) as tx:
            return await self.within(tx, user.id)

    async def within(self, tx: Tx, user_id: UserId) -> Limit:
        """The same inside the caller's transaction."""
        return self._in_force(await tx.get(LimitRow, user_id, populate_existing=True))

    async def all(self, tx: Tx, ids: Collection[UserId]) -> dict[UserId, Limit]:
        """What each of these users may."""
        rows = {row.user_id: row for row in await tx.scalars(select(LimitRow).where(LimitRow.user_id.in_(ids)))}
        return {user_id: self._in_force(rows.get(user_id)) for user_id in ids}

    async def has_active(self) -> bool:
        """Whether anybody is bound to a number of running downloads."""
        async with self._database.begin(SYSTEM) as tx:
            return bool(self._usual.active or await tx.scalar(select(func.max(LimitRow.active))))

    async def active(self, ids: Collection[UserId]) -> Mapping[UserId, int]:
        """How many downloads of each of these users may run; 0: no limit."""
        async with self._database.begin(SYSTEM) as tx:
            return {user_id: limit.active for user_id, limit in (await self.all(tx, ids)).items()}

    async def settled(self, ids: Collection[UserId]) -> dict[UserId, Settled]:
        """What admins settled for these users, for admins."""
        async with self._database.begin(SYSTEM) as tx:
            rows = {row.user_id: row for row in await tx.scalars(select(LimitRow).where(LimitRow.user_id.in_(ids)))}
        return {user_id: _settled(rows.get(user_id)) for user_id in ids}

    async def set(self, by: Authority, name: str, changes: Mapping[Which, int | None]) -> Settled:
        """Settle some of somebody's limits; None: as configured, 0: no limit. The others stay as they are.

        Raises:
            Refused: `by` is no admin any more.
            Missing: there is nobody of this name.
        """
        async with self._database.begin(SYSTEM) as tx:
            user = await hold_for(tx, by, name, loses_admin=False)
            settled = await settle(tx, user.id, changes)
            told = " ".join(f"{which}={'as configured' if now is None else now}" for which, now in changes.items())
            audit.note(tx, by, "users quota", name, detail=told)
        if meter := self._meters.get(user.id):
            await self.refresh(meter)
        return settled

    # What they were served

    async def served(self, user: User) -> int:
        """The bytes that the file doors served this user this month."""
        async with self._database.begin(user.id) as tx:
            return (await self._served(tx, [user.id]))[user.id]

    async def served_to(self, ids: Collection[UserId]) -> dict[UserId, int]:
        """The same for each of these users, for admins; what other daemons have not written down yet is left out."""
        async with self._database.begin(SYSTEM) as tx:
            return await self._served(tx, ids)

    def meter(self, user: User) -> Meter:
        """The counter of this user's sessions; `refresh` fills it."""
        found = self._meters.get(user.id)
        if found is None:
            self._meters[user.id] = found = Meter(user.id)
        return found

    def count(self, meter: Meter, size: int) -> None:
        """So many bytes were served."""
        if not meter.unwritten:
            self._busy[meter.user_id] = meter
        meter.unwritten += size

    async def refresh(self, *meters: Meter) -> None:
        """Look up what these users may, and were served as far as it is written down."""
        ids = {meter.user_id for meter in meters}
        async with self._database.begin(meters[0].user_id if len(ids) == 1 else SYSTEM) as tx:
            limits = await self.all(tx, ids)
            served = await self._written(tx, ids)
        for meter in meters:
            meter.limit, meter.before = limits[meter.user_id], served[meter.user_id]
            meter.share.bucket.bps = meter.limit.bps
            meter.is_free = not (meter.limit.month_bytes or meter.limit.bps)

    async def flush(self) -> None:
        """Write down what this daemon served, and look again what everybody who is being served may."""
        async with self._flushing:
            counted = {meter: meter.unwritten for meter in self._busy.values()}
            month = self._month()
            if counted:
                async with self._database.begin(SYSTEM) as tx:
                    here = await people(tx, [meter.user_id for meter in counted])
                    # In one order: of two daemons neither may wait for the other.
                    for meter, size in sorted(counted.items(), key=lambda one: one[0].user_id):
                        if meter.user_id in here:
                            await _add(tx, meter.user_id, month, size)
            for meter, size in counted.items():
                meter.unwritten -= size
                meter.before += size
                if not meter.unwritten:
                    del self._busy[meter.user_id]
            if meters := list(self._meters.values()):
                await self.refresh(*meters)

    def until(self) -> datetime:
        """When the month ends, by UTC."""
        begin = self._now().astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return (begin + timedelta(days=32)).replace(day=1)

    async def _served(self, tx: Tx, ids: Collection[UserId]) -> dict[UserId, int]:
        return {user_id: size + self._unwritten(user_id) for user_id, size in (await self._written(tx, ids)).items()}

    async def _written(self, tx: Tx, ids: Collection[UserId]) -> dict[UserId, int]:
        which = (EgressRow.month == self._month(), EgressRow.user_id.in_(ids))
        rows = {row.user_id: row.bytes for row in await tx.scalars(select(EgressRow).where(*which))}
        return {user_id: rows.get(user_id, 0) for user_id in ids}

    def _unwritten(self, user_id: UserId) -> int:
        meter = self._meters.get(user_id)
        return meter.unwritten if meter else 0

    def _month(self) -> str:
        return self._now().astimezone(UTC).strftime("%Y-%m")

    def _in_force(self, row: LimitRow | None) -> Limit:
        own, usual = asdict(_settled(row)), asdict(self._usual)
        return Limit(**{which: usual[which] if value is None else value for which, value in own.items()})


async def settle(tx: Tx, user_id: UserId, changes: Mapping[Which, int | None]) -> Settled:
    """Settle some of a user's limits inside the caller's transaction, which holds the user."""
    row = await tx.get(LimitRow, user_id, populate_existing=True)
    if row is None:
        row = LimitRow(user_id=user_id)
        tx.add(row)
    for which, value in changes.items():
        setattr(row, which, value)
    await tx.flush()
    return _settled(row)


def _settled(row: LimitRow | None) -> Settled:
    return Settled(row.bytes, row.torrents, row.active, row.month_bytes, row.bps) if row else Settled()


async def _add(tx: Tx, user_id: UserId, month: str, size: int) -> None:
    mine = (EgressRow.user_id == user_id, EgressRow.month == month)
    more = update(EgressRow).where(*mine).values(bytes=EgressRow.bytes + size).returning(EgressRow.user_id)
    for _ in range(2):
        if await tx.scalar(more) is not None:
            return
        try:
            async with tx.begin_nested():
                tx.add(EgressRow(user_id=user_id, month=month, bytes=size))
            return
        except IntegrityError:
            continue  # another daemon wrote the month's first at this moment, or the user has just gone

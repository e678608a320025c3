"""How far the healer is with each download that does not do well: the owner of the table `treatments`.

A step is written here before it is taken, and whoever goes on with it moves its time first: another daemon leaves it
alone meanwhile, and what a daemon was killed at is tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from uuutorrent.accounts import User, UserId, enabled, people
from uuutorrent.automation.health.observations import Unwell
from uuutorrent.store.database import NOBODY, SYSTEM, Database, Tx
from uuutorrent.store.tables import TreatmentRow

LEASE_S = 300.0
"""Longer than any step takes; what a daemon was killed at is tried again after this."""


class Step(StrEnum):
    """How far a treatment is."""

    REANNOUNCE = "reannounce"
    """Its trackers are to be asked again."""
    REANNOUNCED = "reannounced"
    RECHECK = "recheck"
    """Its files are to be checked again."""
    RECHECKED = "rechecked"
    BLOCK = "block"
    """Its release is to be blocked."""
    REPLACE = "replace"
    """Another release is to take its place."""
    LEFT = "left"
    """Somebody undid what was done: it is left alone for a while."""


@dataclass(frozen=True, slots=True)
class Treatment:
    """What is done about one torrent."""

    torrent_id: int
    step: Step
    step_at: datetime
    tries: int
    try_at: datetime
    least_bytes: int


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Treatments:
    """Every treatment."""

    def __init__(self, database: Database, *, lease_s: float = LEASE_S, now: Callable[[], datetime] = _utc_now) -> None:
        self._database = database
        self._lease = timedelta(seconds=lease_s)
        self._now = now

    async def every(self) -> Mapping[int, Treatment]:
        """All there are, by torrent."""
        async with self._database.begin(NOBODY) as tx:
            return {row.torrent_id: _treatment(row) for row in await tx.scalars(select(TreatmentRow))}

    async def begin(self, one: Unwell, step: Step, *, completed_bytes: int) -> Treatment | None:
        """Take something on; None when somebody else did at this moment, or the torrent is gone."""
        now = self._now()
        row = TreatmentRow(
            torrent_id=one.torrent_id, verdict=one.verdict, why=one.why, step=step, step_at=now, tries=0,
            try_at=now, least_bytes=completed_bytes,
        )  # fmt: skip
        try:
            async with self._database.begin(NOBODY) as tx, tx.begin_nested():
                tx.add(row)
        except IntegrityError:
            return None
        return _treatment(row)

    async def own(self, treatment: Treatment) -> Treatment | None:
        """Have a treatment whose time has come to oneself for a while; None when somebody else has it."""
        until = self._now() + self._lease
        async with self._database.begin(NOBODY) as tx:
            is_mine = await self._change(tx, treatment, try_at=until)
        return replace(treatment, try_at=until) if is_mine else None

    async def move(
        self, tx: Tx, treatment: Treatment, step: Step, *, wait: timedelta | None = None, tries: int = 0
    ) -> Treatment | None:
        """On to a step; by whoever is at it, or after `wait`. None when somebody else has it, or it is over."""
        now = self._now()
        then = replace(treatment, step=step, step_at=now, tries=tries, try_at=now + (wait or self._lease))
        values = {"step": step, "step_at": now, "tries": tries, "try_at": then.try_at}
        return then if await self._change(tx, treatment, **values) else None

    async def put_off(self, treatment: Treatment, wait: timedelta, *, tried: bool = False) -> None:
        """Go on with the same step later; `tried`: it was in vain, and that counts."""
        async with self._database.begin(NOBODY) as tx:
            await self._change(tx, treatment, try_at=self._now() + wait, tries=treatment.tries + tried)

    async def lower(self, torrent_id: int, completed_bytes: int) -> None:
        """No more than these bytes are here."""
        fewer = (TreatmentRow.torrent_id == torrent_id, TreatmentRow.least_bytes > completed_bytes)
        async with self._database.begin(NOBODY) as tx:
            await tx.execute(update(TreatmentRow).where(*fewer).values(least_bytes=completed_bytes))

    async def leave(self, tx: Tx, torrent_id: int, wait: timedelta) -> None:
        """Leave a torrent alone for so long, if it is treated."""
        values = {"step": Step.LEFT, "step_at": self._now(), "try_at": self._now() + wait}
        await tx.execute(update(TreatmentRow).where(TreatmentRow.torrent_id == torrent_id).values(values))

    async def end(self, tx: Tx, treatment: Treatment) -> bool:
        """Nothing more is done; False when it was over before, or somebody goes on with it."""
        its = (TreatmentRow.torrent_id == treatment.torrent_id, TreatmentRow.try_at == treatment.try_at)
        return await tx.scalar(delete(TreatmentRow).where(*its).returning(TreatmentRow.torrent_id)) is not None

    async def people(self, ids: Collection[UserId]) -> tuple[User, ...]:
        """The users with these ids that something can be done for: not those who are disabled."""
        async with self._database.begin(SYSTEM) as tx:
            able = set(await tx.scalars(enabled()))
            known = await people(tx, ids)
        return tuple(user for user_id, user in known.items() if user_id in able)

    @staticmethod
    async def _change(tx: Tx, treatment: Treatment, **values: object) -> bool:
        seen = (TreatmentRow.step == treatment.step, TreatmentRow.try_at == treatment.try_at)
        its = update(TreatmentRow).where(TreatmentRow.torrent_id == treatment.torrent_id, *seen)
        return await tx.scalar(its.values(values).returning(TreatmentRow.torrent_id)) is not None


def _treatment(row: TreatmentRow) -> Treatment:
    return Treatment(row.torrent_id, Step(row.step), row.step_at, row.tries, row.try_at, row.least_bytes)

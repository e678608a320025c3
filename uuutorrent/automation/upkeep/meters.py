"""A few figures that must outlive the daemon: the owner of the table `meters`.

Whoever writes one says what it was before, so that of two daemons only one does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError

from uuutorrent.store.database import NOBODY, Database, Tx
from uuutorrent.store.tables import MeterRow


@dataclass(frozen=True, slots=True)
class Meter:
    """A figure and when it was written."""

    value: int
    at: datetime


class Meters:
    """The figures, by name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, name: str) -> Meter | None:
        """A figure; None: it was never written, or dropped."""
        async with self._database.begin(NOBODY) as tx:
            row = await tx.get(MeterRow, name)
            return Meter(row.value, row.at) if row else None

    async def write(self, name: str, value: int, at: datetime, *, before: Meter | None) -> bool:
        """Write a figure in place of what it was; False when somebody else did first."""
        async with self._database.begin(NOBODY) as tx:
            return await self.within(tx, name, value, at, before=before)

    async def within(self, tx: Tx, name: str, value: int, at: datetime, *, before: Meter | None) -> bool:
        """The same inside the caller's transaction."""
        if before is not None:
            mine = (MeterRow.name == name, MeterRow.at == before.at, MeterRow.value == before.value)
            new = update(MeterRow).where(*mine).values(value=value, at=at).returning(MeterRow.name)
            return await tx.scalar(new) is not None
        try:
            async with tx.begin_nested():
                tx.add(MeterRow(name=name, value=value, at=at))
        except IntegrityError:
            return False
        return True

    async def drop(self, name: str, before: Meter) -> bool:
        """Forget a figure; False when it is another by now."""
        mine = (MeterRow.name == name, MeterRow.at == before.at, MeterRow.value == before.value)
        async with self._database.begin(NOBODY) as tx:
            return await tx.scalar(delete(MeterRow).where(*mine).returning(MeterRow.name)) is not None

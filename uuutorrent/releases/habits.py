"""How groups number an anime, learnt from releases that could be read in one way only. The owner of `habits`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from uuutorrent.anime.anime import MediaId
from uuutorrent.releases.release import Habit
from uuutorrent.store.database import NOBODY, Database
from uuutorrent.store.tables import HabitRow

LONGEST_GROUP = 255
MOST_GROUPS = 200
"""Groups that are remembered of one anime: names come from strangers, and a show has some dozens."""


class Habits:
    """What every group did before, by anime; the same for everybody."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, media_id: MediaId) -> tuple[Habit, ...]:
        """What is known of an anime, by group."""
        wanted = select(HabitRow).where(HabitRow.media_id == media_id).order_by(HabitRow.group)
        async with self._database.begin(NOBODY) as tx:
            return tuple(Habit(row.group, row.offset, row.title) for row in await tx.scalars(wanted))

    async def learn(self, media_id: MediaId, seen: Iterable[Habit]) -> None:
        """Remember what releases showed; a later reading replaces what was known of the group."""
        latest = {one.group.lower(): one for one in seen if 0 < len(one.group.lower()) <= LONGEST_GROUP}
        if not latest:
            return
        try:
            await self._write(media_id, latest)
        except IntegrityError:
            # Somebody else learnt of the same group at this moment: theirs is there now, to be replaced.
            await self._write(media_id, latest)

    async def _write(self, media_id: MediaId, latest: dict[str, Habit]) -> None:
        async with self._database.begin(NOBODY) as tx:
            wanted = select(HabitRow).where(HabitRow.media_id == media_id).order_by(HabitRow.group)
            known = {row.group: row for row in await tx.scalars(wanted.with_for_update())}
            for group in sorted(latest):
                row = known.get(group)
                if row is None and len(known) >= MOST_GROUPS:
                    continue
                if row is None:
                    row = known[group] = HabitRow(media_id=media_id, group=group)
                    tx.add(row)
                if row.offset != latest[group].offset:
                    row.offset, row.title, row.learnt_at = latest[group].offset, latest[group].title, datetime.now(UTC)

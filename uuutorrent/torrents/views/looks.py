"""When people last looked at what is new among their files: the table `looks`.

A look begins with listing `/new` and goes on as long as that is listed again within an hour, but not longer than a day:
a program that lists it every few minutes must see something come to an end as well. What had come before the look
before the present one is not new any more.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from uuutorrent.accounts import User, hold
from uuutorrent.store.database import Database
from uuutorrent.store.tables import LookRow
from uuutorrent.torrents.views.tree import NEVER

PAUSE = timedelta(hours=1)
"""Whoever comes back later than this looks anew."""
LONGEST = timedelta(days=1)
NOTED_EVERY = timedelta(minutes=5)
"""How exactly it is remembered when somebody looked."""


class Looks:
    """The owner of the table `looks`."""

    def __init__(self, database: Database, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._now = now

    async def since(self, user: User) -> datetime:
        """What this user got after this moment is new to them."""
        async with self._database.begin(user.id) as tx:
            row = await tx.get(LookRow, user.id)
            return NEVER if row is None else row.since

    async def look(self, user: User) -> bool:
        """The user lists what is new; True: a look begins, so that something else is new now.

        Raises:
            Refused: the user is gone or disabled.
        """
        now = self._now()
        async with self._database.begin(user.id) as tx:
            row = await tx.get(LookRow, user.id)
            if row is not None and now - row.seen_at < NOTED_EVERY and now - row.began_at < LONGEST:
                return False
            await hold(tx, user)
            row = await tx.get(LookRow, user.id, populate_existing=True)
            if row is None:
                tx.add(LookRow(user_id=user.id, since=NEVER, began_at=now, seen_at=now))
                return False
            begins = now - row.seen_at > PAUSE or now - row.began_at > LONGEST
            if begins:
                row.since, row.began_at = row.began_at, now
            row.seen_at = now
        return begins

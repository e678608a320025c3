"""The last good answer for each user's list, on disk: what is shown while AniList is away, even after a restart."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import delete, select

from uuutorrent.accounts import User, hold
from uuutorrent.anime.anime import MediaId, WatchEntry, WatchStatus
from uuutorrent.store.database import Database
from uuutorrent.store.tables import LastListRow

_ENTRIES: Final = TypeAdapter(tuple[WatchEntry, ...])


@dataclass(frozen=True, slots=True)
class LastList:
    """The entries of one status, and when they were fetched."""

    entries: tuple[WatchEntry, ...]
    fetched_at: datetime


class LastLists:
    """The last lists of all users, each user's by status."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, user: User, lists: Mapping[WatchStatus, LastList]) -> None:
        """Remember these instead of what was remembered for their statuses."""
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            for status, last in lists.items():
                row = LastListRow(
                    user_id=user.id, status=status.value, fetched_at=last.fetched_at, answer=_dump(last.entries)
                )
                await tx.merge(row)

    async def recall(self, user: User, statuses: Collection[WatchStatus]) -> dict[WatchStatus, LastList]:
        """What is remembered for these statuses, without what another version wrote and this one cannot read."""
        async with self._database.begin(user.id) as tx:
            rows = await tx.scalars(select(LastListRow).where(*_of(user, statuses)))
            found = [(WatchStatus(row.status), row.answer, row.fetched_at) for row in rows]
        lists = ((status, _load(answer), fetched_at) for status, answer, fetched_at in found)
        return {status: LastList(entries, at) for status, entries, at in lists if entries is not None}

    async def amend(
        self, user: User, media_id: MediaId, entry: WatchEntry | None, statuses: Collection[WatchStatus]
    ) -> None:
        """After a change of one entry (None: it is off the list), bring the lists of these statuses up to it."""
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            for row in await tx.scalars(select(LastListRow).where(*_of(user, statuses))):
                kept = [item for item in row.answer if item.get("anime", {}).get("media_id") != media_id]
                is_new = entry is not None and entry.status == row.status
                row.answer = (_dump((entry,)) if entry is not None and is_new else []) + kept

    async def forget(self, user: User) -> None:
        """Forget every list of the user."""
        async with self._database.begin(user.id) as tx:
            await tx.execute(delete(LastListRow).where(LastListRow.user_id == user.id))


def _of(user: User, statuses: Collection[WatchStatus]) -> tuple[Any, ...]:
    return LastListRow.user_id == user.id, LastListRow.status.in_([status.value for status in statuses])


def _dump(entries: tuple[WatchEntry, ...]) -> list[dict[str, Any]]:
    dumped: list[dict[str, Any]] = _ENTRIES.dump_python(entries, mode="json")
    return dumped


def _load(answer: list[dict[str, Any]]) -> tuple[WatchEntry, ...] | None:
    try:
        return _ENTRIES.validate_python(answer)
    except ValidationError:
        return None

"""Local watchlists: what a user without an AniList account watches, kept here over AniList's public data."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import delete, func, select

from uuutorrent.accounts import User, UserId, hold
from uuutorrent.anime.anilist import AniList, newest_first
from uuutorrent.anime.anime import Anime, MediaId, WatchEntry, Watchlist, WatchStatus
from uuutorrent.anime.lastlists import LastList, LastLists
from uuutorrent.errors import Missing, Refused, RemoteError
from uuutorrent.remote import Fresh
from uuutorrent.store.database import Database
from uuutorrent.store.tables import EntryRow

LONGEST_LIST = 5000
REMEMBER_EVERY_S = 600
"""How often the shows of an unchanged list are written down for times without AniList."""


class LocalLists:
    """The local lists of all users. Their entries are never stale; the shows' titles and airing times may be."""

    def __init__(self, database: Database, anilist: AniList, last: LastLists) -> None:
        self._database = database
        self._anilist = anilist
        self._last = last
        self._remembered: Fresh[tuple[UserId, WatchStatus, tuple[MediaId, ...]], None] = Fresh("last list")

    async def entries(self, user: User, statuses: Collection[WatchStatus], *, refresh: bool) -> Watchlist:
        """The user's entries with these statuses, newest activity first.

        Raises:
            RemoteError: AniList is away and none of the shows is known.
        """
        async with self._database.begin(user.id) as tx:
            wanted = (EntryRow.user_id == user.id, EntryRow.status.in_([status.value for status in statuses]))
            rows = (await tx.scalars(select(EntryRow).where(*wanted))).all()
        ids, stale = [MediaId(row.media_id) for row in rows], ""
        try:
            shows = await self._anilist.media(ids)
        except RemoteError as e:
            shows = await self._known(user, ids)
            if not shows:
                raise
            stale = f"{e.message}. Episodes that aired meanwhile may be missing here."
        entries = newest_first(_entry(row, shows) for row in rows)
        if not stale:
            await self._remember(user, statuses, entries)
        return Watchlist(entries, "local", datetime.now(UTC), stale)

    async def entry(self, user: User, media_id: MediaId) -> WatchEntry | None:
        """One entry; None when the show is not on the list."""
        async with self._database.begin(user.id) as tx:
            row = await tx.get(EntryRow, (user.id, media_id))
        return None if row is None else _entry(row, await self._show(user, media_id))

    async def seen(self, user: User, media_id: MediaId) -> int | None:
        """Episodes seen; None when the show is not on the list."""
        async with self._database.begin(user.id) as tx:
            row = await tx.get(EntryRow, (user.id, media_id))
        return None if row is None else row.progress

    async def last(self, user: User) -> tuple[WatchEntry, ...]:
        """Every entry, with what is known of its show."""
        async with self._database.begin(user.id) as tx:
            rows = (await tx.scalars(select(EntryRow).where(EntryRow.user_id == user.id))).all()
        shows = await self._known(user, [MediaId(row.media_id) for row in rows])
        return tuple(_entry(row, shows) for row in rows)

    async def save(
        self, user: User, media_id: MediaId, *, status: WatchStatus | None = None, progress: int | None = None
    ) -> WatchEntry:
        """Write an entry; what is None stays as it is. A show that is not on the list comes onto it.

        Raises:
            Refused: the list is full.
        """
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            row = await tx.get(EntryRow, (user.id, media_id))
            if row is None:
                mine = select(func.count()).select_from(EntryRow).where(EntryRow.user_id == user.id)
                if (await tx.scalar(mine) or 0) >= LONGEST_LIST:
                    raise Refused(f"your list is full ({LONGEST_LIST} shows); remove some first")
                row = EntryRow(user_id=user.id, media_id=media_id, status=WatchStatus.PLANNING.value, progress=0)
                tx.add(row)
            row.status = row.status if status is None else status.value
            row.progress = row.progress if progress is None else progress
            row.updated_at = datetime.now(UTC)
        return _entry(row, await self._show(user, media_id))

    async def remove(self, user: User, media_id: MediaId) -> None:
        """Take a show off the list.

        Raises:
            Missing: it is not on it.
        """
        gone = delete(EntryRow).where(EntryRow.user_id == user.id, EntryRow.media_id == media_id)
        async with self._database.begin(user.id) as tx:
            if (await tx.scalar(gone.returning(EntryRow.media_id))) is None:
                raise Missing("this show is not on your list")

    def forget(self, user: User) -> None:
        """What was written down of the user's list for times without AniList is gone: write it down again."""
        self._remembered.forget_where(lambda key: key[0] == user.id)

    async def _show(self, user: User, media_id: MediaId) -> Mapping[MediaId, Anime]:
        # One's own progress can be kept while AniList is away, if need be without the title.
        try:
            return await self._anilist.media([media_id])
        except RemoteError:
            return await self._known(user, [media_id])

    async def _known(self, user: User, ids: Sequence[MediaId]) -> Mapping[MediaId, Anime]:
        shows = {media_id: anime for media_id in ids if (anime := self._anilist.known(media_id)) is not None}
        if len(shows) < len(ids):
            lists = await self._last.recall(user, tuple(WatchStatus))
            remembered = {entry.anime.media_id: entry.anime for last in lists.values() for entry in last.entries}
            shows = {media_id: remembered[media_id] for media_id in ids if media_id in remembered} | shows
        return shows

    async def _remember(self, user: User, statuses: Iterable[WatchStatus], entries: Sequence[WatchEntry]) -> None:
        now = datetime.now(UTC)
        for status in statuses:
            these = tuple(entry for entry in entries if entry.status is status)
            key = (user.id, status, tuple(entry.anime.media_id for entry in these))
            keep = partial(self._last.keep, user, {status: LastList(these, now)})
            await self._remembered.get(key, REMEMBER_EVERY_S, keep)


def _entry(row: EntryRow, shows: Mapping[MediaId, Anime]) -> WatchEntry:
    media_id = MediaId(row.media_id)
    anime = shows.get(media_id) or Anime(media_id, romaji="", english="", native="", preferred="")
    return WatchEntry(anime, WatchStatus(row.status), row.progress, row.updated_at)

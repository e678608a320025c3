"""Linked watchlists: kept at AniList; here they are fresh for a minute, and the last good answer after that."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from uuutorrent.accounts import User, UserId
from uuutorrent.anime.anilist import FRESH_S, AniList, BadToken, newest_first
from uuutorrent.anime.anime import MediaId, WatchEntry, Watchlist, WatchStatus
from uuutorrent.anime.lastlists import LastList, LastLists
from uuutorrent.anime.links import Credential, Links
from uuutorrent.errors import Invalid, Missing, RemoteError, UuuError
from uuutorrent.remote import Clock, Fresh

REFRESHED_S = 5.0
"""Somebody who asks for a fresh list gets one no older than this: a key held down is not a question per repeat."""
USERS_KEPT = 256

TROUBLE = (RemoteError, BadToken, Missing, Invalid)
"""What AniList's answer can be instead of a list."""

Lists = dict[WatchStatus, LastList]


@dataclass(slots=True, eq=False)
class _Kept:
    """What is known of one user's list."""

    lists: Lists = field(default_factory=dict)
    asked_at: dict[WatchStatus, float] = field(default_factory=dict)
    changes: int = 0
    """How many changes were made from here: an answer to a question from before one of them is not kept."""


class LinkedLists:
    """The lists at AniList of all users who have a link."""

    def __init__(self, anilist: AniList, links: Links, last: LastLists, *, clock: Clock = time.monotonic) -> None:
        self._anilist = anilist
        self._links = links
        self._last = last
        self._clock = clock
        self._users: OrderedDict[UserId, _Kept] = OrderedDict()
        # Only to share calls: what they bring is kept in `_users`, where a change of one entry can be worked in.
        self._calls: Fresh[tuple[UserId, tuple[WatchStatus, ...]], Lists] = Fresh("AniList list of user", entries=0)
        self._singles: Fresh[tuple[UserId, MediaId], WatchEntry | None] = Fresh(
            "AniList entry of user", entries=1024, clock=clock
        )

    async def entries(self, user: User, statuses: Collection[WatchStatus], *, refresh: bool) -> Watchlist:
        """The user's entries with these statuses, newest activity first; the last good answer while AniList is away.

        Raises:
            RemoteError, BadToken: AniList is away, or refuses, and there is no answer from before.
        """
        kept, stale = self._of(user), ""
        due = self._due(kept, statuses, REFRESHED_S if refresh else FRESH_S)
        lists = {status: kept.lists[status] for status in statuses if status in kept.lists}
        if due:
            try:
                lists |= await self._calls.get((user.id, due), 0, partial(self._fetch, user, due))
            except TROUBLE as e:
                lists = await self._last.recall(user, due) | lists
                if not lists:
                    raise
                stale = _stale(e, lists.values())
                self._anilist.keep_old(entry.anime for last in lists.values() for entry in last.entries)
        fetched_at = min((last.fetched_at for last in lists.values()), default=datetime.now(UTC))
        entries = newest_first(entry for last in lists.values() for entry in last.entries)
        return Watchlist(entries, "anilist", fetched_at, stale)

    async def entry(self, user: User, media_id: MediaId) -> WatchEntry | None:
        """One entry, from the lists if they are fresh; None when the show is not on the list.

        Raises:
            RemoteError, BadToken: AniList is away, or refuses, and the show is not on the lists from before.
        """
        kept = self._of(user)
        fresh = {status: kept.lists[status] for status in kept.lists if not self._due(kept, (status,), FRESH_S)}
        if (entry := _found(fresh.values(), media_id)) is not None:
            return entry
        try:
            return await self._singles.get((user.id, media_id), FRESH_S, partial(self._ask_entry, user, media_id))
        except TROUBLE:
            lists = await self._last.recall(user, tuple(WatchStatus)) | kept.lists
            if (entry := _found(lists.values(), media_id)) is None:
                raise
            self._anilist.keep_old([entry.anime])
            return entry

    async def seen(self, user: User, media_id: MediaId) -> int | None:
        """Episodes seen, from what was asked before; None when that does not tell."""
        single = self._singles.peek((user.id, media_id), FRESH_S)
        entry = single or _found(self._of(user).lists.values(), media_id)
        return None if entry is None else entry.progress

    async def last(self, user: User) -> tuple[WatchEntry, ...]:
        """Every entry as AniList last told it, and as it was changed from here since."""
        lists = await self._last.recall(user, tuple(WatchStatus)) | self._of(user).lists
        return tuple(entry for last in lists.values() for entry in last.entries)

    async def save(
        self, user: User, media_id: MediaId, *, status: WatchStatus | None = None, progress: int | None = None
    ) -> WatchEntry:
        """Write an entry; what is None stays as it is. A show that is not on the list comes onto it.

        Raises:
            RemoteError, BadToken: nothing was written, as far as AniList says.
        """
        credential = await self._links.credential(user)
        try:
            entry = await self._anilist.save(credential.token, media_id, status=status, progress=progress)
        except BadToken:
            await self._links.broke(user, credential)
            raise
        await self._changed(user, media_id, entry)
        return entry

    async def remove(self, user: User, media_id: MediaId) -> None:
        """Take a show off the list.

        Raises:
            Missing: it is not on it.
            RemoteError, BadToken: nothing was removed, as far as AniList says.
        """
        credential = await self._links.credential(user)
        try:
            await self._anilist.delete(credential.token, credential.anilist_id, media_id)
        except BadToken:
            await self._links.broke(user, credential)
            raise
        await self._changed(user, media_id, None)

    async def forget(self, user: User) -> None:
        """Forget what is known of the user's list: they linked or unlinked."""
        self._users.pop(user.id, None)
        self._calls.forget_where(lambda key: key[0] == user.id)
        self._singles.forget_where(lambda key: key[0] == user.id)
        await self._last.forget(user)

    def _of(self, user: User) -> _Kept:
        kept = self._users.setdefault(user.id, _Kept())
        self._users.move_to_end(user.id)
        while len(self._users) > USERS_KEPT:
            self._users.popitem(last=False)
        return kept

    def _due(self, kept: _Kept, statuses: Iterable[WatchStatus], ttl_s: float) -> tuple[WatchStatus, ...]:
        now = self._clock()
        return tuple(sorted(s for s in set(statuses) if s not in kept.asked_at or now - kept.asked_at[s] >= ttl_s))

    async def _fetch(self, user: User, statuses: tuple[WatchStatus, ...]) -> Lists:
        kept = self._of(user)
        changes = kept.changes
        credential = await self._links.credential(user)
        try:
            entries = await self._anilist.collection(credential.token, credential.anilist_id, statuses)
        except BadToken:
            await self._links.broke(user, credential)
            raise
        now = datetime.now(UTC)
        lists = {s: LastList(tuple(entry for entry in entries if entry.status is s), now) for s in statuses}
        if kept.changes == changes and self._users.get(user.id) is kept:
            kept.lists |= lists
            kept.asked_at |= dict.fromkeys(statuses, self._clock())
            await self._last.keep(user, lists)
        return lists

    async def _ask_entry(self, user: User, media_id: MediaId) -> WatchEntry | None:
        credential: Credential = await self._links.credential(user)
        try:
            return await self._anilist.entry(credential.token, credential.anilist_id, media_id)
        except BadToken:
            await self._links.broke(user, credential)
            raise

    async def _changed(self, user: User, media_id: MediaId, entry: WatchEntry | None) -> None:
        """Work a change made from here into what is known, so that it need not be asked for."""
        kept = self._of(user)
        kept.changes += 1
        self._calls.forget_where(lambda key: key[0] == user.id)
        self._singles.put((user.id, media_id), entry)
        before = _found(kept.lists.values(), media_id)
        touched = {e.status for e in (before, entry) if e is not None} if before else set(WatchStatus)
        for status in touched & kept.lists.keys():
            last = kept.lists[status]
            rest = tuple(e for e in last.entries if e.anime.media_id != media_id)
            is_here = entry is not None and entry.status is status
            kept.lists[status] = replace(last, entries=(entry, *rest) if entry is not None and is_here else rest)
        await self._last.amend(user, media_id, entry, touched)


def _found(lists: Iterable[LastList], media_id: MediaId) -> WatchEntry | None:
    return next((entry for last in lists for entry in last.entries if entry.anime.media_id == media_id), None)


def _stale(e: UuuError, lists: Iterable[LastList]) -> str:
    at, now = min(last.fetched_at for last in lists), datetime.now(UTC)
    when = f"{at:%H:%M} UTC" if at.date() == now.date() else f"{at:%d %b %Y, %H:%M} UTC"
    return f"{e.message.rstrip('.')}. This list is from {when}."

"""Watchlists: what a user watches and how far they are, kept at AniList or here, behind the same verbs."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final, Protocol
from urllib.parse import urlencode

from uuutorrent import config as settings
from uuutorrent.accounts import User, UserId
from uuutorrent.anime.anilist import AniList, BadToken
from uuutorrent.anime.anime import Anime, Family, MediaId, WatchEntry, Watchlist, WatchStatus
from uuutorrent.anime.answers import clean
from uuutorrent.anime.family import Families
from uuutorrent.anime.lastlists import LastLists
from uuutorrent.anime.linked import LinkedLists
from uuutorrent.anime.links import Link, Links, tidy_token
from uuutorrent.anime.local import LocalLists
from uuutorrent.errors import Conflict, Invalid, Missing, Refused, RemoteError
from uuutorrent.remote import Clock
from uuutorrent.store.database import Database
from uuutorrent.store.sealed import KeyRing

__all__ = ["BadToken", "FinishesShow", "Link", "Watchlists"]

AUTHORIZE: Final = "https://anilist.co/api/v2/oauth/authorize"
"""Source: AniList docs, implicit grant; with the pin address as redirect it shows the token to copy."""
MOST_EPISODES: Final = 10_000
LONGEST_SEARCH: Final = 200


AHEAD = 10
"""Shows whose families are learnt with one question ahead of need."""


class FinishesShow(Conflict):
    """This progress is the end of the show: ask whether to mark it COMPLETED, and say so with `complete`."""

    def __init__(self, entry: WatchEntry, progress: int) -> None:
        super().__init__(
            f"{entry.anime.title}: episode {progress} is the last; say yes to mark the show COMPLETED, "
            f"or no to leave it {entry.status.value}"
        )
        self.entry = entry
        self.progress = progress


class Lists(Protocol):
    """Where lists are kept: at AniList, or here."""

    async def entries(self, user: User, statuses: Collection[WatchStatus], *, refresh: bool) -> Watchlist:
        """The entries with these statuses, newest activity first."""
        ...

    async def entry(self, user: User, media_id: MediaId) -> WatchEntry | None:
        """One entry; None when the show is not on the list."""
        ...

    async def save(
        self, user: User, media_id: MediaId, *, status: WatchStatus | None = None, progress: int | None = None
    ) -> WatchEntry:
        """Write an entry, new or not; what is None stays as it is."""
        ...

    async def remove(self, user: User, media_id: MediaId) -> None:
        """Take a show off the list."""
        ...

    async def seen(self, user: User, media_id: MediaId) -> int | None:
        """Episodes seen, as far as it is known here; asks nobody."""
        ...

    async def last(self, user: User) -> tuple[WatchEntry, ...]:
        """Every entry as it was last seen; asks nobody."""
        ...


class Watchlists:
    """Everybody's watchlist, and what AniList knows about shows."""

    def __init__(
        self,
        database: Database,
        anilist: AniList,
        keyring: KeyRing,
        config: settings.AniList,
        *,
        clock: Clock = time.monotonic,
    ) -> None:
        self._anilist = anilist
        self._config = config
        self._links = Links(database, keyring)
        last = LastLists(database)
        self._linked = LinkedLists(anilist, self._links, last, clock=clock)
        self._local = LocalLists(database, anilist, last)
        self._families = Families(anilist, clock=clock)
        self._ahead: set[MediaId] = set()

    # The link to AniList

    @property
    def authorize_url(self) -> str:
        """Where a person signs in to AniList and is shown the token to paste here.

        Raises:
            Refused: this server is not known to AniList.
        """
        if not self._config.client_id:
            raise Refused("linking to AniList is not set up here; ask an admin to set anilist.client_id")
        return f"{AUTHORIZE}?{urlencode({'client_id': self._config.client_id, 'response_type': 'token'})}"

    async def link(self, user: User, token: str) -> Link:
        """Keep this user's list at AniList from now on; `token` is as pasted, line breaks and all.

        Raises:
            Invalid: it is not a token, or AniList does not accept it.
            RemoteError: AniList could not be asked; nothing was changed.
        """
        tidy = tidy_token(token)
        try:
            viewer = await self._anilist.viewer(tidy)
        except BadToken as e:
            raise Invalid("AniList does not accept this token; copy it again, all of it", field="token") from e
        link = await self._links.keep(user, viewer, tidy)
        await self._forget_lists(user)
        return link

    async def unlink(self, user: User) -> None:
        """Forget the user's AniList account, token and list; the list kept here is theirs again."""
        await self._links.forget(user)
        await self._forget_lists(user)

    async def link_of(self, user: User) -> Link | None:
        """The user's link, if they have one."""
        return await self._links.of(user)

    async def broken_links(self, since: datetime) -> tuple[tuple[UserId, datetime], ...]:
        """Whose sign-in AniList refused after this moment, and when."""
        return await self._links.broken(since)

    # The list

    async def list(
        self,
        user: User,
        statuses: Collection[WatchStatus] = (WatchStatus.CURRENT,),
        *,
        refresh: bool = False,
        ahead: bool = True,
    ) -> Watchlist:
        """The user's shows with these statuses, newest activity first.

        While AniList is away this is the last good answer, and its `stale` says why and from when. `ahead`: somebody
        looks at it, so that what they may ask for next is learnt before they do.

        Raises:
            RemoteError, BadToken: AniList is away, or refuses, and there never was an answer.
        """
        watchlist = await (await self._lists(user)).entries(user, statuses, refresh=refresh)
        behind = (entry.anime.media_id for entry in watchlist.entries if entry.behind and ahead)
        self._ahead.update(media_id for media_id in behind if not self._families.is_known(media_id))
        return watchlist

    async def look_ahead(self) -> None:
        """Learn the families of a few shows whose next episode somebody who looked at a list may want soon.

        Raises:
            RemoteError: AniList is away.
        """
        some = [self._ahead.pop() for _ in range(min(AHEAD, len(self._ahead)))]
        await self._families.foresee(some)

    async def entry(self, user: User, media_id: MediaId) -> WatchEntry | None:
        """The user's place in a show; None when it is not on their list."""
        return await (await self._lists(user)).entry(user, media_id)

    async def seen(self, user: User, media_id: MediaId) -> int | None:
        """Episodes seen, as far as it is known without asking AniList; None when it is not, or not on the list."""
        return await (await self._lists(user)).seen(user, media_id)

    async def last(self, user: User) -> tuple[WatchEntry, ...]:
        """The user's shows of every status as they were last seen, however long ago; asks nobody."""
        return await (await self._lists(user)).last(user)

    async def set_progress(self, user: User, media_id: MediaId, n: int, *, complete: bool | None = None) -> WatchEntry:
        """Set how many episodes the user has seen. The first one moves a planned show to CURRENT.

        Seeing the last one moves the show to COMPLETED if `complete`, leaves it where it is if not, and asks if None.

        Raises:
            FinishesShow: it is the last one and `complete` is None.
            Invalid: the show has fewer episodes.
            Missing: it is not on the list.
            RemoteError, BadToken: nothing was written.
        """
        lists = await self._lists(user)
        entry = await self._present(lists, user, media_id)
        _check_progress(entry.anime, n)
        if n == entry.anime.episodes and entry.status is not WatchStatus.COMPLETED:
            if complete is None:
                raise FinishesShow(entry, n)
            status = WatchStatus.COMPLETED if complete else entry.status
        else:
            status = WatchStatus.CURRENT if entry.status is WatchStatus.PLANNING and n > 0 else entry.status
        return await lists.save(user, media_id, status=status, progress=n)

    async def set_status(self, user: User, media_id: MediaId, status: WatchStatus) -> WatchEntry:
        """Move a show to another part of the list. Completing it counts all its episodes as seen.

        Raises:
            Missing: it is not on the list.
            RemoteError, BadToken: nothing was written.
        """
        lists = await self._lists(user)
        entry = await self._present(lists, user, media_id)
        progress = entry.anime.episodes if status is WatchStatus.COMPLETED else None
        return await lists.save(user, media_id, status=status, progress=progress)

    async def add(self, user: User, media_id: MediaId, status: WatchStatus = WatchStatus.PLANNING) -> WatchEntry:
        """Put a show on the list.

        Raises:
            Conflict: it is there already.
            Missing: AniList has no such show.
            RemoteError, BadToken: nothing was written.
        """
        lists = await self._lists(user)
        if (entry := await lists.entry(user, media_id)) is not None:
            raise Conflict(f"{entry.anime.title} is on your list already ({entry.status.value})")
        anime = await self.anime(media_id)
        progress = anime.episodes if status is WatchStatus.COMPLETED else None
        return await lists.save(user, media_id, status=status, progress=progress)

    async def remove(self, user: User, media_id: MediaId) -> None:
        """Take a show off the list.

        Raises:
            Missing: it is not on it.
            RemoteError, BadToken: nothing was removed.
        """
        await (await self._lists(user)).remove(user, media_id)

    # Shows

    async def search(self, user: User, text: str) -> tuple[Anime, ...]:
        """Shows whose titles fit, best first; the same for everybody.

        Raises:
            Invalid: there is nothing to look for.
        """
        wanted = clean(text)[:LONGEST_SEARCH]
        if not wanted:
            raise Invalid("say what to look for", field="title")
        return await self._anilist.search(wanted)

    async def anime(self, media_id: MediaId) -> Anime:
        """A show, fresh to the minute while it airs; as last seen while AniList is away.

        Raises:
            Missing: AniList has no such show.
        """
        try:
            shows = await self._anilist.media([media_id])
        except RemoteError:
            if (known := self._anilist.known(media_id)) is None:
                raise
            return known
        if media_id not in shows:
            raise Missing(f"AniList knows no anime {media_id}")
        return shows[media_id]

    def known(self, media_id: MediaId) -> Anime | None:
        """A show as it was last seen here, however long ago; asks nobody."""
        return self._anilist.known(media_id)

    async def shows(self, ids: Collection[MediaId]) -> Mapping[MediaId, Anime]:
        """Several shows, as far as AniList knows them; one question for 50.

        Raises:
            RemoteError: AniList is away, and some of them are not known.
        """
        return await self._anilist.media(ids)

    async def family(self, media_id: MediaId, *, fresh: bool = True) -> Family:
        """A show among its prequels, sequels and siblings. Not `fresh`: nobody is asked about a known one.

        Raises:
            Missing: AniList has no such show.
            RemoteError: AniList is away and the prequels are not known.
        """
        known = None if fresh else self._families.known(media_id)
        return known or await self._families.of(media_id)

    async def _lists(self, user: User) -> Lists:
        return self._local if await self._links.of(user) is None else self._linked

    async def _forget_lists(self, user: User) -> None:
        self._local.forget(user)
        await self._linked.forget(user)

    @staticmethod
    async def _present(lists: Lists, user: User, media_id: MediaId) -> WatchEntry:
        if (entry := await lists.entry(user, media_id)) is None:
            raise Missing("this show is not on your list; add it first")
        return entry


def _check_progress(anime: Anime, n: int) -> None:
    most = MOST_EPISODES if anime.episodes is None else anime.episodes
    if n < 0:
        raise Invalid("progress counts episodes from 0", field="n")
    if n > most:
        raise Invalid(f"{anime.title} has {most} episodes, so {n} cannot be seen", field="n")

"""How the folders of shows are called: the table `show_names`.

A name is written down when it is first needed and stays: were it asked for anew, a title that AniList changes, or
AniList being away, would rename files that people have copied.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from uuutorrent.accounts import User
from uuutorrent.anime.anime import Anime, MediaId
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.errors import RemoteError
from uuutorrent.remote import Clock
from uuutorrent.store.database import NOBODY, Database
from uuutorrent.store.tables import ShowNameRow

PATIENCE_S = 3.0
"""How long a listing waits for AniList to tell a title."""
AGAIN_S = 60.0
"""After that it is not asked for so long."""
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ShowName:
    """A show as its folder is called."""

    title: str
    is_film: bool


class ShowNames:
    """The owner of the table `show_names`."""

    def __init__(self, database: Database, watchlists: Watchlists, *, clock: Clock = time.monotonic) -> None:
        self._database = database
        self._watchlists = watchlists
        self._clock = clock
        self._known: dict[MediaId, ShowName] = {}
        self._not_before = -AGAIN_S

    async def of(self, user: User, ids: Collection[MediaId]) -> Mapping[MediaId, ShowName]:
        """The names of these shows of a user's, without those that nobody can tell now."""
        missing = {media_id for media_id in ids if media_id not in self._known}
        if missing:
            await self._read(missing)
            missing -= self._known.keys()
        if missing:
            last = [entry.anime for entry in await self._watchlists.last(user)]
            told = {anime.media_id: anime for anime in last if anime.media_id in missing}
            await self._keep({**told, **await self._ask(missing - told.keys())})
        return {media_id: self._known[media_id] for media_id in ids if media_id in self._known}

    async def _read(self, ids: Collection[MediaId]) -> None:
        every = sorted(ids)
        async with self._database.begin(NOBODY) as tx:
            for start in range(0, len(every), AT_ONCE):
                some = ShowNameRow.media_id.in_(every[start : start + AT_ONCE])
                for row in await tx.scalars(select(ShowNameRow).where(some)):
                    self._known[MediaId(row.media_id)] = ShowName(row.title, row.is_film)

    async def _ask(self, ids: Collection[MediaId]) -> Mapping[MediaId, Anime]:
        found = {media_id: anime for media_id in ids if (anime := self._watchlists.known(media_id)) is not None}
        left = set(ids) - found.keys()
        if left and self._clock() >= self._not_before:
            with suppress(RemoteError, TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    found |= await self._watchlists.shows(left)
            if left - found.keys():
                self._not_before = self._clock() + AGAIN_S
        return found

    async def _keep(self, shows: Mapping[MediaId, Anime]) -> None:
        for media_id, anime in shows.items():
            title = anime.romaji or anime.english or anime.native
            if not title:
                continue
            # Another daemon may have written it down meanwhile, and what is written stays.
            with suppress(IntegrityError):
                async with self._database.begin(NOBODY) as tx:
                    tx.add(ShowNameRow(media_id=media_id, title=title, is_film=anime.format == "MOVIE"))
        await self._read(shows.keys())

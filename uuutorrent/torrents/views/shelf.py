"""Rooms that show episodes rather than torrents: `/anime`, `/new` and `/unwatched`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from uuutorrent.accounts import User
from uuutorrent.anime.anime import WatchEntry, WatchStatus
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.errors import UuuError
from uuutorrent.releases.names import Reader
from uuutorrent.torrents.holdings import Finished
from uuutorrent.torrents.views.episodes import Shown, place, shows, tags
from uuutorrent.torrents.views.looks import Looks
from uuutorrent.torrents.views.room import Room
from uuutorrent.torrents.views.shownames import ShowNames
from uuutorrent.torrents.views.telling import Telling
from uuutorrent.torrents.views.tree import Folder, Leaf, tree

SOON_S = 10.0
"""How long a folder is right that depends on what AniList told last."""
PATIENCE_S = 3.0
"""How long a listing waits for a list that was never seen."""
LATE = timedelta(seconds=30)
"""So long before a look something may have been complete that it has not shown yet, by the engine's clock."""
MOST_KEPT = 50_000
_SEEN = (WatchStatus.COMPLETED, WatchStatus.DROPPED)


class Shelf:
    """What each user's files are, and how they are to be shown."""

    def __init__(self, telling: Telling, names: ShowNames) -> None:
        self._telling = telling
        self._names = names
        self._reader = Reader()
        self._tags: dict[tuple[str, str], str] = {}

    async def of(self, user: User, finished: Sequence[Finished]) -> tuple[tuple[Shown, ...], float]:
        """Every episode among these, the oldest claim first; and for how many seconds that is all there is."""
        told, fresh_s = await self._telling.of(user, finished)
        ids = {one.media_id for every in told.values() for one in every}
        names = await self._names.of(user, ids)
        found = await asyncio.to_thread(
            lambda: tuple(
                Shown(
                    names[what.media_id], what, one.folder, one.infohash[:6], one.at,
                    self._tags_of(one.whole[what.video], one.name),
                    one.whole[what.video], tuple(one.whole[index] for index in what.subtitles),
                )
                for at, one in enumerate(finished)
                for what in told.get(at, ())
                if what.media_id in names
            )
        )  # fmt: skip
        return found, fresh_s if names.keys() >= ids else min(fresh_s, SOON_S)

    def _tags_of(self, path: str, torrent: str) -> str:
        key = path, torrent
        if key not in self._tags:
            while len(self._tags) >= MOST_KEPT:
                del self._tags[next(iter(self._tags))]
            self._tags[key] = tags(path, torrent, self._reader)
        return self._tags[key]


class Shows(Room):
    """`/anime`: a folder for each show, as media servers want it."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def folder(self, user: User, finished: Sequence[Finished]) -> tuple[Folder, float]:
        """Every episode that is whole, and can be told."""
        every, fresh_s = await self._shelf.of(user, finished)
        return await asyncio.to_thread(shows, every), fresh_s


class Unwatched(Room):
    """`/unwatched`: the episodes that are above one's progress, by the list as it was last seen."""

    def __init__(self, shelf: Shelf, watchlists: Watchlists) -> None:
        self._shelf = shelf
        self._watchlists = watchlists

    async def folder(self, user: User, finished: Sequence[Finished]) -> tuple[Folder, float]:
        """Those of shows that are on the list, and neither completed nor dropped."""
        last = await self._watchlists.last(user) or await self._first(user)
        progress = {entry.anime.media_id: entry.progress for entry in last if entry.status not in _SEEN}
        folder, (every, _) = Folder(), await self._shelf.of(user, finished)
        for shown in every:
            seen = progress.get(shown.told.media_id)
            if seen is not None and max(shown.told.episodes) > seen:
                place(folder, shown)
        return folder, SOON_S

    async def _first(self, user: User) -> Sequence[WatchEntry]:
        """The list of somebody whose list nobody looked at yet."""
        with suppress(UuuError, TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                return (await self._watchlists.list(user, ahead=False)).entries
        return ()


class New(Room):
    """`/new`: what came since one last looked here."""

    def __init__(self, shelf: Shelf, looks: Looks) -> None:
        self._shelf = shelf
        self._looks = looks

    async def entered(self, user: User) -> bool:
        """Looking here is what counts as looking."""
        return await self._looks.look(user)

    async def folder(self, user: User, finished: Sequence[Finished]) -> tuple[Folder, float]:
        """Episodes by their names; what is none by the name of its torrent."""
        since = await self._looks.since(user)
        new = [one for one in finished if one.completed_at is None or one.at > since - LATE]
        folder, (every, fresh_s) = Folder(), await self._shelf.of(user, new)
        for shown in every:
            place(folder, shown)
        told = {shown.folder for shown in every}
        for one in new:
            whole = {index: Leaf(f"{one.folder}/{path}") for index, path in one.whole.items()}
            if whole and one.folder not in told:
                folder.folders[folder.names.give(one.name, one.infohash[:6])] = tree(one.folder, whole)
                folder.touch(one.at)
        return folder, fresh_s

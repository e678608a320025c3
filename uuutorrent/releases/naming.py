"""Which episode of which show files are, by their names, where their torrent was added without saying so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from uuutorrent.accounts import User
from uuutorrent.anime.anime import Anime, MediaId
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.releases.release import Release
from uuutorrent.releases.search import Releases
from uuutorrent.releases.titles import without_season
from uuutorrent.releases.words import key, words

MOST_SHOWS = 3
"""Shows with such a name that are looked at closely: a show and its seasons."""
SHORTEST = 4
"""Letters of a title that a name is searched for; "K" is in every name."""


Shows = Mapping[MediaId, tuple[str, ...]]
"""The keys of shows' titles."""


class Naming:
    """Reads names in the light of what a user watches just now."""

    def __init__(self, releases: Releases, watchlists: Watchlists) -> None:
        self._releases = releases
        self._watchlists = watchlists

    async def tell(self, user: User, name: str, size_bytes: int) -> tuple[MediaId, int] | None:
        """The show and the episode, if exactly one of the user's current shows can be meant.

        Raises:
            RemoteError, Refused: their list cannot be read.
        """
        current = (entry.anime for entry in (await self._watchlists.list(user)).entries)
        found = []
        for anime in _named(name, current)[:MOST_SHOWS]:
            best = await self._releases.best_of(user, anime.media_id, [_post(name, size_bytes)])
            found += [(anime.media_id, episode) for episode in best]
        return found[0] if len(found) == 1 else None

    async def shows(self, user: User) -> Shows:
        """What names can be told by: the user's list as it was last seen, of every status. Asks nobody."""
        last = await self._watchlists.last(user)
        return await asyncio.to_thread(lambda: {entry.anime.media_id: _keys(entry.anime) for entry in last})

    async def tell_files(
        self, user: User, shows: Shows, name: str, files: Mapping[int, str], media_id: MediaId | None = None
    ) -> tuple[MediaId, Mapping[int, tuple[int, ...]]] | None:
        """The show, and which of a torrent's files are which episode of it, if exactly one show can be meant.

        `files` are paths by place; `shows` are looked through where there is no `media_id`.

        Raises:
            RemoteError, Missing: nobody tells what the show is.
        """
        said = _key(f"{name} {next(iter(files.values()), '')}")
        meant = [media_id] if media_id else [show for show, keys in shows.items() if any(one in said for one in keys)]
        found = [
            (show, told)
            for show in meant[:MOST_SHOWS]
            if (told := await self._releases.told_apart(user, show, name, files))
        ]
        return found[0] if len(found) == 1 else None


def _named(name: str, shows: Iterable[Anime]) -> tuple[Anime, ...]:
    """Those of the shows whose title is somewhere in the name."""
    said = _key(name)
    return tuple(anime for anime in shows if any(one in said for one in _keys(anime)))


def _keys(anime: Anime) -> tuple[str, ...]:
    """What is looked for in a name."""
    return tuple(short for short in map(_key, map(without_season, anime.titles)) if len(short) >= SHORTEST)


def _key(text: str) -> str:
    return key(word.text for word in words(text))


def _post(name: str, size_bytes: int) -> Release:
    """A file as if it were a post on the index."""
    return Release(
        title=name, infohash="", link="", page="", size_bytes=size_bytes, seeders=1, leechers=0, downloads=0,
        category="", trusted=False, remake=False, posted_at=None,
    )  # fmt: skip

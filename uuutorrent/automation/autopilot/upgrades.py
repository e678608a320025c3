"""Corrected versions: when the group of an episode posts a later version, it takes the place of the earlier one."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from uuutorrent.accounts import User, UserId
from uuutorrent.anime.anime import MediaId
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.automation.autopilot.pursuits import Pursuits
from uuutorrent.automation.health.replacing import Replacing
from uuutorrent.automation.inbox.uses import Uses
from uuutorrent.automation.preferences import PreferenceBook
from uuutorrent.errors import UuuError
from uuutorrent.releases.names import Reader
from uuutorrent.releases.release import SURE, Match, Ranked, Release
from uuutorrent.releases.search import Releases
from uuutorrent.torrents.holdings import Holding
from uuutorrent.torrents.library import Library

log = structlog.get_logger()

FOR = timedelta(days=14)
"""So long after an episode was fetched a later version of it is taken."""
_LATER = re.compile(r"v[2-9]", re.IGNORECASE)
"""What a later version says somewhere; most posts are ruled out by it."""


class Upgrades:
    """Looks for later versions of what people fetched lately among the newest posts."""

    def __init__(
        self,
        watchlists: Watchlists,
        releases: Releases,
        library: Library,
        preferences: PreferenceBook,
        pursuits: Pursuits,
        replacing: Replacing,
        uses: Uses,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._watchlists = watchlists
        self._releases = releases
        self._library = library
        self._preferences = preferences
        self._pursuits = pursuits
        self._replacing = replacing
        self._uses = uses
        self._now = now

    async def spot(self, people: Mapping[UserId, User], posts: Sequence[Release]) -> None:
        """Write down what is to be replaced by one of these posts; nothing, for whoever does not want that."""
        later = tuple(post for post in posts if _LATER.search(post.title))
        shows: dict[MediaId, tuple[Release, ...]] = {}
        for user in people.values() if later else ():
            if not (await self._preferences.of(user)).upgrades:
                continue
            async for holding, media_id, episode in self._recent(user):
                try:
                    if media_id not in shows:
                        shows[media_id] = await self._releases.of_show(media_id, later)
                    await self._begin(user, holding, media_id, episode, shows[media_id])
                except UuuError as e:
                    log.info("autopilot: a show cannot be matched", media_id=media_id, why=e.message)

    async def _begin(
        self, user: User, holding: Holding, media_id: MediaId, episode: int, posts: Sequence[Release]
    ) -> None:
        """Be after the later version of something, if it is among these posts."""
        if not posts or await self._replacing.was_undone(user, holding.infohash):
            return
        ranked = await self._releases.judged(user, media_id, episode, posts)
        better = next((one for one in ranked if one.first == episode and is_later(one, holding.name)), None)
        if better is not None:
            its = better.release
            await self._pursuits.begin_upgrade(
                user, media_id, episode, holding.infohash, its.infohash, its.title, self._now()
            )

    async def _recent(self, user: User) -> AsyncIterator[tuple[Holding, MediaId, int]]:
        """The single episodes that somebody got lately and has neither seen nor fetched from here."""
        holdings = [one for one in await self._library.holdings(user) if one.added_at >= self._now() - FOR]
        served = {one.infohash for one in await self._uses.served(user)} if holdings else set()
        for one in holdings:
            if one.media_id is None or one.episode is None or one.is_part or one.infohash in served:
                continue
            seen = await self._watchlists.seen(user, MediaId(one.media_id))
            same = [other for other in holdings if (other.media_id, other.episode) == (one.media_id, one.episode)]
            if len(same) == 1 and (seen is None or seen < one.episode):
                yield one, MediaId(one.media_id), one.episode


def is_later(one: Ranked, name: str) -> bool:
    """Whether a release is surely a later version of the one with this name: of its group, as large a picture."""
    mine, its = Reader().read(name), one.name
    if one.verdict is not Match.MATCH or one.confidence < SURE or one.is_batch or not mine.group:
        return False
    is_same = (its.group.lower(), its.resolution) == (mine.group.lower(), mine.resolution)
    return is_same and its.version > mine.version

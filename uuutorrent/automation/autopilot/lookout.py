"""The lookout: one page of the index's newest posts, shared by all, tells which awaited episodes to search for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import structlog

from uuutorrent.accounts import User, UserId
from uuutorrent.anime.anime import MediaId
from uuutorrent.automation.autopilot.pursuit import Pursuit
from uuutorrent.errors import UuuError
from uuutorrent.releases import ranking
from uuutorrent.releases.release import Release
from uuutorrent.releases.search import Releases
from uuutorrent.remote import Clock

log = structlog.get_logger()

PAGE_EVERY_S = 590.0
"""The newest posts are asked for no more often, whoever waits for whatever."""
TICK_S = 0.001


class Lookout:
    """Looks for awaited episodes among the newest posts."""

    def __init__(self, releases: Releases, *, clock: Clock) -> None:
        self._releases = releases
        self._clock = clock
        self._seen: tuple[Release, ...] = ()
        self._seen_at = float("-inf")

    @property
    def age_s(self) -> float:
        """How long ago the newest posts came: what the index answered before that does not know them."""
        return self._clock() - self._seen_at + TICK_S

    async def newest(self) -> tuple[Release, ...]:
        """The newest posts; nothing, if they are the same as last time or cannot be had just now."""
        try:
            posts = await self._releases.newest(ttl_s=PAGE_EVERY_S)
        except UuuError as e:
            log.info("autopilot: the newest posts cannot be had", why=e.message)
            return ()
        if posts is self._seen:
            return ()
        self._seen, self._seen_at = posts, self._clock()
        return posts

    async def spot(
        self, awaited: Sequence[Pursuit], people: Mapping[UserId, User], posts: Sequence[Release]
    ) -> tuple[Pursuit, ...]:
        """Of what is awaited, what these posts may bring: there is something to the person's taste that is new."""
        shows: dict[MediaId, list[Pursuit]] = defaultdict(list)
        for pursuit in awaited:
            shows[pursuit.media_id].append(pursuit)
        found: list[Pursuit] = []
        for media_id, pursuits in shows.items() if posts else ():
            try:
                fitting = await self._releases.of_show(media_id, posts)
                for pursuit in pursuits if fitting else ():
                    if pursuit.user_id in people and await self._fits(people[pursuit.user_id], pursuit, fitting):
                        found.append(pursuit)
            except UuuError as e:
                # What AniList does not tell just now is searched for directly, later.
                log.info("autopilot: a show cannot be matched", media_id=media_id, why=e.message)
        return tuple(found)

    async def _fits(self, user: User, pursuit: Pursuit, posts: Sequence[Release]) -> bool:
        """Whether the best of these is to be taken, and is another than when it was searched for last."""
        best = ranking.best(await self._releases.judged(user, pursuit.media_id, pursuit.episode, posts))
        return best is not None and not best.is_batch and best.release.infohash != pursuit.infohash

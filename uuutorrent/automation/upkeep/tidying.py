"""Gives up what its owner has watched and had served, so many days later, where they want that.

Never without their wish, never what is incomplete, and never what is not known to be an episode. Other people's claims
and what they want of it stay. While AniList does not answer nothing goes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from uuutorrent.accounts import User
from uuutorrent.anime.anime import WatchStatus
from uuutorrent.anime.watchlist import Watchlists
from uuutorrent.automation.inbox.inbox import Inbox, Kind
from uuutorrent.automation.inbox.uses import Uses
from uuutorrent.automation.preferences import PreferenceBook
from uuutorrent.errors import Missing, RemoteError, Unreachable, UuuError
from uuutorrent.torrents.holdings import BY_HAND, Claim, Holding
from uuutorrent.torrents.library import Library

log = structlog.get_logger()

Episode = tuple[str, int, int]
"""Of a torrent: its hash, the show, the number."""


@dataclass(frozen=True, slots=True)
class Going:
    """Something that goes."""

    infohash: str
    name: str
    size_bytes: int
    episodes: tuple[tuple[int, int], ...]
    """Each as its show's number and its own."""
    at: datetime
    """When."""


class Tidying:
    """What goes, and when."""

    def __init__(
        self,
        preferences: PreferenceBook,
        library: Library,
        watchlists: Watchlists,
        uses: Uses,
        inbox: Inbox,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._preferences = preferences
        self._library = library
        self._watchlists = watchlists
        self._uses = uses
        self._inbox = inbox
        self._now = now

    async def plan(self, user: User, *, days: int | None = None) -> tuple[Going, ...]:
        """What goes of this user's, the first first; with `days`, what would go after so many.

        Raises:
            RemoteError, BadToken: AniList does not say what was watched.
        """
        wait = (await self._preferences.of(user)).tidy_days if days is None else days
        if not wait:
            return ()
        served = defaultdict[Episode, list[datetime]](list)
        for one in await self._uses.served(user):
            if one.media_id is not None and one.episode is not None:
                served[one.infohash, one.media_id, one.episode].append(one.at)
        ready = [await self._served_all(user, one, served) for one in await self._library.holdings(user)]
        found = [going for going in ready if going is not None]
        progress = await self._progress(user) if found else {}
        watched = [one for one in found if all(n <= progress.get(media_id, 0) for media_id, n in one.episodes)]
        going = (replace(one, at=one.at + timedelta(days=wait)) for one in watched)
        return tuple(sorted(going, key=lambda one: (one.at, one.infohash)))

    async def run_once(self) -> None:
        """Give up what its time has come for."""
        for user, wishes in (await self._preferences.every()).items():
            if not wishes.tidy_days:
                continue
            try:
                for going in await self.plan(user):
                    if going.at <= self._now():
                        await self._give_up(user, going)
            except RemoteError as e:
                log.info("tidying: later", user=user.name, why=e.message)
            except UuuError as e:
                log.warning("tidying: not this time", user=user.name, why=e.message)

    async def _served_all(
        self, user: User, holding: Holding, served: Mapping[Episode, Sequence[datetime]]
    ) -> Going | None:
        """A whole download of which every episode was served, and when the last was; None where it is none."""
        stored = await self._library.claimed(user, holding.infohash) if holding.is_complete else None
        claim = stored.claim_of(user.id) if stored else None
        episodes = _episodes(claim) if claim else ()
        times = [max(served.get((holding.infohash, *one), ()), default=None) for one in episodes]
        # What they read of it before they claimed it anew was another time: they want it again.
        known = [at for at in times if claim is not None and at is not None and at > claim.claimed_at]
        if not episodes or len(known) < len(times):
            return None
        return Going(holding.infohash, holding.name, holding.size_bytes, episodes, max(known))

    async def _progress(self, user: User) -> Mapping[int, int]:
        """How far this user is in each show, now: an older list may say more than is true."""
        watchlist = await self._watchlists.list(user, tuple(WatchStatus), refresh=True)
        if watchlist.stale:
            raise Unreachable("AniList", "it does not say what was watched")
        return {entry.anime.media_id: entry.progress for entry in watchlist.entries}

    async def _give_up(self, user: User, going: Going) -> None:
        """Told first: who is told twice of the same thing is told once, who is not told at all never learns it."""
        text = f"{going.name} was watched and served, so it was deleted, as you wished."
        key = f"tidied:{going.infohash}:{going.at:%Y-%m-%d}"
        media_id, episode = going.episodes[0] if len(going.episodes) == 1 else (going.episodes[0][0], None)
        await self._inbox.tell(
            user.id, Kind.TIDIED, text, key=key, media_id=media_id, episode=episode, infohash=going.infohash
        )
        with suppress(Missing):  # another daemon, or they themselves, did it at this moment
            await self._library.delete(user, going.infohash, with_files=True)
            log.info("tidied", user=user.name, infohash=going.infohash)


def _episodes(claim: Claim) -> tuple[tuple[int, int], ...]:
    """Every episode that a claim is for; none where something of it is not known to be one."""
    if any(pick.media_id == BY_HAND for pick in claim.picks):
        return ()
    if claim.picks:
        return tuple((pick.media_id, pick.episode) for pick in claim.picks)
    return () if claim.media_id is None or claim.episode is None else ((claim.media_id, claim.episode),)

"""The plan: what the autopilot would take of what has aired already, shown before it is switched on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import datetime

from uuutorrent.accounts import User
from uuutorrent.anime.anime import MediaId, WatchEntry
from uuutorrent.automation.autopilot import flightplan
from uuutorrent.automation.autopilot.looking import Look, Looking
from uuutorrent.automation.autopilot.pursuit import Plan, Planned, State
from uuutorrent.automation.autopilot.pursuits import Pursuits
from uuutorrent.automation.preferences import Mode
from uuutorrent.errors import UuuError
from uuutorrent.releases import telling
from uuutorrent.releases.release import Ranked
from uuutorrent.releases.search import Releases
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.usage import Usage

MOST_PLANNED = 150
"""Episodes in one plan."""
_DONE = (State.WANTED, State.TAKING, State.TAKEN)


class Planner:
    """Works out what would be taken, a show at a time."""

    def __init__(
        self,
        releases: Releases,
        library: Library,
        pursuits: Pursuits,
        looking: Looking,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._releases = releases
        self._library = library
        self._pursuits = pursuits
        self._looking = looking
        self._now = now

    async def missing(self, look: Look) -> Mapping[MediaId, tuple[int, ...]]:
        """The aired episodes of each show that the person has neither seen nor got, in the order of their list.

        Of the shows that the autopilot follows; while it is off, those that it would follow.
        """
        known = await self._pursuits.known(look.user)
        default = Mode.ON if look.default is Mode.OFF else look.default
        found: dict[MediaId, tuple[int, ...]] = {}
        for media_id, entry in look.entries.items():
            if flightplan.mode_for(entry, default, look.show(media_id).mode) is Mode.OFF:
                continue
            done = {number for number, one in known.get(media_id, {}).items() if one.state in _DONE}
            aired = flightplan.unwatched(entry, look.have(media_id), self._now())
            if episodes := tuple(number for number in aired if number not in done):
                found[media_id] = episodes
        return found

    async def plan(self, user: User) -> AsyncGenerator[Plan]:
        """The plan as it grows, a show at a time; one question to the index for each show. Nothing is taken.

        Raises:
            RemoteError: the list cannot be had just now.
            Refused: AniList does not accept the person's sign-in any more.
        """
        look = await self._looking.fresh(user)
        missing = await self.missing(look)
        chosen = within(missing)
        usage = await self._library.usage(user)
        left_out = sum(map(len, missing.values())) - sum(map(len, chosen.values()))
        planned: list[Planned] = []
        yield Plan((), len(chosen), 0, usage, left_out)
        for number, (media_id, episodes) in enumerate(chosen.items(), start=1):
            for one in await self._of_show(look, look.entries[media_id], episodes):
                planned.append(_fitted(one, planned, usage))
            yield Plan(tuple(planned), len(chosen), number, usage, left_out)

    async def _of_show(self, look: Look, entry: WatchEntry, episodes: tuple[int, ...]) -> tuple[Planned, ...]:
        media_id, title = entry.anime.media_id, entry.anime.title
        try:
            best = await self._releases.foresee(look.user, media_id, episodes)
        except UuuError as e:
            return tuple(Planned(media_id, title, episode, None, 0, e.message) for episode in episodes)
        return tuple(_planned(entry, episode, best.get(episode)) for episode in episodes)


def within(missing: Mapping[MediaId, tuple[int, ...]]) -> Mapping[MediaId, tuple[int, ...]]:
    """As many of these as are taken at once: the next ones of each show, and no more than a plan holds."""
    room, chosen = MOST_PLANNED, {}
    for media_id, episodes in missing.items():
        some = episodes[: min(flightplan.MOST_OF_SHOW, room)]
        if some:
            chosen[media_id] = some
        room -= len(some)
    return chosen


def _planned(entry: WatchEntry, episode: int, best: Ranked | None) -> Planned:
    media_id, title = entry.anime.media_id, entry.anime.title
    if best is None:
        why = "Nothing certain among the posts that one question found; it is searched for when its turn comes."
        return Planned(media_id, title, episode, None, 0, why)
    size = best.release.size_bytes
    if best.is_batch:
        many = (
            (best.last - best.first + 1) if best.first is not None and best.last is not None else entry.anime.episodes
        )
        size //= max(1, many or 1)
    return Planned(media_id, title, episode, best, size, telling.chosen(best))


def _fitted(one: Planned, before: list[Planned], usage: Usage) -> Planned:
    """The same, saying whether there is room for it after what comes before it."""
    ahead = [other for other in before if other.fits and other.release is not None]
    used, torrents = usage.bytes + sum(other.size_bytes for other in ahead), usage.torrents + len(ahead)
    is_small = not usage.quota_bytes or used + one.size_bytes <= usage.quota_bytes
    is_few = not usage.quota_torrents or torrents < usage.quota_torrents
    if one.release is None or (is_small and is_few):
        return one
    why = "It does not fit into your quota: it waits until there is room."
    return Planned(one.media_id, one.title, one.episode, one.release, one.size_bytes, why, fits=False)

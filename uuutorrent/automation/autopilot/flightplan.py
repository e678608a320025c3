"""What the autopilot is to be after, from a list, what is settled about its shows, and the hour. No I/O.

An episode is noted before it airs, with AniList's hour, so that nothing has to be asked until then. What had aired
before the autopilot saw a show is never taken by itself: it is the show's backlog, and asked about once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from uuutorrent.anime.anime import Anime, WatchEntry, WatchStatus
from uuutorrent.automation.autopilot.pursuit import OPEN, Pursuit, Show, State
from uuutorrent.automation.preferences import Mode

LOOKS = tuple(timedelta(hours=h) for h in (1, 6, 24, 72, 240, 408, 576))
"""How long after it aired an episode is searched for directly, if it was not seen among the newest posts till then."""
PATIENCE = timedelta(weeks=4)
"""What was not found for so long is given up."""
MOST_NEW = 3
"""More new episodes of one show at once are asked about, like a backlog: a whole season came out in a day."""
MOST_OF_SHOW = 26
"""Of a backlog no more is planned or taken at once."""
NOT_WATCHED = "You are not watching this show any more."
LEFT_OUT = "The autopilot is off for this show."
SWITCHED_OFF = "The autopilot was switched off."
ASIDE = (NOT_WATCHED, LEFT_OUT, SWITCHED_OFF)
"""Reasons that may end again: the episode is wanted then as if nothing had been."""


@dataclass(frozen=True, slots=True)
class Begin:
    """An episode to be after from now on."""

    episode: int
    at: datetime
    """When it airs, or aired as far as we know."""
    try_at: datetime


@dataclass(frozen=True, slots=True)
class Steps:
    """What there is to do about one show."""

    first_episode: int | None = None
    """From where on its episodes are taken by themselves; None: that cannot be told yet."""
    begin: tuple[Begin, ...] = ()
    move: tuple[tuple[Pursuit, datetime], ...] = ()
    """What airs at another hour than was thought."""
    backlog: tuple[int, ...] = ()
    """Aired episodes that the person is to be asked about."""


def mode_for(entry: WatchEntry, default: Mode, own: Mode | None) -> Mode:
    """What the autopilot does for a show: what is watched for the first time; again only where that was said of it."""
    if entry.status is WatchStatus.CURRENT:
        return own or default
    return (own or Mode.OFF) if entry.status is WatchStatus.REPEATING else Mode.OFF


def surely_aired(anime: Anime) -> int | None:
    """Episodes that have aired; None where AniList names no next one although the show is not over.

    A show on a break, or whose last episode aired just now, looks the same there.
    """
    if anime.next_episode is not None:
        return anime.next_episode - 1
    if anime.status == "NOT_YET_RELEASED":
        return 0
    return anime.episodes if anime.status in ("FINISHED", "CANCELLED") else None


def unwatched(entry: WatchEntry, held: Collection[int], now: datetime) -> tuple[int, ...]:
    """The aired episodes that somebody has neither seen nor got."""
    aired = surely_aired(entry.anime.as_of(now)) or 0
    return tuple(episode for episode in range(entry.progress + 1, aired + 1) if episode not in held)


def steps(entry: WatchEntry, show: Show, known: Mapping[int, Pursuit], held: Collection[int], now: datetime) -> Steps:
    """What there is to do about a show that the autopilot is to follow; twice the same brings nothing new."""
    anime = entry.anime.as_of(now)
    aired, first = surely_aired(anime), show.first_episode
    missing = [episode for episode in unwatched(entry, held, now) if episode not in known]
    fresh = [episode for episode in missing if first is not None and episode >= first]
    backlog: tuple[int, ...] = ()
    if aired is not None and (first is None or len(fresh) > MOST_NEW):
        first, fresh, backlog = aired + 1, [], tuple(missing)
    begin = [Begin(episode, now, now) for episode in fresh]
    return Steps(first, (*begin, *_ahead(entry, anime, known, held)), tuple(_moved(anime, known)), backlog)


def moot(pursuit: Pursuit, entry: WatchEntry | None, mode: Mode, held: Collection[int]) -> str:
    """Why nobody needs to be after an episode any more, in a sentence; empty while somebody does."""
    if pursuit.state not in OPEN:
        return ""
    if entry is None or entry.status not in (WatchStatus.CURRENT, WatchStatus.REPEATING):
        return NOT_WATCHED
    if entry.progress >= pursuit.episode:
        return "You have seen it."
    if pursuit.replaces and pursuit.episode not in held:
        return "What it was to replace is gone."
    if pursuit.episode in held and not pursuit.replaces:
        return "You have it."
    return "" if mode is not Mode.OFF or pursuit.asked else LEFT_OUT


def next_look(begun: datetime, now: datetime) -> datetime | None:
    """When what was not found is searched for again; None: it is given up."""
    if now >= begun + PATIENCE:
        return None
    return next((begun + after for after in LOOKS if begun + after > now), begun + PATIENCE)


def is_awaited(pursuit: Pursuit, now: datetime) -> bool:
    """Whether a post of it may turn up at any moment."""
    return pursuit.state is State.WANTED and pursuit.at <= now


def _ahead(entry: WatchEntry, anime: Anime, known: Collection[int], held: Collection[int]) -> Iterator[Begin]:
    """The episode that airs next, noted before it does."""
    episode, at = anime.next_episode, anime.next_airs_at
    if episode is None or at is None or episode in known or episode in held or episode <= entry.progress:
        return
    yield Begin(episode, at, at + LOOKS[0])


def _moved(anime: Anime, known: Mapping[int, Pursuit]) -> Iterable[tuple[Pursuit, datetime]]:
    pursuit = None if anime.next_episode is None else known.get(anime.next_episode)
    # What was given up may air all the same: its makers had put it off and named no day.
    waits = pursuit is not None and pursuit.state in (State.WANTED, State.FAILED) and not pursuit.asked
    if pursuit is None or not waits or anime.next_airs_at is None:
        return ()
    return () if pursuit.at == anime.next_airs_at else ((pursuit, anime.next_airs_at),)

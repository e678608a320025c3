"""The nouns of the autopilot: an episode it is after, what it may do for a show, the plan it shows first. No I/O."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from uuutorrent.accounts import UserId
from uuutorrent.anime.anime import Anime, MediaId
from uuutorrent.automation.preferences import Mode
from uuutorrent.errors import Conflict
from uuutorrent.releases.release import Ranked
from uuutorrent.torrents.usage import Usage


class State(StrEnum):
    """How far the autopilot is with an episode."""

    WANTED = "wanted"
    """It is looked for, from when it airs."""
    OFFERED = "offered"
    """It was found; the person is asked."""
    TAKING = "taking"
    """It is being taken. Written down first: whoever finds it so makes an end of it."""
    TAKEN = "taken"
    SKIPPED = "skipped"
    """The person said no."""
    MOOT = "moot"
    """It was watched, fetched by hand, or is not to be looked for any more."""
    FAILED = "failed"
    """It was never found."""


OPEN = (State.WANTED, State.OFFERED)
"""What can still become moot."""
AT_WORK = (State.WANTED, State.TAKING)
"""What the job does something about."""


class Confirmed(StrEnum):
    """What a person says to the plan."""

    ALL = "all"
    """Take everything in it, and what airs from now on."""
    NEW = "new"
    """Only what airs from now on."""


class Choice(StrEnum):
    """What a person says to an offer."""

    TAKE = "take"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Pursuit:
    """An episode that the autopilot is after for a user, or was."""

    id: int
    user_id: UserId
    media_id: MediaId
    episode: int
    state: State
    infohash: str
    """Of the release that was offered or taken, or that was the best when it was looked for last."""
    title: str
    """That release's."""
    why: str
    """What stands in the way, or why it ended so."""
    tries: int
    try_at: datetime
    at: datetime
    """While it is wanted: when it aired, or was asked for. After that: since when it is what it is."""
    asked: bool
    """The person said that it is to be taken."""
    replaces: str
    """The infohash of the earlier version whose place it is to take, or empty."""

    @property
    def key(self) -> str:
        """What its notice in the inbox is told under."""
        return f"pursuit:{self.id}:{self.infohash[:12]}" if self.replaces else f"pursuit:{self.id}"


@dataclass(frozen=True, slots=True)
class Show:
    """What is settled about one show of a user."""

    mode: Mode | None = None
    """None: as for all shows."""
    first_episode: int | None = None
    """Earlier ones had aired when the autopilot first saw the show. None: it has not seen it."""


@dataclass(frozen=True, slots=True)
class Planned:
    """An episode that the autopilot would take, and of which release."""

    media_id: MediaId
    title: str
    """Of the show."""
    episode: int
    release: Ranked | None
    """None: nothing that is certain enough was seen."""
    size_bytes: int
    """What it would need; 0 while no release is known."""
    why: str
    """What was chosen, or why not."""
    fits: bool = True
    """There is room for it in the quota after what comes before it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be taken now, as far as it is known; the last one that comes is whole."""

    planned: tuple[Planned, ...]
    shows: int
    """How many shows there are to look at."""
    looked_at: int
    usage: Usage
    """Before anything of it is taken."""
    left_out: int = 0
    """Further aired episodes, of shows that are many behind: they are not in the plan."""

    @property
    def is_whole(self) -> bool:
        """Every show was looked at."""
        return self.looked_at >= self.shows

    @property
    def size_bytes(self) -> int:
        """What all that fits would need."""
        return sum(one.size_bytes for one in self.planned if one.fits)

    @property
    def bytes_after(self) -> int:
        """What the person would claim after it."""
        return self.usage.bytes + self.size_bytes

    @property
    def torrents_after(self) -> int:
        """How many torrents they would have after it, at most."""
        return self.usage.torrents + sum(1 for one in self.planned if one.fits and one.release is not None)


class NotConfirmed(Conflict):
    """The autopilot is switched on only by somebody who saw the plan."""

    def __init__(self) -> None:
        super().__init__(
            "look at the plan first, then say whether all of it is to be taken, or only what airs from now on"
        )


def backlog_key(media_id: MediaId, first_episode: int) -> str:
    """What the question about a show's earlier episodes is told under."""
    return f"backlog:{media_id}:{first_episode}"


def spoken(episodes: Collection[int]) -> str:
    """Episodes in words: "episode 5", "episodes 5 to 7", "3 episodes from 5 on"."""
    first, last = min(episodes), max(episodes)
    if first == last:
        return f"episode {first}"
    return (
        f"episodes {first} to {last}"
        if last - first + 1 == len(episodes)
        else f"{len(episodes)} episodes from {first} on"
    )


def named(anime: Anime, episode: int) -> str:
    """An episode as it is told to people."""
    return f"{anime.title}, episode {episode}"

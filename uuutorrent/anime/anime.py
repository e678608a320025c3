"""The nouns of anime: what AniList knows about a show, and one person's place in it. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType

MediaId = NewType("MediaId", int)
"""AniList's id of an anime."""


class WatchStatus(StrEnum):
    """Where a show is on someone's list. Source: AniList schema, MediaListStatus."""

    CURRENT = "CURRENT"
    REPEATING = "REPEATING"
    PLANNING = "PLANNING"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    DROPPED = "DROPPED"


@dataclass(frozen=True, slots=True)
class Relative:
    """A show directly related to another (one edge of AniList's graph)."""

    relation: str
    """AniList's MediaRelation: PREQUEL, SEQUEL, SIDE_STORY, …"""
    media_id: MediaId
    format: str
    titles: tuple[str, ...]
    episodes: int | None
    status: str
    year: int | None


@dataclass(frozen=True, slots=True)
class Anime:
    """AniList's entry."""

    media_id: MediaId
    romaji: str
    english: str
    native: str
    preferred: str
    """The title in the language its viewer chose."""
    synonyms: tuple[str, ...] = ()
    format: str = ""
    """TV, TV_SHORT, MOVIE, SPECIAL, OVA, ONA, MUSIC or empty."""
    status: str = ""
    """FINISHED, RELEASING, NOT_YET_RELEASED, CANCELLED, HIATUS or empty."""
    episodes: int | None = None
    """None while AniList does not know how many there will be."""
    duration_min: int | None = None
    year: int | None = None
    is_adult: bool = False
    next_episode: int | None = None
    """The next one to air."""
    next_airs_at: datetime | None = None
    cover_url: str = ""
    cover_colour: str = ""
    """"#rrggbb" or empty."""
    site_url: str = ""
    relatives: tuple[Relative, ...] = ()

    @property
    def titles(self) -> tuple[str, ...]:
        """Every distinct title and synonym, the preferred first."""
        every = (self.preferred, self.romaji, self.english, self.native, *self.synonyms)
        return tuple(dict.fromkeys(title for title in every if title))

    @property
    def title(self) -> str:
        """The title to show."""
        return next(iter(self.titles), f"anime {self.media_id}")

    @property
    def aired(self) -> int | None:
        """Episodes that have aired; None when AniList does not tell."""
        if self.next_episode is not None:
            return self.next_episode - 1
        return 0 if self.status == "NOT_YET_RELEASED" else self.episodes

    def as_of(self, now: datetime) -> Anime:
        """The same at this hour: an answer that was kept may say that an episode is yet to air whose time has come."""
        if self.next_episode is None or self.next_airs_at is None or self.next_airs_at > now:
            return self
        is_last = self.episodes is not None and self.next_episode >= self.episodes
        return replace(self, next_episode=None if is_last else self.next_episode + 1, next_airs_at=None)


@dataclass(frozen=True, slots=True)
class WatchEntry:
    """One anime on someone's list, with progress."""

    anime: Anime
    status: WatchStatus
    progress: int
    updated_at: datetime | None = None

    @property
    def next_episode(self) -> int | None:
        """The next unwatched episode, aired or not; None when the show is finished."""
        following = self.progress + 1
        return None if self.anime.episodes is not None and following > self.anime.episodes else following

    @property
    def behind(self) -> int:
        """How many aired episodes are unwatched."""
        return max(0, (self.anime.aired or 0) - self.progress)


@dataclass(frozen=True, slots=True)
class Watchlist:
    """A list, newest activity first. `stale` says why an old answer is shown; empty when it is fresh."""

    entries: tuple[WatchEntry, ...]
    source: str
    """"anilist" or "local"."""
    fetched_at: datetime
    stale: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """An anime among its prequels, sequels and siblings: what tells one season's release from another's."""

    anime: Anime
    offset: int
    """Episodes of all TV prequels together: episode N of `anime` is N + offset counted from the first season."""
    season: int
    """Which season of the TV chain this is, from 1 (split cours count as seasons of their own)."""
    prequels: tuple[Anime, ...] = ()
    """The TV chain before it, nearest first."""
    others: Mapping[MediaId, tuple[str, ...]] = field(default_factory=dict)
    """The titles of every other known member, by id: sequels, side stories, films, prequels."""

"""The nouns of releases: a post on the index, what its name says, what was asked, and the verdict. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from uuutorrent.anime.anime import Family


class Kind(StrEnum):
    """What sort of thing a release is."""

    EPISODE = "episode"
    BATCH = "batch"
    FILM = "film"
    SPECIAL = "special"
    EXTRA = "extra"
    """Openings, endings, previews, menus."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Release:
    """One post on the index."""

    title: str
    infohash: str
    """v1, hex, lower case."""
    link: str
    """Address of the .torrent file (or a magnet)."""
    page: str
    size_bytes: int
    """As the index rounds it."""
    seeders: int
    leechers: int
    downloads: int
    category: str
    trusted: bool
    remake: bool
    posted_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReleaseName:
    """What a release's title says."""

    raw: str
    title: str
    group: str = ""
    others: tuple[str, ...] = ()
    """Other titles it gives, in brackets or after a bar."""
    season: int | None = None
    last_season: int | None = None
    """The end of a range of seasons."""
    part: int | None = None
    episode: int | None = None
    last_episode: int | None = None
    """The end of a range; None for a single episode or a batch that names no numbers."""
    second: int | None = None
    """A second number in brackets beside the first: often the absolute one beside the season's."""
    version: int = 1
    kind: Kind = Kind.UNKNOWN
    resolution: int | None = None
    """Lines, e.g. 1080."""
    source: str = ""
    """WEB, BD, DVD, TV or empty."""
    codec: str = ""
    """AVC, HEVC, AV1 or empty."""
    bit_depth: int | None = None
    checksum: str = ""
    languages: tuple[str, ...] = ()
    dual_audio: bool = False
    raw_video: bool = False
    """It says that nothing was translated."""
    year: int | None = None
    fraction: float | None = None
    """A decimal such as 12.5: never an episode."""


@dataclass(frozen=True, slots=True)
class Taste:
    """A user's preferences among releases."""

    resolutions: tuple[int, ...] = (1080, 720, 480)
    """Best first; others are rejected."""
    groups: tuple[str, ...] = ()
    """Preferred, best first."""
    blocked_groups: tuple[str, ...] = ()
    codecs: tuple[str, ...] = ()
    """Preferred, best first: AVC, HEVC, AV1."""
    min_seeders: int = 1
    remakes: bool = False
    max_episode_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The question: this episode of this anime."""

    family: Family
    episode: int


class Match(StrEnum):
    """The verdict on a candidate."""

    MATCH = "match"
    REJECT = "reject"


SURE = 0.9


@dataclass(frozen=True, slots=True)
class Ranked:
    """A release, its verdict, score and the reasons in words."""

    release: Release
    name: ReleaseName
    verdict: Match
    score: float
    """Higher is better; only comparable within one answer."""
    reasons: tuple[str, ...]
    confidence: float = 1.0
    """0..1, how certain the name says this; below `SURE` nothing is taken without asking."""
    first: int | None = None
    last: int | None = None
    """The episodes of the wanted anime that it holds, where its name tells."""


@dataclass(frozen=True, slots=True)
class Found:
    """The answer: candidates best first, and the one to take, if any."""

    wanted: Wanted
    best: Ranked | None
    candidates: tuple[Ranked, ...]
    asked: tuple[str, ...] = ()
    """The queries the index was asked."""
    said: str = ""
    """One sentence: what was chosen and why, or what was looked for and not found."""
    search_ms: float = 0.0
    rank_ms: float = 0.0

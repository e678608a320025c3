"""The nouns of releases: a post on the index, what its name says, what was asked, and the verdict. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from uuutorrent.anime.anime import Family, MediaId


class Kind(StrEnum):
    """What sort of thing a release is."""

    EPISODE = "episode"
    BATCH = "batch"
    FILM = "film"
    SPECIAL = "special"
    OVA = "ova"
    RECAP = "recap"
    OPENING = "opening"
    ENDING = "ending"
    PREVIEW = "preview"
    EXTRA = "extra"
    """Menus, interviews and the like."""
    UNKNOWN = "unknown"

    @property
    def is_extra(self) -> bool:
        """It comes beside the show and is never an episode of anything."""
        return self in (Kind.OPENING, Kind.ENDING, Kind.PREVIEW, Kind.EXTRA)


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
    audio: tuple[str, ...] = ()
    """Languages spoken, as far as the name tells: ISO 639-1 codes in the order named, "multi" for several unnamed."""
    subtitles: tuple[str, ...] = ()
    """Languages written, in the same way."""
    dual_audio: bool = False
    raw_video: bool = False
    """It says that nothing was translated."""
    year: int | None = None
    fraction: float | None = None
    """A decimal such as 12.5: never an episode."""


@dataclass(frozen=True, slots=True)
class Taste:
    """Somebody's preferences among releases. Lists run from the best; an empty one means no preference."""

    resolutions: tuple[int, ...] = (1080, 720, 480)
    """Others are rejected."""
    groups: tuple[str, ...] = ()
    blocked_groups: tuple[str, ...] = ()
    codecs: tuple[str, ...] = ()
    """Of AVC, HEVC, AV1."""
    min_seeders: int = 1
    remakes: bool = False
    bit_depths: tuple[int, ...] = ()
    """Of 8, 10."""
    sources: tuple[str, ...] = ()
    """Of WEB, BD, DVD, TV."""
    languages: tuple[str, ...] = ("en",)
    """Languages one can follow, ISO 639-1: written or spoken. What is only in others is rejected."""
    dual_audio: bool = False
    """Prefer what has the original voices and a dub."""
    dubs: bool = False
    """What has a dub and not the original voices may be taken too."""
    min_bytes_per_min: int | None = None
    """Smaller video than this, per minute, is rejected; None: no bound of one's own."""
    max_bytes_per_min: int | None = None
    trusted_only: bool = False
    wait_min: int = 0
    """Minutes after a post of another group in which what fetches by itself waits for a preferred group."""


class Form(StrEnum):
    """What a correction says."""

    IS = "is"
    """The release is that episode."""
    IS_NOT = "is-not"
    """The release is not that episode."""
    OFFSET = "offset"
    """A group's numbers (everybody's, if it names none) run ahead of the show's own by `offset`."""
    TITLE = "title"
    """A title belongs to the show."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person said about the releases of one anime. Fields its form has no use for stay empty."""

    form: Form
    media_id: MediaId
    infohash: str = ""
    episode: int | None = None
    group: str = ""
    offset: int | None = None
    """0: the group counts within the show. Absolute numbers: the episodes of all seasons before."""
    title: str = ""
    """The title that belongs to the show; for the other forms, the name of the release it was said of."""


@dataclass(frozen=True, slots=True)
class Habit:
    """How a group numbered this anime before: its numbers run ahead of the show's own by `offset`."""

    group: str
    offset: int
    title: str
    """The name of the release that showed it."""


@dataclass(frozen=True, slots=True)
class Lore:
    """What is known of an anime's releases beside their names: corrections (they win) and habits."""

    corrections: tuple[Correction, ...] = ()
    habits: tuple[Habit, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """The question: this episode of this anime."""

    family: Family
    episode: int
    lore: Lore = Lore()


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
    is_batch: bool = False
    """It holds more than the episode: only what is needed of it is fetched."""
    is_corrected: bool = False
    """A correction decided the verdict."""
    about_episode: int = 0
    """How many of the reasons, from the first, tell whether it is the episode. Then come taste and liveliness."""
    lead: str = ""
    """What a match has over the one after it, e.g. "1080p before 720p"; empty for the last of them."""
    offset: int | None = None
    """How far its number runs ahead of the show's own; None without a number of an episode of it."""
    is_clear: bool = False
    """Its number can be read in one way only, so that its group's habit may be learnt from it."""
    is_kept_back: bool = False
    """A batch to the taste, rejected only because single episodes are preferred."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A correction and where this user stands to it."""

    id: int
    correction: Correction
    is_for_all: bool = False
    """An admin said it counts for everybody who did not decline it."""


@dataclass(frozen=True, slots=True)
class Found:
    """The answer: candidates best first, and the one to take, if any."""

    wanted: Wanted
    best: Ranked | None
    """May be a batch, where only batches hold the episode."""
    candidates: tuple[Ranked, ...]
    batch: Ranked | None = None
    """The batch worth offering: it holds most of what is still to be seen of a finished show."""
    wait_until: datetime | None = None
    """Until when what fetches by itself waits for a group that is preferred to the best one's."""
    offers: tuple[Offer, ...] = ()
    """Corrections of others for this show that this user has not answered yet."""
    asked: tuple[str, ...] = ()
    """The queries the index was asked."""
    said: str = ""
    """One sentence: what was chosen and why, or what was looked for and not found."""
    search_ms: float = 0.0
    rank_ms: float = 0.0

"""The engine's nouns: what qBittorrent reports, in our words, and the protocol both it and the tests' fake speak."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType, Protocol

InfoHash = NewType("InfoHash", str)
"""Hex, lower case: the v1 hash (40), or the v2 hash (64) of a torrent that has no v1."""

EngineId = NewType("EngineId", str)
"""What qBittorrent calls `hash`: v1, or the first 40 hex of v2 for v2 and hybrid torrents. It can change once, when
a hybrid magnet's metadata arrives, so never key anything by it."""


class Phase(StrEnum):
    """Where a torrent is in its life."""

    ADDING = "adding"
    """Claimed, but the engine has not shown it yet."""
    METADATA = "metadata"
    QUEUED = "queued"
    CHECKING = "checking"
    DOWNLOADING = "downloading"
    STALLED = "stalled"
    """Downloading, but no byte arrives just now."""
    PAUSED = "paused"
    SEEDING = "seeding"
    COMPLETE = "complete"
    """Whole, and not seeding."""
    MOVING = "moving"
    ERROR = "error"
    MISSING = "missing"
    """The engine lost its files."""


MOVING_PHASES = frozenset(
    {Phase.ADDING, Phase.METADATA, Phase.QUEUED, Phase.CHECKING, Phase.DOWNLOADING, Phase.STALLED, Phase.MOVING}
)
"""Phases in which the figures change from second to second."""


@dataclass(frozen=True, slots=True)
class Torrent:
    """What the engine reports for one torrent at one moment. Sizes are bytes, rates bytes/s, progress 0..1."""

    id: EngineId
    v1: str
    v2: str
    """Hex, lower case; empty when the torrent has no such hash."""
    name: str
    phase: Phase
    progress: float
    size_bytes: int
    """Of the files chosen; 0 while a magnet's metadata is not known."""
    completed_bytes: int
    down_bps: int
    up_bps: int
    uploaded_bytes: int
    eta_s: int | None
    ratio: float
    seeds: int
    """In the swarm, as far as the trackers know."""
    peers: int
    added_at: datetime
    completed_at: datetime | None
    save_path: str
    content_path: str
    tags: frozenset[str]
    category: str = ""
    sequential: bool = False
    down_limit_bps: int = 0
    up_limit_bps: int = 0
    """0: no limit."""
    last_activity: datetime | None = None
    """When bytes of its content last went either way; before any did, when it was added."""
    seeding_s: int = 0
    """For how long it was whole and running."""
    downloaded_bytes: int = 0
    """Everything that was ever received for it, also what had to be thrown away."""
    session_up_bytes: int = 0
    """Uploaded since the engine started."""

    @property
    def is_complete(self) -> bool:
        """Every chosen byte is here and was checked."""
        return self.progress >= 1.0 and self.phase not in (Phase.CHECKING, Phase.MISSING, Phase.ERROR, Phase.METADATA)


@dataclass(frozen=True, slots=True)
class TorrentFile:
    """One file of a torrent. `path` is relative to the torrent's save path, "/" between parts."""

    index: int
    path: str
    size_bytes: int
    progress: float
    priority: int
    """0: not wanted, 1: normal, 6: high, 7: highest. Source: qBittorrent WebUI API, torrent contents."""
    first_piece: int = 0
    last_piece: int = -1
    """The pieces that hold it; the last before the first: not known."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """Which pieces of a torrent have come. All are of one size, but for the last, which may be smaller."""

    size_bytes: int = 0
    """Of a piece; 0: not known."""
    come: Sequence[bool] = ()


@dataclass(frozen=True, slots=True)
class Tracker:
    """One tracker of a torrent; `message` is the tracker's own, or ours for DHT, PeX and LSD."""

    url: str
    status: str
    seeds: int
    peers: int
    message: str


@dataclass(frozen=True, slots=True)
class Peer:
    """Another client in the swarm."""

    address: str
    client: str
    progress: float
    down_bps: int
    up_bps: int


@dataclass(frozen=True, slots=True)
class NewTorrent:
    """Something to add: the bytes of a .torrent, or a magnet when there is no file."""

    v1: str
    v2: str
    name: str
    metainfo: bytes | None
    magnet: str | None
    save_path: str
    category: str
    tags: tuple[str, ...] = ()
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All torrents at one moment. While the engine is away the last one stays, with `engine_up` False."""

    seq: int
    """Grows by one each time something changed."""
    at: datetime | None
    """When the engine last answered; None: never yet."""
    engine_up: bool
    trouble: str
    """Why the engine is away, for the person; empty while it is up."""
    torrents: tuple[Torrent, ...] = ()
    _by_hash: Mapping[str, Torrent] = field(default_factory=dict, repr=False, compare=False)

    def find(self, v1: str | None, v2: str | None = None) -> Torrent | None:
        """The torrent with either hash."""
        return (self._by_hash.get(v1) if v1 else None) or (self._by_hash.get(v2) if v2 else None)


class Engine(Protocol):
    """qBittorrent, as far as it is used here. `ids` are what it calls `hash`.

    Every verb has a deadline and raises:
        Unreachable: the engine does not answer, or refuses the login.
        Unexpected: it answered something that cannot be used.
        Missing: it has no such torrent (single-torrent verbs).
    """

    async def version(self) -> str:
        """The engine's version, e.g. "v4.5.2"."""
        ...

    async def torrents(self, *, ids: Collection[EngineId] | None = None, tag: str | None = None) -> tuple[Torrent, ...]:
        """All torrents, or those named, or those with a tag."""
        ...

    async def add(self, new: NewTorrent) -> None:
        """Add it. What is there already stays as it is, and that is no error; bad bytes are `Invalid`."""
        ...

    async def start(self, ids: Sequence[EngineId]) -> None:
        """Let them download or seed."""
        ...

    async def stop(self, ids: Sequence[EngineId]) -> None:
        """Pause them."""
        ...

    async def recheck(self, ids: Sequence[EngineId]) -> None:
        """Read the files again and verify them."""
        ...

    async def reannounce(self, ids: Sequence[EngineId]) -> None:
        """Ask their trackers for peers now, as far as those let themselves be asked again."""
        ...

    async def delete(self, ids: Sequence[EngineId], *, with_files: bool) -> None:
        """Forget them, and their files when asked. Unknown ones are no error."""
        ...

    async def tag(self, ids: Sequence[EngineId], *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """Change tags."""
        ...

    async def files(self, id: EngineId) -> tuple[TorrentFile, ...]:
        """Its files; none while the metadata is not known."""
        ...

    async def pieces(self, id: EngineId) -> Pieces:
        """Which of its pieces have come and were checked; none while the metadata is not known."""
        ...

    async def trackers(self, id: EngineId) -> tuple[Tracker, ...]:
        """Its trackers."""
        ...

    async def peers(self, id: EngineId) -> tuple[Peer, ...]:
        """The peers it is connected to."""
        ...

    async def set_priority(self, id: EngineId, indexes: Sequence[int], priority: int) -> None:
        """Set the priority of some files. `Conflict` while the metadata is not known."""
        ...

    async def set_sequential(self, id: EngineId, on: bool) -> None:
        """Download in order, or not."""
        ...

    async def set_limits(self, id: EngineId, *, down_bps: int, up_bps: int) -> None:
        """Speed limits; 0: none."""
        ...

    async def uploaded(self) -> int:
        """Bytes that all torrents together uploaded since it started; after a restart it begins at 0 again."""
        ...

    async def up_limit(self) -> int:
        """How fast all torrents together may upload; 0: no limit."""
        ...

    async def set_up_limit(self, bps: int) -> None:
        """Limit what all torrents together upload; 0: no limit."""
        ...

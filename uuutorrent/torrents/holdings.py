"""What a person sees of their torrents: a claim joined with what the engine reports. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from uuutorrent.accounts import UserId
from uuutorrent.torrents.engine import InfoHash, Peer, Phase, Snapshot, Torrent, TorrentFile, Tracker


@dataclass(frozen=True, slots=True)
class Claim:
    """One user's claim on a torrent, for an episode when it is known."""

    user_id: UserId
    claimed_at: datetime
    media_id: int | None = None
    episode: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """A torrent as it is remembered, with every claim on it, the oldest first."""

    id: int
    v1: str | None
    v2: str | None
    name: str
    size_bytes: int | None
    folder: str
    stopped: bool
    keep_files: bool
    added_at: datetime
    confirmed_at: datetime | None
    completed_at: datetime | None
    claims: tuple[Claim, ...] = ()

    @property
    def infohash(self) -> InfoHash:
        """The hash people know it by: v1, or v2 when it has no v1."""
        return InfoHash(self.v1 or self.v2 or "")

    def claim_of(self, user_id: UserId) -> Claim | None:
        """This user's claim, if there is one."""
        return next((claim for claim in self.claims if claim.user_id == user_id), None)


@dataclass(frozen=True, slots=True)
class Holding:
    """A claim and its torrent's present state. Sizes are bytes, rates bytes/s, progress 0..1, ratio 1.0 = even."""

    infohash: InfoHash
    name: str
    phase: Phase
    progress: float
    size_bytes: int
    completed_bytes: int
    down_bps: int
    up_bps: int
    eta_s: int | None
    ratio: float
    seeds: int
    peers: int
    added_at: datetime
    """When this user claimed it."""
    completed_at: datetime | None
    media_id: int | None
    episode: int | None
    shared: bool
    """Others claim it too."""
    owners: tuple[str, ...]
    """Everyone who claims it; filled for admins only."""
    sequential: bool
    down_limit_bps: int
    up_limit_bps: int
    """0: no limit."""
    note: str
    """A sentence its owner should read, or empty."""

    @property
    def is_complete(self) -> bool:
        """Every chosen byte is here and was checked."""
        return self.progress >= 1.0 and self.phase not in (Phase.CHECKING, Phase.MISSING, Phase.ERROR, Phase.METADATA)


@dataclass(frozen=True, slots=True)
class Usage:
    """What somebody claims, and what they may; a quota of 0 is no limit."""

    bytes: int
    torrents: int
    quota_bytes: int
    quota_torrents: int


@dataclass(frozen=True, slots=True)
class Added:
    """The answer to an add. `queued` says why the engine does not have it yet; empty when it has."""

    infohash: InfoHash
    name: str
    already: bool
    """It was claimed by the same user before; nothing changed."""
    queued: str = ""


@dataclass(frozen=True, slots=True)
class Details:
    """One torrent from near."""

    holding: Holding
    files: tuple[TorrentFile, ...]
    trackers: tuple[Tracker, ...]
    peers: tuple[Peer, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """The files of one claimed torrent that are whole. Paths are relative to `folder`, that to the download root."""

    infohash: InfoHash
    name: str
    folder: str
    claimed_at: datetime
    files: tuple[str, ...]


def joined(stored: Stored, claim: Claim, snapshot: Snapshot, owners: tuple[str, ...] = ()) -> Holding:
    """What `claim` looks like at the moment of `snapshot`."""
    torrent = snapshot.find(stored.v1, stored.v2)
    if torrent is None:
        return _unseen(stored, claim, owners, claim.note or _absence(stored, snapshot))
    return _seen(stored, claim, owners, torrent)


def _unseen(stored: Stored, claim: Claim, owners: tuple[str, ...], note: str) -> Holding:
    whole, size = stored.completed_at is not None, stored.size_bytes or 0
    return Holding(
        infohash=stored.infohash,
        name=stored.name,
        phase=Phase.COMPLETE if whole else Phase.ADDING,
        progress=1.0 if whole else 0.0,
        size_bytes=size,
        completed_bytes=size if whole else 0,
        down_bps=0,
        up_bps=0,
        eta_s=None,
        ratio=0.0,
        seeds=0,
        peers=0,
        added_at=claim.claimed_at,
        completed_at=stored.completed_at,
        media_id=claim.media_id,
        episode=claim.episode,
        shared=len(stored.claims) > 1,
        owners=owners,
        sequential=False,
        down_limit_bps=0,
        up_limit_bps=0,
        note=note,
    )


def _seen(stored: Stored, claim: Claim, owners: tuple[str, ...], torrent: Torrent) -> Holding:
    # Every session does this for every torrent every second, so it is built once and not replaced in steps.
    return Holding(
        infohash=stored.infohash,
        name=torrent.name or stored.name,
        phase=torrent.phase,
        progress=torrent.progress,
        size_bytes=torrent.size_bytes or stored.size_bytes or 0,
        completed_bytes=torrent.completed_bytes,
        down_bps=torrent.down_bps,
        up_bps=torrent.up_bps,
        eta_s=torrent.eta_s,
        ratio=torrent.ratio,
        seeds=torrent.seeds,
        peers=torrent.peers,
        added_at=claim.claimed_at,
        completed_at=torrent.completed_at or (stored.completed_at if torrent.is_complete else None),
        media_id=claim.media_id,
        episode=claim.episode,
        shared=len(stored.claims) > 1,
        owners=owners,
        sequential=torrent.sequential,
        down_limit_bps=torrent.down_limit_bps,
        up_limit_bps=torrent.up_limit_bps,
        note=claim.note,
    )


def _absence(stored: Stored, snapshot: Snapshot) -> str:
    if not snapshot.engine_up:
        return "Waiting for qBittorrent."
    return "" if stored.confirmed_at is None else "qBittorrent does not have it any more; it is being added again."

"""What a person sees of their torrents: a claim joined with what the engine reports. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from uuutorrent.accounts import UserId
from uuutorrent.torrents.engine import InfoHash, Peer, Phase, Snapshot, Torrent, TorrentFile, Tracker

WAITS = "It waits for room on the disk, and goes on by itself."
BY_HAND = 0
"""The anime and the episode of files that were chosen by hand."""


@dataclass(frozen=True, slots=True)
class Pick:
    """An episode out of a batch, and its files: places in the torrent's list, from 0."""

    media_id: int
    episode: int
    files: tuple[int, ...]

    @property
    def is_by_hand(self) -> bool:
        """The files were chosen, and not as an episode."""
        return self.media_id == BY_HAND


@dataclass(frozen=True, slots=True)
class Part:
    """What somebody wants of a batch: the files of each episode."""

    media_id: int
    episodes: Mapping[int, tuple[int, ...]]
    sizes: Sequence[int]
    """Of every file of the torrent, in bytes."""
    whole: bool = False
    """Everything is wanted; the episodes only say which file is which."""

    def size_with(self, files: Iterable[int]) -> int:
        """The bytes of these files and of its own."""
        return sum(self.sizes[file] for file in {*files}.union(*self.episodes.values()))


@dataclass(frozen=True, slots=True)
class Claim:
    """One user's claim on a torrent, for an episode when it is known."""

    user_id: UserId
    claimed_at: datetime
    media_id: int | None = None
    episode: int | None = None
    note: str = ""
    size_bytes: int | None = None
    """Of the picked files; None: the whole torrent is claimed."""
    picks: tuple[Pick, ...] = ()

    @property
    def is_part(self) -> bool:
        """Only the picked files are claimed."""
        return self.size_bytes is not None

    @property
    def files(self) -> frozenset[int]:
        """Every picked file."""
        return frozenset(file for pick in self.picks for file in pick.files)

    @property
    def episodes(self) -> tuple[int, ...]:
        """The episodes it is known to be for."""
        picked = tuple(pick.episode for pick in self.picks if pick.media_id == self.media_id)
        return picked or (() if self.episode is None else (self.episode,))

    def files_of(self, media_id: int, episode: int) -> frozenset[int]:
        """The files of an episode; none where it was not picked."""
        return frozenset(
            file for pick in self.picks if (pick.media_id, pick.episode) == (media_id, episode) for file in pick.files
        )


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
    held_back: bool = False
    """It waits for room on the disk."""
    seeded_at: datetime | None = None
    """When its seeding came to its limit."""
    waits_turn: bool = False
    """All who claim it have as many downloads running as they may."""

    @property
    def stands_still(self) -> bool:
        """It shall not run: somebody wants that, the disk has no room for it, or it is not its turn."""
        return self.stopped or self.held_back or self.waits_turn

    @property
    def is_under_way(self) -> bool:
        """It runs, or would but for the engine, and is not complete."""
        return self.completed_at is None and not self.stands_still

    @property
    def infohash(self) -> InfoHash:
        """The hash people know it by: v1, or v2 when it has no v1."""
        return InfoHash(self.v1 or self.v2 or "")

    @property
    def wanted(self) -> frozenset[int] | None:
        """The files that somebody wants; None: all of them."""
        if not self.claims or not all(claim.is_part for claim in self.claims):
            return None
        return frozenset(file for claim in self.claims for file in claim.files)

    @property
    def picked(self) -> frozenset[int]:
        """The files that somebody picked, also where somebody else claims everything."""
        return frozenset(file for claim in self.claims for file in claim.files)

    def claim_of(self, user_id: UserId) -> Claim | None:
        """This user's claim, if there is one."""
        return next((claim for claim in self.claims if claim.user_id == user_id), None)


@dataclass(frozen=True, slots=True)
class Taken:
    """The outcome of a claim: the torrent, and whether there was one before."""

    stored: Stored
    already: bool
    """It was claimed before, and nothing changed."""
    existed: bool
    """It was claimed before; perhaps more of it is claimed now."""


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
    episodes: tuple[int, ...] = ()
    """Every episode it is for; of a batch, those that were picked, or all that can be told apart in it."""
    is_part: bool = False
    """Only the picked episodes of a batch are fetched."""

    @property
    def is_complete(self) -> bool:
        """Every chosen byte is here and was checked."""
        return self.progress >= 1.0 and self.phase not in (Phase.CHECKING, Phase.MISSING, Phase.ERROR, Phase.METADATA)


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
    """One claim, and the files of it that are whole. Paths are relative to `folder`, that to the download root."""

    infohash: InfoHash
    name: str
    folder: str
    claim: Claim
    completed_at: datetime | None
    """When all that was chosen was whole first; None: more is still to come."""
    whole: Mapping[int, str]
    """Paths by place in the torrent's list."""

    @property
    def files(self) -> tuple[str, ...]:
        """The paths."""
        return tuple(self.whole.values())

    @property
    def at(self) -> datetime:
        """Since when this user has it."""
        return max(self.claim.claimed_at, self.completed_at or self.claim.claimed_at)


@dataclass(frozen=True, slots=True)
class Piece:
    """A whole file of one claim, and what it is."""

    infohash: InfoHash
    path: str
    """Within its torrent, "/" between folders."""
    media_id: int | None
    episodes: tuple[int, ...]
    """Those that the claim knows it to be; none where it does not say."""


def joined(
    stored: Stored,
    claim: Claim,
    snapshot: Snapshot,
    owners: tuple[str, ...] = (),
    files: Sequence[TorrentFile] = (),
    running: int = 0,
) -> Holding:
    """What `claim` looks like at the moment of `snapshot`.

    `files` are given where others fetch other parts of the same batch: then only its own count. `running`: how many
    downloads of the same user are under way.
    """
    torrent = snapshot.find(stored.v1, stored.v2)
    if torrent is None:
        return _unseen(stored, claim, owners, claim.note or _absence(stored, snapshot))
    if stored.held_back and not claim.note:
        claim = replace(claim, note=WAITS)
    elif stored.waits_turn and not stored.stopped and torrent.phase is Phase.PAUSED:
        torrent = replace(torrent, phase=Phase.QUEUED)
        claim = replace(claim, note=claim.note or f"It waits: {busy(running)}")
    if claim.is_part:
        torrent = _own_part(torrent, claim, files)
    return _seen(stored, claim, owners, torrent)


def busy(running: int) -> str:
    """Why a download waits whose user has so many under way; 0: enough of them."""
    return f"{running or 'enough'} of your downloads {'runs' if running == 1 else 'run'} already. It goes on by itself."


def _own_part(torrent: Torrent, claim: Claim, files: Sequence[TorrentFile]) -> Torrent:
    """A torrent as if it were the files of one claim; the engine's size is that of the pieces they are in."""
    size, progress, phase = claim.size_bytes or 0, torrent.progress, torrent.phase
    own = [file for file in files if file.index in claim.files]
    if own and size:
        progress = sum(file.progress * file.size_bytes for file in own) / size
    if own and progress >= 1 and phase in (Phase.DOWNLOADING, Phase.STALLED, Phase.QUEUED):
        phase = Phase.SEEDING
    done = round(size * progress)
    eta_s = torrent.eta_s if progress < 1 else None
    return replace(torrent, size_bytes=size, progress=progress, completed_bytes=done, phase=phase, eta_s=eta_s)


def _unseen(stored: Stored, claim: Claim, owners: tuple[str, ...], note: str) -> Holding:
    whole, size = stored.completed_at is not None, stored.size_bytes or 0
    size = size if claim.size_bytes is None else claim.size_bytes
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
        episode=_single(claim),
        shared=len(stored.claims) > 1,
        owners=owners,
        sequential=False,
        down_limit_bps=0,
        up_limit_bps=0,
        note=note,
        episodes=claim.episodes,
        is_part=claim.is_part,
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
        episode=_single(claim),
        shared=len(stored.claims) > 1,
        owners=owners,
        sequential=torrent.sequential,
        down_limit_bps=torrent.down_limit_bps,
        up_limit_bps=torrent.up_limit_bps,
        note=claim.note,
        episodes=claim.episodes,
        is_part=claim.is_part,
    )


def _single(claim: Claim) -> int | None:
    return claim.episodes[0] if len(claim.episodes) == 1 else None


def amount(size_bytes: int) -> str:
    """A size for people: 9.8 GiB, 350 MiB, 12 KiB."""
    left, units = float(size_bytes), ["TiB", "GiB", "MiB", "KiB"]
    unit = "B"
    while left >= 1000 and units:
        left, unit = left / 1024, units.pop()
    return f"{left:.1f} {unit}" if unit in ("GiB", "TiB") or (unit == "MiB" and left < 10) else f"{left:.0f} {unit}"


def _absence(stored: Stored, snapshot: Snapshot) -> str:
    if not snapshot.engine_up:
        return "Waiting for qBittorrent."
    return "" if stored.confirmed_at is None else "qBittorrent does not have it any more; it is being added again."

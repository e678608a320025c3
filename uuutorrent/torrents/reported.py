"""What qBittorrent reports, in our words: the one place where its names and numbers are read. Pure.

Source: qBittorrent WebUI API, torrent list, contents, trackers and peers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from uuutorrent.torrents.engine import EngineId, Peer, Phase, Pieces, Torrent, TorrentFile, Tracker

Row = Mapping[str, Any]
"""One object of its JSON."""

UNKNOWN_ETA_S = 8_640_000
"""qBittorrent's "no idea": 100 days. Finished torrents report it too."""

PHASES: Mapping[str, Phase] = {
    "error": Phase.ERROR,
    "missingFiles": Phase.MISSING,
    "uploading": Phase.SEEDING,
    "stalledUP": Phase.SEEDING,
    "forcedUP": Phase.SEEDING,
    "queuedUP": Phase.COMPLETE,
    "pausedUP": Phase.COMPLETE,
    "stoppedUP": Phase.COMPLETE,
    "checkingUP": Phase.CHECKING,
    "checkingDL": Phase.CHECKING,
    "checkingResumeData": Phase.CHECKING,
    "unknown": Phase.CHECKING,
    "allocating": Phase.QUEUED,
    "queuedDL": Phase.QUEUED,
    "metaDL": Phase.METADATA,
    "forcedMetaDL": Phase.METADATA,
    "downloading": Phase.DOWNLOADING,
    "forcedDL": Phase.DOWNLOADING,
    "stalledDL": Phase.STALLED,
    "pausedDL": Phase.PAUSED,
    "stoppedDL": Phase.PAUSED,
    "moving": Phase.MOVING,
}
"""The states of 4.x (paused) and 5.x (stopped). Source: qBittorrent WebUI API, torrent list, `state`."""

TRACKER_STATUS = ("disabled", "not contacted", "working", "updating", "not working", "not working", "unreachable")
FINDERS: Mapping[str, str] = {"** [DHT] **": "DHT", "** [PeX] **": "PeX", "** [LSD] **": "LSD"}


def torrent(row: Row) -> Torrent:
    """One of its list of torrents."""
    progress, size, down = float(row["progress"]), int(row["size"]), int(row["dlspeed"])
    phase = PHASES.get(row["state"], Phase.CHECKING)
    if phase is Phase.STALLED and down > 0:
        phase = Phase.DOWNLOADING
    return Torrent(
        id=EngineId(row["hash"]),
        v1=row["infohash_v1"],
        v2=row["infohash_v2"],
        name=row["name"],
        phase=phase,
        progress=progress,
        size_bytes=max(size, 0),
        completed_bytes=int(row["completed"]),
        # Its rates are averages that fade for minutes after the last byte.
        down_bps=down if progress < 1 else 0,
        up_bps=int(row["upspeed"]),
        uploaded_bytes=int(row["uploaded"]),
        eta_s=int(row["eta"]) if 0 <= row["eta"] < UNKNOWN_ETA_S and progress < 1 else None,
        ratio=max(float(row["ratio"]), 0.0),
        seeds=max(int(row["num_complete"]), int(row["num_seeds"]), 0),
        peers=max(int(row["num_incomplete"]), int(row["num_leechs"]), 0),
        added_at=_instant(row["added_on"]) or datetime.now(UTC),
        completed_at=_instant(row["completion_on"]),
        save_path=str(row["save_path"]).rstrip("/"),
        content_path=row["content_path"],
        tags=frozenset(tag.strip() for tag in row["tags"].split(",") if tag.strip()),
        category=row["category"],
        sequential=bool(row["seq_dl"]),
        down_limit_bps=max(int(row["dl_limit"]), 0),
        up_limit_bps=max(int(row["up_limit"]), 0),
        last_activity=_instant(int(row["last_activity"])),
        seeding_s=max(int(row["seeding_time"]), 0),
        downloaded_bytes=max(int(row["downloaded"]), 0),
        session_up_bytes=max(int(row["uploaded_session"]), 0),
    )


def file(row: Row) -> TorrentFile:
    """One of the files of a torrent."""
    first, last = row.get("piece_range") or (0, -1)
    return TorrentFile(
        index=int(row["index"]),
        path=str(row["name"]).replace("\\", "/"),
        size_bytes=int(row["size"]),
        progress=float(row["progress"]),
        priority=int(row["priority"]),
        first_piece=int(first),
        last_piece=int(last),
    )


def pieces(row: Row, states: Sequence[object]) -> Pieces:
    """Which pieces have come. Source: qBittorrent WebUI API, torrent pieces' states: 2 is "downloaded"."""
    return Pieces(max(int(row["piece_size"]), 0), tuple(state == 2 for state in states))


def tracker(row: Row) -> Tracker:
    """One of the trackers of a torrent."""
    status = int(row["status"])
    return Tracker(
        url=FINDERS.get(row["url"], row["url"]),
        status=TRACKER_STATUS[status] if 0 <= status < len(TRACKER_STATUS) else "not working",
        seeds=max(int(row["num_seeds"]), 0),
        peers=max(int(row["num_peers"]), 0),
        message=row["msg"],
    )


def peer(row: Row) -> Peer:
    """One of the clients a torrent is connected to."""
    return Peer(
        address=f"{row['ip']}:{row['port']}",
        client=row["client"],
        progress=float(row["progress"]),
        down_bps=int(row["dl_speed"]),
        up_bps=int(row["up_speed"]),
    )


def _instant(seconds: int) -> datetime | None:
    """ "Never" is written as 0, -1, or the largest unsigned number, depending on the version."""
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < 2**32 - 1 else None

"""How a download is doing, from what was seen of it over time. Pure: time comes in as an argument.

A download is judged by the bytes that came and those that did not. The engine's own word "stalled" is no evidence: it
also says so between the bytes of a healthy transfer. Source: qBittorrent WebUI API, torrent list, `state`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from uuutorrent.config import Health
from uuutorrent.torrents.engine import Phase, Torrent, Tracker

SLOW_S = 86_400
"""A download that takes longer than this from now on is slow."""
GAP_TURNS, GAP_S = 3, 10.0
"""Nobody knows what was between two looks that lie further apart than so many turns, or so many seconds if that is
more: it is not counted."""
HUNGRY = frozenset({Phase.DOWNLOADING, Phase.STALLED, Phase.METADATA})
"""Phases in which bytes should come."""
_RESTING = frozenset({Phase.PAUSED, Phase.SEEDING, Phase.COMPLETE})
FINDERS = frozenset({"DHT", "PeX", "LSD"})
REFUSALS = re.compile(
    r"(torrent|hash).{0,30}(unregistered|not registered|not found|unknown|not exist|deleted|nuked|trumped)"
    r"|(unregistered|not registered|unknown|invalid|deleted).{0,20}(torrent|hash)"
    r"|not authorized for use with this tracker",
    re.IGNORECASE,
)
"""How trackers say that they do not know a torrent, or no longer. There is no code for it in the protocol, only words.
Source: BEP 3 ("failure reason"); the answers of opentracker, Ocelot and XBT."""
LONGEST_QUOTE = 120


class Verdict(StrEnum):
    """How a download is doing."""

    WELL = "well"
    SLOW = "slow"
    """Bytes come, but it would take an absurd time. Shown, and nothing is done about it."""
    STALLED = "stalled"
    DEAD = "dead"
    """Nobody has all of it, and has not had for long."""
    BROKEN = "broken"


class Cause(StrEnum):
    """What it is that makes a download not well."""

    NONE = ""
    SLOW = "slow"
    STILL = "still"
    """No byte comes."""
    SEEDLESS = "seedless"
    UNREGISTERED = "unregistered"
    """Its trackers do not know it."""
    ERROR = "error"
    """The engine cannot go on with it: mostly the disk."""
    MISSING = "missing"
    """The engine lost its files."""
    CONTENT = "content"
    """It is not what its name says, or cannot be read."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen of one download so far."""

    first_at: datetime
    seen_at: datetime
    completed_bytes: int
    phase: Phase
    still_s: float = 0.0
    """For how long it got no byte although it should have; 0 as soon as one comes."""
    seedless_s: float = 0.0
    """For how long of that nobody had all of it."""
    refusal: str = ""
    """What its trackers say if they do not know it."""
    trouble: str = ""
    """What was found wrong with its content."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, what it comes from, and why, in words that can follow "because"."""

    verdict: Verdict
    cause: Cause = Cause.NONE
    why: str = ""


WELL = Judgement(Verdict.WELL)


def observe(previous: Observation | None, torrent: Torrent, now: datetime, *, interval_s: float) -> Observation:
    """One more look at a download, that is looked at every `interval_s`.

    Time counts as still only between two looks at which bytes should have come and none had; queued, checking, paused
    and moving count for nothing, nor does the time that nobody looked.
    """
    if previous is None:
        return Observation(now, now, torrent.completed_bytes, torrent.phase)
    seen = replace(previous, seen_at=now, completed_bytes=torrent.completed_bytes, phase=torrent.phase)
    if _got_bytes(previous, torrent):
        return replace(seen, still_s=0.0, seedless_s=0.0, refusal="")
    waited_s = _counted_s(previous, torrent, now, interval_s)
    return replace(
        seen,
        still_s=previous.still_s + waited_s,
        seedless_s=0.0 if torrent.seeds and torrent.phase in HUNGRY else previous.seedless_s + waited_s,
    )


def judge(seen: Observation, torrent: Torrent, limits: Health, now: datetime, *, excuse: str = "") -> Judgement:
    """How the download is doing. An `excuse` says what an error or lost files come from, if not from the torrent.

    While it is checked, queued or moved the verdict is what it was before: that is neither better nor worse.
    """
    if seen.trouble:
        return Judgement(Verdict.BROKEN, Cause.CONTENT, seen.trouble)
    if torrent.phase in _RESTING:
        return WELL
    if torrent.phase in (Phase.ERROR, Phase.MISSING):
        return Judgement(Verdict.WELL, why=excuse) if excuse else _failed(torrent)
    if torrent.progress >= limits.nearly:
        return Judgement(Verdict.WELL, why=_nearly(seen, limits))
    if (now - torrent.added_at).total_seconds() < limits.young_s:
        return WELL
    return _by_bytes(seen, torrent, limits, now)


def refusal(trackers: Sequence[Tracker]) -> str:
    """What the trackers say if they do not know the torrent; empty where one of them works, or none says so."""
    asked = [tracker for tracker in trackers if tracker.url not in FINDERS and tracker.status != "disabled"]
    if any(tracker.status in ("working", "updating") for tracker in asked):
        return ""
    said = (_in_line(tracker.message) for tracker in asked)
    return next((message[:LONGEST_QUOTE] for message in said if REFUSALS.search(message)), "")


def span(seconds: float) -> str:
    """A time for people: 40 s, 16 min, 5 h, 3 days."""
    for unit_s, unit in ((2 * 86_400, "days"), (2 * 3600, "h"), (100, "min")):
        if seconds >= unit_s:
            return f"{seconds / _SECONDS[unit]:.0f} {unit}"
    return f"{seconds:.0f} s"


_SECONDS = {"days": 86_400, "h": 3600, "min": 60}


def _in_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _got_bytes(previous: Observation, torrent: Torrent) -> bool:
    if torrent.completed_bytes > previous.completed_bytes or torrent.is_complete:
        return True
    if previous.phase is Phase.METADATA and torrent.phase in HUNGRY - {Phase.METADATA}:
        return True
    # Pieces that arrived damaged are taken off again; the rate alone fades for minutes after the last byte.
    active = torrent.last_activity is not None and torrent.last_activity > previous.seen_at
    return active and torrent.down_bps > 0 and torrent.phase in (Phase.DOWNLOADING, Phase.STALLED)


def _counted_s(previous: Observation, torrent: Torrent, now: datetime, interval_s: float) -> float:
    if previous.phase not in HUNGRY or torrent.phase not in HUNGRY:
        return 0.0
    waited_s = (now - previous.seen_at).total_seconds()
    return waited_s if 0 < waited_s <= max(GAP_TURNS * interval_s, GAP_S) else 0.0


def _failed(torrent: Torrent) -> Judgement:
    if torrent.phase is Phase.MISSING:
        return Judgement(Verdict.BROKEN, Cause.MISSING, "qBittorrent does not find its files any more")
    return Judgement(Verdict.BROKEN, Cause.ERROR, "qBittorrent reports an error with it, mostly of the disk")


def _nearly(seen: Observation, limits: Health) -> str:
    if seen.still_s < limits.stalled_s:
        return ""
    return f"no byte came for {span(seen.still_s)}, but it is nearly there and is left alone"


def _by_bytes(seen: Observation, torrent: Torrent, limits: Health, now: datetime) -> Judgement:
    if seen.refusal and seen.still_s >= min(limits.young_s, limits.stalled_s):
        why = f"no byte comes, and its tracker does not know it: {seen.refusal}"
        return Judgement(Verdict.BROKEN, Cause.UNREGISTERED, why)
    if seen.seedless_s >= limits.dead_s:
        return Judgement(Verdict.DEAD, Cause.SEEDLESS, f"nobody has had all of it for {span(seen.seedless_s)}")
    if seen.still_s >= limits.stalled_s:
        return Judgement(Verdict.STALLED, Cause.STILL, _still(seen, torrent))
    if seen.still_s == 0 and torrent.down_bps > 0 and _is_slow(torrent, now):
        left = "more than 100 days" if torrent.eta_s is None else f"another {span(torrent.eta_s)}"
        return Judgement(Verdict.SLOW, Cause.SLOW, f"at the rate of now it takes {left}")
    return WELL


def _is_slow(torrent: Torrent, now: datetime) -> bool:
    """Both at the rate of now, which falters now and then, and at that of its life so far."""
    if torrent.eta_s is not None and torrent.eta_s <= SLOW_S:
        return False
    age_s, left = (now - torrent.added_at).total_seconds(), torrent.size_bytes - torrent.completed_bytes
    return age_s * left > SLOW_S * torrent.completed_bytes


def _still(seen: Observation, torrent: Torrent) -> str:
    if not torrent.size_bytes:
        return f"its metadata has not come for {span(seen.still_s)}"
    seeds = "nobody there who has it all" if not torrent.seeds else f"{torrent.seeds} said to have it all"
    return f"no byte came for {span(seen.still_s)}, with {seeds}"

"""Figures in words: sizes, rates, spans of time, shares. Short enough for a column, and never rounded up to "done"."""

from __future__ import annotations

import math
from datetime import UTC, datetime

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400
LONGEST_ETA_S = 100 * _DAY_S
"""Beyond this an estimate says nothing. Source: qBittorrent, MAX_ETA (8640000)."""
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def size(size_bytes: int) -> str:
    """A size, at most 8 cells: 0 B, 700 MiB, 1.4 GiB."""
    amount, unit = float(max(0, size_bytes)), 0
    while amount >= 1023.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.1f} {_UNITS[unit]}" if unit and amount < 9.95 else f"{amount:.0f} {_UNITS[unit]}"


def rate(bps: int) -> str:
    """A rate in bytes per second; nothing when nothing moves."""
    return f"{size(bps)}/s" if bps > 0 else ""


def percent(progress: float) -> str:
    """A share 0..1; 100 % only when it is whole."""
    return f"{math.floor(min(1.0, max(0.0, progress)) * 100)} %"


def span(seconds: float) -> str:
    """A span of time in its two largest units: 2d 4h, 3h 12m, 5m, 40s."""
    left = max(0, int(seconds))
    days, left = divmod(left, _DAY_S)
    hours, left = divmod(left, _HOUR_S)
    minutes, left = divmod(left, _MINUTE_S)
    if days:
        return f"{days}d {hours}h" if hours else f"{days}d"
    if hours:
        return f"{hours}h {minutes}m" if minutes else f"{hours}h"
    return f"{minutes}m" if minutes else f"{left}s"


def eta(seconds: int | None) -> str:
    """How long a download will take; nothing when nobody knows."""
    return "" if seconds is None or seconds >= LONGEST_ETA_S else span(seconds)


def took(ms: float) -> str:
    """How long a step took: 3 ms, 1.2 s."""
    return f"{ms:.0f} ms" if ms < 999.5 else f"{ms / 1000:.1f} s"


def ago(then: datetime, now: datetime) -> str:
    """How long since something happened, or on which day when it is long ago."""
    seconds = (now - then).total_seconds()
    if seconds < _MINUTE_S:
        return "just now"
    return f"{span(seconds).split()[0]} ago" if seconds < 60 * _DAY_S else day(then)


def day(when: datetime) -> str:
    """A day: 3 Nov 2027."""
    return f"{when.day} {when:%b %Y}"


def moment(when: datetime) -> str:
    """A moment: 3 Nov 18:05 UTC."""
    there = when.astimezone(UTC)
    return f"{there.day} {there:%b %H:%M} UTC"


def sure(confidence: float) -> str:
    """How certain something is, 0..1, in words; never rounded up to certain."""
    return "certain" if confidence >= 1 else f"{percent(confidence)} sure"


def count(n: int, noun: str) -> str:
    """A number of things: 1 file, 3 files."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def filled(fraction: float, width: int) -> str:
    """The filled part of a bar as wide as `width`."""
    full, part = divmod(int(min(1.0, max(0.0, fraction)) * width * 8), 8)
    return "█" * full + (_EIGHTHS[part] if part else "")

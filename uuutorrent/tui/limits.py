"""What somebody may and uses beside disk, in words: downloads at the same time, and what they read."""

from __future__ import annotations

from uuutorrent.limits import Limit
from uuutorrent.torrents.usage import Usage
from uuutorrent.tui.figures import rate, size


def running(usage: Usage) -> str:
    """How many downloads run, of those that may at a time; nothing without such a limit."""
    return f"{usage.running} of {usage.quota_active} downloads run" if usage.quota_active else ""


def read(limit: Limit, served_bytes: int) -> str:
    """What was read over SFTP and with `cat` this month, and how much and how fast it may; nothing without either."""
    of = f" of {size(limit.month_bytes)}" if limit.month_bytes else ""
    used = f"{size(served_bytes)}{of} read this month" if of or served_bytes else ""
    most = f"at most {rate(limit.bps)}" if limit.bps else ""
    return ", ".join(part for part in (used, most) if part)

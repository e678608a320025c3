"""What somebody uses of what they may, and what something more would leave. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from uuutorrent.errors import Refused
from uuutorrent.torrents.holdings import Stored, amount
from uuutorrent.users import UserId

LITTLE = 0.1
"""Of a quota."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What somebody claims, and what they may; a quota of 0 is no limit."""

    bytes: int
    torrents: int
    quota_bytes: int
    quota_torrents: int
    running: int = 0
    """Downloads that are under way."""
    quota_active: int = 0

    @property
    def left_bytes(self) -> int | None:
        """What they may claim beside what they do; None: no limit."""
        return max(0, self.quota_bytes - self.bytes) if self.quota_bytes else None

    @property
    def left(self) -> str:
        """The same in a sentence, where it is little."""
        if self.left_bytes is None or self.left_bytes >= self.quota_bytes * LITTLE:
            return ""
        return f"Only {amount(self.left_bytes)} of your {amount(self.quota_bytes)} are left."

    def forecast(self, needed_bytes: int) -> str:
        """What something would need and what there is, in words; nothing where there is no limit."""
        if self.left_bytes is None:
            return ""
        return f"needs {amount(needed_bytes)}, you have {amount(self.left_bytes)} of {amount(self.quota_bytes)} left"

    @property
    def is_busy(self) -> bool:
        """As many of their downloads run as may."""
        return bool(self.quota_active) and self.running >= self.quota_active

    def check(self, more_bytes: int, *, is_new: bool) -> Self:
        """The same, if there is room for so many bytes more.

        Raises:
            Refused: there is not.
        """
        if is_new and self.quota_torrents and self.torrents >= self.quota_torrents:
            raise Refused(f"You have {self.torrents} torrents, which is all you may have. Delete one first.")
        if more_bytes > 0 and self.quota_bytes and self.bytes + more_bytes > self.quota_bytes:
            free, quota = amount(max(0, self.quota_bytes - self.bytes)), amount(self.quota_bytes)
            raise Refused(f"It needs {amount(more_bytes)}; {free} of your {quota} are free. Delete something first.")
        return self


@dataclass(frozen=True, slots=True)
class Claimed:
    """What somebody claims."""

    bytes: int = 0
    torrents: int = 0


def claimed(every: Iterable[Stored]) -> Mapping[UserId, Claimed]:
    """What each user claims of all torrents; who claims nothing is left out."""
    sizes: defaultdict[UserId, list[int]] = defaultdict(list)
    for stored in every:
        for claim in stored.claims:
            sizes[claim.user_id].append((stored.size_bytes or 0) if claim.size_bytes is None else claim.size_bytes)
    return {user_id: Claimed(sum(of), len(of)) for user_id, of in sizes.items()}

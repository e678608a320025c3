"""The nouns of the inbox: a notice and its kind. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from uuutorrent.accounts import UserId

MOOT = "moot"
"""The answer of a choice that nobody has to make any more."""
SETTLED_AFTER = timedelta(seconds=30)
"""Longer than a transaction lasts."""


class Kind(StrEnum):
    """What a notice is about."""

    FINISHED = "finished"
    FAILED = "failed"
    REPLACED = "replaced"
    CHOICE = "choice"
    AVAILABLE = "available"
    """An episode can be downloaded now."""
    TAKEN = "taken"
    """Something was taken by itself."""
    WATCHED = "watched"
    TIDIED = "tidied"
    """What was watched and served was deleted, as its owner wants it."""
    TROUBLE = "trouble"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a user should know, or has to choose."""

    id: int
    """Newer ones have higher ones."""
    user_id: UserId
    kind: Kind
    key: str
    """What it is about, for us: the same thing is told once."""
    text: str
    at: datetime
    media_id: int | None = None
    episode: int | None = None
    infohash: str = ""
    choices: tuple[str, ...] = ()
    answer: str = ""
    """The choice that was made; `MOOT` where none is needed any more."""
    is_seen: bool = False

    @property
    def is_open(self) -> bool:
        """It waits for an answer."""
        return bool(self.choices) and not self.answer


def settled(notices: Sequence[Notice], since: int, now: datetime) -> Sequence[Notice]:
    """Those of the notices after `since` (oldest first) before which nothing can turn up any more.

    On PostgreSQL a notice gets its number before its transaction is over, so an older one may be seen after a newer.
    Until that cannot be any more, whoever remembers how far they read must not read past a number that is missing.
    """
    last = since
    for place, notice in enumerate(notices):
        if notice.id != last + 1 and notice.at > now - SETTLED_AFTER:
            return notices[:place]
        last = notice.id
    return notices

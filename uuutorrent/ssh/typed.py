"""What people type after a verb: ids, sizes, qualities, flags; and the sentences for what cannot be meant."""

from __future__ import annotations

import re
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from uuutorrent.anime.anime import WatchStatus
from uuutorrent.errors import Invalid
from uuutorrent.tui.amounts import size_of

Media = Annotated[int, Parameter(validator=Number(gte=1, lte=2**31 - 1))]
"""AniList's id of an anime. Source: GraphQL, Int has 32 bits."""
Episode = Annotated[int, Parameter(validator=Number(gte=1, lte=100_000))]
Count = Annotated[int, Parameter(validator=Number(gte=0, lte=1_000_000), metavar="N")]
Flag = Annotated[bool, Parameter(negative="")]
"""A switch that is off unless it is named."""
Quality = Annotated[str | None, Parameter(metavar="LINES")]
Size = Annotated[str | None, Parameter(metavar="SIZE")]
Words = Annotated[list[str] | None, Parameter(consume_multiple=True, negative="", metavar="WORD")]

STATUSES = tuple(status.value for status in WatchStatus)
_INFOHASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def infohash(text: str) -> str:
    """A whole infohash, v1 or v2, in lower case.

    Raises:
        Invalid: it is none.
    """
    wanted = text.strip().lower()
    if not _INFOHASH.fullmatch(wanted):
        raise Invalid(f"{text} is not a whole infohash: it has 40 characters of 0-9 and a-f", field="infohash")
    return wanted


def is_infohash(text: str) -> bool:
    """Whether it is a whole infohash rather than the beginning of one."""
    return _INFOHASH.fullmatch(text) is not None


def size(text: str, *, field: str) -> int:
    """Bytes, from a number with or without a binary unit: 1048576, 500K, 1.5M, 200GiB.

    Raises:
        Invalid: it is no size.
    """
    try:
        return size_of(text, such_as="give bytes such as 1048576, or a unit as in 500K, 20M, 1.5G")
    except Invalid as e:
        raise Invalid(e.message, field=field) from e


def quality(text: str | None) -> int | None:
    """Lines, from 1080 or 1080p.

    Raises:
        Invalid: it is no number.
    """
    if text is None:
        return None
    digits = text.lower().removesuffix("p")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 6):
        raise Invalid(f"a quality is a number of lines such as 1080, not {text}", field="quality")
    return int(digits)


def status(word: str) -> WatchStatus:
    """A part of a watchlist, in upper or lower case.

    Raises:
        Invalid: there is no such part.
    """
    if word.upper() not in STATUSES:
        raise Invalid(f"there is no status {word}; there are {', '.join(STATUSES)}", field="status")
    return WatchStatus(word.upper())

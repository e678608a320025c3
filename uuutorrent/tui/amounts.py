"""Amounts as people type them, on a screen or at a prompt; `figures` is how they read them."""

from __future__ import annotations

import re
from decimal import Decimal

from uuutorrent.errors import Invalid

LARGEST = 2**62
SIZES = "type e.g. 700 MiB or 2 GiB"
_AMOUNT = re.compile(r"(\d{1,19}(?:\.\d{1,6})?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE | re.ASCII)
_BITS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}


def size_of(text: str, *, noun: str = "size", such_as: str = SIZES, bare: str | None = "", most: int = LARGEST) -> int:
    """Bytes, from a number with a binary unit: 500K, 1.5 MiB, 200GiB.

    `bare` is the unit of a number without one: "" is bytes; None: a unit must be there. The complaint says that it is
    no `noun`, and what to type: `such_as`.

    Raises:
        Invalid: it is none.
    """
    said = _AMOUNT.fullmatch(text.strip())
    unit = (said[2].lower() or bare) if said else None
    size_bytes = int(Decimal(said[1]) * 2 ** _BITS[unit]) if said and unit is not None else -1
    if not 0 <= size_bytes <= most:
        raise Invalid(f"{text} is no {noun}: {such_as}")
    return size_bytes


def number_of(text: str) -> int:
    """A number of things.

    Raises:
        Invalid: it is none.
    """
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise Invalid(f"{text} is not a number")
    return int(text)

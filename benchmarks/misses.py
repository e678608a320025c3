"""Why the names that are read wrong are read wrong, and where the label rather than the reading may be questioned.

The names are not this project's to keep, so each stands here by the first eight signs of its SHA-1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """Why one name is read otherwise than its label says."""

    text: str
    arguable: bool = False
    """The label says what this project does not want to be told."""


_ENDING = "an opening or ending is no episode of anything: its number is left out, and its kind is told instead"
REASONS: Mapping[str, Reason] = {
    "26989fe6": Reason(_ENDING, arguable=True),
    "4f8003ec": Reason(_ENDING, arguable=True),
    "5f50492a": Reason("this show alone calls its episodes layers"),
    "bec27680": Reason(
        "the label counts the words for a preview to the title; here they are told as its kind", arguable=True
    ),
    "c9b3f587": Reason("a bare number among words: an episode only for who knows where the title ends"),
}
UNKNOWN = Reason("not looked into yet")


def why(name: str) -> Reason:
    """The reason for a name."""
    return REASONS.get(hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()[:8], UNKNOWN)

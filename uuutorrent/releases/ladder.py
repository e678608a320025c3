"""The order among candidates: one rung after the other, the first difference decides, and can say so. No I/O."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from uuutorrent.releases.liking import Post, language_place, place_in, sized
from uuutorrent.releases.release import Taste
from uuutorrent.releases.tongues import in_words

SUREST = 6
MOST_MEBIBYTES = 1 << 19


@dataclass(frozen=True, slots=True)
class Standing:
    """What the order looks at."""

    post: Post
    nearness: int
    """How near it comes to being the episode: `SUREST`; one less, perhaps; below that it is rejected."""
    is_single: bool
    is_current: bool
    """There is no later version by its group."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One thing that decides when everything above it is equal."""

    values: int
    """How many values it takes, from 0."""
    of: Callable[[Standing, Taste], int]
    """The value of one; the higher is better."""
    lead: Callable[[Standing, Standing, Taste], str]
    """What the better of two has over the other, in words."""
    is_crowd: bool = False
    """It is about who sends it."""


def order(one: Standing, taste: Taste) -> tuple[int, ...]:
    """The values of all rungs, to be compared one after the other."""
    return tuple(min(max(rung.of(one, taste), 0), rung.values - 1) for rung in RUNGS)


def score(values: Sequence[int]) -> float:
    """An order as one number; the values of all rungs multiplied are below 2**53, so that a float holds it exactly."""
    total = 0
    for value, rung in zip(values, RUNGS, strict=True):
        total = total * rung.values + value
    return float(total)


def lead_of(one: Standing, other: Standing, taste: Taste) -> str:
    """What the first has over the one after it."""
    for rung, mine, theirs in zip(RUNGS, order(one, taste), order(other, taste), strict=True):
        if mine != theirs:
            return rung.lead(one, other, taste)
    return "alike in everything, and listed first"


def outranks(one: Standing, other: Standing, taste: Taste) -> bool:
    """Whether one would stand above the other if both were sent by as many people."""
    for rung, mine, theirs in zip(RUNGS, order(one, taste), order(other, taste), strict=True):
        if rung.is_crowd:
            if rung is CROWD:
                return False
            continue
        if mine != theirs:
            return mine > theirs
    return False


def _from_end(place: int | None, wished: Sequence[object], most: int) -> int:
    """0 for what is not wished for, then higher the earlier it is wished for."""
    return 0 if place is None else max(1, min(len(wished), most) - place)


def _place(value: object, wished: Sequence[object]) -> int | None:
    return list(wished).index(value) if value in wished else None


def _crowd(one: Standing) -> int:
    """0 for nobody, then the number of digits."""
    return int(math.log10(one.post.release.seeders)) + 1 if one.post.release.seeders > 0 else 0


def _smallness(one: Standing, taste: Taste) -> int:
    """Nearest to the middle where both bounds are given; else the smaller: it is sooner there and takes less quota."""
    size_bytes = one.post.size_bytes
    if size_bytes is None:
        return 0
    middle = 0
    if taste.min_bytes_per_min is not None and taste.max_bytes_per_min is not None:
        middle = one.post.minutes * (taste.min_bytes_per_min + taste.max_bytes_per_min) // 2
    return MOST_MEBIBYTES - 1 - (abs(size_bytes - middle) >> 20)


def _lead_size(one: Standing, other: Standing, taste: Taste) -> str:
    both = taste.min_bytes_per_min is not None and taste.max_bytes_per_min is not None
    mine, theirs = one.post.size_bytes, other.post.size_bytes
    if mine is None or theirs is None:
        return "how large it is can be told"
    return f"{sized(mine)} {'is nearer to your size than' if both else 'is smaller than'} {sized(theirs)}"


def _lead_language(one: Standing, other: Standing, taste: Taste) -> str:
    mine, theirs = language_place(one.post, taste), language_place(other.post, taste)
    after = "one that does not say its language" if theirs is None else in_words([taste.languages[theirs]])
    return f"{in_words([taste.languages[mine or 0]])} before {after}"


def _lead_group(one: Standing, other: Standing, taste: Taste) -> str:
    place = place_in(one.post.name.group, taste.groups) or 0
    rank = "your first group" if place == 0 else "a group you prefer"
    named = other.post.name.group
    return f"{one.post.name.group} is {rank}, before {named or 'one that names none'}"


def _lead_version(one: Standing, other: Standing, _: Taste) -> str:
    if one.post.name.group.lower() == other.post.name.group.lower():
        return f"v{one.post.name.version} of the same group"
    return "the newest of its group, which the next is not"


def _before(mine: object, theirs: object, unnamed: str) -> str:
    return f"{mine} before {theirs or unnamed}"


def _bits(one: Standing) -> str:
    return f"{one.post.name.bit_depth} bit" if one.post.name.bit_depth else ""


def _lines(one: Standing) -> str:
    return f"{one.post.name.resolution}p" if one.post.name.resolution else ""


CROWD = Rung(
    8, lambda one, _: _crowd(one),
    lambda one, other, _: f"{one.post.release.seeders} seeders against {other.post.release.seeders}", is_crowd=True,
)  # fmt: skip
RUNGS = (
    Rung(8, lambda one, _: one.nearness, lambda *_: "certain to be the episode, which the next is not"),
    Rung(
        2, lambda one, _: int(one.post.release.seeders > 0),
        lambda *_: "somebody sends it, and nobody the next", is_crowd=True,
    ),
    Rung(2, lambda one, _: int(one.is_single), lambda *_: "a single episode before a batch"),
    Rung(2, lambda one, _: int(not one.post.is_tiny), lambda *_: "large enough to be watched, which the next is not"),
    Rung(16, lambda one, taste: _from_end(language_place(one.post, taste), taste.languages, 15), _lead_language),
    Rung(
        16, lambda one, taste: _from_end(_place(one.post.name.resolution, taste.resolutions), taste.resolutions, 15),
        lambda one, other, _: _before(_lines(one), _lines(other), "one that names no resolution"),
    ),
    Rung(64, lambda one, taste: _from_end(place_in(one.post.name.group, taste.groups), taste.groups, 63), _lead_group),
    Rung(
        2, lambda one, _: int(one.is_current),
        _lead_version,
    ),
    Rung(
        2, lambda one, taste: int(taste.dual_audio and one.post.has_both),
        lambda *_: "original voices and a dub, which the next has not",
    ),
    Rung(
        4, lambda one, taste: _from_end(_place(one.post.name.codec, taste.codecs), taste.codecs, 3),
        lambda one, other, _: _before(one.post.name.codec, other.post.name.codec, "one that names no codec"),
    ),
    Rung(
        4, lambda one, taste: _from_end(_place(one.post.name.bit_depth, taste.bit_depths), taste.bit_depths, 3),
        lambda one, other, _: _before(_bits(one), _bits(other), "one that names no bit depth"),
    ),
    Rung(
        8, lambda one, taste: _from_end(_place(one.post.name.source, taste.sources), taste.sources, 7),
        lambda one, other, _: _before(one.post.name.source, other.post.name.source, "one that names no source"),
    ),
    CROWD,
    Rung(2, lambda one, _: int(one.post.release.trusted), lambda *_: "trusted, which the next is not"),
    Rung(MOST_MEBIBYTES, _smallness, _lead_size),
)  # fmt: skip
"""What decides, the first difference first."""

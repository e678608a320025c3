"""What a taste says of one post: what speaks against it and what for it, in words. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from uuutorrent.releases.release import Release, ReleaseName, Taste
from uuutorrent.releases.tongues import ORIGINALS, in_words

ENGLISH, OTHER_LANGUAGE, RAW = "1_2", "1_3", "1_4"
"""Categories of the index: translated into English, translated into something else, not translated."""
SEVERAL = "multi"
LEAST_BYTES_PER_MIN = 1 << 20
"""Smaller than this is no watchable video; such a release comes after every plausible one."""
MOST_BYTES_PER_MIN = 700 << 20
"""Larger than this is more than one episode, whatever its name says."""


@dataclass(frozen=True)
class Post:
    """A release, what its name says, and how much video there is in it."""

    release: Release
    name: ReleaseName
    minutes: int
    """Of one episode."""
    episodes: int | None = 1
    """How many it holds; None where its name does not tell."""

    @property
    def size_bytes(self) -> int | None:
        """Of one episode, about; None where nobody can tell."""
        return self.release.size_bytes // self.episodes if self.episodes else None

    @property
    def is_tiny(self) -> bool:
        """Too small to be watched."""
        return self.size_bytes is not None and self.size_bytes < self.minutes * LEAST_BYTES_PER_MIN

    @property
    def is_raw(self) -> bool:
        """Nothing in it is translated."""
        if self.release.category in (ENGLISH, OTHER_LANGUAGE):
            return False
        return self.release.category == RAW or "raw" in self.release.category.lower() or self.name.raw_video

    @cached_property
    def voices(self) -> frozenset[str]:
        """The languages its name says are spoken."""
        return frozenset(self.name.audio) - {SEVERAL}

    @cached_property
    def is_dubbed(self) -> bool:
        """It has a dub, and the original voices not beside it."""
        dual = self.name.dual_audio or SEVERAL in self.name.audio
        return bool(self.voices) and not dual and not self.voices & ORIGINALS

    @property
    def has_both(self) -> bool:
        """It has the original voices and a dub."""
        return self.name.dual_audio or bool(self.voices & ORIGINALS and self.voices - ORIGINALS)

    @cached_property
    def languages(self) -> frozenset[str]:
        """The languages in which it can be followed, as far as anybody told."""
        told = self.voices | (frozenset(self.name.subtitles) - {SEVERAL})
        if not self.is_dubbed:
            told |= {"ja"}
        foreign = self.voices - ORIGINALS - {"en"}
        written = frozenset(self.name.subtitles) - {SEVERAL}
        is_open = not written or SEVERAL in self.name.subtitles
        if self.release.category == ENGLISH and is_open and (not foreign or "en" in self.voices):
            told |= {"en"}
        return told

    @property
    def may_hold_others(self) -> bool:
        """Nothing rules out that it can be followed in languages that nobody told."""
        if SEVERAL in (*self.name.audio, *self.name.subtitles):
            return True
        return not self.languages - ORIGINALS and not self.name.subtitles


def dislikes(post: Post, taste: Taste) -> Iterator[str]:
    """Everything that the taste has against a post, but for who sends it."""
    name, wished = post.name, _lines(taste.resolutions)
    if name.resolution is not None and name.resolution not in taste.resolutions:
        yield (
            f"{name.resolution}p is not among {wished}"
            if len(taste.resolutions) > 1
            else (f"{name.resolution}p is not {wished}")
        )
    elif name.resolution is None and len(taste.resolutions) == 1:
        yield f"it names no resolution, and only {wished} is wanted"
    if place_in(name.group, taste.blocked_groups) is not None:
        yield f"{name.group} is a group you never take"
    if post.is_raw and "ja" not in taste.languages:
        yield "a raw: nothing is translated"
    else:
        yield from _against_languages(post, taste)
    if post.release.remake and not taste.remakes:
        yield "a remake of another release"
    if taste.trusted_only and not post.release.trusted:
        yield "the index does not mark it as trusted"
    yield from _against_size(post, taste)


def too_few(release: Release, taste: Taste) -> str:
    """Why too few people send it; nothing when they are enough."""
    if release.seeders >= taste.min_seeders:
        return ""
    if release.seeders == 0:
        return "no seeders, so nobody can send it"
    return f"only {counted(release.seeders, 'seeder')}, and you want {taste.min_seeders}"


def likes(post: Post, taste: Taste) -> Iterator[str]:
    """What puts a post that is to the taste where it stands, in the order in which it counts."""
    name = post.name
    yield from _about_language(post, taste)
    if name.resolution is None:
        yield "it names no resolution"
    else:
        yield f"{name.resolution}p{_choice(name.resolution, taste.resolutions)}"
    if taste.groups:
        yield _group(name.group, taste.groups)
    if name.version > 1:
        yield f"version {name.version}"
    if taste.dual_audio:
        yield "original voices and a dub, as you like it" if post.has_both else "not dual audio"
    depth = f"{name.bit_depth} bit" if name.bit_depth else ""
    for said, wishes, kind in (
        (name.codec, taste.codecs, "codec"),
        (depth, [f"{bits} bit" for bits in taste.bit_depths], "bit depth"),
        (name.source, taste.sources, "source"),
    ):
        if wishes:
            told = _choice(said, wishes) or f", not a {kind} you prefer"
            yield f"{said}{told}" if said else f"it names no {kind}"


def liveliness(post: Post) -> Iterator[str]:
    """Who sends it, and how much it is."""
    yield counted(post.release.seeders, "seeder")
    if post.release.trusted:
        yield "trusted"
    if post.episodes == 1:
        yield sized(post.release.size_bytes)
    elif post.size_bytes is not None:
        yield f"about {sized(post.size_bytes)} of {sized(post.release.size_bytes)}"
    if post.is_tiny:
        yield f"very small for {post.minutes} min"


def language_place(post: Post, taste: Taste) -> int | None:
    """Which of the wished languages it can be followed in, from 0, the earliest; None where nobody told."""
    return next((place for place, code in enumerate(taste.languages) if code in post.languages), None)


def place_in(value: str, wished: Sequence[str]) -> int | None:
    """Where a word stands among those wished for, from 0, in whatever case."""
    lower = [other.lower() for other in wished]
    return lower.index(value.lower()) if value and value.lower() in lower else None


def sized(size_bytes: int) -> str:
    """A size: 700 MiB, 1.4 GiB."""
    mebibytes = size_bytes / 2**20
    gibibytes = mebibytes / 1024
    return f"{mebibytes:.0f} MiB" if mebibytes < 1000 else f"{gibibytes:.{1 if gibibytes < 9.95 else 0}f} GiB"


def counted(number: int, noun: str) -> str:
    """A number of things: 1 seeder, 20 seeders."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _against_languages(post: Post, taste: Taste) -> Iterator[str]:
    if post.is_dubbed and not taste.dubs:
        yield f"only dubbed ({in_words(sorted(post.voices), 'and')}), without the original voices"
    if not taste.languages or language_place(post, taste) is not None:
        return
    if not post.may_hold_others:
        told = [code for code in post.name.subtitles or post.name.audio if code not in (SEVERAL, "ja")]
        yield f"only in {in_words(told or ['ja'], 'and')}, and you follow {in_words(taste.languages)}"
    elif post.release.category == OTHER_LANGUAGE and set(taste.languages) <= {"en"}:
        yield "translated, but not into English"


def _against_size(post: Post, taste: Taste) -> Iterator[str]:
    size_bytes, minutes = post.size_bytes, post.minutes
    if size_bytes is None:
        return
    if size_bytes > minutes * MOST_BYTES_PER_MIN:
        yield f"{sized(size_bytes)} is too much for {minutes} min, so it is probably more than one episode"
    elif taste.max_bytes_per_min is not None and size_bytes > minutes * taste.max_bytes_per_min:
        yield f"{sized(size_bytes)} for {minutes} min is more than your {sized(minutes * taste.max_bytes_per_min)}"
    if taste.min_bytes_per_min is not None and size_bytes < minutes * taste.min_bytes_per_min:
        yield f"{sized(size_bytes)} for {minutes} min is less than your {sized(minutes * taste.min_bytes_per_min)}"


def _about_language(post: Post, taste: Taste) -> Iterator[str]:
    place = language_place(post, taste)
    if place is not None and taste.languages[place] != "ja" and (post.name.subtitles or post.name.audio):
        yield f"in {in_words([taste.languages[place]])}"
    elif SEVERAL in (*post.name.subtitles, *post.name.audio):
        yield "in several languages"
    elif taste.languages and place is None:
        yield "it does not say in which language"
    if post.is_dubbed:
        yield "a dub without the original voices"


def _group(group: str, wished: Sequence[str]) -> str:
    place = place_in(group, wished)
    if place is None:
        return f"{group} is not a group you prefer" if group else "it names no group"
    if place == 0:
        return f"{group} is the group you prefer" if len(wished) == 1 else f"{group} is your first group"
    return f"{group} is group {place + 1} of the {len(wished)} you prefer"


def _choice(value: object, wished: Sequence[object]) -> str:
    if value not in wished:
        return ""
    if len(wished) == 1:
        return ", as you want it"
    place = list(wished).index(value)
    return ", your first choice" if place == 0 else f", choice {place + 1} of {len(wished)}"


def _lines(resolutions: Sequence[int]) -> str:
    return ", ".join(f"{lines}p" for lines in resolutions)

"""The nouns of feed rules, and whether an item fits one. No I/O.

Regular expressions come from people, so they run in an engine whose time grows with the text only (RE2): none can
hold up the daemon.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import re2

from uuutorrent.accounts import User
from uuutorrent.automation.feeds.item import Item
from uuutorrent.errors import Invalid

MOST_WORDS = 40
LONGEST_WORD = 200
LONGEST_REGEX = 1000
MOST_DAILY = 1000
DAILY = 20
LARGEST_REGEX_BYTES = 1 << 20
"""What a compiled expression may take."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Which items of a feed are wanted. What is empty or None asks for nothing."""

    include: tuple[str, ...] = ()
    is_any: bool = False
    """One word of `include` is enough; else every one must be there."""
    regex: str = ""
    """RE2 syntax, found anywhere in the title, case ignored."""
    exclude: tuple[str, ...] = ()
    min_bytes: int | None = None
    max_bytes: int | None = None
    min_seeders: int = 0
    category: str = ""
    """Found within the item's category, case ignored."""


@dataclass(frozen=True, slots=True)
class Saving:
    """What is done with what a rule takes."""

    media_id: int | None = None
    """The anime it is bound to: then only new episodes of it are taken, and each once."""
    stopped: bool = False
    """Add it without starting it."""
    daily: int = DAILY
    """The most a rule takes in 24 hours."""


class Outcome(StrEnum):
    """What became of an item that fitted."""

    WANTED = "wanted"
    """It is noted down; taking it is tried again until it works or cannot."""
    TAKEN = "taken"
    ALREADY = "already"
    """It turned out to be a torrent that a rule took before, under another name or in another feed."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Taking:
    """An item that a rule took, or tried to."""

    rule_id: int | None
    """None: the rule is gone."""
    title: str
    infohash: str
    outcome: Outcome
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Rule:
    """A person's rule for one feed, and what it did last."""

    id: int
    url: str
    terms: Terms
    saving: Saving
    is_enabled: bool = True
    polled_at: datetime | None = None
    """When its feed last answered."""
    error: str = ""
    """Why the feed cannot be read, or the rule could say nothing to it; empty while all is well."""
    next_at: datetime | None = None
    taken: int = 0
    last: Taking | None = None

    @property
    def shown_url(self) -> str:
        """The address without what may be a secret: a passkey in the query or the path of a private tracker."""
        return shown(self.url)


@dataclass(frozen=True, slots=True)
class Failing:
    """A feed that does not answer, as admins see it: without whose it is, and what is secret in its address."""

    id: int
    shown_url: str
    error: str
    failures: int
    polled_at: datetime | None
    """When it last answered."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed to be polled, and the version of it that was read last."""

    id: int
    url: str
    etag: str
    modified: str
    failures: int
    next_at: datetime


@dataclass(frozen=True, slots=True)
class Owned:
    """A rule and whose it is."""

    user: User
    rule: Rule


@dataclass(frozen=True, slots=True)
class Errand:
    """An item that somebody wants and that is still to be taken."""

    id: int
    user: User
    rule: Rule
    link: str
    title: str
    episode: int | None
    tries: int
    try_at: datetime
    infohash: str = ""
    """Of what was taken."""


class Fitting:
    """Terms made ready for many items."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._include = tuple(map(_plain, terms.include))
        self._exclude = tuple(map(_plain, terms.exclude))
        self._regex = compiled(terms.regex) if terms.regex else None

    def complaints(self, item: Item) -> Iterator[str]:
        """Why an item does not fit; nothing if it does."""
        title = _plain(item.title)
        missing = [word for word, plain in zip(self.terms.include, self._include, strict=True) if plain not in title]
        if missing and (not self.terms.is_any or len(missing) == len(self._include)):
            yield f"without {_listed(missing)}"
        if self._regex is not None and self._regex.search(item.title) is None:
            yield "the expression is not found"
        if there := [word for word, plain in zip(self.terms.exclude, self._exclude, strict=True) if plain in title]:
            yield f"with {_listed(there)}"
        if self.terms.category and _plain(self.terms.category) not in _plain(item.category):
            yield f"its category is {item.category or 'not told'}"
        yield from self._about_figures(item)

    def _about_figures(self, item: Item) -> Iterator[str]:
        terms, size, seeders = self.terms, item.size_bytes, item.seeders
        if terms.min_bytes is not None and size is not None and size < terms.min_bytes:
            yield "smaller than wanted"
        if terms.max_bytes is not None and size is not None and size > terms.max_bytes:
            yield "larger than wanted"
        if (terms.min_bytes is not None or terms.max_bytes is not None) and size is None:
            yield "the feed does not tell its size"
        if terms.min_seeders and seeders is not None and seeders < terms.min_seeders:
            yield f"{seeders} seeders are too few"


def check(terms: Terms, saving: Saving) -> None:
    """Nothing, if a rule can be kept like this.

    Raises:
        Invalid: it cannot; `field` names what is wrong.
    """
    for name, words in (("include", terms.include), ("exclude", terms.exclude)):
        if len(words) > MOST_WORDS or not all(0 < len(word.strip()) <= LONGEST_WORD for word in words):
            raise Invalid(f"give at most {MOST_WORDS} words, each with 1 to {LONGEST_WORD} characters", field=name)
        if any("," in word for word in words):
            raise Invalid("a comma parts words, so there can be none in one", field=name)
    if terms.regex:
        compiled(terms.regex)
    if terms.min_bytes is not None and terms.max_bytes is not None and terms.min_bytes > terms.max_bytes:
        raise Invalid("the smallest size is larger than the largest", field="min_bytes")
    if any(size is not None and not 0 < size < 1 << 50 for size in (terms.min_bytes, terms.max_bytes)):
        raise Invalid("a size is a number of bytes above 0", field="min_bytes")
    if not 0 <= terms.min_seeders <= 100_000:
        raise Invalid("the least number of seeders is between 0 and 100000", field="min_seeders")
    if len(terms.category) > LONGEST_WORD:
        raise Invalid("a category is shorter than that", field="category")
    if not 1 <= saving.daily <= MOST_DAILY:
        raise Invalid(f"a rule takes 1 to {MOST_DAILY} a day", field="daily")


def compiled(regex: str) -> Any:
    """A regular expression, ready to search.

    Raises:
        Invalid: RE2 cannot use it (it has no look-around and no back-references), or it is too large.
    """
    if len(regex) > LONGEST_REGEX:
        raise Invalid(f"the expression is longer than {LONGEST_REGEX} characters", field="regex")
    options = re2.Options()
    options.case_sensitive, options.max_mem, options.log_errors = False, LARGEST_REGEX_BYTES, False
    try:
        return re2.compile(regex, options=options)
    except re2.error as e:
        told = e.args[0].decode(errors="replace") if e.args and isinstance(e.args[0], bytes) else str(e)
        raise Invalid(f"this expression cannot be used: {told}", field="regex") from e


def shown(url: str) -> str:
    """An address for people: its host and path, with long keys in it left out."""
    if not url:
        return "(an address that cannot be opened)"
    scheme, _, rest = url.partition("://")
    place, mark, query = rest.partition("?")
    path = "/".join("…" if _is_secret(part) else part for part in place.split("/"))
    pairs = [pair.partition("=") for pair in query.split("&")] if query else []
    kept = "&".join(f"{name}{sign}{'…' if _is_secret(value, name) else value}" for name, sign, value in pairs)
    return f"{scheme}://{path}{mark}{kept}"


def _is_secret(value: str, name: str = "") -> bool:
    named = any(word in name.lower() for word in ("pass", "key", "token", "auth", "secret", "uid"))
    mixed = len(value) >= 16 and value.isalnum() and any(map(str.isdigit, value))
    return bool(value) and (named or mixed)


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _listed(words: list[str]) -> str:
    return ", ".join(f"“{word}”" for word in words)

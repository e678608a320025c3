"""The index's RSS, read into releases. No I/O.

The feed comes from outside: whatever declares entities is refused before any parser sees it, and an item that cannot
be used is left out and counted.
Source: nyaadevs/nyaa, templates/rss.xml (elements in the namespace nyaa:).
"""

from __future__ import annotations

import calendar
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import feedparser

from uuutorrent.releases.release import Release

_INFOHASH = re.compile(r"[0-9a-f]{40}")
_SIZE = re.compile(r"([\d.,]+)\s*(Bytes|[KMGT]i?B|B)", re.I)
_UNITS = {"B": 0, "K": 1, "M": 2, "G": 3, "T": 4}
_DECLARES = re.compile(r"<!\s*(?:DOCTYPE|ENTITY)", re.I)
LONGEST_TITLE = 512
MOST_MARKS = 40_000
"""Tags, and as many references, of one answer: a full one has some 3,000, and the parser takes seconds for more."""
_LONG_TAG = re.compile(r"<[^<>]{20000}")


class NotAFeed(ValueError):
    """The body is no RSS, or nothing that may be parsed; the message says which."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What one answer held, newest first, and how many items could not be used."""

    releases: tuple[Release, ...]
    skipped: int


def read(body: bytes) -> Feed:
    """Read one answer of the index.

    Raises:
        NotAFeed: it is a web page, declares entities, or is not text.
    """
    found = [_release(entry) for entry in entries(body)]
    return Feed(tuple(release for release in found if release), sum(release is None for release in found))


def entries(body: bytes) -> Sequence[Mapping[str, Any]]:
    """The items of any RSS or Atom feed as feedparser names their parts, in the feed's order.

    Raises:
        NotAFeed: it is a web page, declares entities, or is not text.
    """
    text = body.decode("utf-8", errors="replace")
    head = text[:2048].lstrip("\ufeff \t\r\n").lower()
    if head.startswith(("<!doctype html", "<html")):
        raise NotAFeed("a web page instead of a feed")
    if _DECLARES.search(text):
        raise NotAFeed("a feed that declares entities, which is not read")
    if text.count("<") > MOST_MARKS or text.count("&") > MOST_MARKS or _LONG_TAG.search(text):
        raise NotAFeed("a feed that is too large to be read")
    if not any(root in head for root in ("<rss", "<feed", "<rdf:rdf")):
        raise NotAFeed("something that is not a feed")
    try:
        parsed = feedparser.parse(
            io.BytesIO(text.encode()),
            sanitize_html=False,
            resolve_relative_uris=False,
            response_headers={"content-type": "application/xml; charset=utf-8"},
        )
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, ArithmeticError, RecursionError) as e:
        # The parser has its own weaknesses: what a stranger sends must not end anything else.
        raise NotAFeed("something that cannot be read as a feed") from e
    found: Sequence[Mapping[str, Any]] = parsed.entries
    return found


def _release(entry: Mapping[str, Any]) -> Release | None:
    title = " ".join(str(entry.get("title", "")).split())[:LONGEST_TITLE]
    infohash = str(entry.get("nyaa_infohash", "")).strip().lower()
    if not title or not _INFOHASH.fullmatch(infohash):
        return None
    return Release(
        title=title,
        infohash=infohash,
        link=str(entry.get("link", "")).strip(),
        page=str(entry.get("id", "")).strip(),
        size_bytes=size(str(entry.get("nyaa_size", ""))),
        seeders=_count(entry.get("nyaa_seeders")),
        leechers=_count(entry.get("nyaa_leechers")),
        downloads=_count(entry.get("nyaa_downloads")),
        category=str(entry.get("nyaa_categoryid", "")).strip(),
        trusted=_is_yes(entry.get("nyaa_trusted")),
        remake=_is_yes(entry.get("nyaa_remake")),
        posted_at=instant(entry.get("published_parsed")),
    )


def _count(said: object) -> int:
    text = str(said or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _is_yes(said: object) -> bool:
    return str(said or "").strip().lower() == "yes"


def size(said: str) -> int:
    """Bytes, from "1.4 GiB"; 0 when it cannot be read."""
    match = _SIZE.fullmatch(said.strip())
    try:
        return int(float(match[1].replace(",", "")) * 1024 ** _UNITS[match[2][0].upper()]) if match else 0
    except (ValueError, OverflowError):
        return 0


def instant(parts: Any) -> datetime | None:
    """A time as feedparser reads it; None when it cannot be read."""
    try:
        return datetime.fromtimestamp(calendar.timegm(parts), UTC) if parts else None
    except (TypeError, ValueError, OverflowError):
        return None

"""One item of a feed, whatever site it comes from. No I/O.

Sites say the same in different places: Nyaa in elements of its own, SubsPlease in a magnet or a description, Tokyo
Toshokan in the description's text, private trackers in an enclosure.
Source: RSS 2.0 (enclosure), ezRSS (torrent:), nyaadevs/nyaa templates/rss.xml (nyaa:).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from uuutorrent.releases import feed

LONGEST_TITLE = 512
LONGEST_LINK = 4096
MOST_ITEMS = 1000
"""Of one answer, the first ones."""
_MAGNET = re.compile(r"magnet:\?[^\s\"'<>]+", re.I)
_INFOHASH = re.compile(r"urn:btih:([0-9a-f]{40})(?![0-9a-z])", re.I)
_HEX = re.compile(r"[0-9a-f]{40}")
_SAID_SIZE = re.compile(r"(?<![\w.])(?:file )?size:?\s*(?:</?\w+>\s*)*([\d.,]+\s*[KMGT]i?B)", re.I)
_TORRENT_TYPES = ("application/x-bittorrent", "application/x-torrent")


@dataclass(frozen=True, slots=True)
class Item:
    """What a feed offers to download."""

    key: str
    """Equal for the same thing offered again: its hash, else its id, else its link."""
    title: str
    link: str
    """A magnet, or the http(s) address of a .torrent."""
    infohash: str = ""
    """v1, hex, lower case; empty when the feed does not tell."""
    size_bytes: int | None = None
    seeders: int | None = None
    category: str = ""
    posted_at: datetime | None = None


def read(body: bytes) -> tuple[Item, ...]:
    """The items of an RSS or Atom feed that can be downloaded, in the feed's order.

    Raises:
        NotAFeed: it is a web page, declares entities, or is not text.
    """
    found = (_item(entry) for entry in feed.entries(body)[:MOST_ITEMS])
    return tuple({item.key: item for item in found if item is not None}.values())


def _item(entry: Mapping[str, Any]) -> Item | None:
    title = " ".join(_said(entry, "title").split())[:LONGEST_TITLE]
    link = next(filter(None, _links(entry)), "")
    if not title or not link or len(link) > LONGEST_LINK:
        return None
    infohash = _infohash(entry, link)
    return Item(
        key=infohash or _said(entry, "id") or link,
        title=title,
        link=link,
        infohash=infohash,
        size_bytes=_size(entry),
        seeders=_count(entry, "nyaa_seeders", "torrent_seeds", "seeders"),
        category=_said(entry, "nyaa_categoryid") or _said(entry, "category"),
        posted_at=feed.instant(
            next((entry[name] for name in ("published_parsed", "updated_parsed") if name in entry), None)
        ),
    )


def _links(entry: Mapping[str, Any]) -> Iterator[str]:
    """Where it can be had, the best first: what is declared to be a torrent, then what looks like one."""
    for enclosure in entry.get("enclosures", ()):
        if str(enclosure.get("type", "")).lower() in _TORRENT_TYPES:
            yield _clean(str(enclosure.get("href", "")))
    link, magnet = _said(entry, "link"), _said(entry, "torrent_magneturi")
    every = [*(_clean(str(one.get("href", ""))) for one in entry.get("enclosures", ())), link, magnet]
    yield from (one for one in every if one.lower().startswith("magnet:"))
    text = " ".join(filter(None, (_said(entry, "summary"), _said(entry, "id"))))
    yield from (found[0].replace("&amp;", "&") for found in _MAGNET.finditer(text) if "xt=urn:bt" in found[0].lower())
    yield from (one for one in every if one.lower().startswith(("http://", "https://")))


def _infohash(entry: Mapping[str, Any], link: str) -> str:
    for name in ("nyaa_infohash", "torrent_infohash", "infohash"):
        said = _said(entry, name).lower()
        if _HEX.fullmatch(said):
            return said
    match = _INFOHASH.search(link)
    return match[1].lower() if match else ""


def _size(entry: Mapping[str, Any]) -> int | None:
    for name in ("nyaa_size", "torrent_contentlength", "subsplease_size", "size", "contentlength"):
        said = _said(entry, name)
        found = int(said) if said.isascii() and said.isdigit() and len(said) < 16 else feed.size(said)
        if found > 0:
            return found
    if match := _SAID_SIZE.search(_said(entry, "summary")):
        return feed.size(match[1]) or None
    lengths = (str(one.get("length", "")) for one in entry.get("enclosures", ()))
    # A smaller one is the length of the .torrent file itself.
    return next((int(said) for said in lengths if said.isascii() and said.isdigit() and 8 <= len(said) < 16), None)


def _count(entry: Mapping[str, Any], *names: str) -> int | None:
    said = next(filter(None, (_said(entry, name) for name in names)), "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else None


def _said(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name, "")
    return _clean(value) if isinstance(value, str) else ""


def _clean(text: str) -> str:
    """What a feed says, as a database can take it: no NUL and no half characters, which references can name."""
    return text.replace("\0", "").encode("utf-8", "replace").decode().strip()

"""AniList's answers as our nouns: the one place that reads its JSON. No I/O.

Almost every field of AniList's schema may be null, and titles are typed by its users, so nothing is taken on trust:
what is missing becomes empty or None, what has no identity is left out, and control characters never come in.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from uuutorrent.anime.anime import Anime, MediaId, Relative, WatchEntry, WatchStatus

LONGEST_TEXT = 500
_STATUSES = {status.value: status for status in WatchStatus}
_UNWANTED = ("Cc", "Cf", "Cs")
"""Control, formatting (which can turn the reading direction round), half of a character."""
_LAST_SECOND = 253402300799
"""The end of the year 9999."""

Json = Mapping[str, object]
"""An object of an answer."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whom a token belongs to."""

    anilist_id: int
    name: str
    title_language: str
    """ROMAJI, ENGLISH, NATIVE or one of their _STYLISED forms; empty when AniList does not say."""


def parse_viewer(data: Json) -> Viewer | None:
    """The answer to "whose token is this"; None when it names nobody."""
    viewer = _object(data.get("Viewer"))
    anilist_id, name = _number(viewer.get("id")), _text(viewer.get("name"))
    if anilist_id is None or not name:
        return None
    return Viewer(anilist_id, name, _text(_object(viewer.get("options")).get("titleLanguage")))


def parse_collection(data: Json) -> tuple[dict[int, WatchEntry], bool] | None:
    """One piece of somebody's list by entry id, and whether there is another; None when there is no list in the answer.

    An entry is found again in each custom list it is on, and only there when its owner hides it from the others.
    """
    collection = data.get("MediaListCollection")
    if not isinstance(collection, dict):
        return None
    entries: dict[int, WatchEntry] = {}
    for group in _objects(collection.get("lists")):
        for node in _objects(group.get("entries")):
            entry_id, entry = _number(node.get("id")), parse_entry(node, group.get("status"))
            if entry_id is not None and entry is not None:
                entries.setdefault(entry_id, entry)
    return entries, collection.get("hasNextChunk") is True


def parse_entry(node: object, group_status: object = None) -> WatchEntry | None:
    """One entry of a list; None when AniList has no show or no status for it."""
    entry = _object(node)
    anime = parse_anime(entry.get("media"))
    status = _STATUSES.get(_text(entry.get("status")) or _text(group_status))
    if anime is None or status is None:
        return None
    return WatchEntry(anime, status, max(0, _number(entry.get("progress")) or 0), _instant(entry.get("updatedAt")))


def parse_saved(data: Json) -> WatchEntry | None:
    """The entry that was written; None when the answer does not say."""
    return parse_entry(data.get("SaveMediaListEntry"))


def parse_page_entry(media_id: MediaId, data: Json) -> WatchEntry | None:
    """The entry of this show on a page of entries; None when it is not there."""
    return parse_entry(_page_entry(media_id, data))


def parse_page_entry_id(media_id: MediaId, data: Json) -> int | None:
    """The id of the entry of this show on a page of entries; None when it is not there."""
    return _number(_object(_page_entry(media_id, data)).get("id"))


def parse_page_media(data: Json) -> tuple[Anime, ...] | None:
    """The shows of a page, in its order; None when there is no page in the answer."""
    page = data.get("Page")
    if not isinstance(page, dict):
        return None
    return tuple(anime for node in _objects(page.get("media")) if (anime := parse_anime(node)))


def parse_kin(data: Json) -> dict[MediaId, Anime]:
    """A show and its relatives, each with its own relatives, by id."""
    found: dict[MediaId, Anime] = {}
    for node in _objects(_object(data.get("Page")).get("media")):
        near = [_object(edge.get("node")) for edge in _edges(node)]
        for one in (node, *near):
            if (anime := parse_anime(one)) and _is_anime(one):
                found.setdefault(anime.media_id, anime)
    return found


def parse_anime(value: object) -> Anime | None:
    """One show; None when it has no id."""
    node = _object(value)
    media_id = _number(node.get("id"))
    if media_id is None:
        return None
    title, cover, airing = (_object(node.get(key)) for key in ("title", "coverImage", "nextAiringEpisode"))
    return Anime(
        media_id=MediaId(media_id),
        romaji=_text(title.get("romaji")),
        english=_text(title.get("english")),
        native=_text(title.get("native")),
        preferred=_text(title.get("userPreferred")) or _text(title.get("romaji")),
        synonyms=_texts(node.get("synonyms")),
        format=_text(node.get("format")),
        status=_text(node.get("status")),
        episodes=_count(node.get("episodes")),
        duration_min=_count(node.get("duration")),
        year=_year(node),
        is_adult=node.get("isAdult") is True,
        next_episode=_count(airing.get("episode")),
        next_airs_at=_instant(airing.get("airingAt")),
        cover_url=_text(cover.get("extraLarge")) or _text(cover.get("large")),
        cover_colour=_colour(cover.get("color")),
        site_url=_text(node.get("siteUrl")),
        relatives=tuple(relative for edge in _edges(node) if (relative := _parse_relative(edge))),
    )


def clean(text: str) -> str:
    """Text from outside as one line without control or formatting characters, of bounded length."""
    if text.isprintable():
        return " ".join(text.split())[:LONGEST_TEXT]
    kept = (" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c) not in _UNWANTED)
    return " ".join("".join(kept).split())[:LONGEST_TEXT]


def _page_entry(media_id: MediaId, data: Json) -> Json | None:
    # Said again, since what is asked for next may be to delete it: this show's, whatever else came.
    nodes = _objects(_object(data.get("Page")).get("mediaList"))
    return next((node for node in nodes if node.get("mediaId") == media_id), None)


def _parse_relative(edge: Json) -> Relative | None:
    node = _object(edge.get("node"))
    media_id = _number(node.get("id"))
    if media_id is None or not _is_anime(node):
        return None
    title = _object(node.get("title"))
    names = (*(_text(title.get(key)) for key in ("romaji", "english", "native")), *_texts(node.get("synonyms")))
    return Relative(
        relation=_text(edge.get("relationType")),
        media_id=MediaId(media_id),
        format=_text(node.get("format")),
        titles=tuple(dict.fromkeys(name for name in names if name)),
        episodes=_count(node.get("episodes")),
        status=_text(node.get("status")),
        year=_year(node),
    )


def _edges(node: Json) -> Iterator[Json]:
    return _objects(_object(node.get("relations")).get("edges"))


def _is_anime(node: Json) -> bool:
    return node.get("type") == "ANIME"


def _year(node: Json) -> int | None:
    return _count(node.get("seasonYear")) or _count(_object(node.get("startDate")).get("year"))


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> Iterator[Json]:
    items: Sequence[object] = value if isinstance(value, list) else ()
    return (item for item in items if isinstance(item, dict))


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _count(value: object) -> int | None:
    number = _number(value)
    return number if number is not None and number > 0 else None


def _instant(value: object) -> datetime | None:
    seconds = _count(value)
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None and seconds <= _LAST_SECOND else None


def _text(value: object) -> str:
    return clean(value) if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    items: Sequence[object] = value if isinstance(value, list) else ()
    return tuple(text for item in items if (text := _text(item)))


def _colour(value: object) -> str:
    text = _text(value)
    is_colour = len(text) == 7 and text[0] == "#" and all(c in "0123456789abcdefABCDEF" for c in text[1:])
    return text.lower() if is_colour else ""

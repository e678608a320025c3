"""AniList, as far as we use it: who a token belongs to, lists, shows, search, and writing a list.

All questions go through one pace and one cache for the whole daemon. What is public (shows) is shared between users;
lists are not kept here. Nothing is ever asked twice by itself: an error is told, and the person decides.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar

import httpx

from uuutorrent import config as settings
from uuutorrent.anime import queries
from uuutorrent.anime.anime import Anime, MediaId, WatchEntry, WatchStatus
from uuutorrent.anime.answers import (
    Json,
    Viewer,
    clean,
    parse_collection,
    parse_kin,
    parse_page_entry,
    parse_page_entry_id,
    parse_page_media,
    parse_saved,
    parse_viewer,
)
from uuutorrent.anime.pace import Pace
from uuutorrent.errors import Invalid, Missing, Refused, RemoteError, Unexpected, Unreachable, UuuError
from uuutorrent.remote import Answer, Clock, Fresh, Remote
from uuutorrent.store import onlooking
from uuutorrent.tally import Tally

T = TypeVar("T")

SERVICE: Final = "AniList"
DEADLINE_S = 15.0
"""For one question, waiting for its turn included."""
LONGEST_TURN_S = 8.0
"""A question that would wait longer for its turn is not asked."""
FRESH_S = 60.0
"""How long an answer counts as present."""
SETTLED_FRESH_S = 3600.0
"""The same for a show that is not airing: nothing about it changes by the minute."""
MAX_BYTES = 16 << 20
"""500 entries of long franchises are about 4 MiB."""
LARGE_BYTES = 128 << 10
MAX_CHUNKS = 24
"""Pieces of a list; 11,000 entries is AniList's limit."""
LONG_AGO_S = 365 * 86400.0
SHOWS_KEPT = 2048
ANSWERED = (400, 401, 403, 404)
"""Refusals that come with a reason in JSON."""


class BadToken(Refused):
    """AniList does not accept a user's token (any more): they must sign in there again."""

    def __init__(self) -> None:
        super().__init__("AniList does not accept your sign-in any more; sign in to AniList again: Account → Link")


class AniList:
    """The service. Every verb may raise Unreachable or Unexpected; those with a token also BadToken."""

    def __init__(
        self, http: httpx.AsyncClient, config: settings.AniList, tally: Tally, *, clock: Clock = time.monotonic
    ) -> None:
        self._url = config.api_url
        self._remote = Remote(SERVICE, "anilist", http, tally, clock=clock)
        self._pace = Pace(SERVICE, config.requests_per_min, clock=clock)
        self._shows: Fresh[MediaId, Anime] = Fresh("AniList show", entries=SHOWS_KEPT, clock=clock)
        self._batches: Fresh[tuple[MediaId, ...], None] = Fresh("AniList shows", entries=16, clock=clock)
        self._searches: Fresh[str, tuple[Anime, ...]] = Fresh("AniList search", entries=256, clock=clock)
        self._clock = clock

    @property
    def per_min(self) -> float:
        """How many questions per minute go out at most, for everybody together."""
        return self._pace.per_min

    # Shows, shared between users

    async def media(self, ids: Iterable[MediaId]) -> Mapping[MediaId, Anime]:
        """Shows by id, as far as AniList knows them; one question per 50 that are not fresh here."""
        wanted = tuple(dict.fromkeys(ids))
        missing = sorted(media_id for media_id in wanted if self._shows.peek(media_id, _show_ttl_s) is None)
        for first in range(0, len(missing), queries.PAGE):
            batch = tuple(missing[first : first + queries.PAGE])
            await self._batches.get(batch, 0, partial(self._fetch_shows, batch))
        return {media_id: anime for media_id in wanted if (anime := self._shows.peek(media_id)) is not None}

    def known(self, media_id: MediaId) -> Anime | None:
        """A show as last seen here, however long ago; asks nobody."""
        return self._shows.peek(media_id)

    def keep(self, shows: Iterable[Anime]) -> None:
        """Remember shows that came by another way, for everybody, so in nobody's preferred language."""
        for anime in shows:
            is_plain = anime.preferred == anime.romaji
            self._shows.put(anime.media_id, anime if is_plain else replace(anime, preferred=anime.romaji))

    def keep_old(self, shows: Iterable[Anime]) -> None:
        """The same for shows from an old answer: better than nothing, never fresh."""
        for anime in shows:
            if self.known(anime.media_id) is None:
                self._shows.put(anime.media_id, replace(anime, preferred=anime.romaji), age_s=LONG_AGO_S)

    async def kin(self, ids: Collection[MediaId]) -> Mapping[MediaId, Anime]:
        """A few shows and their relatives, each with its own relatives. Only the shows themselves have every field."""
        found = await self._ask(queries.KIN, {"ids": list(ids), "size": queries.PAGE}, parse_kin)
        self.keep(found[media_id] for media_id in ids if media_id in found)
        return found

    async def search(self, text: str) -> tuple[Anime, ...]:
        """Shows whose titles fit, best first."""
        key = " ".join(text.casefold().split())
        return await self._searches.get(key, FRESH_S, lambda: self._search(text))

    # Somebody's list

    async def viewer(self, token: str) -> Viewer:
        """Whom the token belongs to."""
        viewer = await self._ask(queries.VIEWER, {}, parse_viewer, token)
        if viewer is None:
            raise Unexpected(SERVICE, "it did not say whose sign-in this is; try again later")
        return viewer

    async def collection(
        self, token: str | None, anilist_id: int, statuses: Collection[WatchStatus]
    ) -> tuple[WatchEntry, ...]:
        """The entries of a list with these statuses, each once, newest activity first."""
        entries: dict[int, WatchEntry] = {}
        asked = {"user": anilist_id, "statuses": sorted(statuses), "size": queries.CHUNK}
        for chunk in range(1, MAX_CHUNKS + 1):
            answer = await self._ask(queries.COLLECTION, {**asked, "chunk": chunk}, parse_collection, token)
            if answer is None:
                raise Unexpected(SERVICE, "it answered without a list; try again later")
            entries = answer[0] | entries
            if not answer[1]:
                break
        self.keep(entry.anime for entry in entries.values())
        return newest_first(entry for entry in entries.values() if entry.status in statuses)

    async def entry(self, token: str | None, anilist_id: int, media_id: MediaId) -> WatchEntry | None:
        """One entry of a list; None when the show is not on it."""
        asked = {"user": anilist_id, "media": media_id}
        entry = await self._ask(queries.ENTRY, asked, partial(parse_page_entry, media_id), token)
        self.keep([entry.anime] if entry is not None else ())
        return entry

    async def save(
        self, token: str, media_id: MediaId, *, status: WatchStatus | None = None, progress: int | None = None
    ) -> WatchEntry:
        """Write an entry; what is None stays as it is. A show that is not on the list comes onto it.

        Raises:
            Invalid: AniList has no such show, or does not accept the progress.
            Refused: they only look who ask for it.
        """
        onlooking.refuse()
        wanted = {"media": media_id, "status": status, "progress": progress}
        given = {key: value for key, value in wanted.items() if value is not None}
        entry = await self._ask(queries.SAVE, given, parse_saved, token)
        if entry is None:
            raise Unexpected(SERVICE, "it did not say what it saved; look at the list before trying again")
        self.keep([entry.anime])
        return entry

    async def delete(self, token: str, anilist_id: int, media_id: MediaId) -> None:
        """Take a show off a list.

        Raises:
            Missing: it is not on it.
            Refused: they only look who ask for it.
        """
        onlooking.refuse()
        asked = {"user": anilist_id, "media": media_id}
        entry_id = await self._ask(queries.ENTRY_ID, asked, partial(parse_page_entry_id, media_id), token)
        if entry_id is None:
            raise Missing("this show is not on your list")
        await self._ask(queries.DELETE, {"entry": entry_id}, bool, token)

    # Asking

    async def _fetch_shows(self, ids: tuple[MediaId, ...]) -> None:
        shows = await self._ask(queries.MEDIA, {"ids": list(ids), "size": queries.PAGE}, parse_page_media)
        if shows is None:
            raise Unexpected(SERVICE, "it answered without the shows it was asked for; try again later")
        self.keep(shows)

    async def _search(self, text: str) -> tuple[Anime, ...]:
        shows = await self._ask(queries.SEARCH, {"text": text, "size": queries.PAGE}, parse_page_media)
        if shows is None:
            raise Unexpected(SERVICE, "it answered without a result; try again later")
        self.keep(shows)
        return shows

    async def _ask(
        self, query: str, variables: Mapping[str, object], read: Callable[[Json], T], token: str | None = None
    ) -> T:
        """The answer to one question, as `read` reads its data."""
        self._remote.check_pause()
        ends = self._clock() + DEADLINE_S
        await self._pace.turn(longest_wait_s=LONGEST_TURN_S)
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        answer = await self._remote.ask(
            "POST",
            self._url,
            headers=headers,
            json={"query": query, "variables": variables},
            deadline_s=ends - self._clock(),
            max_bytes=MAX_BYTES,
            allow_status=ANSWERED,
        )
        self._pace.learn(answer.headers)
        if len(answer.body) < LARGE_BYTES:
            return read(_data(answer))
        # A list of 500 takes a tenth of a second to read, in which no key of anybody would be answered.
        return await asyncio.to_thread(lambda: read(_data(answer)))


def newest_first(entries: Iterable[WatchEntry]) -> tuple[WatchEntry, ...]:
    """Entries with the newest activity first; the order of the rest is the order given."""
    return tuple(sorted(entries, key=lambda entry: -(entry.updated_at.timestamp() if entry.updated_at else 0)))


def _show_ttl_s(anime: Anime) -> float:
    is_moving = anime.status == "RELEASING" or anime.next_episode is not None
    return FRESH_S if is_moving else SETTLED_FRESH_S


def _data(answer: Answer) -> Json:
    """The `data` of an answer, or the error it stands for."""
    document = _document(answer)
    errors = document.get("errors")
    complaints = [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []
    if complaints or answer.status >= 400:
        raise _complaint(answer.status, complaints[0] if complaints else {})
    data = document.get("data")
    if not isinstance(data, dict):
        raise Unexpected(SERVICE, "it answered without data; try again later")
    return data


def _document(answer: Answer) -> Json:
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError) as e:
        if answer.status == httpx.codes.NOT_FOUND:
            raise Unexpected(SERVICE, "there is nothing at its address; check anilist.api_url") from e
        # A page for people: the service, or a guard in front of it, is being worked on.
        is_page = answer.content_type == "text/html" or answer.body.lstrip().startswith(b"<")
        what = "a web page instead of data" if is_page else "something that cannot be read"
        raise Unreachable(SERVICE, f"it answers with {what}; try again later") from e
    if not isinstance(document, dict):
        raise Unexpected(SERVICE, "its answer is not what it promises; try again later")
    return document


def _complaint(http_status: int, error: Json) -> UuuError:
    """What an error of AniList means. Source: AniList docs, errors; answers recorded by its clients."""
    said = error.get("status")
    status = said if isinstance(said, int) else http_status
    message = error.get("message")
    text = clean(message)[:200] if isinstance(message, str) else ""
    if text.lower() in ("invalid token", "unauthorized", "unauthorized.") or status == httpx.codes.UNAUTHORIZED:
        return BadToken()
    if status == httpx.codes.FORBIDDEN:
        return Unreachable(SERVICE, "it has closed its door to programs for the moment; try again later")
    if status == httpx.codes.NOT_FOUND:
        return Missing("AniList does not know it (any more)")
    if text.lower() == "validation":
        return Invalid(f"AniList does not accept this: {_first_reason(error)}")
    return _by_status(status, text)


def _by_status(status: int, text: str) -> RemoteError:
    said = f" ({text})" if text else ""
    if status == httpx.codes.TOO_MANY_REQUESTS or status >= 500:
        return Unreachable(SERVICE, f"it is out of order just now{said}; try again later")
    return Unexpected(SERVICE, f"it did not understand the question{said}; uuutorrent may need an update")


def _first_reason(error: Json) -> str:
    fields = error.get("validation")
    lists = fields.values() if isinstance(fields, dict) else ()
    reasons = [text for texts in lists if isinstance(texts, list) for text in texts if isinstance(text, str)]
    return clean(reasons[0])[:200] if reasons else "it does not say why"

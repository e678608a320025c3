"""Nyaa, the release index: searches over its RSS feed, and its .torrent files.

Polite by construction: at most one search per 2 s, one call for everybody who asks the same, answers kept as long as
the caller says they stay true.
Source: nyaadevs/nyaa (a feed holds the 75 newest posts; there is no second page).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode, urlsplit

import httpx
import structlog

from uuutorrent import config
from uuutorrent.errors import Missing, Unexpected, Unreachable
from uuutorrent.releases import feed
from uuutorrent.releases.release import Release
from uuutorrent.remote import Answer, Clock, Fresh, Remote, Spacing
from uuutorrent.tally import Tally

SERVICE = "Nyaa"
PAGE = 75
"""Posts in a full answer: there may be more that fit."""
GAP_S = 2.0
EMPTY_TTL_S = 60.0
DEADLINE_S = 15.0
LARGEST_FEED = 4 << 20
LARGEST_TORRENT = 8 << 20
TORRENTS_KEPT = 4
TORRENT_TTL_S = 600.0
"""A new episode is wanted by many at once: its .torrent file is fetched for all of them."""
TURNED_AWAY_S = 60.0
"""How long the index is left alone after its bot protection turned us away."""
_FORBIDDEN = 403
_log = structlog.get_logger()


class Nyaa:
    """The index. One for the whole daemon, so that everybody shares its pace and its answers."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        settings: config.Nyaa,
        tally: Tally,
        *,
        gap_s: float = GAP_S,
        clock: Clock = time.monotonic,
        check: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._check = check
        """Raises while the index is not to be asked."""
        self._remote = Remote(SERVICE, "nyaa", http, tally, clock=clock)
        self._base_url = settings.base_url.rstrip("/")
        self._category = settings.category
        self.spacing = Spacing(gap_s)
        """Its pace, for whoever else asks the same host."""
        self._answers: Fresh[str, tuple[Release, ...]] = Fresh("nyaa", clock=clock)
        self._torrents: Fresh[str, bytes] = Fresh("nyaa torrent", entries=TORRENTS_KEPT, clock=clock)

    async def search(self, query: str, *, ttl_s: float) -> tuple[Release, ...]:
        """The newest posts that fit, at most `PAGE`. An answer is reused for `ttl_s`, an empty one for a minute.

        Raises:
            Unreachable: no answer in time, or it turned us away; later may work.
            Unexpected: it answered with something that is not its feed.
        """

        def keeps(found: tuple[Release, ...]) -> float:
            return ttl_s if found else min(ttl_s, EMPTY_TTL_S)

        return await self._answers.get(query, keeps, lambda: self._ask(query))

    async def torrent_file(self, release: Release) -> bytes:
        """The release's .torrent file, from the index itself and nowhere else.

        Raises:
            Missing: the index has only a magnet for it.
            Unreachable: no answer in time.
            Unexpected: the link leads elsewhere, or to something that is no torrent.
        """
        if release.link.startswith("magnet:"):
            raise Missing(f"{SERVICE} has only a magnet for {release.title}")
        if _place(release.link) != _place(self._base_url):
            raise Unexpected(SERVICE, "the link of this release leads to another server, so it was not followed")
        return await self._torrents.get(release.link, TORRENT_TTL_S, lambda: self._torrent(release))

    async def _torrent(self, release: Release) -> bytes:
        answer = await self._get(release.link, LARGEST_TORRENT)
        if not answer.body.startswith(b"d") or not answer.body.endswith(b"e"):
            raise Unexpected(SERVICE, "what it sent for this release is no torrent file")
        return answer.body

    async def _ask(self, query: str) -> tuple[Release, ...]:
        parameters = urlencode({"page": "rss", "q": query, "c": self._category, "f": "0"})
        async with self.spacing:
            answer = await self._get(f"{self._base_url}/?{parameters}", LARGEST_FEED)
        try:
            found = await asyncio.to_thread(feed.read, answer.body)
        except feed.NotAFeed as e:
            raise Unexpected(SERVICE, f"it answered with {e}; look whether nyaa.base_url is right") from e
        if found.skipped:
            _log.warning("posts that cannot be read were left out", service=SERVICE, skipped=found.skipped)
        return found.releases

    async def _get(self, url: str, max_bytes: int) -> Answer:
        if self._check is not None:
            await self._check()
        answer = await self._remote.ask(
            "GET", url, deadline_s=DEADLINE_S, max_bytes=max_bytes, allow_status=(_FORBIDDEN,)
        )
        if answer.status == _FORBIDDEN:
            self._remote.pause(TURNED_AWAY_S)
            told = "its bot protection turned us away (HTTP 403); try again later"
            raise Unreachable(SERVICE, told, retry_after_s=TURNED_AWAY_S)
        return answer


def _place(url: str) -> tuple[str, str, int | None] | None:
    """Scheme, host and port; None when the address is none for http."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or parts.username or not parts.hostname:
        return None
    return parts.scheme, parts.hostname, port or {"http": 80, "https": 443}[parts.scheme]

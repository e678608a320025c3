"""From an answer of the index to something that can be added: the release to take, its content, and what of it."""

from __future__ import annotations

import asyncio
from functools import partial

from uuutorrent.errors import Missing, Unexpected
from uuutorrent.releases.release import Found, Ranked
from uuutorrent.releases.search import Releases
from uuutorrent.torrents import batches
from uuutorrent.torrents.batches import Share
from uuutorrent.torrents.metainfo import parse_magnet, parse_torrent
from uuutorrent.torrents.sources import Source


class Choosing:
    """Fetches the .torrent of what is to be taken, and looks into batches."""

    def __init__(self, releases: Releases) -> None:
        self._releases = releases

    async def choose(
        self, found: Found, infohash: str | None = None, *, whole_batch: bool = False
    ) -> tuple[Ranked, Source, Share | None]:
        """The release to take, its content, and what of it; the next best where nothing can be told of a batch.

        `infohash` names one to take instead of the best.

        Raises:
            Missing: there is none, or it cannot be told which files of a batch the episode is.
            RemoteError: the index let us down.
            Invalid: what it sent is no torrent.
        """
        trouble: Missing | None = None
        for chosen in batches.choices(found, infohash, whole_batch=whole_batch):
            source = await self.source(chosen)
            if not batches.is_batch(chosen):
                return chosen, source, None
            try:
                share = partial(batches.share, source, chosen, found.wanted, whole=whole_batch)
                # Reading thousands of names takes a second, in which no screen may wait.
                return chosen, source, await asyncio.to_thread(share)
            except Missing as e:
                trouble = trouble or e
        raise trouble or Missing(found.said)

    async def source(self, chosen: Ranked) -> Source:
        """The content of a release.

        Raises:
            RemoteError: the index let us down, or sent another torrent.
            Invalid: what it sent is no torrent.
        """
        release = chosen.release
        if release.link.startswith("magnet:"):
            source: Source = parse_magnet(release.link)
        else:
            source = parse_torrent(await self._releases.torrent_file(release))
        if release.infohash not in (source.v1, source.v2):
            raise Unexpected("The index", "it sent another torrent than the one that was chosen; nothing was added")
        return source

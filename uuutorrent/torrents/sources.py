"""What people give to add a torrent: a magnet, an http(s) address of a .torrent, or its bytes."""

from __future__ import annotations

import asyncio

from uuutorrent.errors import Invalid, Unexpected
from uuutorrent.torrents.metainfo import MAX_BYTES, Magnet, Metainfo, parse_magnet, parse_torrent
from uuutorrent.torrents.outside import Outside, read_url

LARGEST_TORRENT = MAX_BYTES
"""Bytes of the largest .torrent taken."""

Source = Magnet | Metainfo
"""What can be added."""


class Sources:
    """Reads whatever people give."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    async def read(self, given: str | bytes) -> Source:
        """Understand a magnet link, the address of a .torrent, or the bytes of one.

        Raises:
            Invalid: it is none of them, or cannot be used.
            Refused: the address is not a public one.
            Unreachable: it does not answer.
            Unexpected: it answers with something else than a .torrent.
        """
        if isinstance(given, bytes):
            return await asyncio.to_thread(parse_torrent, given)
        text = given.strip()
        if text.lower().startswith("magnet:"):
            return parse_magnet(text)
        url = read_url(text, field="source", wanted="Give a magnet link, or the http(s) address of a .torrent file.")
        got = await self._outside.get(
            url,
            what="a .torrent file",
            max_bytes=LARGEST_TORRENT,
            headers={"Accept": "application/x-bittorrent, */*"},
        )
        return parse_magnet(got.magnet) if got.magnet else await asyncio.to_thread(_parse, got.host, got.body)


def _parse(host: str, body: bytes) -> Metainfo:
    try:
        return parse_torrent(body)
    except Invalid as e:
        raise Unexpected(host, f"what it sent cannot be used. {e.message}") from e

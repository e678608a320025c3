"""Somebody's finished torrents, and what is seen of them."""

from __future__ import annotations

import os
from collections.abc import Mapping

from tests.fakes import FakeEngine
from tests.torrents import metainfos
from uuutorrent.accounts import User
from uuutorrent.torrents.files import Files
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.metainfo import Metainfo, parse_torrent

BATCH = parse_torrent(metainfos.several("Show", {"01.mkv": 5, "Extras/OP.mkv": 3}))
CONTENT = {"Show/01.mkv": b"12345", "Show/Extras/OP.mkv": b"abc"}


class Fetching:
    """Somebody's torrents, from adding to complete."""

    def __init__(self, library: Library, engine: FakeEngine, live: Live) -> None:
        self.library, self.engine, self.live = library, engine, live

    async def done(self, user: User, content: Metainfo, contents: Mapping[str, bytes] | None = None) -> None:
        await self.library.add(user, content)
        self.engine.complete(content.v1, contents or {content.name: b"x" * 1000})
        await self.live.refresh()
        await self.library.reconcile()


async def names(files: Files, user: User, path: str = "/torrents") -> list[str]:
    return [entry.name + "/" * entry.is_dir for entry in await files.list(user, path)]


async def content(files: Files, user: User, path: str) -> bytes:
    opened = await files.open(user, path)
    try:
        return os.read(opened.fd, 1 << 20)
    finally:
        os.close(opened.fd)

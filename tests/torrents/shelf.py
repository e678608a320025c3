"""What tests of the library share: a few torrents, and questions asked again and again."""

from __future__ import annotations

from pathlib import Path

from tests.torrents import metainfos
from uuutorrent import config
from uuutorrent.accounts import Operator, User
from uuutorrent.limits import Limits
from uuutorrent.store.database import Database
from uuutorrent.torrents.holdings import Holding
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.metainfo import Metainfo, parse_magnet, parse_torrent

GIB = 2**30


def torrent(name: str = "Show - 01.mkv", size: int = 1000) -> Metainfo:
    return parse_torrent(metainfos.single(name, size))


SHOW = torrent()
HYBRID = parse_torrent(metainfos.hybrid())
MAGNET = parse_magnet(f"magnet:?xt=urn:btih:{SHOW.v1}&dn=Show")


async def only(library: Library, user: User) -> Holding:
    """The one torrent that a user has."""
    (holding,) = await library.holdings(user)
    return holding


def limits_of(database: Database, torrents: config.Torrents | None = None) -> Limits:
    """What is configured for everybody."""
    return Limits(database, torrents or config.Torrents(), config.Files())


async def quota(library: Library, user: User, size_bytes: int | None = None, torrents: int | None = None) -> None:
    await library.limits.set(Operator(), user.name, {"bytes": size_bytes, "torrents": torrents})


def on_disk(folder: Path) -> list[str]:
    """Everything below a folder."""
    return sorted(str(place.relative_to(folder)) for place in folder.rglob("*"))

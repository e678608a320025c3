"""The line a person types at home to fetch what a torrent of theirs brought."""

from __future__ import annotations

from contextlib import suppress

from uuutorrent.desk import Desk
from uuutorrent.errors import UuuError
from uuutorrent.torrents.holdings import Holding
from uuutorrent.torrents.views.names import safe


async def line_for(desk: Desk, holding: Holding) -> str:
    """The line for the one file there is, wherever it is, or else for the folder that holds everything."""
    path = f"/torrents/{safe(holding.name)}"
    with suppress(UuuError):
        path = await desk.files.where(desk.user, holding.infohash)
    return desk.config.ssh.fetch(desk.user.name, path)

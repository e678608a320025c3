"""The line a person types at home to fetch what a torrent of theirs brought."""

from __future__ import annotations

from contextlib import suppress

from uuutorrent.desk import Desk
from uuutorrent.errors import UuuError
from uuutorrent.torrents.holdings import Holding


async def line_for(desk: Desk, holding: Holding) -> str:
    """The line for the one file there is, wherever it is, or else for the folder that holds everything."""
    path = f"/{holding.name}"
    with suppress(UuuError):
        entries = await desk.files.list(desk.user, path)
        while len(entries) == 1:
            path = f"{path}/{entries[0].name}"
            entries = await desk.files.list(desk.user, path) if entries[0].is_dir else ()
    return desk.config.ssh.fetch(desk.user.name, path)

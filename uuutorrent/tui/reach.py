"""The line a person types at home to fetch what a torrent of theirs brought."""

from __future__ import annotations

from uuutorrent.desk import Desk
from uuutorrent.errors import UuuError
from uuutorrent.torrents.holdings import Holding


async def line_for(desk: Desk, holding: Holding) -> str:
    """The line for the one file there is, or else for the whole folder."""
    path = f"/{holding.name}"
    try:
        entries = await desk.files.list(desk.user, path)
    except UuuError:
        entries = ()
    if len(entries) == 1 and not entries[0].is_dir:
        path = f"{path}/{entries[0].name}"
    return desk.config.ssh.fetch(desk.user.name, path)

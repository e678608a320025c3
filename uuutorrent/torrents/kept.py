"""What stays on the disk because somebody gave up a torrent without its files: the owner of the table `kept`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from uuutorrent.store.database import Tx
from uuutorrent.store.tables import KeptRow


@dataclass(frozen=True, slots=True)
class Kept:
    """A folder below the download root whose torrent was given up without its files."""

    folder: str
    name: str
    """Of the torrent."""
    at: datetime
    """When it was given up."""


async def note(tx: Tx, folder: str, name: str, at: datetime) -> None:
    """Remember that this folder stays."""
    await tx.merge(KeptRow(folder=folder, name=name, at=at))


async def every(tx: Tx) -> Mapping[str, Kept]:
    """All that stayed, by folder."""
    rows = await tx.scalars(select(KeptRow).order_by(KeptRow.folder))
    return {row.folder: Kept(row.folder, row.name, row.at) for row in rows}


async def forget(tx: Tx, folders: Collection[str]) -> None:
    """These folders are not there any more, or belong to a torrent again."""
    await tx.execute(delete(KeptRow).where(KeptRow.folder.in_(folders)))

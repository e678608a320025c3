"""What a room of the view is: a folder at its top, made for each user from what they have."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from uuutorrent.accounts import User
from uuutorrent.torrents.holdings import Finished
from uuutorrent.torrents.views.entry import Readable
from uuutorrent.torrents.views.tree import Arriving, Folder, torrents

ALWAYS_S = math.inf
"""A folder that is right until the user has something else."""


class Room:
    """A folder at the top of the view."""

    async def folder(self, user: User, finished: Sequence[Finished]) -> tuple[Folder, float]:
        """What it holds for a user who has these, and for how many seconds that is right while they stay the same."""
        raise NotImplementedError

    async def entered(self, user: User) -> bool:
        """A user lists it; True: it holds something else now."""
        return False

    async def readable(self, user: User, arriving: Arriving) -> Readable | None:
        """Which bytes can be read of a file that is still arriving; None: it cannot be read."""
        return None


class Torrents(Room):
    """`/torrents`: a folder for each torrent, as it is."""

    async def folder(self, user: User, finished: Sequence[Finished]) -> tuple[Folder, float]:
        """Every whole file of the user's."""
        return await asyncio.to_thread(torrents, finished), ALWAYS_S


class Dropped(Protocol):
    """A file that a user put somewhere, or that came of it."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def size_bytes(self) -> int:
        """Its size."""
        ...

    @property
    def modified_at(self) -> datetime:
        """When it was written."""
        ...


class Drop(Protocol):
    """`/drop`: what a user put there."""

    def entries(self, user: User) -> Sequence[Dropped]:
        """Everything that is there for this user."""
        ...

    def entry(self, user: User, name: str) -> Dropped:
        """One of them.

        Raises:
            Missing: there is none of that name.
        """
        ...

    def read(self, user: User, name: str) -> bytes:
        """What is in it.

        Raises:
            Missing: there is none of that name.
            Refused: it is not to be read.
        """
        ...

"""What a door is given of the view: what is in a folder, and a file that was opened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder of the view."""

    name: str
    is_dir: bool
    size_bytes: int
    """0 for a folder."""
    modified_at: datetime
    inode: int = 0
    """A number that stays with the bytes, wherever in the view they are shown."""


class Readable(Protocol):
    """Which bytes are here of a file that is still arriving."""

    async def whole(self, offset: int, length: int) -> int:
        """How many bytes from there on are here: at least one, at most `length`.

        Raises:
            Unreachable: none yet.
        """
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """A file opened for reading. Whoever asked for it closes `fd`."""

    fd: int
    entry: Entry
    place: str
    """Where it is beneath the download root; empty: nowhere."""
    readable: Readable | None = None
    """To be asked before each read of a file that is still arriving; None: all of it is here."""

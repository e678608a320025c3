"""What becomes of somebody's torrents when they leave: those that only they claim go with their files."""

from __future__ import annotations

from dataclasses import dataclass

from uuutorrent.torrents.library import Library
from uuutorrent.users import User


@dataclass(frozen=True, slots=True)
class Leaving:
    """What is left behind."""

    torrents: int
    """All they claim."""
    going: tuple[str, ...]
    """Names of those that go, with their files."""
    going_bytes: int
    staying: tuple[str, ...]
    """Names of those that others claim too."""


async def leaving(library: Library, user: User) -> Leaving:
    """What would happen to this user's torrents."""
    every = await library.of(user)
    going = [stored for stored in every if len(stored.claims) <= 1]
    staying = tuple(stored.name for stored in every if len(stored.claims) > 1)
    size = sum(stored.size_bytes or 0 for stored in going)
    return Leaving(len(every), tuple(stored.name for stored in going), size, staying)

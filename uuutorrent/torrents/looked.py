"""The engine as everybody has it: whoever only looks at what somebody else sees changes nothing in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from uuutorrent.store import onlooking
from uuutorrent.torrents.engine import EngineId, NewTorrent, Tracker
from uuutorrent.torrents.relay import Relay


class LookedAt(Relay):
    """An engine that refuses onlookers whatever changes something."""

    async def trackers(self, id: EngineId) -> tuple[Tracker, ...]:
        """As the engine; an onlooker sees where they are, for in their addresses stand passkeys."""
        found = await super().trackers(id)
        return tuple(replace(one, url=_place(one.url)) for one in found) if onlooking.is_looking() else found

    # What changes something

    async def add(self, new: NewTorrent) -> None:
        """As the engine, for who may change something."""
        onlooking.refuse()
        await super().add(new)

    async def start(self, ids: Sequence[EngineId]) -> None:
        """As the engine, for who may change something."""
        onlooking.refuse()
        await super().start(ids)

    async def stop(self, ids: Sequence[EngineId]) -> None:
        """As the engine, for who may change something."""
        onlooking.refuse()
        await super().stop(ids)

    async def recheck(self, ids: Sequence[EngineId]) -> None:
        """As the engine, for who may change something."""
        onlooking.refuse()
        await super().recheck(ids)

    async def reannounce(self, ids: Sequence[EngineId]) -> None:
        """As the engine, for who may change something."""
        onlooking.refuse()
        await super().reannounce(ids)

    async def delete(self, ids: Sequence[EngineId], *, with_files: bool) -> None:
        """As the engine, for who may change something."""
        onlooking.refuse()
        await super().delete(ids, with_files=with_files)

    async def tag(self, ids: Sequence[EngineId], *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """As the engine, for who may change something."""
        onlooking.refuse()
        await super().tag(ids, add=add, remove=remove)

    async def set_priority(self, id: EngineId, indexes: Sequence[int], priority: int) -> None:
        """As the engine, for who may change something."""
        onlooking.refuse()
        await super().set_priority(id, indexes, priority)

    async def set_sequential(self, id: EngineId, on: bool) -> None:
        """As the engine, for who may change something."""
        onlooking.refuse()
        await super().set_sequential(id, on)

    async def set_limits(self, id: EngineId, *, down_bps: int, up_bps: int) -> None:
        """As the engine, for who may change something."""
        onlooking.refuse()
        await super().set_limits(id, down_bps=down_bps, up_bps=up_bps)

    async def set_up_limit(self, bps: int) -> None:
        """As the engine, for who may change something."""
        onlooking.refuse()
        await super().set_up_limit(bps)


def _place(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    return f"{scheme}{mark}{rest.partition('/')[0].rpartition('@')[2]}/…" if mark else url

"""An engine that hands everything on to another: what its children say otherwise is what they are about."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from uuutorrent.torrents.engine import Engine, EngineId, NewTorrent, Peer, Pieces, Torrent, TorrentFile, Tracker


class Relay(Engine):
    """The engine behind it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def version(self) -> str:
        """As the engine."""
        return await self._engine.version()

    async def torrents(self, *, ids: Collection[EngineId] | None = None, tag: str | None = None) -> tuple[Torrent, ...]:
        """As the engine."""
        return await self._engine.torrents(ids=ids, tag=tag)

    async def files(self, id: EngineId) -> tuple[TorrentFile, ...]:
        """As the engine."""
        return await self._engine.files(id)

    async def pieces(self, id: EngineId) -> Pieces:
        """As the engine."""
        return await self._engine.pieces(id)

    async def trackers(self, id: EngineId) -> tuple[Tracker, ...]:
        """As the engine."""
        return await self._engine.trackers(id)

    async def peers(self, id: EngineId) -> tuple[Peer, ...]:
        """As the engine."""
        return await self._engine.peers(id)

    async def uploaded(self) -> int:
        """As the engine."""
        return await self._engine.uploaded()

    async def up_limit(self) -> int:
        """As the engine."""
        return await self._engine.up_limit()

    async def add(self, new: NewTorrent) -> None:
        """As the engine."""
        await self._engine.add(new)

    async def start(self, ids: Sequence[EngineId]) -> None:
        """As the engine."""
        await self._engine.start(ids)

    async def stop(self, ids: Sequence[EngineId]) -> None:
        """As the engine."""
        await self._engine.stop(ids)

    async def recheck(self, ids: Sequence[EngineId]) -> None:
        """As the engine."""
        await self._engine.recheck(ids)

    async def reannounce(self, ids: Sequence[EngineId]) -> None:
        """As the engine."""
        await self._engine.reannounce(ids)

    async def delete(self, ids: Sequence[EngineId], *, with_files: bool) -> None:
        """As the engine."""
        await self._engine.delete(ids, with_files=with_files)

    async def tag(self, ids: Sequence[EngineId], *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """As the engine."""
        await self._engine.tag(ids, add=add, remove=remove)

    async def set_priority(self, id: EngineId, indexes: Sequence[int], priority: int) -> None:
        """As the engine."""
        await self._engine.set_priority(id, indexes, priority)

    async def set_sequential(self, id: EngineId, on: bool) -> None:
        """As the engine."""
        await self._engine.set_sequential(id, on)

    async def set_limits(self, id: EngineId, *, down_bps: int, up_bps: int) -> None:
        """As the engine."""
        await self._engine.set_limits(id, down_bps=down_bps, up_bps=up_bps)

    async def set_up_limit(self, bps: int) -> None:
        """As the engine."""
        await self._engine.set_up_limit(bps)

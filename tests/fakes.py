"""The tests' engine: a dictionary that speaks the `Engine` protocol and does what a test tells it to.

It behaves as qBittorrent was seen to behave: a second add changes nothing, an unknown id is no error for stop, start,
recheck and delete, and files are unknown until the metadata is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from bencode2 import BencodeDecodeError, bdecode

from uuutorrent.errors import Conflict, Invalid, Missing, Unreachable, UuuError
from uuutorrent.torrents.engine import EngineId, NewTorrent, Peer, Phase, Pieces, Torrent, TorrentFile, Tracker

_NO_FILES: tuple[TorrentFile, ...] = ()


@dataclass
class FakeEngine:
    """An engine in memory. Controls take any hash of a torrent: v1, v2 or the engine's own id."""

    write_files: bool = False
    """Put real files under the save path when a torrent completes."""
    calls: list[str] = field(default_factory=list)
    """The verbs that changed something, e.g. "add 0123…", "stop 0123…", in order."""
    polls: int = 0
    """How often `torrents` was asked."""
    lose_adds: bool = False
    """Say yes to an add and forget it, as a qBittorrent killed right after its answer does."""
    add_error: UuuError | None = None
    """What the next adds raise, once they were asked."""
    asked_for: set[str] = field(default_factory=set)
    """Paths of the files that were ever asked for: wanted while their torrent ran."""
    peers_of: dict[str, tuple[Peer, ...]] = field(default_factory=dict)
    uploaded_bytes: int = 0
    """Since it started."""
    up_limit_bps: int = 0
    pieces_of: dict[str, Pieces] = field(default_factory=dict)
    trackers_of: dict[str, tuple[Tracker, ...]] = field(default_factory=dict)
    _torrents: dict[EngineId, Torrent] = field(default_factory=dict)
    _files: dict[EngineId, tuple[TorrentFile, ...]] = field(default_factory=dict)
    _down: str = ""

    # What a test does to it.

    def go_down(self, why: str = "cannot be reached") -> None:
        """From now on nothing is answered, until `come_back`."""
        self._down = why

    def come_back(self) -> None:
        """Answer again, with everything still there."""
        self._down = ""

    def lose(self, infohash: str) -> None:
        """Forget a torrent, files untouched, as a kill -9 right after an add does."""
        del self._torrents[self.id_of(infohash)]

    def get(self, infohash: str) -> Torrent:
        """The torrent as it is now."""
        return self._torrents[self.id_of(infohash)]

    def has(self, infohash: str) -> bool:
        """Is it there?"""
        return any(infohash in (t.id, t.v1, t.v2) for t in self._torrents.values())

    def id_of(self, infohash: str) -> EngineId:
        """What the engine calls the torrent with this hash."""
        return next(t.id for t in self._torrents.values() if infohash in (t.id, t.v1, t.v2))

    def change(
        self,
        infohash: str,
        *,
        phase: Phase | None = None,
        progress: float | None = None,
        down_bps: int | None = None,
        up_bps: int | None = None,
        eta_s: int | None = None,
        seeds: int | None = None,
        last_activity: datetime | None = None,
        seeding_s: int | None = None,
        uploaded_bytes: int | None = None,
    ) -> None:
        """Let some of the figures be these."""
        t = self.get(infohash)
        done = t.progress if progress is None else progress
        self._torrents[t.id] = replace(
            t,
            phase=phase or t.phase,
            progress=done,
            completed_bytes=round(t.size_bytes * done),
            down_bps=t.down_bps if down_bps is None else down_bps,
            up_bps=t.up_bps if up_bps is None else up_bps,
            eta_s=eta_s,
            seeds=t.seeds if seeds is None else seeds,
            last_activity=last_activity or t.last_activity,
            seeding_s=t.seeding_s if seeding_s is None else seeding_s,
            uploaded_bytes=t.uploaded_bytes if uploaded_bytes is None else uploaded_bytes,
            session_up_bytes=t.session_up_bytes if uploaded_bytes is None else uploaded_bytes,
            ratio=t.ratio if uploaded_bytes is None else uploaded_bytes / max(t.size_bytes, 1),
        )

    def progress(self, infohash: str, progress: float, *, down_bps: int = 1_000_000) -> None:
        """Download up to here (0..1), at this rate."""
        self.change(infohash, phase=Phase.DOWNLOADING, progress=progress, down_bps=down_bps, eta_s=60)

    def metadata(self, infohash: str, name: str, files: Mapping[str, int], *, v2: str = "") -> None:
        """The metadata of a magnet arrives: name, sizes by path, and for a hybrid the v2 hash (and so a new id)."""
        old = self.get(infohash)
        new = EngineId((v2 or old.v2)[:40] or old.v1)
        del self._torrents[old.id]
        self._torrents[new] = replace(
            old,
            id=new,
            v2=v2 or old.v2,
            name=name,
            size_bytes=sum(files.values()),
            content_path=f"{old.save_path}/{name}",
            phase=Phase.PAUSED if old.phase is Phase.PAUSED else Phase.DOWNLOADING,
        )
        self._files[new] = tuple(TorrentFile(n, path, size, 0.0, 1) for n, (path, size) in enumerate(files.items()))

    def file_progress(self, infohash: str, index: int, progress: float) -> None:
        """One file of a torrent is so far (0..1)."""
        key = self.id_of(infohash)
        self._files[key] = tuple(replace(f, progress=progress) if f.index == index else f for f in self._files[key])

    def complete(self, infohash: str, contents: Mapping[str, bytes] | None = None) -> None:
        """Every chosen byte is here. With `contents` (by path), or `write_files`, real files are there too."""
        t = self.get(infohash)
        self.change(infohash, phase=Phase.SEEDING, progress=1.0, down_bps=0)
        self._torrents[t.id] = replace(
            self._torrents[t.id], completed_at=datetime.now(UTC), downloaded_bytes=t.size_bytes
        )
        chosen = tuple(
            replace(file, progress=1.0) if file.priority else file for file in self._files.get(t.id, _NO_FILES)
        )
        self._files[t.id] = chosen
        if contents is None and self.write_files:
            contents = {file.path: bytes(file.size_bytes) for file in chosen if file.priority}
        for path, content in (contents or {}).items():
            place = Path(t.save_path) / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)

    def pieces_came(self, infohash: str, size_bytes: int, come: Sequence[bool]) -> None:
        """These pieces of a torrent are here, each of so many bytes."""
        key, at = self.id_of(infohash), 0
        self.pieces_of[self.get(infohash).v1] = Pieces(size_bytes, tuple(come))
        placed = []
        for file in self._files[key]:
            last = (at + file.size_bytes - 1) // size_bytes
            placed.append(replace(file, first_piece=at // size_bytes, last_piece=last))
            at += file.size_bytes
        self._files[key] = tuple(placed)

    # What the house does to it.

    async def version(self) -> str:
        self._answer()
        return "v4.5.2"

    async def torrents(self, *, ids: Collection[EngineId] | None = None, tag: str | None = None) -> tuple[Torrent, ...]:
        self.polls += 1
        await asyncio.sleep(0)  # an answer takes a moment
        self._answer()
        return tuple(
            t for t in self._torrents.values() if (ids is None or t.id in ids) and (tag is None or tag in t.tags)
        )

    async def add(self, new: NewTorrent) -> None:
        self._answer()
        known = _contents(new)
        key = EngineId((new.v2[:40] if known or not new.v1 else "") or new.v1)
        self.calls.append(f"add {new.v1 or new.v2}")
        if self.add_error is not None:
            raise self.add_error
        if self.lose_adds or any(self.has(h) for h in (new.v1, new.v2) if h):
            return
        name, files = known or (new.name, {})
        self._files[key] = tuple(TorrentFile(n, path, size, 0.0, 1) for n, (path, size) in enumerate(files.items()))
        begun = Phase.DOWNLOADING if known else Phase.METADATA
        self.asked_for |= set() if new.stopped else set(files)
        self._torrents[key] = Torrent(
            id=key,
            v1=new.v1,
            v2=new.v2,
            name=name,
            phase=Phase.PAUSED if new.stopped else begun,
            progress=0.0,
            size_bytes=sum(files.values()),
            completed_bytes=0,
            down_bps=0,
            up_bps=0,
            uploaded_bytes=0,
            eta_s=None,
            ratio=0.0,
            seeds=1,
            peers=0,
            added_at=datetime.now(UTC),
            completed_at=None,
            save_path=new.save_path,
            content_path=f"{new.save_path}/{name}" if known else "",
            tags=frozenset(new.tags),
            category=new.category,
        )

    async def start(self, ids: Sequence[EngineId]) -> None:
        for t in self._each("start", ids):
            self.asked_for |= {f.path for f in self._files.get(t.id, _NO_FILES) if f.priority}
            begun = Phase.DOWNLOADING if self._files.get(t.id) else Phase.METADATA
            self._torrents[t.id] = replace(t, phase=Phase.SEEDING if t.progress >= 1 else begun)

    async def stop(self, ids: Sequence[EngineId]) -> None:
        for t in self._each("stop", ids):
            phase = Phase.COMPLETE if t.progress >= 1 else Phase.PAUSED
            self._torrents[t.id] = replace(t, phase=phase, down_bps=0, up_bps=0, eta_s=None)

    async def recheck(self, ids: Sequence[EngineId]) -> None:
        for t in self._each("recheck", ids):
            self._torrents[t.id] = replace(t, phase=Phase.CHECKING)

    async def reannounce(self, ids: Sequence[EngineId]) -> None:
        self._each("reannounce", ids)

    async def delete(self, ids: Sequence[EngineId], *, with_files: bool) -> None:
        for t in self._each("delete with files" if with_files else "delete", ids):
            del self._torrents[t.id]
            for file in self._files.pop(t.id, _NO_FILES) if with_files else ():
                _remove(Path(t.save_path), file.path)

    async def tag(self, ids: Sequence[EngineId], *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        for t in self._each("tag", ids):
            self._torrents[t.id] = replace(t, tags=(t.tags | set(add)) - set(remove))

    async def files(self, id: EngineId) -> tuple[TorrentFile, ...]:
        return self._files.get(self._one(id).id, _NO_FILES)

    async def pieces(self, id: EngineId) -> Pieces:
        t = self._one(id)
        return self.pieces_of.get(t.v1 or t.v2, Pieces())

    async def trackers(self, id: EngineId) -> tuple[Tracker, ...]:
        t = self._one(id)
        return self.trackers_of.get(t.v1 or t.v2, ())

    async def peers(self, id: EngineId) -> tuple[Peer, ...]:
        t = self._one(id)
        return self.peers_of.get(t.v1 or t.v2, ())

    async def set_priority(self, id: EngineId, indexes: Sequence[int], priority: int) -> None:
        files = await self.files(id)
        if not files:
            raise Conflict("its files are not known yet; wait for the metadata")
        self.calls.append(f"set_priority {id} {priority}")
        if any(not 0 <= index < len(files) for index in indexes):
            raise Invalid("there is no such file in the torrent", field="files")
        self._files[id] = tuple(replace(f, priority=priority) if f.index in indexes else f for f in files)
        if self._torrents[id].phase not in (Phase.PAUSED, Phase.COMPLETE):
            self.asked_for |= {f.path for f in self._files[id] if f.priority}
        self._count_chosen(id)

    def _count_chosen(self, id: EngineId) -> None:
        """Size and progress are those of the files that are wanted."""
        t, chosen = self._torrents[id], [file for file in self._files[id] if file.priority]
        size, done = sum(f.size_bytes for f in chosen), sum(f.size_bytes * f.progress for f in chosen)
        stands = t.phase in (Phase.PAUSED, Phase.COMPLETE)
        if done < size:
            phase = Phase.PAUSED if stands else Phase.DOWNLOADING
        else:
            phase = Phase.COMPLETE if stands else Phase.SEEDING
        progress = done / size if size else 1.0
        self._torrents[id] = replace(t, size_bytes=size, completed_bytes=round(done), progress=progress, phase=phase)

    async def set_sequential(self, id: EngineId, on: bool) -> None:
        self._torrents[id] = replace(self._one(id), sequential=on)
        self.calls.append(f"set_sequential {id} {on}")

    async def set_limits(self, id: EngineId, *, down_bps: int, up_bps: int) -> None:
        self._torrents[id] = replace(self._one(id), down_limit_bps=down_bps, up_limit_bps=up_bps)
        self.calls.append(f"set_limits {id}")

    async def uploaded(self) -> int:
        self._answer()
        return self.uploaded_bytes

    async def up_limit(self) -> int:
        self._answer()
        return self.up_limit_bps

    async def set_up_limit(self, bps: int) -> None:
        self._answer()
        self.calls.append(f"set_up_limit {bps}")
        self.up_limit_bps = bps

    def _answer(self) -> None:
        if self._down:
            raise Unreachable("qBittorrent", self._down)

    def _one(self, id: EngineId) -> Torrent:
        self._answer()
        if id not in self._torrents:
            raise Missing("qBittorrent has no such torrent")
        return self._torrents[id]

    def _each(self, verb: str, ids: Sequence[EngineId]) -> list[Torrent]:
        self._answer()
        self.calls.extend(f"{verb} {key}" for key in ids)
        return [self._torrents[key] for key in ids if key in self._torrents]


def _remove(root: Path, path: str) -> None:
    """A file, and the folders that it leaves empty."""
    (root / path).unlink(missing_ok=True)
    for folder in list((root / path).parents)[: path.count("/")]:
        with suppress(OSError):
            folder.rmdir()


def _contents(new: NewTorrent) -> tuple[str, dict[str, int]] | None:
    """Name and sizes by path of a .torrent; None for a magnet."""
    if new.metainfo is None:
        if not (new.magnet or "").startswith("magnet:?"):
            raise Invalid("this is not a magnet link")
        return None
    try:
        info = bdecode(new.metainfo)[b"info"]
        name = info[b"name"].decode()
    except (BencodeDecodeError, KeyError, TypeError) as e:
        raise Invalid("qBittorrent cannot read this .torrent file") from e
    if b"length" in info:
        return name, {name: info[b"length"]}
    if b"files" in info:
        listed = [(b"/".join(file[b"path"]).decode(), file) for file in info[b"files"]]
        return name, {f"{name}/{path}": file[b"length"] for path, file in listed if b"p" not in file.get(b"attr", b"")}
    sizes = dict(_walk("", info[b"file tree"]))
    return name, sizes if list(sizes) == [name] else {f"{name}/{path}": size for path, size in sizes.items()}


def _walk(place: str, tree: Mapping[bytes, object]) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for part, below in tree.items():
        if isinstance(below, Mapping):
            leaf = below.get(b"")
            path = f"{place}/{part.decode()}".lstrip("/")
            found += [(path, int(leaf[b"length"]))] if isinstance(leaf, Mapping) else _walk(path, below)
    return found

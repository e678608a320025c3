"""Puts claimed torrents into the engine, takes unclaimed ones out, and repairs every difference it finds.

The database says what should be; the engine is brought there. Torrents that were never claimed here are not touched.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from weakref import WeakValueDictionary

import structlog

from uuutorrent.accounts import User, UserId
from uuutorrent.errors import Conflict, Missing, RemoteError, Unreachable, UuuError
from uuutorrent.torrents.claims import Claims
from uuutorrent.torrents.engine import Engine, EngineId, NewTorrent, Phase, Snapshot, Torrent, TorrentFile
from uuutorrent.torrents.holdings import Claim, Stored, amount
from uuutorrent.torrents.live import Live

log = structlog.get_logger()

OURS = "uuutorrent"
"""The tag of every torrent that was added from here."""
RETRY_AFTER_S = 600
"""How long a torrent that the engine refused is left alone."""
MOST_TAGS = 30
"""Episodes of one claim that are written on its torrent."""
CHOSEN = "files:"
"""How the tag begins that tells which files were chosen: without it a part stands still and is chosen first."""
APPEAR_S = 3.0
"""How long a torrent that was just added may take to be listed with its files; it takes milliseconds."""
APPEAR_LOOK_S = 0.02
LOOK_AGAIN_S = 3.0
"""How often the files of a torrent on its way are asked for, however many people list them."""
_UNJUDGED = frozenset(
    {Phase.CHECKING, Phase.METADATA, Phase.QUEUED, Phase.MOVING, Phase.MISSING, Phase.ERROR, Phase.ADDING}
)
"""Phases in which progress below 1 does not mean that something finished is unfinished again."""


class Placing:
    """The hands of the library: what it does with the engine."""

    def __init__(self, claims: Claims, engine: Engine, live: Live, download_dir: Path) -> None:
        self._claims = claims
        self._engine = engine
        self._live = live
        self._download_dir = download_dir
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._missed: set[int] = set()
        self._not_before: dict[int, float] = {}
        self._looked: dict[int, tuple[float, tuple[TorrentFile, ...]]] = {}

    def lock(self, torrent_id: int) -> asyncio.Lock:
        """One at a time may change what the engine does with this torrent."""
        return self._locks.setdefault(torrent_id, asyncio.Lock())

    async def find(self, stored: Stored, *, thorough: bool = True) -> Torrent | None:
        """The torrent as the engine has it now.

        A hybrid magnet's id changes when its metadata arrives, to one that is not known here until `reconcile` saw it:
        a `thorough` look goes through everything the engine has, which takes it longer.

        Raises:
            RemoteError: the engine does not answer.
        """
        last = self._live.snapshot.find(stored.v1, stored.v2)
        ids = {stored.v1, (stored.v2 or "")[:40], last.id if last else None} - {None, ""}
        near = await self._engine.torrents(ids=[EngineId(one) for one in ids if one])
        return _match(stored, near) or (_match(stored, await self._engine.torrents()) if thorough else None)

    async def place(self, torrent_id: int) -> None:
        """Have the engine hold a torrent, with its claimants' tags and running unless it shall stand still.

        Where only parts of it are claimed it is added standing still, and runs once all other files are switched off:
        not a byte of them is asked for.

        Raises:
            RemoteError: the engine does not answer, or cannot use it.
            Invalid: the engine refuses its bytes.
            Conflict: the engine has it already, for somebody outside.
        """
        async with self.lock(torrent_id):
            stored = await self._claims.get(torrent_id)
            if stored is None or not stored.claims:
                return
            new = await self._new(stored)
            there = await self.find(stored, thorough=stored.confirmed_at is not None)
            if there is not None and OURS not in there.tags and there.save_path != new.save_path:
                raise Conflict(f"qBittorrent has {stored.name} already, and not from here; ask an admin.")
            if there is None or there.phase is Phase.METADATA:
                await self._engine.add(new)
            if there is not None:
                await self._engine.tag([there.id], add=_tags(stored))
                if there.phase is Phase.PAUSED and not stored.stands_still and stored.wanted is None:
                    await self._engine.start([there.id])
            if stored.picked or stored.wanted is not None:
                await self._choose(stored, there)

    async def choose(self, torrent_id: int) -> None:
        """Have the engine fetch the files that are wanted now, and no others.

        Raises:
            RemoteError: the engine does not answer; the next `reconcile` does it.
        """
        async with self.lock(torrent_id):
            stored = await self._claims.get(torrent_id)
            there = await self.find(stored) if stored else None
            if stored is not None and there is not None and stored.claims:
                await self._choose(stored, there)

    async def _choose(self, stored: Stored, there: Torrent | None) -> None:
        there, files = await self._with_files(stored, there)
        if there is None or not files:
            return
        wanted, was_part = stored.wanted, _chosen_tags(there)
        asked = stored.picked if wanted is None and not was_part else wanted
        off = [file.index for file in files if wanted is not None and file.priority and file.index not in wanted]
        on = [file.index for file in files if not file.priority and (asked is None or file.index in asked)]
        if off:
            await self._engine.set_priority(there.id, off, 0)
        if on:
            await self._engine.set_priority(there.id, on, 1)
        if off or on:
            self._looked.pop(stored.id, None)
            await self._claims.reopen(stored.id, incomplete=bool(on))
        if not stored.stands_still and (on or (wanted is not None and stored.seeded_at is None)):
            await self._engine.start([there.id])
        # Last: until the tag is there, `reconcile` does all of this again.
        tags = _tags_of_choice(wanted)
        await self._engine.tag([there.id], add=tags, remove=sorted(was_part - {*tags}))

    async def _with_files(
        self, stored: Stored, there: Torrent | None
    ) -> tuple[Torrent | None, tuple[TorrentFile, ...]]:
        """The torrent and its files; one that was just added takes a moment to be listed."""
        until = time.monotonic() + APPEAR_S
        while True:
            there = there or await self.find(stored, thorough=False)
            with suppress(Missing):
                files = await self._engine.files(there.id) if there else ()
                if files or time.monotonic() >= until or (there and there.phase is Phase.METADATA):
                    return there, files
            if time.monotonic() >= until:
                return None, ()
            await asyncio.sleep(APPEAR_LOOK_S)

    async def remove(self, torrent_id: int) -> None:
        """Take a torrent that nobody claims any more out of the engine, and forget it.

        Raises:
            RemoteError: the engine does not answer; the next `reconcile` does it.
        """
        async with self.lock(torrent_id):
            stored = await self._claims.get(torrent_id)
            if stored is None or stored.claims:
                return
            there = await self.find(stored)
            if there is not None and OURS in there.tags:
                await self._engine.delete([there.id], with_files=not stored.keep_files)
            if await self._claims.forget(torrent_id) and not stored.keep_files:
                await asyncio.to_thread(self._clear, stored.folder)

    async def untag(self, stored: Stored, user_id: UserId) -> None:
        """Take a former claimant's tag off a torrent that stays.

        Raises:
            RemoteError: the engine does not answer.
        """
        there = await self.find(stored)
        if there is not None:
            await self._engine.tag([there.id], remove=[_owner(user_id)])

    async def reconcile(self, tell: Callable[[Stored], None]) -> bool:
        """Compare everything that is remembered with everything the engine has, and mend it; `tell` of each change.

        While the engine is away nothing is done, for its silence says nothing about any torrent: then False.
        """
        try:
            there = {name: torrent for torrent in await self._engine.torrents() for name in (torrent.v1, torrent.v2)}
            every = await self._claims.every()
            for stored in every:
                if await self._settle(stored, there.get(stored.v1 or "?") or there.get(stored.v2 or "?")):
                    tell(stored)
        except Unreachable:
            return False
        known = {stored.id for stored in every}
        self._missed &= known
        self._looked = {which: looked for which, looked in self._looked.items() if which in known}
        return True

    async def confirm(self, stored: Stored) -> bool:
        """Look for one torrent in the engine and write down what it says; whether that changed anything.

        Raises:
            RemoteError: the engine does not answer.
        """
        there = await self.find(stored, thorough=False)
        return there is not None and await self._write_down(stored, there)

    async def _settle(self, stored: Stored, there: Torrent | None) -> bool:
        try:
            if not stored.claims:
                await self.remove(stored.id)
                return True
            if there is None:
                return await self._add_again(stored)
            self._missed.discard(stored.id)
            changed = await self._write_down(stored, there)
            if there.phase is not Phase.METADATA and not is_chosen(stored, there):
                await self.choose(stored.id)
                return True
            return changed
        except Unreachable:
            raise
        except UuuError as e:
            log.warning("torrent not settled", infohash=stored.infohash, why=e.message)
            return False

    async def _add_again(self, stored: Stored) -> bool:
        # An engine that has just started lists its torrents one after the other: only the second miss counts, unless
        # it never had this one.
        if stored.confirmed_at is not None and stored.id not in self._missed:
            self._missed.add(stored.id)
            return False
        if self._not_before.get(stored.id, 0) > time.monotonic():
            return False
        try:
            await self.place(stored.id)
        except Unreachable:
            raise
        except UuuError as e:
            self._not_before[stored.id] = time.monotonic() + RETRY_AFTER_S
            await self._claims.set_note(stored.id, f"qBittorrent does not take it: {e.message}")
            return True
        log.info("torrent added again", infohash=stored.infohash)
        await self._claims.mark(stored.id, seeded_at=None)  # what it seeded before is forgotten with it
        await self._claims.set_note(stored.id, "")
        self._missed.discard(stored.id)
        self._live.poke()
        await self.confirm(stored)
        return True

    async def _write_down(self, stored: Stored, there: Torrent) -> bool:
        finished = stored.completed_at is None and await self.is_whole(stored, there)
        undone = is_undone(stored, there)
        sized = stored.size_bytes is None and there.size_bytes > 0
        hashed = bool(there.v1 and not stored.v1) or bool(there.v2 and not stored.v2)
        if not (finished or undone or sized or hashed or stored.confirmed_at is None):
            return False
        if finished:
            await self.whole_files(stored, there)
        now = await self._claims.saw(stored, there, complete=finished, undone=undone)
        if sized:
            await self._check_quotas(now, there)
        return True

    async def whole_files(self, stored: Stored, there: Torrent) -> dict[int, str]:
        """Which files of a torrent are whole, by place; remembered when all that are wanted are.

        Raises:
            RemoteError: the engine does not answer.
        """
        files = await self._files_of(stored, there)
        paths = {file.index: file.path for file in files if file.progress >= 1.0 and file.priority > 0}
        if _is_whole(stored, there, files):
            await self._claims.set_finished(stored.id, paths)
        return paths

    async def known_whole(self, stored: Stored, remembered: dict[int, str] | None) -> dict[int, str]:
        """Which files of a torrent are whole; while the engine is away, those of what was complete."""
        snapshot = self._live.snapshot
        there = snapshot.find(stored.v1, stored.v2)
        if remembered is not None and stored.completed_at is not None and not is_undone(stored, there):
            return remembered
        # The files of a part are known to be whole a moment before its progress says so.
        has_some = there is not None and (there.progress > 0 or bool(stored.picked))
        if there is None or not has_some or not snapshot.engine_up:
            return {}
        with suppress(RemoteError, Missing):
            return await self.whole_files(stored, there)
        return {}

    async def files_among_others(self, stored: Stored, claim: Claim, snapshot: Snapshot) -> tuple[TorrentFile, ...]:
        """The files of a batch of which others fetch other parts: what a claim is about is told by nothing else."""
        there = snapshot.find(stored.v1, stored.v2)
        if claim.is_part and len(stored.claims) > 1 and there and snapshot.engine_up and not there.is_complete:
            with suppress(RemoteError, Missing):
                return await self._files_of(stored, there)
        return ()

    async def is_whole(self, stored: Stored, there: Torrent) -> bool:
        """Whether all that is wanted of a torrent is here; what was chosen just now is not in its progress yet.

        Raises:
            RemoteError: the engine does not answer.
        """
        if not there.is_complete or not stored.picked:
            return there.is_complete
        return _is_whole(stored, there, await self._files_of(stored, there))

    async def _files_of(self, stored: Stored, there: Torrent) -> tuple[TorrentFile, ...]:
        looked_at, files = self._looked.get(stored.id, (0.0, ()))
        if time.monotonic() - looked_at >= LOOK_AGAIN_S or there.is_complete:
            files = await self._engine.files(there.id)
            self._looked[stored.id] = time.monotonic(), files
        return files

    async def _check_quotas(self, stored: Stored, there: Torrent) -> None:
        """A magnet told its size: whoever cannot afford it is told, and it stops unless somebody can."""
        people = await self._claims.people([claim.user_id for claim in stored.claims])
        over = [user for user in people.values() if await self._is_over(user)]
        for user in over:
            note = f"It turned out to be {amount(there.size_bytes)}, which is over your quota."
            await self._claims.set_note(stored.id, note, user_id=user.id)
        if over and len(over) == len(stored.claims):
            await self._claims.mark(stored.id, stopped=True)
            await self._engine.stop([there.id])

    async def _is_over(self, user: User) -> bool:
        used = await self._claims.usage(user)
        return bool(used.quota_bytes) and used.bytes > used.quota_bytes

    async def _new(self, stored: Stored) -> NewTorrent:
        metainfo, magnet = await self._claims.content(stored.id)
        first = stored.claims[0].user_id
        owner = (await self._claims.people([first])).get(first)
        return NewTorrent(
            v1=stored.v1 or "",
            v2=stored.v2 or "",
            name=stored.name,
            metainfo=metainfo,
            magnet=magnet,
            save_path=str(self._download_dir / stored.folder),
            category=f"u/{owner.name}" if owner else "",
            tags=_tags(stored),
            stopped=stored.stands_still or stored.wanted is not None,
        )

    def _clear(self, folder: str) -> None:
        """Whatever the engine left behind of a folder that was this torrent's alone."""
        if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", folder):
            shutil.rmtree(self._download_dir / folder, ignore_errors=True)


def is_undone(stored: Stored, there: Torrent | None) -> bool:
    """Whether something that was complete is not any more: damaged, or more of its files are wanted now."""
    if there is None or stored.completed_at is None:
        return False
    return not there.is_complete and there.phase not in _UNJUDGED


def _is_whole(stored: Stored, there: Torrent, files: tuple[TorrentFile, ...]) -> bool:
    wanted = stored.wanted or frozenset()
    return there.is_complete and all(file.progress >= 1.0 for file in files if file.priority or file.index in wanted)


def _match(stored: Stored, torrents: tuple[Torrent, ...]) -> Torrent | None:
    for torrent in torrents:
        if (torrent.v1 and torrent.v1 == stored.v1) or (torrent.v2 and torrent.v2 == stored.v2):
            return torrent
    return None


def is_chosen(stored: Stored, there: Torrent) -> bool:
    """Whether just the files that are wanted of it are switched on."""
    return _chosen_tags(there) == {*_tags_of_choice(stored.wanted)}


def _chosen_tags(there: Torrent) -> frozenset[str]:
    return frozenset(tag for tag in there.tags if tag.startswith(CHOSEN))


def _tags_of_choice(wanted: frozenset[int] | None) -> tuple[str, ...]:
    """What is written on a torrent whose wanted files are chosen; nothing where all of them are wanted."""
    if wanted is None:
        return ()
    return (CHOSEN + hashlib.sha256(repr(sorted(wanted)).encode()).hexdigest()[:16],)


def _owner(user_id: UserId) -> str:
    return f"user:{user_id}"


def _tags(stored: Stored) -> tuple[str, ...]:
    tags = [OURS]
    for claim in stored.claims:
        tags.append(_owner(claim.user_id))
        tags += [f"anilist:{claim.media_id}"] * (claim.media_id is not None)
        episodes = claim.episodes if claim.is_part or claim.episode is not None else ()
        tags += [f"ep:{episode}" for episode in episodes[:MOST_TAGS]]
    return tuple(dict.fromkeys(tags))

"""The library: everybody's torrents, and what people may do with theirs.

One torrent may be claimed by several users: it is downloaded once, and each sees it as theirs. Whatever would disturb
the others is done only for a sole claimant; the sentence that comes back says what happened.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing, suppress
from datetime import datetime
from pathlib import Path

from uuutorrent.accounts import Admin, User
from uuutorrent.errors import Conflict, Invalid, Missing, Refused, RemoteError, Unexpected, Unreachable
from uuutorrent.limits import Limits
from uuutorrent.releases.contents import VIDEO
from uuutorrent.store import onlooking
from uuutorrent.store.database import Database, Tx
from uuutorrent.torrents.claims import Also, Claims
from uuutorrent.torrents.engine import Engine, Snapshot
from uuutorrent.torrents.guard import Guard
from uuutorrent.torrents.holdings import Added, Claim, Details, Finished, Holding, Part, Piece, Stored, Taken, joined
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.metainfo import parse_magnet, parse_torrent
from uuutorrent.torrents.orphans import OrphanHunt
from uuutorrent.torrents.outside import Outside
from uuutorrent.torrents.panic import Panic, Stillable
from uuutorrent.torrents.placing import Placing
from uuutorrent.torrents.seeding import Seeding
from uuutorrent.torrents.sources import Source, Sources
from uuutorrent.torrents.space import Look, Space, look_at
from uuutorrent.torrents.steering import Steering
from uuutorrent.torrents.usage import Usage

__all__ = ["Added", "Details", "Finished", "Holding", "Library"]

REREAD_S = 30.0
"""How often a follower reads the claims again though nothing was said to have changed."""


class Library(Steering):
    """Adding, watching, steering and giving up torrents."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        live: Live,
        limits: Limits,
        download_dir: Path,
        *,
        sources: Sources | None = None,
        floor_bytes: int = 0,
        look: Look = look_at,
    ) -> None:
        claims = Claims(database, limits)
        panic = Panic(database, claims, engine, live)
        engine = Stillable(engine, panic)
        placing = Placing(claims, engine, live, download_dir)
        super().__init__(claims, placing, engine, live, panic)
        self.space = Space(claims, live, download_dir, floor_bytes, look=look)
        self.guard = Guard(claims, placing, engine, live, self.space, limits, panic)
        self.seeding = Seeding(claims, placing, engine, live)
        self.orphans = OrphanHunt(database, claims, engine, download_dir)
        self.limits = limits
        self.sources = sources or Sources(Outside(allow_loopback=False))

    # Adding

    async def add_given(self, user: User, given: str | bytes) -> Added:
        """Add what a person gives: a magnet, the http(s) address of a .torrent, or the bytes of one.

        Raises:
            Invalid: it cannot be read.
            Refused: the address is not allowed, or it would exceed the quota.
            Unreachable: the address does not answer; as `Halted`: everything stands still.
        """
        onlooking.refuse()  # before an address is asked
        await self.panic.check()
        return await self.add(user, await self.sources.read(given))

    async def add(
        self,
        user: User,
        source: Source,
        *,
        media_id: int | None = None,
        episode: int | None = None,
        stopped: bool = False,
        also: Also | None = None,
        part: Part | None = None,
    ) -> Added:
        """Claim a torrent for a user, then have the engine download it. `also` is stored together with the claim.

        With a `part` only its files are downloaded, and those that were claimed before.

        While the engine is away the claim stays, and `reconcile` adds it later.

        Raises:
            Refused: it would exceed the quota; as `NoRoom`: the disk.
            Halted: everything stands still.
            Conflict: the engine has it already, and not from here.
            Invalid, Unexpected: the engine does not take it. In these cases the claim is taken back.
        """
        await self.panic.check()
        await self.space.check(source, part)
        taken = await self._claims.claim(
            user, source, media_id=media_id, episode=episode, stopped=stopped, also=also, part=part
        )
        try:
            return await self._put_in(taken)
        except (Invalid, Unexpected, Conflict):
            if not taken.existed:
                await self._take_back(user, taken.stored)
            raise

    async def replace(
        self,
        user: User,
        old_infohash: str,
        source: Source,
        *,
        media_id: int | None,
        episode: int | None,
        also: Also | None = None,
        part: Part | None = None,
        keep_old: bool = False,
    ) -> Added:
        """As `add`, in place of another torrent of theirs, whose files go with its last claim.

        The quota counts the difference only. With `keep_old` they keep what is complete until the new one is.

        Raises:
            Missing: they have no such torrent (any more).
            Refused: the old one is a batch, of which other episodes may be fine; or it would exceed the quota.
            Halted: everything stands still.
            Conflict, Invalid, Unexpected: the engine does not take it, and the old one is claimed again.
        """
        await self.panic.check()
        old = await self._claims.mine(user, old_infohash)
        _check_can_be_replaced(old, old.claim_of(user.id), source, keep_old=keep_old)
        if keep_old:
            return await self.add(user, source, media_id=media_id, episode=episode, also=also, part=part)
        await self.space.check(source, part, instead_of=old)
        before = await self.source_of(old)
        taken = await self._claims.claim(
            user, source, media_id=media_id, episode=episode, also=also, part=part, instead_of=old.id
        )
        try:
            added = await self._put_in(taken)
        except (Invalid, Unexpected, Conflict):
            await self._go_back(user, taken, old, before)
            raise
        await self._left(old, user)
        return added

    async def _go_back(self, user: User, taken: Taken, old: Stored, before: Source) -> None:
        """What was given up for something that the engine does not take is claimed as it was."""
        claim, instead = old.claim_of(user.id), None if taken.existed else taken.stored.id
        media_id, episode = (claim.media_id, claim.episode) if claim else (None, None)
        back = await self._claims.claim(user, before, media_id=media_id, episode=episode, instead_of=instead)
        await self._put_in(back)
        await self._left(taken.stored, user)

    async def source_of(self, stored: Stored) -> Source:
        """What a torrent can be added from."""
        metainfo, magnet = await self._claims.content(stored.id)
        return parse_magnet(magnet or "") if metainfo is None else await asyncio.to_thread(parse_torrent, metainfo)

    async def _put_in(self, taken: Taken) -> Added:
        """Have the engine hold what was claimed; while it is away, say so."""
        stored, queued = taken.stored, ""
        try:
            await self._placing.place(stored.id)
        except Unreachable as e:
            queued = f"{e.message}. It is noted down, and will be added as soon as qBittorrent answers."
        self._live.poke()
        self._tell(stored)
        return Added(stored.infohash, stored.name, taken.already, queued)

    # Seeing

    async def holdings(self, user: User) -> tuple[Holding, ...]:
        """This user's torrents, the newest first."""
        return await self._mine(await self._claims.of(user), user, await self._live.recent())

    async def follow(self, user: User) -> AsyncGenerator[tuple[Holding, ...]]:
        """This user's torrents, now and again whenever anything about them is different.

        Leave it with `aclosing` where you break out early.
        """
        async with aclosing(self._followers.moments(user.id, REREAD_S)) as moments:
            claimed: tuple[Stored, ...] = ()
            last: tuple[Holding, ...] | None = None
            stale_at = 0.0
            async for snapshot, is_told in moments:
                if is_told or time.monotonic() >= stale_at:
                    stale_at = time.monotonic() + REREAD_S
                    claimed = await self._claims.of(user)
                now = await self._mine(claimed, user, snapshot)
                if now != last:
                    last = now
                    yield now

    def moments(self, user: User, silence_s: float) -> AsyncGenerator[tuple[Snapshot, bool]]:
        """Whenever anything about this user's torrents may be different, and after so long a silence.

        Leave it with `aclosing`.
        """
        return self._followers.moments(user.id, silence_s)

    async def all(self, by: Admin) -> tuple[Holding, ...]:
        """Everybody's torrents with their owners, the newest first."""
        snapshot = await self._live.recent()
        every = [stored for stored in await self._claims.every() if stored.claims]
        people = await self._claims.people({claim.user_id for stored in every for claim in stored.claims})
        return tuple(
            joined(
                stored,
                stored.claims[0],
                snapshot,
                owners=tuple(people[claim.user_id].name for claim in stored.claims if claim.user_id in people),
            )
            for stored in every
        )

    async def details(self, user: User, infohash: str) -> Details:
        """One of this user's torrents from near: files, trackers, peers.

        Raises:
            Missing: they have no such torrent, or the engine does not have it yet.
        """
        stored = await self._claims.mine(user, infohash)
        its = await self._id(stored)
        files, trackers, peers = await asyncio.gather(
            self._engine.files(its), self._engine.trackers(its), self._engine.peers(its)
        )
        (holding,) = await self._mine([stored], user, self._live.snapshot)
        return Details(holding, files, trackers, peers)

    async def finished(self, user: User) -> tuple[Finished, ...]:
        """Every claim of this user with the files of it that are whole and may be read, the oldest claim first.

        While the engine is away, what was complete stays readable.
        """
        remembered = await self._claims.finished(user)
        found = []
        for stored in reversed(await self._claims.of(user)):
            claim = stored.claim_of(user.id)
            if claim is not None:
                whole = await self._whole(stored, claim, remembered.get(stored.id))
                about = (stored.infohash, stored.name, stored.folder, claim, stored.completed_at)
                found.append(Finished(*about, whole))
        return tuple(found)

    async def piece(self, user: User, place: str) -> Piece | None:
        """What the file at a place beneath the download root is to this user; None when they claim it no more."""
        folder, _, path = place.partition("/")
        stored = next((one for one in await self._claims.of(user) if one.folder == folder), None)
        claim = stored.claim_of(user.id) if stored else None
        if stored is None or claim is None:
            return None
        remembered = (await self._claims.finished(user)).get(stored.id)
        places = {path: index for index, path in (await self._placing.known_whole(stored, remembered)).items()}
        index = places.get(path)
        picks = [pick for pick in claim.picks if not pick.is_by_hand and index in pick.files]
        if picks:
            media_id = picks[-1].media_id
            episodes = tuple(pick.episode for pick in picks if pick.media_id == media_id)
            return Piece(stored.infohash, path, media_id, episodes)
        # Beside an episode may lie an opening without credits, or a sample of it.
        is_only = sum(one.rpartition(".")[2].lower() in VIDEO for one in places) <= 1
        episodes = () if claim.picks or claim.episode is None or not is_only else (claim.episode,)
        return Piece(stored.infohash, path, claim.media_id, episodes)

    async def everything(self) -> tuple[Stored, ...]:
        """Every torrent that somebody claims, for what the house does by itself."""
        return tuple(stored for stored in await self._claims.every() if stored.claims)

    async def of(self, user: User) -> tuple[Stored, ...]:
        """Every torrent that this user claims, as it is remembered."""
        return await self._claims.of(user)

    async def got(self, since: datetime) -> tuple[Stored, ...]:
        """Everybody's torrents that are complete, and were completed or claimed after this moment."""
        return await self._claims.got(since)

    async def turn(self) -> tuple[int, int]:
        """Something that differs as soon as claims, or what the engine reports, may have changed."""
        return self._followers.turns, (await self._live.recent()).seq

    async def usage(self, user: User) -> Usage:
        """What this user claims, and may."""
        return await self._claims.usage(user)

    # For grabs

    async def holds(self, tx: Tx, user: User, infohash: str, media_id: int, episode: int) -> bool:
        """Whether this user claims the torrent with this hash for this episode, inside the caller's transaction."""
        return await self._claims.holds(tx, user, infohash, media_id, episode)

    async def held(self, tx: Tx, user: User, media_id: int, episode: int) -> Stored | None:
        """The torrent that this user claims for an episode, inside the caller's transaction."""
        return await self._claims.held(tx, user, media_id, episode)

    async def claimed(self, user: User, infohash: str) -> Stored | None:
        """The torrent with this hash, if this user claims it."""
        with suppress(Missing):
            return await self._claims.mine(user, infohash)
        return None

    async def is_complete(self, stored: Stored, files: frozenset[int] = frozenset()) -> bool:
        """Whether every chosen byte of a torrent is here, as far as is known now; or those of some of its files."""
        there = (await self._live.recent()).find(stored.v1, stored.v2)
        if there is None:
            return stored.completed_at is not None
        with suppress(RemoteError, Missing):
            if not files:
                return await self._placing.is_whole(stored, there)
            return files <= (await self._placing.whole_files(stored, there)).keys()
        return False

    async def confirm(self, user: User, infohash: str) -> None:
        """Look at one torrent in the engine now, and write down that it is there, and whether it is complete.

        Raises:
            Missing: this user has no such torrent.
            RemoteError: the engine does not answer.
        """
        stored = await self._claims.mine(user, infohash)
        if await self._placing.confirm(stored):
            self._tell(stored)

    # Keeping order

    async def look_at(self, hashes: Collection[str]) -> None:
        """The same as `confirm` for everybody's torrents with these hashes.

        Raises:
            RemoteError: the engine does not answer.
        """
        for stored in await self._claims.every():
            if {stored.v1, stored.v2} & set(hashes) and await self._placing.confirm(stored):
                self._tell(stored)

    async def reconcile(self, *, patience_s: float = 0.0) -> None:
        """Compare the claims with the engine and mend what differs. Once at the start, then every 30 s.

        While the engine is away nothing is done, but for waiting up to `patience_s` until it is back.
        """
        if await self._placing.reconcile(self._tell) or not patience_s:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s), aclosing(self._live.changes()) as snapshots:
                async for snapshot in snapshots:
                    if snapshot.engine_up:
                        break
            await self._placing.reconcile(self._tell)

    async def _left(self, stored: Stored, user: User) -> None:
        """Out of the engine with what its last claimant gave up; what is not done here is done by `reconcile`."""
        with suppress(RemoteError):
            await self._placing.remove(stored.id)
            if len(stored.claims) > 1:
                await self._placing.untag(stored, user.id)
        self._tell(stored)

    async def _take_back(self, user: User, stored: Stored) -> None:
        left = await self._claims.unclaim(user.id, stored.id)
        if not left.claims:
            with suppress(RemoteError):
                await self._placing.remove(stored.id)
        self._tell(stored)

    async def _whole(self, stored: Stored, claim: Claim, remembered: dict[int, str] | None) -> dict[int, str]:
        """The whole files that a claim is about; what others fetch of the same batch is theirs."""
        files = await self._placing.known_whole(stored, remembered)
        return {index: path for index, path in files.items() if index in claim.files} if claim.is_part else files

    async def _mine(self, every: Sequence[Stored], user: User, snapshot: Snapshot) -> tuple[Holding, ...]:
        running = sum(stored.is_under_way for stored in every)
        holdings = []
        for stored in every:
            if claim := stored.claim_of(user.id):
                files = await self._placing.files_among_others(stored, claim, snapshot)
                holdings.append(joined(stored, claim, snapshot, files=files, running=running))
        return tuple(holdings)


def _check_can_be_replaced(old: Stored, claim: Claim | None, source: Source, *, keep_old: bool) -> None:
    if {source.v1, source.v2} & {old.v1, old.v2} - {None, ""}:
        raise Conflict(f"{old.name} cannot take its own place.")
    if claim is not None and not keep_old and (claim.is_part or claim.picks):
        raise Refused(f"{old.name} is a batch, of which other episodes may be fine.")

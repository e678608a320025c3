"""What people do with the torrents they have: pause, resume, recheck, give up, choose among the files.

Whatever would disturb the others is done only for a sole claimant; the sentence that comes back says what happened.
"""

from __future__ import annotations

from collections.abc import Sequence

from uuutorrent.accounts import User
from uuutorrent.errors import Invalid, Missing, Refused, RemoteError
from uuutorrent.torrents.claims import Claims
from uuutorrent.torrents.engine import Engine, EngineId
from uuutorrent.torrents.followers import Followers
from uuutorrent.torrents.holdings import Stored, busy
from uuutorrent.torrents.live import Live
from uuutorrent.torrents.panic import Panic
from uuutorrent.torrents.placing import Placing


class Steering:
    """The part of the library that steers one torrent for one of its claimants."""

    def __init__(self, claims: Claims, placing: Placing, engine: Engine, live: Live, panic: Panic) -> None:
        self._claims = claims
        self._placing = placing
        self._engine = engine
        self._live = live
        self._followers = Followers(live)
        self.panic = panic

    async def pause(self, user: User, infohash: str) -> str:
        """Let it stand still, if nobody else wants it.

        Raises:
            Missing: this user has no such torrent.
            Unreachable: the engine is away.
        """
        stored = await self._claims.mine(user, infohash)
        async with self._placing.lock(stored.id):
            stored = await self._claims.mine(user, infohash)
            if len(stored.claims) > 1:
                return f"Others claim {stored.name} too, so it goes on."
            await self._engine.stop([await self._id(stored)])
            await self._claims.mark(stored.id, stopped=True)
        self._changed(stored)
        return f"Paused {stored.name}."

    async def resume(self, user: User, infohash: str) -> str:
        """Let it go on.

        Raises:
            Missing: this user has no such torrent.
            Refused: they are over their quota.
            Unreachable: the engine is away; as `Halted`: everything stands still.
        """
        stored = await self._claims.mine(user, infohash)
        await self.panic.check()
        used = await self._claims.usage(user)
        if stored.completed_at is None and used.quota_bytes and used.bytes > used.quota_bytes:
            raise Refused("You are over your quota. Delete something first.")
        async with self._placing.lock(stored.id):
            its = await self._id(stored)
            waits = used.is_busy and stored.stands_still and stored.completed_at is None
            if not waits and not stored.held_back and (stored.wanted is None or stored.completed_at is not None):
                await self._engine.start([its])
            await self._claims.mark(stored.id, stopped=False, waits_turn=waits)
            await self._claims.set_note(stored.id, "", user_id=user.id)
        if stored.wanted is not None:
            await self._placing.choose(stored.id)
        self._changed(stored)
        if stored.held_back:
            return f"{stored.name} waits for room on the disk, and goes on by itself."
        if waits:
            return f"{stored.name} waits: {busy(used.running)}"
        return f"Resumed {stored.name}."

    async def recheck(self, user: User, infohash: str) -> str:
        """Have the engine verify the files again.

        Raises:
            Missing: this user has no such torrent.
            Unreachable: the engine is away.
        """
        stored = await self._claims.mine(user, infohash)
        await self._engine.recheck([await self._id(stored)])
        self._changed(stored)
        return f"Checking the files of {stored.name}."

    async def reannounce(self, user: User, infohash: str) -> str:
        """Have the engine ask its trackers for peers now.

        Raises:
            Missing: this user has no such torrent.
            Unreachable: the engine is away.
        """
        stored = await self._claims.mine(user, infohash)
        await self._engine.reannounce([await self._id(stored)])
        self._live.poke()
        return f"Asked the trackers of {stored.name} again."

    async def delete(self, user: User, infohash: str, *, with_files: bool) -> str:
        """Give it up. The last claim takes the torrent out of the engine, and the files too when asked.

        Raises:
            Missing: this user has no such torrent.
        """
        mine = await self._claims.mine(user, infohash)
        left = await self._claims.unclaim(user.id, mine.id, keep_files=not with_files, by=user)
        said = f"Deleted {mine.name}{' and its files' if with_files else '; its files stay on the disk'}."
        try:
            if left.claims:
                said = f"{mine.name} is off your list. Others claim it too, so it and its files stay."
                await self._placing.untag(mine, user.id)
                if left.wanted != mine.wanted:
                    await self._placing.choose(mine.id)
            else:
                await self._placing.remove(mine.id)
        except RemoteError as e:
            # The claim is gone and `reconcile` sweeps the torrent: nothing for the person to do.
            if not left.claims:
                said = f"{mine.name} is off your list. {e.message}: it is taken out as soon as qBittorrent answers."
        self._changed(mine)
        return said

    async def set_priority(self, user: User, infohash: str, indexes: Sequence[int], priority: int) -> None:
        """Choose among the files: 0 not wanted, 1 normal, 6 high, 7 highest. For a sole claimant only.

        Where a part of a batch is claimed, the claim grows and shrinks with it.
        """
        if priority not in (0, 1, 6, 7):
            raise Invalid("A priority is 0 (not wanted), 1, 6 or 7.", field="priority")
        stored = await self._sole(user, infohash)
        its = await self._id(stored)
        claim = stored.claim_of(user.id)
        if claim is not None and claim.is_part:
            sizes = [file.size_bytes for file in await self._engine.files(its)]
            if not set(indexes) <= set(range(len(sizes))):
                raise Invalid("There is no such file in the torrent.", field="files")
            await self._claims.steer(user, stored.id, indexes, sizes, wanted=priority > 0)
        await self._engine.set_priority(its, indexes, priority)
        if claim is not None and claim.is_part:
            await self._placing.choose(stored.id)
        self._changed(stored)

    async def set_sequential(self, user: User, infohash: str, on: bool) -> None:
        """Download in order, or not. For a sole claimant only."""
        stored = await self._sole(user, infohash)
        await self._engine.set_sequential(await self._id(stored), on)
        self._changed(stored)

    async def set_limits(self, user: User, infohash: str, *, down_bps: int, up_bps: int) -> None:
        """Limit its speed; 0: no limit. For a sole claimant only."""
        if down_bps < 0 or up_bps < 0:
            raise Invalid("A speed limit is 0 (none) or more.", field="limit")
        stored = await self._sole(user, infohash)
        await self._engine.set_limits(await self._id(stored), down_bps=down_bps, up_bps=up_bps)
        self._changed(stored)

    async def _sole(self, user: User, infohash: str) -> Stored:
        stored = await self._claims.mine(user, infohash)
        if len(stored.claims) > 1:
            raise Refused(f"Others claim {stored.name} too, so this cannot be changed for it.")
        return stored

    async def _id(self, stored: Stored) -> EngineId:
        there = await self._placing.find(stored)
        if there is None:
            raise Missing(f"qBittorrent does not have {stored.name} yet; try again in a moment.")
        return there.id

    def _changed(self, stored: Stored) -> None:
        self._live.poke()
        self._tell(stored)

    def _tell(self, stored: Stored) -> None:
        """Have everyone read again who claims this torrent, or did before it changed."""
        self._followers.tell(claim.user_id for claim in stored.claims)

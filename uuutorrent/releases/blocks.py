"""Releases that are not to be picked again for a while, and why: the owner of the tables `blocks` and `unblocks`.

A block is one user's, or everybody's where what a release holds is not what its name says. Everybody lifts a block for
themselves only. What is blocked can still be taken by hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select

from uuutorrent import audit
from uuutorrent.accounts import Admin, User, UserId, people
from uuutorrent.audit import clean
from uuutorrent.errors import Invalid, Missing
from uuutorrent.people import authorise
from uuutorrent.store.database import SYSTEM, Database, Tx
from uuutorrent.store.tables import BlockRow, UnblockRow

SHORTEST_HASH = 6
LONGEST_REASON = 300
MOST_DAYS = 3650
_INFOHASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Block:
    """One release that is not picked."""

    id: int
    infohash: str
    title: str
    reason: str
    is_for_all: bool
    made_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class OnesBlock:
    """A block as admins see it."""

    block: Block
    name: str
    """Whose it is; empty: everybody's."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Blocks:
    """Everybody's blocks."""

    def __init__(self, database: Database, *, now: Callable[[], datetime] = _utc_now) -> None:
        self._database = database
        self._now = now

    async def block(
        self,
        user_id: UserId | None,
        infohash: str,
        *,
        title: str,
        reason: str,
        until: datetime,
        tx: Tx | None = None,
    ) -> int:
        """Have a release not picked until then, for one user or (None) for everybody; the number of the block.

        What is blocked already stays one block, until the later of both times. With `tx` inside that transaction.
        """
        same = BlockRow.user_id.is_(None) if user_id is None else BlockRow.user_id == user_id
        async with (
            self._database.begin(SYSTEM if user_id is None else user_id) if tx is None else nullcontext(tx) as its
        ):
            await its.execute(delete(BlockRow).where(BlockRow.until <= self._now()))
            row = await its.scalar(select(BlockRow).where(same, BlockRow.infohash == infohash).with_for_update())
            if row is None:
                row = BlockRow(user_id=user_id, infohash=infohash, title=title, made_at=self._now(), until=until)
                its.add(row)
            row.reason, row.until = reason, max(until, row.until)
            await its.flush()
            return row.id

    async def of(self, user: User) -> tuple[Block, ...]:
        """What is not picked for this user, the newest first."""
        async with self._database.begin(user.id) as tx:
            rows = await tx.scalars(select(BlockRow).where(*self._counts(user.id)).order_by(BlockRow.id.desc()))
            return tuple(map(_block, rows))

    async def active(self, user: User) -> Mapping[str, str]:
        """The hashes that are not picked for this user, each with the reason."""
        return {one.infohash: f"blocked until {one.until:%Y-%m-%d}: {one.reason}" for one in await self.of(user)}

    async def unblock(self, user: User, infohash: str) -> Block:
        """Let a release be picked again for this user; its hash may be cut short.

        Raises:
            Missing: it is not blocked for them.
            Invalid: several are meant, or hardly any is named.
        """
        start = infohash.strip().lower()
        if len(start) < SHORTEST_HASH:
            raise Invalid(f"give at least {SHORTEST_HASH} characters of the infohash", field="infohash")
        found = {one.infohash: one for one in await self.of(user) if one.infohash.startswith(start)}
        if len(found) > 1:
            raise Invalid(f"{infohash} fits several blocked releases: give more of it", field="infohash")
        if not found:
            raise Missing(f"no release {infohash} is blocked for you")
        ((which, one),) = found.items()
        async with self._database.begin(user.id) as tx:
            await self.lift(tx, user.id, which)
        return one

    async def was_lifted(self, user: User, infohash: str) -> bool:
        """Whether this user wants a release all the same that is, or was, blocked for everybody."""
        async with self._database.begin(user.id) as tx:
            return await tx.get(UnblockRow, (user.id, infohash)) is not None

    async def lift(self, tx: Tx, user_id: UserId, infohash: str) -> None:
        """Let a release be picked again for one user, inside the caller's transaction. Twice is no harm."""
        own = (BlockRow.user_id == user_id, BlockRow.infohash == infohash)
        await tx.execute(delete(BlockRow).where(*own))
        for_all = select(BlockRow.id).where(BlockRow.user_id.is_(None), BlockRow.infohash == infohash)
        if await tx.scalar(for_all.limit(1)) is not None:
            await tx.merge(UnblockRow(user_id=user_id, infohash=infohash, at=self._now()))

    # For admins

    async def every(self, by: Admin) -> tuple[OnesBlock, ...]:
        """All that is blocked now, for anybody, the newest first.

        Raises:
            Refused: `by` is no admin any more.
        """
        active = select(BlockRow).where(BlockRow.until > self._now()).order_by(BlockRow.id.desc())
        async with self._database.begin(SYSTEM) as tx:
            await authorise(tx, by)
            rows = (await tx.scalars(active)).all()
            whose = await people(tx, {UserId(row.user_id) for row in rows if row.user_id is not None})
        names = {int(user_id): user.name for user_id, user in whose.items()}
        return tuple(OnesBlock(_block(row), names.get(row.user_id or 0, "")) for row in rows)

    async def block_for_all(self, by: Admin, infohash: str, *, title: str, reason: str, days: int) -> int:
        """Have a release not picked for anybody; whoever wants it all the same lifts it for themselves.

        Raises:
            Invalid: that is no infohash, or no number of days; `field` names it.
            Refused: `by` is no admin any more.
        """
        which, why = infohash.strip().lower(), clean(reason, LONGEST_REASON)
        if not _INFOHASH.fullmatch(which):
            raise Invalid("an infohash has 40 characters of 0-9 and a-f", field="infohash")
        if not 1 <= days <= MOST_DAYS:
            raise Invalid(f"a block lasts 1 to {MOST_DAYS} days", field="days")
        if not why.strip():
            raise Invalid("say why: people read it where the release is listed", field="reason")
        named, until = clean(title, LONGEST_REASON).strip() or which, self._now() + timedelta(days=days)
        async with self._database.begin(SYSTEM) as tx:
            await authorise(tx, by)
            made = await self.block(None, which, title=named, reason=why, until=until, tx=tx)
            audit.note(tx, by, "blocks add", which, detail=f"{named}: {why}")
        return made

    async def drop(self, by: Admin, block_id: int) -> OnesBlock:
        """End a block, anybody's or everybody's.

        Raises:
            Missing: there is no such block.
            Refused: `by` is no admin any more.
        """
        async with self._database.begin(SYSTEM) as tx:
            await authorise(tx, by)
            if (row := await tx.get(BlockRow, block_id)) is None:
                raise Missing(f"there is no block {block_id}")
            whose = await people(tx, {UserId(row.user_id)} if row.user_id is not None else ())
            ended = OnesBlock(_block(row), next((user.name for user in whose.values()), ""))
            await tx.delete(row)
            audit.note(tx, by, "blocks drop", ended.name or "everybody", detail=f"{row.infohash} {row.title}")
        return ended

    def _counts(self, user_id: UserId) -> Collection[ColumnElement[bool]]:
        """Which blocks count for a user now."""
        lifted = select(UnblockRow.infohash).where(UnblockRow.user_id == user_id)
        for_all = BlockRow.user_id.is_(None) & BlockRow.infohash.not_in(lifted)
        return BlockRow.until > self._now(), or_(BlockRow.user_id == user_id, for_all)


def _block(row: BlockRow) -> Block:
    return Block(row.id, row.infohash, row.title, row.reason, row.user_id is None, row.made_at, row.until)

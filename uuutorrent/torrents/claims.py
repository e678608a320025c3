"""Who claims which torrent: the tables `torrents` and `claims`, and the quota that guards them.

A check and the write it guards share one transaction that begins by holding the user's row; whoever changes the
claims of a torrent locks its row first. No network call is made from here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Select, and_, case, delete, exists, false, func, not_, or_, select, update
from sqlalchemy.exc import IntegrityError

from uuutorrent import audit
from uuutorrent.accounts import User, UserId, hold, people
from uuutorrent.errors import Missing
from uuutorrent.limits import Limits
from uuutorrent.store.database import NOBODY, SYSTEM, Database, Tx, as_system
from uuutorrent.store.tables import ClaimRow, TorrentRow
from uuutorrent.torrents import kept, picks
from uuutorrent.torrents.engine import InfoHash, Torrent
from uuutorrent.torrents.holdings import Claim, Part, Stored, Taken
from uuutorrent.torrents.metainfo import Magnet, Metainfo
from uuutorrent.torrents.usage import Usage

Also = Callable[[Tx, InfoHash], Awaitable[None]]
"""Work of the caller's that is stored together with a claim, or not at all."""


class Claims:
    """The owner of the tables `torrents` and `claims`."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._limits = limits

    async def claim(
        self,
        user: User,
        content: Metainfo | Magnet,
        *,
        media_id: int | None = None,
        episode: int | None = None,
        stopped: bool = False,
        also: Also | None = None,
        part: Part | None = None,
        instead_of: int | None = None,
    ) -> Taken:
        """Claim a torrent, or a `part` beside what they claimed of it, and remember what is needed to add it.

        Raises:
            Refused: it would exceed the quota; or the user is gone or disabled.
            Missing: they do not claim what they would give up, `instead_of`.
        """
        async with self._database.begin(user.id) as tx:
            now = await hold(tx, user)
            await _give_up_for(tx, user.id, instead_of, content)
            row = await _locked_or_new(tx, content, stopped)
            mine = await tx.get(ClaimRow, owner := (user.id, row.id))
            existed = mine is not None
            is_part = part is not None and not part.whole and (mine is None or mine.size_bytes is not None)
            size = part.size_with(await picks.files_of(tx, owner)) if part and is_part else None
            more = _more(row, mine, size)
            usage = (await self._usage(tx, now)).check(more, is_new=not existed)
            mine = mine or await _new_claim(tx, user.id, row, stopped=stopped, waits=usage.is_busy)
            # A batch may hold several shows: the one that was asked for last is what it is shown for.
            if mine.media_id is None or (part is not None and mine.media_id != media_id):
                mine.media_id, mine.episode = media_id, episode
            row.stopped, mine.size_bytes = row.stopped and not (existed and more), size
            await tx.flush()
            if part:
                await picks.add(tx, owner, part)
            stored = (await _with_claims(tx, [row]))[0]
            if also is not None:
                await also(tx, stored.infohash)
        return Taken(stored, already=existed and not more, existed=existed)

    async def steer(
        self, user: User, torrent_id: int, files: Collection[int], sizes: Sequence[int], *, wanted: bool
    ) -> Stored | None:
        """Add files to a claim on a part, or take them out of it. A claim on the whole torrent stays as it is.

        Raises:
            Refused: it would exceed the quota; or the user is gone or disabled.
        """
        async with self._database.begin(user.id) as tx:
            now = await hold(tx, user)
            row = await _lock(tx, TorrentRow.id == torrent_id)
            mine = await tx.get(ClaimRow, (user.id, torrent_id))
            if row is None or mine is None:
                return None
            if mine.size_bytes is not None:
                after = await picks.steer(tx, (user.id, torrent_id), files, wanted=wanted)
                size = sum(sizes[file] for file in after)
                (await self._usage(tx, now)).check(size - mine.size_bytes, is_new=False)
                mine.size_bytes = size
                await tx.flush()
            return (await _with_claims(tx, [row]))[0]

    async def unclaim(self, whose: UserId, which: int, *, keep_files: bool = False, by: User | None = None) -> Stored:
        """Give a claim up and say what remains; `by` has it noted. The torrent stays remembered until `forget`."""
        async with self._database.begin(whose) as tx:
            left = await _give_up(tx, whose, which, keep_files=keep_files)
            if by is not None:
                audit.note(tx, by, "delete", f"{left.name} {left.infohash}", detail="" if keep_files else "with files")
        return left

    async def forget(self, torrent_id: int) -> bool:
        """Forget a torrent that nobody claims; False when somebody does."""
        async with self._database.begin(SYSTEM) as tx:
            row = await _lock(tx, TorrentRow.id == torrent_id)
            if row is None:
                return True
            # Asked apart, after the lock: a claim made while this waited for it must be seen.
            claimed = await _is_claimed(tx, torrent_id)
            if not claimed:
                if row.keep_files:
                    await kept.note(tx, row.folder, row.name, datetime.now(UTC))
                await tx.delete(row)
        return not claimed

    async def mine(self, user: User, infohash: str) -> Stored:
        """The torrent with this hash, v1 or v2, that this user claims.

        Raises:
            Missing: there is none; other people's look the same.
        """
        async with self._database.begin(user.id) as tx:
            stored = await self._holding(tx, user, _hash_is(infohash.strip().lower()))
        if stored is None:
            raise Missing("You have no such torrent.")
        return stored

    async def _holding(self, tx: Tx, user: User, which: ColumnElement[bool]) -> Stored | None:
        """The newest torrent that this user claims and that is `which`, inside the caller's transaction."""
        row = await tx.scalar(_claimed_by(user.id).where(which).order_by(ClaimRow.claimed_at.desc()).limit(1))
        return None if row is None else (await _with_claims(tx, [row]))[0]

    async def holds(self, tx: Tx, user: User, infohash: str, media_id: int, episode: int) -> bool:
        """Whether this user claims the torrent with this hash, and if a part of it, then this episode."""
        stored = await self._holding(tx, user, _hash_is(infohash))
        claim = stored.claim_of(user.id) if stored else None
        return claim is not None and (not claim.is_part or bool(claim.files_of(media_id, episode)))

    async def held(self, tx: Tx, user: User, media_id: int, episode: int) -> Stored | None:
        """The torrent that this user claims for an episode, or out of which they picked it."""
        claimed = and_(ClaimRow.media_id == media_id, ClaimRow.episode == episode, ClaimRow.size_bytes.is_(None))
        picked = TorrentRow.id.in_(picks.torrents_for(user.id, media_id, episode))
        return await self._holding(tx, user, or_(claimed, picked))

    async def get(self, torrent_id: int) -> Stored | None:
        """One torrent with its claims."""
        async with self._database.begin(SYSTEM) as tx:
            row = await tx.get(TorrentRow, torrent_id)
            return None if row is None else (await _with_claims(tx, [row]))[0]

    async def of(self, user: User) -> tuple[Stored, ...]:
        """Every torrent this user claims, the newest claim first."""
        async with self._database.begin(user.id) as tx:
            rows = await tx.scalars(_claimed_by(user.id).order_by(ClaimRow.claimed_at.desc(), TorrentRow.id.desc()))
            return await _with_claims(tx, rows.all())

    async def every(self, *which: ColumnElement[bool]) -> tuple[Stored, ...]:
        """Every torrent remembered, the newest first; also those that nobody claims any more."""
        newest_first = select(TorrentRow).where(*which).order_by(TorrentRow.added_at.desc(), TorrentRow.id.desc())
        async with self._database.begin(SYSTEM) as tx:
            return await _with_claims(tx, (await tx.scalars(newest_first)).all())

    async def unfinished(self, v1: str, v2: str) -> tuple[Stored, ...]:
        """Those that were never seen whole or wait for the disk, and the one with either hash."""
        return await self.every(or_(TorrentRow.completed_at.is_(None), TorrentRow.held_back, _hashes_are(v1, v2)))

    async def got(self, since: datetime) -> tuple[Stored, ...]:
        """Torrents that are complete, and were completed or claimed by somebody after this moment."""
        claimed = TorrentRow.id.in_(select(ClaimRow.torrent_id).where(ClaimRow.claimed_at > since))
        return await self.every(TorrentRow.completed_at.is_not(None), or_(TorrentRow.completed_at > since, claimed))

    async def content(self, torrent_id: int) -> tuple[bytes | None, str | None]:
        """What it can be added from: the bytes of its .torrent, its magnet link."""
        async with self._database.begin(NOBODY) as tx:
            found = await tx.execute(select(TorrentRow.metainfo, TorrentRow.magnet).where(TorrentRow.id == torrent_id))
            metainfo, magnet = found.one_or_none() or (None, None)
            return metainfo, magnet

    async def finished(self, user: User) -> dict[int, dict[int, str]]:
        """The files that were seen whole, by place, by torrent id; a torrent that nobody looked into is left out."""
        async with self._database.begin(user.id) as tx:
            found = await tx.execute(
                select(TorrentRow.id, TorrentRow.finished)
                .join(ClaimRow, ClaimRow.torrent_id == TorrentRow.id)
                .where(ClaimRow.user_id == user.id, TorrentRow.finished.is_not(None))
            )
            return {
                # What an older version remembered has no places, but that was always everything.
                which: {file.get("index", -at): str(file["path"]) for at, file in enumerate(listed or (), 1)}
                for which, listed in found
            }

    async def set_finished(self, torrent_id: int, paths: Mapping[int, str]) -> None:
        """Remember which files are whole, by place."""
        await self._set(torrent_id, finished=[{"index": index, "path": path} for index, path in paths.items()])

    async def reopen(self, torrent_id: int, *, incomplete: bool) -> None:
        """Forget which files are whole, and if more are wanted now, that it was complete."""
        await self._set(torrent_id, finished=None, **({"completed_at": None, "seeded_at": None} if incomplete else {}))

    async def mark(self, torrent_id: int, **marks: bool | datetime | None) -> None:
        """Remember that it is `stopped`, `held_back` for want of room, `waits_turn`, `seeded_at` when to its limit."""
        await self._set(torrent_id, **marks)

    async def _set(self, torrent_id: int, **values: object) -> None:
        async with self._database.begin(NOBODY) as tx:
            await tx.execute(update(TorrentRow).where(TorrentRow.id == torrent_id).values(values))

    async def set_note(self, torrent_id: int, note: str, *, user_id: UserId | None = None) -> None:
        """Tell one claimant, or all, something about a torrent; empty takes it back."""
        async with self._database.begin(SYSTEM if user_id is None else user_id) as tx:
            whose = [ClaimRow.user_id == user_id] if user_id is not None else []
            await tx.execute(update(ClaimRow).where(ClaimRow.torrent_id == torrent_id, *whose).values(note=note))

    async def saw(self, stored: Stored, torrent: Torrent, *, complete: bool, undone: bool = False) -> Stored:
        """Write down what the engine says about a torrent: that it is there, its name, size, hashes, completion.

        `undone`: it was complete, and is not any more.
        """
        async with self._database.begin(SYSTEM) as tx:
            row = await _lock(tx, TorrentRow.id == stored.id)
            if row is None:
                return stored
            row.confirmed_at = row.confirmed_at or datetime.now(UTC)
            if row.size_bytes is None and torrent.size_bytes > 0:
                row.size_bytes, row.name = torrent.size_bytes, torrent.name or row.name
            if complete:
                row.completed_at = row.completed_at or torrent.completed_at or datetime.now(UTC)
            elif undone:
                row.completed_at = None
            await self._learn_hashes(tx, row, torrent)
            await tx.flush()
            return (await _with_claims(tx, [row]))[0]

    async def people(self, ids: Collection[UserId]) -> dict[UserId, User]:
        """Who claimants are."""
        async with self._database.begin(SYSTEM) as tx:
            return await people(tx, ids)

    async def usage(self, user: User) -> Usage:
        """What this user claims, and may by now (a quota may have changed since they signed in)."""
        async with self._database.begin(user.id) as tx:
            return await self._usage(tx, user)

    async def _usage(self, tx: Tx, user: User) -> Usage:
        summed = func.sum(func.coalesce(ClaimRow.size_bytes, TorrentRow.size_bytes))
        still = or_(TorrentRow.stopped, TorrentRow.held_back, TorrentRow.waits_turn)
        under_way = func.count(case((and_(TorrentRow.completed_at.is_(None), not_(still)), 1)))
        figures = _claimed_by(user.id).with_only_columns(summed, func.count(), under_way, maintain_column_froms=True)
        size, number, running = (await tx.execute(figures)).one()
        limit = await self._limits.within(tx, user.id)
        return Usage(int(size or 0), number, limit.bytes, limit.torrents, running=running, quota_active=limit.active)

    @staticmethod
    async def _learn_hashes(tx: Tx, row: TorrentRow, torrent: Torrent) -> None:
        for other in await tx.scalars(
            select(TorrentRow).where(_hashes_are(torrent.v1, torrent.v2), TorrentRow.id != row.id).with_for_update()
        ):
            await _absorb(tx, row, other)
        row.v1 = row.v1 or torrent.v1 or None
        row.v2 = row.v2 or torrent.v2 or None


def _claimed_by(user_id: UserId) -> Select[TorrentRow]:
    return select(TorrentRow).join(ClaimRow, ClaimRow.torrent_id == TorrentRow.id).where(ClaimRow.user_id == user_id)


def _hash_is(infohash: str) -> ColumnElement[bool]:
    return or_(TorrentRow.v1 == infohash, TorrentRow.v2 == infohash)


def _hashes_are(v1: str, v2: str) -> ColumnElement[bool]:
    return or_(*([TorrentRow.v1 == v1] * bool(v1)), *([TorrentRow.v2 == v2] * bool(v2)), false())


async def _lock(tx: Tx, which: ColumnElement[bool]) -> TorrentRow | None:
    return await tx.scalar(select(TorrentRow).where(which).order_by(TorrentRow.id).limit(1).with_for_update())


async def _is_claimed(tx: Tx, torrent_id: int) -> bool:
    async with as_system(tx):
        return bool(await tx.scalar(select(exists().where(ClaimRow.torrent_id == torrent_id))))


async def _locked_or_new(tx: Tx, content: Metainfo | Magnet, stopped: bool) -> TorrentRow:
    which = _hashes_are(content.v1, content.v2)
    if row := await _lock(tx, which):
        return _adopted(row, content)
    try:
        async with tx.begin_nested():
            row = _new_row(content, stopped)
            tx.add(row)
    except IntegrityError:
        # Somebody else added the same torrent since the look above; it is theirs and ours now.
        row = await _lock(tx, which)
        if row is None:
            raise
    return _adopted(row, content)


def _new_row(content: Metainfo | Magnet, stopped: bool) -> TorrentRow:
    told, link = (content, None) if isinstance(content, Metainfo) else (None, content.uri)
    return TorrentRow(
        v1=content.v1 or None, v2=content.v2 or None, name=content.name, folder=content.infohash, finished=None,
        size_bytes=told.size_bytes if told else None, metainfo=told.raw if told else None, magnet=link,
        stopped=stopped, keep_files=False, added_at=datetime.now(UTC),
    )  # fmt: skip


async def _new_claim(tx: Tx, user_id: UserId, row: TorrentRow, *, stopped: bool, waits: bool) -> ClaimRow:
    is_first = not await _is_claimed(tx, row.id)
    # Who comes second wants it to run, whatever the first did with it, and has a turn to give, or not.
    row.stopped = stopped and (row.stopped or is_first)
    row.waits_turn = waits and not stopped and (is_first or row.waits_turn) and row.completed_at is None
    tx.add(claim := ClaimRow(user_id=user_id, torrent_id=row.id, note="", claimed_at=datetime.now(UTC)))
    return claim


async def _give_up(tx: Tx, user_id: int, torrent_id: int, *, keep_files: bool = False) -> Stored:
    row = await _lock(tx, TorrentRow.id == torrent_id)
    if row is None:
        raise Missing("There is no such torrent.")
    await tx.execute(delete(ClaimRow).where(ClaimRow.user_id == user_id, ClaimRow.torrent_id == torrent_id))
    stored = (await _with_claims(tx, [row]))[0]
    if not stored.claims:
        row.keep_files = keep_files
        row.stopped, row.held_back, row.waits_turn = False, False, False
        row.confirmed_at, row.completed_at, row.seeded_at, row.finished = None, None, None, None
    return stored


async def _give_up_for(tx: Tx, user_id: int, torrent_id: int | None, content: Metainfo | Magnet) -> None:
    if torrent_id is None:
        return
    # Both are locked at once, in one order: somebody may change from that one to this one.
    both = or_(TorrentRow.id == torrent_id, _hashes_are(content.v1, content.v2))
    await tx.execute(select(TorrentRow.id).where(both).order_by(TorrentRow.id).with_for_update())
    if await tx.get(ClaimRow, (user_id, torrent_id)) is None:
        raise Missing("You have no such torrent.")
    await _give_up(tx, user_id, torrent_id)


def _adopted(row: TorrentRow, content: Metainfo | Magnet) -> TorrentRow:
    """A .torrent tells more than the magnet that was given first."""
    if isinstance(content, Metainfo) and row.size_bytes is None:
        row.size_bytes, row.name, row.metainfo = content.size_bytes, content.name, content.raw
        row.v1, row.v2 = row.v1 or content.v1 or None, row.v2 or content.v2 or None
    return row


def _more(row: TorrentRow, mine: ClaimRow | None, size: int | None) -> int:
    """The bytes that are claimed beyond what was."""
    before = 0 if mine is None else row.size_bytes if mine.size_bytes is None else mine.size_bytes
    after = row.size_bytes if size is None else size
    return (after or 0) - (before or 0)


async def _absorb(tx: Tx, row: TorrentRow, other: TorrentRow) -> None:
    """Two magnets, one by v1 and one by v2, turned out to be the same torrent: move the claims, drop the other row."""
    held = set(await tx.scalars(select(ClaimRow.user_id).where(ClaimRow.torrent_id == row.id)))
    for claim in await tx.scalars(select(ClaimRow).where(ClaimRow.torrent_id == other.id)):
        if claim.user_id not in held:
            claim.torrent_id = row.id
    await tx.flush()
    await tx.delete(other)
    await tx.flush()


async def _with_claims(tx: Tx, rows: Sequence[TorrentRow]) -> tuple[Stored, ...]:
    claims: dict[int, list[Claim]] = defaultdict(list)
    ids = [row.id for row in rows]
    for start in range(0, len(ids), 500):
        some = ids[start : start + 500]
        on_these = select(ClaimRow).where(ClaimRow.torrent_id.in_(some)).order_by(ClaimRow.claimed_at)
        # Also others' claims: without them the last claim would seem to go, and what they have with it.
        async with as_system(tx):
            every = (await tx.scalars(on_these)).all()
            picked = await picks.of(tx, {claim.user_id for claim in every}, some)
        for claim in every:
            its = (claim.media_id, claim.episode, claim.note, claim.size_bytes)
            picks_of = picked.get((claim.user_id, claim.torrent_id), ())
            claims[claim.torrent_id].append(Claim(UserId(claim.user_id), claim.claimed_at, *its, picks_of))
    return tuple(_stored(row, tuple(claims[row.id])) for row in rows)


def _stored(row: TorrentRow, claims: tuple[Claim, ...]) -> Stored:
    return Stored(
        id=row.id, v1=row.v1, v2=row.v2, name=row.name, size_bytes=row.size_bytes, folder=row.folder,
        stopped=row.stopped, keep_files=row.keep_files, added_at=row.added_at, confirmed_at=row.confirmed_at,
        completed_at=row.completed_at, claims=claims, held_back=row.held_back, seeded_at=row.seeded_at,
        waits_turn=row.waits_turn,
    )  # fmt: skip

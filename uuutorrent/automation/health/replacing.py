"""One torrent takes the place of another for the same episode, and can be sent back: the owner of `replacements`.

What is complete is never lost: it stays until what takes its place is complete too. Who replaces (the healer, the
autopilot) only says which and why; all that belongs to it is done here, also after a kill at any point.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import structlog
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import undefer

from uuutorrent.accounts import User, UserId, people
from uuutorrent.automation.health.timeline import UNDO_FOR, Timeline
from uuutorrent.automation.inbox.inbox import Inbox, Kind
from uuutorrent.errors import Conflict, Invalid, Missing, Unexpected, UuuError
from uuutorrent.releases.blocks import Blocks
from uuutorrent.store.database import SYSTEM, Database, Tx
from uuutorrent.store.tables import ReplacementRow
from uuutorrent.torrents.claims import Also
from uuutorrent.torrents.engine import InfoHash
from uuutorrent.torrents.grabs import Grabs
from uuutorrent.torrents.holdings import Added, Part, Stored
from uuutorrent.torrents.library import Library
from uuutorrent.torrents.metainfo import Metainfo, parse_magnet, parse_torrent
from uuutorrent.torrents.sources import Source

log = structlog.get_logger()

PATIENCE = timedelta(hours=1)
"""What the engine does not take for so long goes back."""
OVERDUE = timedelta(minutes=2)
"""And only after it was seen so late for so long: the engine may have come back, or this daemon begun, just now."""
DAY = timedelta(days=1)


class State(StrEnum):
    """How far a replacement is."""

    BEGUN = "begun"
    """The old one is complete, and stays until the new one is."""
    SWAPPED = "swapped"
    """The old one is given up; the engine may not have the new one yet."""
    DONE = "done"
    UNDONE = "undone"
    FAILED = "failed"


_OPEN = (State.BEGUN, State.SWAPPED)


@dataclass(frozen=True, slots=True)
class Swap:
    """What takes the place of what, for which episode, and why (words that can follow "because")."""

    old: Stored
    source: Source
    media_id: int | None
    episode: int | None
    title: str
    why: str
    is_old_whole: bool


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Replacing:
    """Replaces torrents, finishes replacements and takes them back."""

    def __init__(
        self,
        database: Database,
        library: Library,
        grabs: Grabs,
        blocks: Blocks,
        timeline: Timeline,
        inbox: Inbox,
        *,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._database = database
        self._library = library
        self._grabs = grabs
        self._blocks = blocks
        self._timeline = timeline
        self._inbox = inbox
        self._now = now
        self._overdue: dict[int, datetime] = {}

    async def replace(
        self,
        user: User,
        old_infohash: str,
        source: Source,
        *,
        media_id: int | None,
        episode: int | None,
        title: str,
        why: str,
        part: Part | None = None,
    ) -> Added:
        """Have a torrent take the place of one that this user claims. `why` can follow "because".

        Raises:
            Missing: they have no such torrent.
            Refused: it would exceed the quota, or the disk; or the old one is a batch.
            Conflict: it is being replaced already; or the engine does not take the new one.
            Invalid, Unexpected: the engine does not take the new one.
        """
        old = await self._library.claimed(user, old_infohash)
        if old is None:
            raise Missing("You have no such torrent.")
        # Asked anew: its last bytes may have come while this one was looked for, or while nobody looked.
        is_whole = old.completed_at is not None or await self._is_whole(user, old)
        swap = Swap(old, source, media_id, episode, title, why, is_whole)
        before, noted = await self._library.source_of(old), list[int]()

        async def also(tx: Tx, new: InfoHash) -> None:
            noted.append(await self._note(tx, user, swap, before, new))

        try:
            return await self._library.replace(
                user, old.infohash, source, media_id=media_id, episode=episode if part is None else None,
                also=also, part=part, keep_old=is_whole,
            )  # fmt: skip
        except (Invalid, Unexpected, Conflict) as e:
            if noted:
                await self._fail(user, noted[0], e.message)
            raise

    async def finish_once(self, spoiled: Collection[str] = ()) -> None:
        """Go on with every replacement that is not done. What is `spoiled` takes the place of nothing complete."""
        every = await self._open()
        self._overdue = {row.id: self._overdue[row.id] for row, _ in every if row.id in self._overdue}
        for row, user in every:
            if row.state == State.BEGUN and row.new_infohash in spoiled:
                continue
            try:
                await self._go_on(row, user)
            except UuuError as e:
                log.warning("replacement not finished", replacement=row.id, why=e.message)

    async def lately(self, user: User, media_id: int | None, episode: int | None) -> int:
        """How often this episode was replaced for this user within a day."""
        mine = (ReplacementRow.user_id == user.id, ReplacementRow.at > self._now() - DAY)
        same = (ReplacementRow.media_id == media_id, ReplacementRow.episode == episode)
        counted = select(func.count()).where(*mine, *same, ReplacementRow.state != State.FAILED)
        async with self._database.begin(user.id) as tx:
            return await tx.scalar(counted) or 0

    async def can_be_replaced(self, user: User, infohash: str) -> bool:
        """Whether this user still has a torrent, and nothing is about to take its place."""
        if await self._is(user, ReplacementRow.old_infohash == infohash, ReplacementRow.state.in_(_OPEN)):
            return False
        return await self._library.claimed(user, infohash) is not None

    async def was_undone(self, user: User, infohash: str) -> bool:
        """Whether this user took a torrent back within a day: it is to be left alone."""
        lately = ReplacementRow.undone_at > self._now() - UNDO_FOR
        return await self._is(user, ReplacementRow.old_infohash == infohash, lately)

    async def undo(self, user: User, replacement_id: int, line_id: int) -> str:
        """Bring the old torrent back; the new one goes if it is not complete.

        Raises:
            Missing: this user has no such replacement.
            Conflict: it was undone, or never came about.
            Refused: the old one does not fit any more.
        """
        row = await self._mine(user, replacement_id)
        new = await self._library.claimed(user, row.new_infohash)
        keeps_new = new is None or _has_more(user, new, row) or await self._is_whole(user, new)

        async def also(tx: Tx, old: InfoHash) -> None:
            if not await self._settle(tx, row, State.UNDONE) or not await self._timeline.undid(tx, line_id):
                raise Conflict("It changed at this moment; look at it again.")
            await self._blocks.lift(tx, user.id, row.old_infohash)
            await self._lead(tx, user, row.new_infohash, old, row.old_title)
            if not keeps_new:
                await self._grabs.moved(tx, user, row.new_infohash, old, row.old_title, "You took it back.")
            await self._line(tx, row, "undone", f"You took it back in place of {row.new_title}.", row.old_infohash)

        await self._put_back(user, row, also, keeps_new=keeps_new)
        if keeps_new:
            is_whole = new is not None and not _has_more(user, new, row)
            both = f"; {row.new_title} {'is complete and ' if is_whole else ''}stays too" if new is not None else ""
            return f"{row.old_title} is back{both}. It is left alone for a day."
        return f"{row.old_title} is back in place of {row.new_title}. It is left alone for a day."

    async def _put_back(self, user: User, row: ReplacementRow, also: Also, *, keeps_new: bool) -> None:
        """Claim the old one again, in place of the new one unless that stays."""
        source, media_id, episode = _source(row), row.media_id, row.episode
        new = await self._library.claimed(user, row.new_infohash)
        claim = new.claim_of(user.id) if new else None
        if not keeps_new and claim is not None and not claim.picks:
            await self._library.replace(user, row.new_infohash, source, media_id=media_id, episode=episode, also=also)
            return
        await self._library.add(user, source, media_id=media_id, episode=episode, also=also)
        if not keeps_new and claim is not None:  # out of a batch, of which nothing else was picked
            with suppress(Missing):
                await self._library.delete(user, row.new_infohash, with_files=True)

    async def _note(self, tx: Tx, user: User, swap: Swap, before: Source, new: InfoHash) -> int:
        """Write down all that belongs to a replacement, in the transaction that changes the claims."""
        old, is_whole = swap.old, swap.is_old_whole
        same = (ReplacementRow.user_id == user.id, ReplacementRow.old_infohash == old.infohash)
        if await tx.scalar(select(ReplacementRow.id).where(*same, ReplacementRow.state.in_(_OPEN)).limit(1)):
            raise Conflict(f"{old.name} is being replaced already.")
        row = ReplacementRow(
            user_id=user.id, media_id=swap.media_id, episode=swap.episode, old_infohash=old.infohash,
            old_title=old.name, old_metainfo=before.raw if isinstance(before, Metainfo) else None,
            old_magnet=None if isinstance(before, Metainfo) else before.uri, new_infohash=new,
            new_title=swap.title, why=swap.why, state=State.BEGUN if is_whole else State.SWAPPED, at=self._now(),
        )  # fmt: skip
        tx.add(row)
        await tx.flush()
        await self._lead(tx, user, old.infohash, new, swap.title)
        await self._grabs.moved(tx, user, old.infohash, new, swap.title, f"It replaced {old.name}: {swap.why}.")
        told = f"{swap.title} is fetched to take its place" if is_whole else f"Replaced by {swap.title}"
        await self._line(tx, row, "replaced", f"{told}, because {swap.why}.", old.infohash, undoable=True)
        await self._line(tx, row, "added", f"Added to take the place of {old.name}.")
        return row.id

    async def _go_on(self, row: ReplacementRow, user: User) -> None:
        new = await self._library.claimed(user, row.new_infohash)
        if new is None:
            # It was given up since; or a kill came between going back to the old one and noting that.
            went_back = row.state == State.SWAPPED and await self._library.claimed(user, row.old_infohash)
            async with self._database.begin(user.id) as tx:
                if went_back:
                    await self._note_failure(tx, user, row, "qBittorrent does not take it")
                else:
                    await self._settle(tx, row, State.DONE)
        elif row.state == State.BEGUN:
            if await self._is_whole(user, new):
                old = await self._library.claimed(user, row.old_infohash)
                if old is not None and not _has_more(user, old, row):
                    await self._library.delete(user, row.old_infohash, with_files=True)
                await self._tell(row)
        elif new.confirmed_at is not None:
            await self._tell(row)
        elif row.at < self._now() - PATIENCE and self._is_overdue(row):
            await self._send_back(row, user)

    def _is_overdue(self, row: ReplacementRow) -> bool:
        return self._overdue.setdefault(row.id, self._now()) <= self._now() - OVERDUE

    async def _tell(self, row: ReplacementRow) -> None:
        text = f"{row.new_title} took the place of {row.old_title}, because {row.why}."
        async with self._database.begin(row.user_id) as tx:
            was_begun = row.state == State.BEGUN
            if await self._settle(tx, row, State.DONE):
                if was_begun:
                    await self._line(tx, row, "replaced", f"Complete, and took the place of {row.old_title}.")
                await self._inbox.tell(
                    UserId(row.user_id), Kind.REPLACED, text, key=f"replaced:{row.id}", media_id=row.media_id,
                    episode=row.episode, infohash=row.new_infohash, tx=tx,
                )  # fmt: skip

    async def _send_back(self, row: ReplacementRow, user: User) -> None:
        """The engine did not take the new one, and nobody told us when it was tried."""
        why = "qBittorrent does not take it"

        async def also(tx: Tx, _old: InfoHash) -> None:
            await self._note_failure(tx, user, row, why)

        new = await self._library.claimed(user, row.new_infohash)
        await self._put_back(user, row, also, keeps_new=new is not None and _has_more(user, new, row))

    async def _fail(self, user: User, replacement_id: int, why: str) -> None:
        async with self._database.begin(user.id) as tx:
            await self._note_failure(tx, user, await tx.get_one(ReplacementRow, replacement_id), why)

    async def _note_failure(self, tx: Tx, user: User, row: ReplacementRow, why: str) -> None:
        """The old one is back, and the new one is not tried again."""
        if not await self._settle(tx, row, State.FAILED):
            raise Conflict("That is over already.")
        await self._timeline.fell_through(tx, row.id)
        until = self._now() + DAY
        await self._blocks.block(
            user.id, row.new_infohash, title=row.new_title, reason="could not be added", until=until, tx=tx
        )
        await self._lead(tx, user, row.new_infohash, row.old_infohash, row.old_title)
        await self._grabs.moved(tx, user, row.new_infohash, InfoHash(row.old_infohash), row.old_title, "")
        await self._line(tx, row, "failed", f"{row.new_title} could not take its place: {why}.", row.old_infohash)

    async def _lead(self, tx: Tx, user: User, old: str, new: str, title: str) -> None:
        """What was to take the place of something complete is itself replaced: this one is to, then."""
        its = (ReplacementRow.user_id == user.id, ReplacementRow.state == State.BEGUN)
        led = update(ReplacementRow).where(*its, ReplacementRow.new_infohash == old, ReplacementRow.old_infohash != new)
        await tx.execute(led.values(new_infohash=new, new_title=title))

    async def _settle(self, tx: Tx, row: ReplacementRow, state: State) -> bool:
        """Into a state from the one that was seen; False when somebody was faster."""
        undone_at = self._now() if state is State.UNDONE else None
        its = (ReplacementRow.id == row.id, ReplacementRow.state == row.state)
        done = update(ReplacementRow).where(*its).values(state=state, undone_at=undone_at)
        return await tx.scalar(done.returning(ReplacementRow.id)) is not None

    async def _line(
        self, tx: Tx, row: ReplacementRow, step: str, text: str, infohash: str = "", *, undoable: bool = False
    ) -> None:
        await self._timeline.note(
            UserId(row.user_id), infohash or row.new_infohash, step, text, media_id=row.media_id,
            episode=row.episode, replacement_id=row.id if undoable else None, tx=tx,
        )  # fmt: skip

    async def _is_whole(self, user: User, stored: Stored) -> bool:
        claim = stored.claim_of(user.id)
        files = claim.files if claim is not None and claim.is_part else frozenset[int]()
        return await self._library.is_complete(stored, files)

    async def _open(self) -> list[tuple[ReplacementRow, User]]:
        every = select(ReplacementRow).where(ReplacementRow.state.in_(_OPEN)).order_by(ReplacementRow.id)
        async with self._database.begin(SYSTEM) as tx:
            rows = (await tx.scalars(every.options(*_WITH_SOURCE))).all()
            known = await people(tx, {UserId(row.user_id) for row in rows})
        return [(row, known[UserId(row.user_id)]) for row in rows if row.user_id in known]

    async def _mine(self, user: User, replacement_id: int) -> ReplacementRow:
        async with self._database.begin(user.id) as tx:
            row = await tx.get(ReplacementRow, replacement_id, options=_WITH_SOURCE)
        if row is None or row.user_id != user.id:
            raise Missing("You have no such replacement.")
        if row.state in (State.UNDONE, State.FAILED):
            raise Conflict("That was undone already." if row.state == State.UNDONE else "That never came about.")
        return row

    async def _is(self, user: User, *which: ColumnElement[bool]) -> bool:
        async with self._database.begin(user.id) as tx:
            found = select(ReplacementRow.id).where(ReplacementRow.user_id == user.id, *which)
            return await tx.scalar(found.limit(1)) is not None


def _has_more(user: User, stored: Stored, row: ReplacementRow) -> bool:
    """Whether they have more of a torrent than the episode that a replacement is about: they chose that since."""
    claim = stored.claim_of(user.id)
    if claim is None or not claim.picks:
        return False
    return not claim.is_part or any((one.media_id, one.episode) != (row.media_id, row.episode) for one in claim.picks)


_WITH_SOURCE = (undefer(ReplacementRow.old_metainfo),)


def _source(row: ReplacementRow) -> Source:
    return parse_magnet(row.old_magnet or "") if row.old_metainfo is None else parse_torrent(row.old_metainfo)

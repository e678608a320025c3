"""The inbox: what each user should know or has to choose, told once, wherever they look.

Whatever happens by itself tells of it here. Screens, verbs and channels only read. No network call is made from here.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Text, cast, delete, event, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from uuutorrent.accounts import User, UserId
from uuutorrent.automation.inbox.listening import Listeners
from uuutorrent.automation.inbox.notice import MOOT, Kind, Notice, settled
from uuutorrent.errors import Conflict, Invalid, Missing
from uuutorrent.store.database import SYSTEM, Database, Tx, as_system
from uuutorrent.store.tables import NoticeRow

__all__ = ["MOOT", "Inbox", "Kind", "Notice"]

KEPT = timedelta(days=90)
MOST = 1000
"""Notices that are kept for one user, beside the newest and those that wait for an answer."""
NEW = timedelta(days=2)
"""What is younger is kept however much there is: whoever tells of what happened must see that it was told."""
READ_AT_ONCE = 500


class Inbox:
    """The owner of the table `notices`."""

    def __init__(self, database: Database, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._now = now
        self.listeners = Listeners(self._read, self.newest)

    async def tell(
        self,
        user_id: UserId,
        kind: Kind,
        text: str,
        *,
        key: str,
        media_id: int | None = None,
        episode: int | None = None,
        infohash: str = "",
        choices: Sequence[str] = (),
        tx: Tx | None = None,
    ) -> bool:
        """Tell a user something, once for each `key`; False when it was told before, or they are gone.

        With `choices` it waits for an answer. With `tx` it is told together with what that transaction writes.
        """
        row = NoticeRow(
            user_id=user_id, kind=kind, key=key, text=text, media_id=media_id, episode=episode,
            infohash=infohash, choices=list(choices), answer="", at=self._now(), seen_at=None,
        )  # fmt: skip
        async with self._within(tx, user_id) as at_work:
            # Asked first: a number that is taken and not used makes those who read in order wait.
            if await at_work.scalar(select(NoticeRow.id).where(*_about(user_id, key))) is not None:
                return False
            try:
                async with at_work.begin_nested():
                    at_work.add(row)
            except IntegrityError:
                # Somebody else told it at this moment, or the user is gone.
                return False
        return True

    async def withdraw(self, user_id: UserId, key: str, why: str, tx: Tx | None = None) -> bool:
        """Nobody needs to choose any more: it is answered `MOOT`, `why` (a sentence) added. False: it did not wait."""
        moot = update(NoticeRow).where(*_about(user_id, key), _waits()).returning(NoticeRow.id)
        seen = func.coalesce(NoticeRow.seen_at, self._now())
        async with self._within(tx, user_id) as at_work:
            return await at_work.scalar(moot.values(answer=MOOT, text=_with(why), seen_at=seen)) is not None

    async def of(
        self,
        user: User,
        *,
        unseen: bool = False,
        limit: int = 100,
        before: int | None = None,
        since: int | None = None,
        kinds: Collection[Kind] = (),
    ) -> tuple[Notice, ...]:
        """This user's notices, the newest first; `before` and `since` (not with it) are ids."""
        which = [
            NoticeRow.user_id == user.id,
            *([NoticeRow.seen_at.is_(None)] if unseen else []),
            *([NoticeRow.id < before] if before is not None else []),
            *([NoticeRow.id > since] if since is not None else []),
            *([NoticeRow.kind.in_(kinds)] if kinds else []),
        ]
        async with self._database.begin(user.id) as tx:
            rows = await tx.scalars(select(NoticeRow).where(*which).order_by(NoticeRow.id.desc()).limit(limit))
            return tuple(map(_notice, rows))

    async def one(self, user: User, notice_id: int) -> Notice:
        """One of this user's notices.

        Raises:
            Missing: they have no such notice.
        """
        async with self._database.begin(user.id) as tx:
            return _notice(await _mine(tx, user, notice_id))

    async def waiting(self, user_id: UserId | None, *, prefix: str = "") -> tuple[Notice, ...]:
        """What waits for an answer of a user (None: of anybody), oldest first; only with keys that begin so."""
        whose = [NoticeRow.user_id == user_id] if user_id is not None else []
        which = (*whose, NoticeRow.key.startswith(prefix, autoescape=True), _waits())
        async with self._database.begin(SYSTEM if user_id is None else user_id) as tx:
            return tuple(map(_notice, await tx.scalars(select(NoticeRow).where(*which).order_by(NoticeRow.id))))

    async def unseen(self, user: User) -> int:
        """How many of this user's notices were not seen yet."""
        counted = select(func.count()).where(NoticeRow.user_id == user.id, NoticeRow.seen_at.is_(None))
        async with self._database.begin(user.id) as tx:
            return await tx.scalar(counted) or 0

    async def see(self, user: User, ids: Collection[int] | None) -> int:
        """Remember that the user saw these notices, or all; how many were new. Other people's are left alone."""
        which = [NoticeRow.id.in_(ids)] if ids is not None else []
        mine = (NoticeRow.user_id == user.id, NoticeRow.seen_at.is_(None), *which)
        async with self._database.begin(user.id) as tx:
            seen = await tx.scalars(update(NoticeRow).where(*mine).values(seen_at=self._now()).returning(NoticeRow.id))
            return len(seen.all())

    async def note_answer(self, user: User, notice_id: int, choice: str) -> Notice:
        """Write down which choice the user made. Doing what it says is not ours: see `answers`.

        Raises:
            Missing: they have no such notice.
            Invalid: that is not one of its choices.
            Conflict: it was answered already.
        """
        async with self._database.begin(user.id) as tx:
            check_choice(_notice(await _mine(tx, user, notice_id)), choice)
            seen = func.coalesce(NoticeRow.seen_at, self._now())
            answered = update(NoticeRow).where(NoticeRow.id == notice_id, NoticeRow.answer == "")
            row = await tx.scalar(answered.values(answer=choice, seen_at=seen).returning(NoticeRow))
            if row is None:
                raise _answered(_notice(await _mine(tx, user, notice_id)))
            await tx.refresh(row)
            return _notice(row)

    # For whoever hands notices on

    async def newest(self) -> int:
        """The number of the newest notice of anybody; 0 when there is none."""
        async with self._database.begin(SYSTEM) as tx:
            return await tx.scalar(select(func.max(NoticeRow.id))) or 0

    async def after(self, notice_id: int, limit: int = READ_AT_ONCE) -> tuple[Notice, ...]:
        """Everybody's notices newer than this one, oldest first. Whoever goes on from the last one misses none."""
        return tuple(self._settled(await self._newer(notice_id, limit), notice_id))

    def follow(self, user: User) -> AsyncGenerator[Notice]:
        """What this user is told from now on: at once if it was told in this process, else within seconds.

        Leave it with `aclosing`.
        """
        return self.listeners.follow(user.id)

    async def tidy(self) -> None:
        """Forget old notices, and for each user all but the newest; what waits for an answer stays."""
        now = self._now()
        over = func.row_number().over(partition_by=NoticeRow.user_id, order_by=NoticeRow.id.desc())
        ranked = select(NoticeRow.id, over.label("place")).subquery()
        many = select(ranked.c.id).where(ranked.c.place > MOST)
        old = or_(NoticeRow.at < now - KEPT, NoticeRow.id.in_(many))
        async with self._database.begin(SYSTEM) as tx:
            await tx.execute(delete(NoticeRow).where(old, NoticeRow.at < now - NEW, ~_waits()))

    async def _newer(self, notice_id: int, limit: int) -> tuple[Notice, ...]:
        newer = select(NoticeRow).where(NoticeRow.id > notice_id).order_by(NoticeRow.id).limit(limit)
        async with self._database.begin(SYSTEM) as tx:
            return tuple(map(_notice, await tx.scalars(newer)))

    def _settled(self, notices: Sequence[Notice], since: int) -> Sequence[Notice]:
        # SQLite has one writer: what is numbered first is seen first.
        return notices if self._database.is_sqlite else settled(notices, since, self._now())

    async def _read(self, since: int) -> tuple[Sequence[Notice], int]:
        found = await self._newer(since, READ_AT_ONCE)
        done = self._settled(found, since)
        return found, done[-1].id if done else since

    @asynccontextmanager
    async def _within(self, tx: Tx | None, user_id: UserId) -> AsyncGenerator[Tx]:
        """The caller's transaction, whosever it is, or one of the user's; followers are told once it is committed."""
        if tx is not None:
            event.listen(tx.sync_session, "after_commit", lambda _session: self.listeners.stir())
            async with as_system(tx):
                yield tx
            return
        async with self._database.begin(user_id) as own:
            yield own
        self.listeners.stir()


def check_choice(notice: Notice, choice: str) -> None:
    """See whether a notice can be answered so.

    Raises:
        Invalid: that is not one of its choices.
        Conflict: it was answered already.
    """
    if not notice.choices:
        raise Invalid("There is nothing to choose; it only tells you something.", field="choice")
    if choice not in notice.choices:
        raise Invalid(f"Choose one of: {', '.join(notice.choices)}.", field="choice")
    if notice.answer:
        raise _answered(notice)


def _answered(notice: Notice) -> Conflict:
    said = "It is not needed any more." if notice.answer == MOOT else f"It was answered already: {notice.answer}."
    return Conflict(said)


def _about(user_id: UserId, key: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return NoticeRow.user_id == user_id, NoticeRow.key == key


def _waits() -> ColumnElement[bool]:
    """It has choices, and none was made. Compared as text, for PostgreSQL cannot compare JSON."""
    return (cast(NoticeRow.choices, Text) != "[]") & (NoticeRow.answer == "")


def _with(why: str) -> ColumnElement[str]:
    return NoticeRow.text + (f" {why}" if why else "")


async def _mine(tx: Tx, user: User, notice_id: int) -> NoticeRow:
    row = await tx.scalar(select(NoticeRow).where(NoticeRow.id == notice_id, NoticeRow.user_id == user.id))
    if row is None:
        raise Missing("You have no such notice.")
    return row


def _notice(row: NoticeRow) -> Notice:
    return Notice(
        id=row.id,
        user_id=UserId(row.user_id),
        kind=Kind(row.kind),
        key=row.key,
        text=row.text,
        at=row.at,
        media_id=row.media_id,
        episode=row.episode,
        infohash=row.infohash,
        choices=tuple(row.choices),
        answer=row.answer,
        is_seen=row.seen_at is not None,
    )

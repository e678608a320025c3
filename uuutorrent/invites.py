"""Invitations: codes with which people make an account by themselves. Admins make, see and revoke them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, or_, select, update

from uuutorrent import audit
from uuutorrent import people as stored
from uuutorrent.errors import Invalid, Missing, Refused
from uuutorrent.passwords import one_time
from uuutorrent.store.database import SYSTEM, Database, Tx
from uuutorrent.store.tables import InviteRow
from uuutorrent.users import Admin, Authority, UserId, check_role

MOST_USES, MOST_DAYS = 1000, 366
MOST = 1000
"""Invitations there may be."""
LONGEST_NOTE = 200
KEPT = timedelta(days=30)
"""For so long an invitation that is over is still listed."""
LONGEST_CODE = 64
NO_GOOD = "that invitation code is not valid: it is mistyped, was used up, or is over"


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation, without its code."""

    id: int
    made_by: UserId | None
    """None: the operator."""
    role: str
    quota_bytes: int | None
    """None: as configured; 0: no limit."""
    note: str
    uses_left: int
    made_at: datetime
    expires_at: datetime
    is_void: bool = False
    """Whoever made it is no admin any more."""

    def is_open(self, now: datetime) -> bool:
        """Whether somebody can still come with it."""
        return self.uses_left > 0 and now < self.expires_at and not self.is_void


class NotInvited(Refused):
    """A code that lets nobody in, whichever way it fails to."""

    def __init__(self) -> None:
        super().__init__(NO_GOOD)


class Invites:
    """The owner of the table `invites`."""

    def __init__(self, database: Database, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._now = now

    async def create(
        self,
        by: Authority,
        *,
        role: str = "user",
        quota_bytes: int | None = None,
        uses: int = 1,
        days: int = 7,
        note: str = "",
    ) -> tuple[Invite, str]:
        """Make an invitation; it and its code, which is told only now.

        Raises:
            Invalid: the role, the uses, the days or the note cannot be.
            Refused: `by` is no admin any more, or there are too many.
        """
        check_role(role)
        _check(uses, days, note)
        code, now = one_time(), self._now()
        row = InviteRow(
            code_hash=digest(code), made_by=by.user.id if isinstance(by, Admin) else None, role=role, note=note,
            quota_bytes=quota_bytes, uses_left=uses, made_at=now, expires_at=now + timedelta(days=days),
        )  # fmt: skip
        async with self._database.begin(SYSTEM) as tx:
            await stored.authorise(tx, by)
            await tx.execute(delete(InviteRow).where(InviteRow.expires_at < now - KEPT))
            if (await tx.scalar(select(func.count()).select_from(InviteRow)) or 0) >= MOST:
                raise Refused(f"there are {MOST} invitations, which is all there may be: revoke some first")
            tx.add(row)
            await tx.flush()
            audit.note(tx, by, "invites create", str(row.id), detail=f"{role}, {uses} uses, {days} days")
            return _invite(row), code

    async def list(self, by: Authority) -> tuple[Invite, ...]:
        """All that are open or were lately, newest first."""
        async with self._database.begin(SYSTEM) as tx:
            await stored.authorise(tx, by)
            recent = or_(InviteRow.uses_left > 0, InviteRow.expires_at > self._now() - KEPT)
            rows = (await tx.scalars(select(InviteRow).where(recent).order_by(InviteRow.id.desc()))).all()
            makers = await stored.present(tx, {UserId(row.made_by) for row in rows if row.made_by is not None})
            admins = {None, *(user.id for user in makers.values() if user.is_admin)}
            return tuple(replace(_invite(row), is_void=row.made_by not in admins) for row in rows)

    async def revoke(self, by: Authority, invite_id: int) -> None:
        """Nobody comes with it any more.

        Raises:
            Missing: there is none with this id.
            Refused: `by` is no admin any more.
        """
        gone = delete(InviteRow).where(InviteRow.id == invite_id).returning(InviteRow.id)
        async with self._database.begin(SYSTEM) as tx:
            await stored.authorise(tx, by)
            if await tx.scalar(gone) is None:
                raise Missing(f"there is no invitation {invite_id}")
            audit.note(tx, by, "invites revoke", str(invite_id))

    async def redeem(self, tx: Tx, code: str) -> Invite:
        """Use an invitation up by one, together with what the transaction writes: of two at once one gets the last use.

        Raises:
            NotInvited: the code is unknown, used up or over, or who made it is no admin any more.
        """
        there = (InviteRow.code_hash == digest(code), InviteRow.uses_left > 0, InviteRow.expires_at > self._now())
        used = update(InviteRow).where(*there).values(uses_left=InviteRow.uses_left - 1).returning(InviteRow)
        row = await tx.scalar(used.execution_options(synchronize_session=False, populate_existing=True))
        if row is None:
            raise NotInvited
        if row.made_by is not None:
            maker = await stored.find_id(tx, UserId(row.made_by))
            if maker is None or not maker.user.is_admin or maker.disabled_at is not None:
                raise NotInvited
        return _invite(row)


def digest(code: str) -> str:
    """Of a code however it is typed. With 79 bits nobody finds it from that."""
    typed = "".join(code[: 2 * LONGEST_CODE].split()).replace("-", "").lower()
    return hashlib.sha256(typed.encode("utf-8", "replace")).hexdigest()


def _check(uses: int, days: int, note: str) -> None:
    if not 1 <= uses <= MOST_USES:
        raise Invalid(f"an invitation is for 1 to {MOST_USES} people", field="uses")
    if not 1 <= days <= MOST_DAYS:
        raise Invalid(f"an invitation lasts 1 to {MOST_DAYS} days", field="days")
    if len(note) > LONGEST_NOTE or not note.isprintable():
        raise Invalid(f"a note is one line of at most {LONGEST_NOTE} characters", field="note")


def _invite(row: InviteRow) -> Invite:
    made_by = None if row.made_by is None else UserId(row.made_by)
    return Invite(row.id, made_by, row.role, row.quota_bytes, row.note, row.uses_left, row.made_at, row.expires_at)

"""The people as they are stored, and `hold`, with which every guarded write begins.

`accounts` says who may change what of whom; everybody else takes these verbs from there.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypedDict, Unpack

from sqlalchemy import Select, and_, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from uuutorrent.errors import Conflict, Missing, Refused
from uuutorrent.store.database import Tx
from uuutorrent.store.tables import UserRow
from uuutorrent.users import Admin, Authority, User, UserId


@dataclass(frozen=True, slots=True)
class Person:
    """All that is stored of somebody."""

    user: User
    password_hash: str | None
    created_at: datetime
    last_seen_at: datetime | None
    disabled_at: datetime | None
    awaits_approval: bool

    @property
    def id(self) -> UserId:
        """Theirs for ever; nobody gets it again."""
        return self.user.id


class Changes(TypedDict, total=False):
    """What can be changed of somebody."""

    role: str
    password_hash: str | None
    password_expired: bool
    awaits_approval: bool
    last_seen_at: datetime
    disabled_at: datetime | None


async def hold(tx: Tx, user: User) -> User:
    """Keep every other transaction that holds this user waiting until this one ends, and read the user as they are now.

    It is the first statement of each transaction that checks something about a user and then writes: without it two
    such transactions would both see room for one, on SQLite and on PostgreSQL.

    Raises:
        Refused: the user is gone or disabled.
    """
    return (await held(tx, user)).user


async def held(tx: Tx, user: User) -> Person:
    """As `hold`, with all that is stored of them.

    Raises:
        Refused: the user is gone or disabled.
    """
    touch = update(UserRow).where(UserRow.id == user.id, UserRow.disabled_at.is_(None)).values(id=UserRow.id)
    row = await tx.scalar(touch.returning(UserRow).execution_options(synchronize_session=False, populate_existing=True))
    if row is None:
        raise Refused(f"the account {user.name} is disabled or gone; ask an admin")
    return _person(row)


async def hold_for(tx: Tx, by: Authority, name: str, *, loses_admin: bool) -> Person:
    """`name`, held with every admin who can sign in, so that no two transactions can drop the last two.

    Raises:
        Missing: there is no such user.
        Refused: `by` is no admin any more, or `name` is the last.
    """
    office = and_(UserRow.role == "admin", UserRow.disabled_at.is_(None), ~UserRow.awaits_approval)
    # One statement takes all locks in one order: two admins acting on each other cannot deadlock.
    statement = select(UserRow).where(or_(office, UserRow.name == _text(name))).order_by(UserRow.id).with_for_update()
    rows = (await tx.scalars(statement)).all()
    admins = {row.id for row in rows if row.role == "admin" and row.disabled_at is None and not row.awaits_approval}
    if isinstance(by, Admin) and by.user.id not in admins:
        raise Refused("only admins may do that")
    row = next((row for row in rows if row.name == name), None)
    if row is None:
        raise Missing(f"there is no user {name}")
    if loses_admin and admins == {row.id}:
        raise Refused(f"{name} is the last admin: make somebody else an admin first")
    return _person(row)


async def authorise(tx: Tx, by: Authority) -> None:
    """An `Admin` may be older than a demotion: ask again where it counts.

    Raises:
        Refused: they are no admin any more.
    """
    if isinstance(by, Admin) and not (await hold(tx, by.user)).is_admin:
        raise Refused("only admins may do that")


async def people(tx: Tx, ids: Collection[UserId]) -> dict[UserId, User]:
    """The users with these ids, for rooms that remember people by id; who is gone is left out."""
    return {UserId(row.id): _user(row) for row in await tx.scalars(select(UserRow).where(UserRow.id.in_(ids)))}


def enabled() -> Select[int]:
    """The ids of everybody who is not disabled, for rooms that work for people who are not there."""
    return select(UserRow.id).where(UserRow.disabled_at.is_(None))


async def present(tx: Tx, ids: Collection[UserId]) -> dict[UserId, User]:
    """Those of these who are not disabled."""
    rows = await tx.scalars(select(UserRow).where(UserRow.id.in_(ids), UserRow.disabled_at.is_(None)))
    return {UserId(row.id): _user(row) for row in rows}


async def find(tx: Tx, name: str) -> Person | None:
    """Whoever has this name; `name` may be anything that a client sent."""
    row = await tx.scalar(select(UserRow).where(UserRow.name == _text(name)))
    return _person(row) if row else None


async def find_id(tx: Tx, user_id: UserId) -> Person | None:
    """Whoever has this id."""
    row = await tx.get(UserRow, user_id)
    return _person(row) if row else None


async def named(tx: Tx, name: str) -> Person:
    """Whoever has this name.

    Raises:
        Missing: nobody.
    """
    person = await find(tx, name)
    if person is None:
        raise Missing(f"there is no user {name}")
    return person


async def every(tx: Tx) -> tuple[Person, ...]:
    """Everybody, by name."""
    return tuple(_person(row) for row in await tx.scalars(select(UserRow).order_by(UserRow.name)))


async def is_anybody(tx: Tx) -> bool:
    """Whether there are users at all."""
    return await tx.scalar(select(UserRow.id).limit(1)) is not None


async def waiting(tx: Tx) -> int:
    """How many wait for an admin to say yes."""
    return await tx.scalar(select(func.count()).select_from(UserRow).where(UserRow.awaits_approval)) or 0


async def add(tx: Tx, name: str, **values: Unpack[Changes]) -> User:
    """Somebody new.

    Raises:
        Conflict: the name is taken.
    """
    if await find(tx, name) is not None:
        raise _taken(name)
    row = UserRow(**{"role": "user", "created_at": datetime.now(UTC), **values, "name": name})
    tx.add(row)
    try:
        await tx.flush()
    except IntegrityError as e:  # somebody else took it at this moment
        raise _taken(name) from e
    return _user(row)


async def change(tx: Tx, user_id: UserId, **changes: Unpack[Changes]) -> None:
    """Write what is other than before."""
    await tx.execute(update(UserRow).where(UserRow.id == user_id).values(**changes))


async def remove(tx: Tx, user_id: UserId) -> None:
    """Forget somebody, and what only they have."""
    await tx.execute(delete(UserRow).where(UserRow.id == user_id))


def _taken(name: str) -> Conflict:
    return Conflict(f"there is a user {name} already")


def _text(given: str) -> str:
    """What a client sent, as the database can take it: PostgreSQL refuses NUL, and neither takes lone surrogates."""
    return given.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _user(row: UserRow) -> User:
    return User(UserId(row.id), row.name, row.role, row.password_expired)


def _person(row: UserRow) -> Person:
    return Person(_user(row), row.password_hash, row.created_at, row.last_seen_at, row.disabled_at, row.awaits_approval)

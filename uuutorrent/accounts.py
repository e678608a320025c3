"""Accounts: who people are. Users, their passwords and keys, roles, and `hold`, with which every guarded write begins.

Authority is a value. `User` is somebody signed in; `Admin` proves that their role was checked; `Operator` is the person
at the machine. Verbs for people take `user` first, verbs for admins take `by`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Select, and_, delete, or_, select, update
from sqlalchemy.exc import IntegrityError

from uuutorrent import config as settings
from uuutorrent import factors
from uuutorrent import keys as stored_keys
from uuutorrent import users as rules
from uuutorrent.errors import Conflict, Invalid, Missing, Refused
from uuutorrent.keys import Key
from uuutorrent.passwords import ROUNDS, Passwords, one_time
from uuutorrent.publickeys import parse
from uuutorrent.store.database import Database, Tx
from uuutorrent.store.tables import UserRow
from uuutorrent.users import FIRST_ADMIN, Admin, Authority, Operator, SignedIn, User, UserId, UserInfo

__all__ = [
    "FIRST_ADMIN",
    "Accounts",
    "Admin",
    "Authority",
    "Key",
    "Operator",
    "SignedIn",
    "User",
    "UserId",
    "UserInfo",
    "hold",
    "people",
]

_WRONG = "wrong user name or password"
_WRONG_KEY = "that key does not belong to this user"


async def hold(tx: Tx, user: User) -> User:
    """Keep every other transaction that holds this user waiting until this one ends, and read the user as they are now.

    It is the first statement of each transaction that checks something about a user and then writes: without it two
    such transactions would both see room for one, on SQLite and on PostgreSQL.

    Raises:
        Refused: the user is gone or disabled.
    """
    held = update(UserRow).where(UserRow.id == user.id, UserRow.disabled_at.is_(None)).values(id=UserRow.id)
    row = await tx.scalar(held.returning(UserRow).execution_options(synchronize_session=False, populate_existing=True))
    if row is None:
        raise Refused(f"the account {user.name} is disabled or gone; ask an admin")
    return _user(row)


async def people(tx: Tx, ids: Collection[UserId]) -> dict[UserId, User]:
    """The users with these ids, for rooms that remember people by id; who is gone is left out."""
    return {UserId(row.id): _user(row) for row in await tx.scalars(select(UserRow).where(UserRow.id.in_(ids)))}


def enabled() -> Select[int]:
    """The ids of everybody who is not disabled, for rooms that work for people who are not there."""
    return select(UserRow.id).where(UserRow.disabled_at.is_(None))


class Accounts:
    """Signing in, one's own password and keys, and the register of users."""

    def __init__(self, database: Database, config: settings.Accounts, *, rounds: int = ROUNDS) -> None:
        self._database = database
        self.config = config
        self._passwords = Passwords(rounds=rounds)

    # Signing in

    async def with_password(self, name: str, password: str) -> User:
        """The user with this name and password. Every failure says the same and takes as long.

        Raises:
            Refused: unknown user, wrong password, no password, or disabled.
            Crowded: too many people are signing in; the password was not looked at.
        """
        async with self._database.begin() as tx:
            row = await _find(tx, name)
        matches = await self._passwords.check(password, row.password_hash if row else None)
        if row is None or not matches or row.disabled_at is not None:
            raise Refused(_WRONG)
        return _user(row)

    async def key_known(self, name: str, fingerprint: str) -> bool:
        """Whether a signature by this key would sign the user in. It leaves no trace; nobody's name takes as long."""
        async with self._database.begin() as tx:
            row = await _find(tx, name)
            is_theirs = await stored_keys.find(tx, UserId(row.id if row else 0), fingerprint) is not None
            return is_theirs and row is not None and row.disabled_at is None

    async def with_key(self, name: str, fingerprint: str) -> User:
        """The user whose key made a valid signature; `fingerprint` is of the key that signed. Marks the key as used.

        They have no password to change first, since a one-time password was not used.

        Raises:
            Refused: no such key, another user's key, or disabled.
        """
        async with self._database.begin() as tx:
            row = await _find(tx, name)
            if row is None or row.disabled_at is not None or not await stored_keys.use(tx, UserId(row.id), fingerprint):
                raise Refused(_WRONG_KEY)
            return replace(_user(row), password_expired=False)

    async def still_here(self, here: Collection[SignedIn]) -> Mapping[SignedIn, User]:
        """Those who could come the same way again, as they are now: enabled, and their key still theirs."""
        ids = {one.id for one in here}
        async with self._database.begin() as tx:
            rows = await tx.scalars(select(UserRow).where(UserRow.id.in_(ids), UserRow.disabled_at.is_(None)))
            users = {UserId(row.id): _user(row) for row in rows}
            holders = await stored_keys.holders(tx, {one.fingerprint for one in here if one.fingerprint})
        by_password = {one: users[one.id] for one in here if one.fingerprint is None and one.id in users}
        by_key = [one for one in here if one.fingerprint and holders.get(one.fingerprint) == one.id and one.id in users]
        return by_password | {one: replace(users[one.id], password_expired=False) for one in by_key}

    async def seen(self, user: User) -> None:
        """Remember that the user was here just now."""
        async with self._database.begin() as tx:
            await tx.execute(update(UserRow).where(UserRow.id == user.id).values(last_seen_at=_now()))

    # Looking up

    async def get(self, user_id: UserId) -> User:
        """The user with this id.

        Raises:
            Missing: there is none.
        """
        async with self._database.begin() as tx:
            row = await tx.get(UserRow, user_id)
        if row is None:
            raise Missing("there is no such user")
        return _user(row)

    async def by_name(self, name: str) -> User:
        """The user with this name.

        Raises:
            Missing: there is none.
        """
        async with self._database.begin() as tx:
            return _user(await _named(tx, name))

    async def admin(self, user: User) -> Admin:
        """Proof that the user is an admin now, whatever they were when they signed in.

        Raises:
            Refused: they are not.
            StepUp: they have a second factor, and did not prove it lately.
        """
        async with self._database.begin() as tx:
            row = await tx.get(UserRow, user.id)
            if row is None or row.role != "admin" or row.disabled_at is not None:
                raise Refused("only admins may do that")
            await factors.check_step_up(tx, user.id)
        return Admin(_user(row))

    # One's own password and keys

    async def set_password(self, user: User, old: str, new: str) -> None:
        """Change one's password. Who has none yet (and signs in by key) leaves `old` empty.

        Raises:
            Refused: `old` is wrong, or too many people are signing in.
            Invalid: `new` is not good enough.
            Conflict: it was changed elsewhere meanwhile.
        """
        async with self._database.begin() as tx:
            before = (await _own(tx, user)).password_hash
        if before is not None and not await self._passwords.check(old, before):
            raise Refused("the old password is wrong")
        if before is not None and new == old:
            raise Invalid("that is the old password: choose another", field="password")
        hashed = await self._hash_good(new, user.name)
        async with self._database.begin() as tx:
            row = await _own(tx, user)
            if row.password_hash != before:
                raise Conflict("the password was changed elsewhere just now")
            row.password_hash, row.password_expired = hashed, False

    async def keys(self, user: User) -> tuple[Key, ...]:
        """The user's keys, oldest first."""
        async with self._database.begin() as tx:
            return await stored_keys.of(tx, user.id)

    async def add_key(self, user: User, openssh_line: str) -> Key:
        """Add the public key of one `.pub` line.

        Raises:
            Invalid: not a public key we accept.
            Conflict: the key is known already; it signs in one user only.
        """
        public = parse(openssh_line)
        async with self._database.begin() as tx:
            await hold(tx, user)
            return await stored_keys.add(tx, user.id, public)

    async def remove_key(self, user: User, key: str) -> Key:
        """Remove one of the user's keys, named by its id or its fingerprint.

        Raises:
            Missing: the user has no such key.
        """
        async with self._database.begin() as tx:
            await hold(tx, user)
            return await stored_keys.remove(tx, user.id, key)

    # For admins and the operator

    async def users(self, by: Authority) -> tuple[UserInfo, ...]:
        """Everybody, by name."""
        async with self._database.begin() as tx:
            await _authorise(tx, by)
            keys = await stored_keys.counts(tx)
            rows = await tx.scalars(select(UserRow).order_by(UserRow.name))
            return tuple(_info(row, keys.get(row.id, 0)) for row in rows)

    async def create(
        self,
        by: Authority,
        name: str,
        *,
        role: str = "user",
        password: str | None = None,
        expired: bool = False,
        keys: Sequence[str] = (),
    ) -> User:
        """Make a user. `expired`: the password must be changed at the first sign-in; `keys`: lines of `.pub` files.

        Raises:
            Invalid: the name, the password, the role or a key cannot be used.
            Conflict: the name is taken, or a key belongs to somebody.
        """
        rules.check_name(name)
        rules.check_role(role)
        public = [parse(line) for line in keys]
        hashed = None if password is None else await self._hash_good(password, name)
        row = UserRow(name=name, role=role, password_hash=hashed, password_expired=expired, created_at=_now())
        async with self._database.begin() as tx:
            await _authorise(tx, by)
            if await _find(tx, name) is not None:
                raise _name_taken(name)
            tx.add(row)
            try:
                await tx.flush()
            except IntegrityError as e:  # somebody else took it at this moment
                raise _name_taken(name) from e
            for key in public:
                await stored_keys.add(tx, UserId(row.id), key)
            return _user(row)

    async def first_admin(self) -> str | None:
        """Make `FIRST_ADMIN` if there are no users at all, and return the one-time password; else None."""
        async with self._database.begin() as tx:
            if await tx.scalar(select(UserRow.id).limit(1)) is not None:
                return None
        password = one_time()
        try:
            await self.create(Operator(), FIRST_ADMIN, role="admin", password=password, expired=True)
        except Conflict:
            return None
        return password

    async def give_password(self, by: Authority, name: str, password: str, *, expired: bool = False) -> None:
        """Set somebody's password. `expired`: they must change it at the next sign-in.

        Raises:
            Invalid: it is not good enough.
        """
        hashed = await self._hash_good(password, name)
        async with self._database.begin() as tx:
            row = await _hold_for(tx, by, name, loses_admin=False)
            row.password_hash, row.password_expired = hashed, expired

    async def reset_password(self, by: Authority, name: str) -> str:
        """Set somebody's password to a one-time password, and return it."""
        password = one_time()
        await self.give_password(by, name, password, expired=True)
        return password

    async def set_role(self, by: Authority, name: str, role: str) -> None:
        """Make somebody an admin, or a user.

        Raises:
            Refused: they are the last admin.
        """
        rules.check_role(role)
        async with self._database.begin() as tx:
            row = await _hold_for(tx, by, name, loses_admin=role != "admin")
            row.role = role

    async def disable(self, by: Authority, name: str) -> None:
        """Keep somebody from signing in. Their torrents stay.

        Raises:
            Refused: they are the last admin.
        """
        async with self._database.begin() as tx:
            row = await _hold_for(tx, by, name, loses_admin=True)
            row.disabled_at = row.disabled_at or _now()

    async def enable(self, by: Authority, name: str) -> None:
        """Let somebody sign in again."""
        async with self._database.begin() as tx:
            row = await _hold_for(tx, by, name, loses_admin=False)
            row.disabled_at = None

    async def set_quota(self, by: Authority, name: str, *, size_bytes: int | None, torrents: int | None) -> None:
        """Set what somebody may claim; None: as configured, 0: no limit."""
        async with self._database.begin() as tx:
            row = await _hold_for(tx, by, name, loses_admin=False)
            row.quota_bytes, row.quota_torrents = size_bytes, torrents

    async def delete(self, by: Authority, name: str) -> None:
        """Forget somebody: keys, AniList link, watchlist and claims go too; nobody else's claims do.

        Raises:
            Refused: they are the last admin.
        """
        async with self._database.begin() as tx:
            row = await _hold_for(tx, by, name, loses_admin=True)
            await tx.execute(delete(UserRow).where(UserRow.id == row.id))

    async def _hash_good(self, password: str, name: str) -> str:
        await self._passwords.good(password, name=name)
        return await self._passwords.hash(password)


async def _authorise(tx: Tx, by: Authority) -> None:
    """An `Admin` may be older than a demotion: ask again where it counts."""
    if isinstance(by, Admin) and not (await hold(tx, by.user)).is_admin:
        raise Refused("only admins may do that")


async def _hold_for(tx: Tx, by: Authority, name: str, *, loses_admin: bool) -> UserRow:
    """The row of `name`, held with every enabled admin's, so that no two transactions can drop the last two."""
    office = and_(UserRow.role == "admin", UserRow.disabled_at.is_(None))
    # One statement takes all locks in one order: two admins acting on each other cannot deadlock.
    statement = select(UserRow).where(or_(office, UserRow.name == _text(name))).order_by(UserRow.id).with_for_update()
    rows = (await tx.scalars(statement)).all()
    admins = {row.id for row in rows if row.role == "admin" and row.disabled_at is None}
    if isinstance(by, Admin) and by.user.id not in admins:
        raise Refused("only admins may do that")
    row = next((row for row in rows if row.name == name), None)
    if row is None:
        raise Missing(f"there is no user {name}")
    if loses_admin and admins == {row.id}:
        raise Refused(f"{name} is the last admin: make somebody else an admin first")
    return row


async def _find(tx: Tx, name: str) -> UserRow | None:
    return await tx.scalar(select(UserRow).where(UserRow.name == _text(name)))


async def _own(tx: Tx, user: User) -> UserRow:
    await hold(tx, user)
    return await tx.get_one(UserRow, user.id)


async def _named(tx: Tx, name: str) -> UserRow:
    row = await _find(tx, name)
    if row is None:
        raise Missing(f"there is no user {name}")
    return row


def _name_taken(name: str) -> Conflict:
    return Conflict(f"there is a user {name} already")


def _text(given: str) -> str:
    """What a client sent, as the database can take it: PostgreSQL refuses NUL, and neither takes lone surrogates."""
    return given.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _now() -> datetime:
    return datetime.now(UTC)


def _user(row: UserRow) -> User:
    return User(UserId(row.id), row.name, row.role, row.password_expired, row.quota_bytes, row.quota_torrents)


def _info(row: UserRow, keys: int) -> UserInfo:
    return UserInfo(_user(row), row.password_hash is not None, keys, row.created_at, row.last_seen_at, row.disabled_at)

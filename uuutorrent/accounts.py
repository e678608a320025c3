"""Accounts: who people are. Users, their passwords and keys, and roles.

Authority is a value. `User` is somebody signed in; `Admin` proves that their role was checked; `Operator` is the person
at the machine. Verbs for people take `user` first, verbs for admins take `by`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from uuutorrent import audit, factors
from uuutorrent import config as settings
from uuutorrent import keys as stored_keys
from uuutorrent import people as stored
from uuutorrent import users as rules
from uuutorrent.errors import Conflict, Invalid, Missing, Refused
from uuutorrent.factors import Proof
from uuutorrent.keys import Key
from uuutorrent.passwords import ROUNDS, Passwords, Strength, one_time
from uuutorrent.people import Person, enabled, hold, people
from uuutorrent.publickeys import parse
from uuutorrent.store.database import SYSTEM, Database
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
    "enabled",
    "hold",
    "people",
]

WAITS = "an admin has to say yes first: come back later"
_WRONG = "wrong user name or password"
_WRONG_KEY = "that key does not belong to this user"


class Waits(Refused):
    """Right, but no admin has let them in yet."""

    def __init__(self) -> None:
        super().__init__(WAITS)


class Accounts:
    """Signing in, one's own password and keys, and the register of users."""

    def __init__(self, database: Database, config: settings.Accounts, *, rounds: int = ROUNDS) -> None:
        self._database = database
        self.config = config
        self.audit = audit.Audit(database)
        self._passwords = Passwords(rounds=rounds, queue=config.password_queue)

    # Signing in

    async def with_password(self, name: str, password: str) -> User:
        """The user with this name and password. Every failure says the same and takes as long.

        Raises:
            Refused: unknown user, wrong password, no password, or disabled.
            Waits: all is right, and an admin has to say yes first.
            Crowded: too many people are signing in; the password was not looked at.
        """
        async with self._database.begin(SYSTEM) as tx:
            found = await stored.find(tx, name)
        matches = await self._passwords.check(password, found.password_hash if found else None)
        if found is None or not matches or found.disabled_at is not None:
            raise Refused(_WRONG)
        if found.awaits_approval:
            raise Waits
        return found.user

    async def key_known(self, name: str, fingerprint: str) -> bool:
        """Whether a signature by this key would sign the user in. It leaves no trace; nobody's name takes as long."""
        async with self._database.begin(SYSTEM) as tx:
            found = await stored.find(tx, name)
            is_theirs = await stored_keys.find(tx, found.id if found else UserId(0), fingerprint) is not None
            return is_theirs and found is not None and found.disabled_at is None

    async def with_key(self, name: str, fingerprint: str) -> User:
        """The user whose key made a valid signature; `fingerprint` is of the key that signed. Marks the key as used.

        They have no password to change first, since a one-time password was not used.

        Raises:
            Refused: no such key, another user's key, or disabled.
            Waits: all is right, and an admin has to say yes first.
        """
        async with self._database.begin(SYSTEM) as tx:
            found = await stored.find(tx, name)
            if found is None or found.disabled_at is not None or not await stored_keys.use(tx, found.id, fingerprint):
                raise Refused(_WRONG_KEY)
            if found.awaits_approval:
                raise Waits
            return replace(found.user, password_expired=False)

    async def still_here(self, here: Collection[SignedIn]) -> Mapping[SignedIn, User]:
        """Those who could come the same way again, as they are now: enabled, and their key still theirs."""
        ids = {one.id for one in here}
        async with self._database.begin(SYSTEM) as tx:
            users = await stored.present(tx, ids)
            holders = await stored_keys.holders(tx, {one.fingerprint for one in here if one.fingerprint})
        by_password = {one: users[one.id] for one in here if one.fingerprint is None and one.id in users}
        by_key = [one for one in here if one.fingerprint and holders.get(one.fingerprint) == one.id and one.id in users]
        return by_password | {one: replace(users[one.id], password_expired=False) for one in by_key}

    async def seen(self, user: User) -> None:
        """Remember that the user was here just now."""
        async with self._database.begin(user.id) as tx:
            await stored.change(tx, user.id, last_seen_at=_now())

    # Looking up

    async def get(self, user_id: UserId) -> User:
        """The user with this id.

        Raises:
            Missing: there is none.
        """
        async with self._database.begin(user_id) as tx:
            found = await stored.find_id(tx, user_id)
        if found is None:
            raise Missing("there is no such user")
        return found.user

    async def by_name(self, name: str) -> User:
        """The user with this name.

        Raises:
            Missing: there is none.
        """
        async with self._database.begin(SYSTEM) as tx:
            return (await stored.named(tx, name)).user

    async def admin(self, user: User, proof: Proof | None = None, what: str = "") -> Admin:
        """Proof that the user is an admin now, whatever they were when they signed in; `proof` is of their session.

        `what` they want to do is noted if they are not.

        Raises:
            Refused: they are not, or lack the second factor that admins need.
            StepUp: they have a second factor, and did not prove it lately in this session.
        """
        async with self._database.begin(user.id) as tx:
            found = await stored.find_id(tx, user.id)
            if found is None or not found.user.is_admin or found.disabled_at is not None:
                self.audit.later(user, "admin", what, outcome=audit.REFUSED)
                raise Refused("only admins may do that")
            is_needed = self.config.second_factor != "optional"
            await factors.check_step_up(tx, user.id, proof, is_needed=is_needed)
        return Admin(replace(found.user, ip=user.ip))

    # One's own password and keys

    async def set_password(self, user: User, old: str, new: str) -> None:
        """Change one's password. Who has none yet (and signs in by key) leaves `old` empty.

        Raises:
            Refused: `old` is wrong, or too many people are signing in.
            Invalid: `new` is not good enough.
            Conflict: it was changed elsewhere meanwhile.
        """
        async with self._database.begin(user.id) as tx:
            before = (await stored.held(tx, user)).password_hash
        if before is not None and not await self._passwords.check(old, before):
            raise Refused("the old password is wrong")
        if before is not None and new == old:
            raise Invalid("that is the old password: choose another", field="password")
        hashed = await self.hash_good(new, user.name)
        async with self._database.begin(user.id) as tx:
            if (await stored.held(tx, user)).password_hash != before:
                raise Conflict("the password was changed elsewhere just now")
            await stored.change(tx, user.id, password_hash=hashed, password_expired=False)
            audit.note(tx, user, "password", user.name)

    async def keys(self, user: User) -> tuple[Key, ...]:
        """The user's keys, oldest first."""
        async with self._database.begin(user.id) as tx:
            return await stored_keys.of(tx, user.id)

    async def add_key(self, user: User, openssh_line: str, *, by: Operator | None = None) -> Key:
        """Add the public key of one `.pub` line; `by` the operator, if it is not by themselves.

        Raises:
            Invalid: not a public key we accept.
            Conflict: the key is known already; it signs in one user only.
        """
        public = parse(openssh_line)
        async with self._database.begin(user.id if by is None else SYSTEM) as tx:
            await hold(tx, user)
            added = await stored_keys.add(tx, user.id, public)
            audit.note(tx, by or user, "keys add", user.name, detail=added.fingerprint)
            return added

    async def remove_key(self, user: User, key: str, *, by: Operator | None = None) -> Key:
        """Remove one of the user's keys, named by its id or its fingerprint; `by` as in `add_key`.

        Raises:
            Missing: the user has no such key.
        """
        async with self._database.begin(user.id if by is None else SYSTEM) as tx:
            await hold(tx, user)
            removed = await stored_keys.remove(tx, user.id, key)
            audit.note(tx, by or user, "keys remove", user.name, detail=removed.fingerprint)
            return removed

    async def leaving_takes(self, user: User) -> Literal["code", "password", ""]:
        """What `leave` wants to be proved: a code of the second factor, else the password, else that one is here."""
        async with self._database.begin(user.id) as tx:
            if (await factors.of(tx, user.id)).is_on:
                return "code"
            return "password" if (await stored.held(tx, user)).password_hash is not None else ""

    async def leave(self, user: User, password: str, proof: Proof) -> None:
        """Forget somebody who wants it, as `delete` does. `proof` is of their session.

        Raises:
            Refused: the password is wrong, or they are the last admin.
            StepUp: they have a second factor, and did not prove it lately in this session.
            Conflict: the account was changed elsewhere meanwhile.
        """
        async with self._database.begin(user.id) as tx:
            before = (await stored.held(tx, user)).password_hash
            await factors.check_step_up(tx, user.id, proof)
            needs_password = before is not None and not (await factors.of(tx, user.id)).is_on
        if needs_password and not await self._passwords.check(password, before):
            raise Refused("the password is wrong")
        async with self._database.begin(SYSTEM) as tx:  # so that the last admin stays
            now = await stored.hold_for(tx, Operator(), user.name, loses_admin=True)
            if now.id != user.id or now.password_hash != before:
                raise Conflict("the account was changed elsewhere just now: try again")
            await stored.remove(tx, user.id)
            audit.note(tx, user, "account delete", user.name)

    async def hash_good(self, password: str, name: str) -> str:
        """What to store of a new password of the user `name`.

        Raises:
            Invalid: it is not good enough.
        """
        await self._passwords.good(password, name=name)
        return await self._passwords.hash(password)

    async def strength(self, password: str, name: str) -> Strength:
        """How good a password would be for the user `name`."""
        return await self._passwords.strength(password, name=name)

    # For admins and the operator

    async def users(self, by: Authority) -> tuple[UserInfo, ...]:
        """Everybody, by name."""
        async with self._database.begin(SYSTEM) as tx:
            await stored.authorise(tx, by)
            keys = await stored_keys.counts(tx)
            return tuple(_info(one, keys.get(one.id, 0)) for one in await stored.every(tx))

    async def whom(self, by: Authority, name: str) -> User:
        """The user with this name, for those who may do something with them.

        Raises:
            Missing: there is none.
            Refused: `by` is no admin any more.
        """
        async with self._database.begin(SYSTEM) as tx:
            await stored.authorise(tx, by)
            return (await stored.named(tx, name)).user

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
        hashed = None if password is None else await self.hash_good(password, name)
        async with self._database.begin(SYSTEM) as tx:
            await stored.authorise(tx, by)
            user = await stored.add(tx, name, role=role, password_hash=hashed, password_expired=expired)
            for key in public:
                await stored_keys.add(tx, user.id, key)
            audit.note(tx, by, "users add", name, detail=role)
            return user

    async def first_admin(self) -> str | None:
        """Make `FIRST_ADMIN` if there are no users at all, and return the one-time password; else None."""
        async with self._database.begin(SYSTEM) as tx:
            if await stored.is_anybody(tx):
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
        hashed = await self.hash_good(password, name)
        async with self._database.begin(SYSTEM) as tx:
            held = await stored.hold_for(tx, by, name, loses_admin=False)
            await stored.change(tx, held.id, password_hash=hashed, password_expired=expired)
            audit.note(tx, by, "users passwd", name, detail="one-time" if expired else "")

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
        async with self._database.begin(SYSTEM) as tx:
            held = await stored.hold_for(tx, by, name, loses_admin=role != "admin")
            await stored.change(tx, held.id, role=role)
            audit.note(tx, by, "users role", name, detail=role)

    async def disable(self, by: Authority, name: str) -> User:
        """Keep somebody from signing in, and say who that is. Their torrents stay.

        Raises:
            Refused: they are the last admin.
        """
        async with self._database.begin(SYSTEM) as tx:
            held = await stored.hold_for(tx, by, name, loses_admin=True)
            await stored.change(tx, held.id, disabled_at=held.disabled_at or _now())
            audit.note(tx, by, "users disable", name)
            return held.user

    async def enable(self, by: Authority, name: str) -> None:
        """Let somebody sign in again."""
        async with self._database.begin(SYSTEM) as tx:
            held = await stored.hold_for(tx, by, name, loses_admin=False)
            await stored.change(tx, held.id, disabled_at=None)
            audit.note(tx, by, "users enable", name)

    async def delete(self, by: Authority, name: str) -> User:
        """Forget somebody, and say who it was: keys, AniList link, watchlist and claims go too; nobody else's do.

        Raises:
            Refused: they are the last admin.
        """
        async with self._database.begin(SYSTEM) as tx:
            held = await stored.hold_for(tx, by, name, loses_admin=True)
            await stored.remove(tx, held.id)
            audit.note(tx, by, "users delete", name)
            return held.user


def _now() -> datetime:
    return datetime.now(UTC)


def _info(one: Person, keys: int) -> UserInfo:
    return UserInfo(
        one.user,
        one.password_hash is not None,
        keys,
        one.created_at,
        one.last_seen_at,
        one.disabled_at,
        one.awaits_approval,
    )

"""Signing up: how strangers come by an account, with an invitation or once an admin has said yes.

What they are told reveals nothing about who is here already.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from uuutorrent import audit
from uuutorrent import keys as stored_keys
from uuutorrent import people as stored
from uuutorrent import users as rules
from uuutorrent.accounts import Accounts
from uuutorrent.errors import Conflict, Invalid, Refused
from uuutorrent.invites import Invite, Invites, NotInvited
from uuutorrent.limits import settle
from uuutorrent.passwords import Strength
from uuutorrent.presence import only_by_key
from uuutorrent.publickeys import PublicKey, parse
from uuutorrent.store.database import SYSTEM, Database, Tx
from uuutorrent.users import Authority, User

JOIN = "join"
"""The name that nobody has and everybody may come with, where signing up is allowed."""
MOST_WAITING = 50
"""People who may wait for an admin at the same time."""
REFUSALS = 5
"""So often one connection may ask for what cannot be had."""
NAME_TAKEN = "that name cannot be had: choose another"
KEY_TAKEN = "that key cannot be used here: give another, or a password"
CROWDED = "too many people wait for an admin to say yes: try again in some days"
ONLY_BY_KEY = "from where you are, admins sign in with a key only: give one"
NO_PASSWORDS = "no password is taken here: give a key that signs you in"
CLOSED = "nobody can sign up here"


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What somebody typed who wants an account."""

    name: str
    code: str = ""
    password: str = ""
    """Empty: none, they come by key."""
    keys: tuple[str, ...] = ()
    """Lines of `.pub` files."""


@dataclass(frozen=True, slots=True)
class Welcome:
    """Somebody has an account now."""

    name: str
    waits: bool
    """An admin has to say yes first."""


class Taken(Refused):
    """It cannot be had, for whatever reason; `field` says what."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


class Enough(Refused):
    """They were refused so often that nothing more is looked at."""


class SignUps:
    """The way to an account for those who have none."""

    def __init__(self, database: Database, accounts: Accounts, invites: Invites) -> None:
        self._database = database
        self._accounts = accounts
        self._invites = invites

    @property
    def mode(self) -> Literal["closed", "invite", "open"]:
        """Who can sign up, as configured by now."""
        return self._accounts.config.signup

    async def strength(self, password: str, name: str) -> Strength:
        """How good a password would be for somebody called so."""
        return await self._accounts.strength(password, name)

    async def sign_up(self, newcomer: Newcomer, *, ip: str = "") -> Welcome:
        """Make the account, and use up the invitation, or do neither. `ip` is where they are.

        Raises:
            Invalid: something typed cannot be used; `field` says what.
            NotInvited: the code is no good.
            Taken: the name or a key cannot be had.
            Refused: too many wait.
        """
        if self.mode == "closed":
            raise Refused(CLOSED)
        rules.check_shape(newcomer.name)
        if self.mode == "invite" and not newcomer.code.strip():
            raise Invalid("type the code of your invitation", field="code")
        if not newcomer.password and not newcomer.keys:
            raise Invalid("choose a password, or give a key that signs you in", field="password")
        keys = tuple({key.fingerprint: key for key in map(parse, newcomer.keys)}.values())
        hashed = await self._accounts.hash_good(newcomer.password, newcomer.name) if newcomer.password else None
        async with self._database.begin(SYSTEM) as tx:
            invite = await self._invites.redeem(tx, newcomer.code) if newcomer.code.strip() else None
            user = await self._make(tx, newcomer.name, hashed, keys, invite)
            if ip and not keys and only_by_key(user, ip, self._accounts.config.admin_passwords):
                raise Invalid(ONLY_BY_KEY, field="key")
            how = "waits for an admin" if invite is None else f"invitation {invite.id}, {user.role}"
            audit.note(tx, replace(user, ip=ip), "sign up", user.name, detail=how)
        return Welcome(user.name, waits=invite is None)

    async def approve(self, by: Authority, name: str) -> None:
        """Let somebody in who waits.

        Raises:
            Missing: there is nobody of this name.
            Conflict: they do not wait.
            Refused: `by` is no admin any more.
        """
        async with self._database.begin(SYSTEM) as tx:
            await stored.change(tx, (await _waiting(tx, by, name)).id, awaits_approval=False)
            audit.note(tx, by, "users approve", name)

    async def reject(self, by: Authority, name: str) -> None:
        """Delete the account of somebody who waits.

        Raises:
            Missing, Conflict, Refused: as `approve`.
        """
        async with self._database.begin(SYSTEM) as tx:
            await stored.remove(tx, (await _waiting(tx, by, name)).id)
            audit.note(tx, by, "users reject", name)

    async def _make(
        self, tx: Tx, name: str, hashed: str | None, keys: tuple[PublicKey, ...], invite: Invite | None
    ) -> User:
        if invite is None and await stored.waiting(tx) >= MOST_WAITING:
            raise Refused(CROWDED)
        role, waits = (invite.role, False) if invite else ("user", True)
        try:
            user = await stored.add(tx, name, role=role, password_hash=hashed, awaits_approval=waits)
        except Conflict as e:
            raise Taken(NAME_TAKEN, "name") from e
        if name in rules.RESERVED:  # only now, so that it takes as long as a name that is taken
            raise Taken(NAME_TAKEN, "name")
        try:
            for key in keys:
                await stored_keys.add(tx, user.id, key)
        except Conflict as e:
            raise Taken(KEY_TAKEN, "key") from e
        if invite is not None and invite.quota_bytes is not None:
            await settle(tx, user.id, {"bytes": invite.quota_bytes})
        return user


class Lobby:
    """One stranger at the sign-up: what they came with, and how often they were refused.

    `reach` tells what somebody types to sign in, `wrong_codes` how many codes may be wrong, `refusal_s` how long a
    refusal takes at least, `ip` where they are, `why_not_wait` why they cannot sign up without an invitation; empty:
    they can.
    """

    def __init__(
        self,
        signups: SignUps,
        offered: PublicKey | None,
        *,
        reach: Callable[[str], str],
        wrong_codes: int,
        refusal_s: float,
        ip: str = "",
        why_not_wait: Callable[[], str] = str,
        passwords: bool = True,
    ) -> None:
        self.signups = signups
        self.passwords = passwords
        """Whether they sign anybody in."""
        self.reach = reach
        self.offered = offered
        """The key that signed when they connected."""
        self.welcome: Welcome | None = None
        """How it ended, if it went well."""
        self.refusals = 0
        self.wrong_codes = 0
        self._codes_left = wrong_codes
        self._refusal_s = refusal_s
        self._ip = ip
        self._why_not_wait = why_not_wait
        self._one_at_a_time = asyncio.Lock()

    async def sign_up(self, newcomer: Newcomer) -> Welcome:
        """As `SignUps.sign_up`; each refusal counts, and takes a while.

        Raises:
            Enough: too many.
        """
        async with self._one_at_a_time:
            self._check()
            answer_at = time.monotonic() + self._refusal_s
            try:
                if not newcomer.code.strip() and (why := self._why_not_wait()):
                    raise Refused(why)
                if not self.passwords and not newcomer.keys:
                    raise Invalid(NO_PASSWORDS, field="key")
                self.welcome = await self.signups.sign_up(newcomer, ip=self._ip)
            except Refused as e:
                self.refusals += 1
                self.wrong_codes += isinstance(e, NotInvited)
                await asyncio.sleep(answer_at - time.monotonic())
                self._check()
                raise
            return self.welcome

    def _check(self) -> None:
        if self.welcome is not None:
            raise Enough("you have an account now: sign in with it")
        if self.wrong_codes >= self._codes_left:
            raise Enough("too many wrong codes: ask who invited you, and connect again")
        if self.refusals >= REFUSALS:
            raise Enough("too many tries: connect again later")


async def _waiting(tx: Tx, by: Authority, name: str) -> stored.Person:
    person = await stored.hold_for(tx, by, name, loses_admin=False)
    if not person.awaits_approval:
        raise Conflict(f"{name} does not wait for anybody to say yes")
    return person

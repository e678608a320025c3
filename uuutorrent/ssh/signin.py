"""How one connection gets from nobody to a user: tries are counted, and only what proved itself becomes an identity.

asyncssh asks about a key twice, once when a client only shows it and once when it has signed, and a client may change
its user name and method between any two requests. So nothing that is asked about is an identity. Each check leaves its
proof as its very last act, with no pause between that and asyncssh's `auth_completed`, which takes it; whatever else
was asked before or after on the same connection has left another proof or none.

A client may also withdraw a request at any moment by sending the next. What was begun is finished all the same, one
check at a time: a query that is cut off costs the database a connection, and a cut-off hash is computed anyway.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import asyncssh
import structlog

from uuutorrent.accounts import Accounts, Waits
from uuutorrent.config import Ssh
from uuutorrent.errors import Refused, RemoteError
from uuutorrent.passwords import Crowded
from uuutorrent.presence import only_by_key
from uuutorrent.secondfactors import SecondFactors
from uuutorrent.ssh.algorithms import only_modern_signatures
from uuutorrent.ssh.delays import Delays
from uuutorrent.tally import Tally
from uuutorrent.users import User

log = structlog.get_logger()

T = TypeVar("T")
Method = Literal["publickey", "password", "keyboard-interactive"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that did not work, or was not waited for."""

    method: Method
    name: str


@dataclass(frozen=True, slots=True)
class Signature:
    """What a key proves once asyncssh has verified its signature."""

    name: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Password:
    """What a right password proved."""

    user: User
    method: Method
    with_code: bool = False
    """A code of the second factor came after it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The key that somebody came with who wants to sign up: it proves nothing but that they have it."""

    key: asyncssh.SSHKey


class SignIn:
    """The tries of one connection, and what came of them."""

    def __init__(
        self,
        accounts: Accounts,
        second: SecondFactors,
        tally: Tally,
        limits: Ssh,
        delays: Delays,
        *,
        under_way: set[asyncio.Task[Any]],
    ) -> None:
        self._accounts = accounts
        self._second = second
        self._delays = delays
        self._under_way = under_way
        self._free = asyncio.Lock()
        self._tally = tally
        self._tries = self._tries_left = limits.password_tries
        self._keys_left = limits.key_tries
        self._refusal_s = limits.refusal_s
        self._proof: Signature | Password | Shown | None = None
        self._halfway: User | None = None
        """Who gave the right password, and has yet to give a code."""
        self.method: Method | None = None
        """How the user signed in."""
        self.fingerprint: str | None = None
        """Of the key that signed; None: a password did."""
        self.gave_code = False
        """A code of the second factor was part of it."""
        self.ip = ""
        """Where the client is."""
        self.last_failure: Attempt | None = None
        self._first_wrong_at: float | None = None

    @property
    def since_wrong_s(self) -> float:
        """Seconds since the first password or code was found wrong; 0 if none was."""
        return 0.0 if self._first_wrong_at is None else time.monotonic() - self._first_wrong_at

    @property
    def wrong_passwords(self) -> int:
        """Passwords and codes that were tried in vain, also those whose answer was not waited for."""
        return self._tries - self._tries_left

    @property
    def out_of_tries(self) -> bool:
        """No password will be looked at any more: hang up."""
        return self._tries_left <= 0

    @property
    def out_of_keys(self) -> bool:
        """No key will be looked at any more: hang up."""
        return self._keys_left <= 0

    def awaits_code(self, name: str) -> bool:
        """Whether this name's right password was given just now, and a code of their second factor is to follow."""
        return self._halfway is not None and self._halfway.name == name

    def begins_anew(self) -> None:
        """A client asks to be asked from the beginning: its next answer is a password again."""
        self._proof = self._halfway = None

    async def password(self, name: str, password: str, method: Method) -> bool:
        """Whether this is all it takes to sign the user in. A try counts when it begins, so that tries side by side all
        count.

        Where a second factor is asked for, see `awaits_code`; a password sent by itself is no use then.

        Raises:
            Crowded, RemoteError: it could not be looked at.
            Waits: it is right, and an admin has to say yes first.
        """
        self._proof = self._halfway = None
        if self.out_of_tries:
            return False
        self._tries_left -= 1
        before, self.last_failure = self.last_failure, Attempt(method, name)
        answer_at = time.monotonic() + self._refusal_s
        await self._delay(name)
        try:
            user, asks_code = await self._undisturbed(self._with_password(name, password))
        except (Crowded, RemoteError, Waits) as e:  # not a wrong password
            if isinstance(e, Crowded):
                self._tally.count("ssh_limits", "password_checks")
            self.last_failure = before
            self._tally.count("ssh_auth_attempts", method, "trouble")
            raise
        except Refused:
            self._delays.failed(name)
            return await self._refuse(method, answer_at)
        if self._only_by_key(user):
            self._delays.failed(name)
            return await self._refuse(method, answer_at)
        if asks_code and method != "keyboard-interactive":
            return await self._refuse(method, answer_at)
        self._delays.succeeded(name)
        if asks_code:
            self._tries_left += 1
            self._halfway = user
            return False
        self._proof = Password(user, method)
        return True

    async def code(self, name: str, code: str) -> bool:
        """Whether this is a code of the second factor of whoever gave the right password before.

        Raises:
            Refused: too many codes were wrong.
            RemoteError: it could not be looked at.
        """
        user, self._halfway, self._proof = self._halfway, None, None
        if user is None or user.name != name or self.out_of_tries:
            return False
        self._tries_left -= 1
        before, self.last_failure = self.last_failure, Attempt("keyboard-interactive", name)
        answer_at = time.monotonic() + self._refusal_s
        try:
            is_right = await self._undisturbed(self._second.proves(replace(user, ip=self.ip), code))
        except RemoteError:  # our trouble, not a wrong code
            self.last_failure = before
            self._tally.count("ssh_auth_attempts", "keyboard-interactive", "trouble")
            raise
        if not is_right:
            return await self._refuse("keyboard-interactive", answer_at)
        self._proof = Password(user, "keyboard-interactive", with_code=True)
        return True

    async def key(self, name: str, key: asyncssh.SSHKey) -> bool:
        """Whether a signature by this key would sign the user in. asyncssh verifies the signature, if there is one."""
        self._proof = self._halfway = None
        if self.out_of_keys:
            return False
        only_modern_signatures(key)
        fingerprint = key.get_fingerprint()
        if not await self._undisturbed(self._accounts.key_known(name, fingerprint)):
            self.last_failure = Attempt("publickey", name)
            self._keys_left -= 1
            self._tally.count("ssh_auth_attempts", "publickey", "failed")
            return False
        self._proof = Signature(name, fingerprint)
        return True

    def comes_with(self, key: asyncssh.SSHKey) -> None:
        """Somebody who wants to sign up shows this key, or signed with it."""
        self._halfway = None
        only_modern_signatures(key)
        self._proof = Shown(key)

    def key_shown(self) -> asyncssh.SSHKey | None:
        """The key that signed for somebody who wants to sign up; None: they came without."""
        proof, self._proof = self._proof, None
        return proof.key if isinstance(proof, Shown) else None

    async def complete(self, name: str) -> User:
        """The user that this connection now is; `name` is the one the sign-in was completed with.

        Raises:
            Refused: the account was disabled or the key removed meanwhile.
        """
        proof, self._proof = self._proof, None
        user = await self._undisturbed(self._user_of(proof, name))
        self._tally.count("ssh_auth_attempts", self.method or "", "ok")
        return user

    async def _delay(self, name: str) -> None:
        if (wait_s := self._delays.wait_s(name)) > 0:
            self._tally.count("ssh_limits", "password_delay")
            await asyncio.sleep(wait_s)

    def _only_by_key(self, user: User) -> bool:
        if is_so := only_by_key(user, self.ip, self._accounts.config.admin_passwords):
            log.warning("admin_password_from_outside", ip=self.ip, user=user.name, why="by key only from there")
        return is_so

    async def _with_password(self, name: str, password: str) -> tuple[User, bool]:
        """Whose password it is, and whether they have a second factor."""
        user = await self._accounts.with_password(name, password)
        return user, (await self._second.of(user)).is_on

    async def _refuse(self, method: Method, answer_at: float) -> bool:
        """Say no, and not before its time."""
        self._first_wrong_at = self._first_wrong_at or time.monotonic()
        self._tally.count("ssh_auth_attempts", method, "failed")
        await asyncio.sleep(answer_at - time.monotonic())
        return False

    async def _user_of(self, proof: Signature | Password | Shown | None, name: str) -> User:
        match proof:
            case Signature(name=proven) if proven == name:
                self.method = "publickey"
                self.fingerprint = proof.fingerprint
                user = await self._accounts.with_key(name, proof.fingerprint)
            case Password(user=user) if user.name == name:
                self.method, self.gave_code = proof.method, proof.with_code
            case _:
                raise Refused("nothing was proved: sign in again")
        await self._accounts.seen(user)
        return user

    async def _undisturbed(self, check: Coroutine[Any, Any, T]) -> T:
        try:
            await self._free.acquire()
        except asyncio.CancelledError:
            check.close()
            raise
        task = asyncio.get_running_loop().create_task(check, name="sign-in check")
        self._under_way.add(task)
        task.add_done_callback(self._checked)
        return await asyncio.shield(task)

    def _checked(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        self._free.release()
        if not task.cancelled():
            task.exception()  # whoever asked may not wait for it any more

"""The passwords and codes that a visitor tries, and what came of them: every door lets in by the same rules.

Each check leaves its proof as its very last act; whatever else was asked before or after in the same visit has left
another proof or none.

A client may also withdraw a request at any moment. What was begun is finished all the same, one check at a time: a
query that is cut off costs the database a connection, and a cut-off hash is computed anyway.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import structlog

from uuutorrent.accounts import Accounts, Waits
from uuutorrent.config import Ssh
from uuutorrent.delays import Delays
from uuutorrent.errors import Refused, RemoteError
from uuutorrent.passwords import Crowded
from uuutorrent.penalties import Offence
from uuutorrent.presence import only_by_key
from uuutorrent.secondfactors import SecondFactors
from uuutorrent.tally import Tally
from uuutorrent.users import User, can_be_named

log = structlog.get_logger()

T = TypeVar("T")
Method = Literal["publickey", "password", "keyboard-interactive", "browser"]
"""How somebody signs in: at the port by SSH's own names."""
Door = Literal["ssh", "browser"]
"""Whose figures it goes into."""
LONGEST_NAME = 64
"""Characters of a user name that go into the log."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that did not work, or was not waited for."""

    method: Method
    name: str

    @property
    def offence(self) -> Offence:
        """What it costs its source."""
        return Offence.WRONG if can_be_named(self.name) else Offence.UNKNOWN


@dataclass(frozen=True, slots=True)
class Password:
    """What a right password proved."""

    user: User
    method: Method
    with_code: bool = False
    """A code of the second factor came after it."""


class Tries:
    """The tries of one visitor."""

    def __init__(
        self,
        accounts: Accounts,
        second: SecondFactors,
        tally: Tally,
        limits: Ssh,
        delays: Delays,
        *,
        door: Door,
        under_way: set[asyncio.Task[Any]],
    ) -> None:
        self._accounts = accounts
        self._second = second
        self._delays = delays
        self._under_way = under_way
        self._free = asyncio.Lock()
        self._tally = tally
        self._door = door
        self._tries = self._tries_left = limits.password_tries
        self._refusal_s = limits.refusal_s
        self._proof: object = None
        """What was proved last: a `Password`, or what else its door takes."""
        self._halfway: User | None = None
        """Who gave the right password, and has yet to give a code."""
        self.method: Method | None = None
        """How the user signed in."""
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

    def awaits_code(self, name: str) -> bool:
        """Whether this name's right password was given just now, and a code of their second factor is to follow."""
        return self._halfway is not None and self._halfway.name == name

    def begins_anew(self) -> None:
        """A client asks to be asked from the beginning: its next answer is a password again."""
        self._forget()

    async def password(self, name: str, password: str, method: Method) -> bool:
        """Whether this is all it takes to sign the user in. A try counts when it begins, so that tries side by side all
        count.

        Where a second factor is asked for, see `awaits_code`; a password sent by itself is no use then.

        Raises:
            Crowded, RemoteError: it could not be looked at.
            Waits: it is right, and an admin has to say yes first.
        """
        self._forget()
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
                self._tally.count(f"{self._door}_limits", "password_checks")
            self.last_failure = before
            self._count(method, "trouble")
            raise
        except Refused:
            self._delays.failed(name)
            return await self._refuse(method, answer_at)
        if self._only_by_key(user):
            self._delays.failed(name)
            return await self._refuse(method, answer_at)
        if asks_code and method == "password":
            return await self._refuse(method, answer_at)
        self._delays.succeeded(name)
        if asks_code:
            self._tries_left += 1
            self._halfway = user
            return False
        self._proof = Password(user, method)
        return True

    async def code(self, name: str, code: str, method: Method) -> bool:
        """Whether this is a code of the second factor of whoever gave the right password before.

        Raises:
            Refused: too many codes were wrong.
            RemoteError: it could not be looked at.
        """
        user = self._halfway
        self._forget()
        if user is None or user.name != name or self.out_of_tries:
            return False
        self._tries_left -= 1
        before, self.last_failure = self.last_failure, Attempt(method, name)
        answer_at = time.monotonic() + self._refusal_s
        try:
            is_right = await self._undisturbed(self._second.proves(replace(user, ip=self.ip), code))
        except RemoteError:  # our trouble, not a wrong code
            self.last_failure = before
            self._count(method, "trouble")
            raise
        if not is_right:
            return await self._refuse(method, answer_at)
        self._proof = Password(user, method, with_code=True)
        return True

    async def complete(self, name: str) -> User:
        """The user that this visitor now is; `name` is the one the sign-in was completed with.

        Raises:
            Refused: the account was disabled or the key removed meanwhile.
        """
        proof, self._proof = self._proof, None
        user = await self._undisturbed(self._seen(proof, name))
        self._count(self.method, "ok")
        return user

    def _count(self, method: Method | None, outcome: str) -> None:
        labels = (method or "", outcome) if self._door == "ssh" else (outcome,)
        self._tally.count(f"{self._door}_auth_attempts", *labels)

    async def _delay(self, name: str) -> None:
        if (wait_s := self._delays.wait_s(name)) > 0:
            self._tally.count(f"{self._door}_limits", "password_delay")
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
        self._count(method, "failed")
        await asyncio.sleep(answer_at - time.monotonic())
        return False

    async def _seen(self, proof: object, name: str) -> User:
        user = await self._user_of(proof, name)
        await self._accounts.seen(user)
        return user

    async def _user_of(self, proof: object, name: str) -> User:
        """Whom it proves to be there, if that is who signs in.

        Raises:
            Refused: nobody.
        """
        if not isinstance(proof, Password) or proof.user.name != name:
            raise Refused("nothing was proved: sign in again")
        self.method, self.gave_code = proof.method, proof.with_code
        return proof.user

    def _forget(self) -> None:
        """What was proved before does not count any more."""
        self._proof = self._halfway = None

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


def printable(name: str) -> str:
    """A user name as the log can take it: what a client sent must not look like more than a name."""
    return re.sub(r"[^\x21-\x7e]", "?", name[:LONGEST_NAME])

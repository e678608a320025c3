"""What people do with their second factor: set it up, prove it, lose it. The words of `factors`, held to one user."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from uuutorrent import audit, factors
from uuutorrent.accounts import Accounts, Admin, Authority, User, UserId, hold
from uuutorrent.errors import Invalid, Refused, RemoteError
from uuutorrent.factors import WRONG, Begun, Factor, Proof, StepUp
from uuutorrent.presence import Here
from uuutorrent.store import onlooking
from uuutorrent.store.database import SYSTEM, Database
from uuutorrent.store.sealed import KeyRing

__all__ = ["Begun", "Factor", "Proof", "SecondFactors", "StepUp", "reset"]

WRONG_CODES = 5
FORGOTTEN_S = 600.0
"""So many wrong codes in so long, and none is looked at until that time is over. Only who is signed in, or gave the
right password, gets as far as this: strangers cannot lock anybody out by it."""


class SecondFactors:
    """Everybody's second factors."""

    def __init__(
        self, database: Database, keyring: KeyRing, accounts: Accounts, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._accounts = accounts
        self._clock = clock
        self._wrong: dict[UserId, list[float]] = {}
        self._of_commands: dict[tuple[UserId, str, str], Proof] = {}
        """By who, the key that signed, and the address it signed at."""

    async def of(self, user: User) -> Factor:
        """Whether this user has one."""
        async with self._database.begin(user.id) as tx:
            return await factors.of(tx, user.id)

    async def is_due(self, user: User) -> bool:
        """Whether this user has to set one up before anything else."""
        needed = self._accounts.config.second_factor
        if needed == "optional" or (needed == "admins" and not user.is_admin):
            return False
        return not (await self.of(user)).is_on

    async def begin(self, user: User) -> Begun:
        """Make a secret for an app; nothing asks for it before `confirm`.

        Raises:
            Conflict: they have one.
        """
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            return await factors.begin(tx, self._keyring, user.id, user.name)

    async def confirm(self, user: User, code: str, proof: Proof) -> tuple[str, ...]:
        """Switch it on with a first code; the recovery codes, to be shown once. It proves it for this session too.

        Raises:
            Missing: it was not begun.
            Conflict: it is on.
            Invalid: the code is wrong.
            Refused: too many codes were wrong.
        """
        with self._guess(user):
            async with self._database.begin(user.id) as tx:
                await hold(tx, user)
                codes = await factors.confirm(tx, self._keyring, user.id, code)
                audit.note(tx, user, "factor on", user.name)
        self._wrong.pop(user.id, None)
        proof.given()
        return codes

    async def proves(self, user: User, code: str) -> bool:
        """Whether a code of the app, or one for recovery, is right; it is used up by that.

        Raises:
            Refused: too many were wrong.
        """
        with self._guess(user):
            async with self._database.begin(user.id) as tx:
                await hold(tx, user)
                is_right = await factors.prove(tx, self._keyring, user.id, code)
                audit.note(tx, user, "code", user.name, outcome=audit.OK if is_right else audit.FAILED)
        if is_right:
            self._wrong.pop(user.id, None)
        return is_right

    async def step_up(self, user: User, code: str, proof: Proof) -> None:
        """Prove it within a session.

        Raises:
            Invalid: the code is wrong, or there is no second factor.
            Refused: too many were wrong.
        """
        if not await self.proves(user, code):
            raise Invalid(WRONG, field="code")
        proof.given()

    async def step_up_commands(self, here: Here, code: str) -> None:
        """Prove it for this session, and for the commands that come with the same key from the same address.

        Each command is a connection of its own, which nothing could be proved in beforehand.

        Raises:
            Invalid, Refused: as `step_up`.
        """
        proof = Proof()
        await self.step_up(replace(here.user, ip=here.ip), code, proof)
        here.proof.given()
        if here.fingerprint is not None:
            kept = {key: one for key, one in self._of_commands.items() if one.is_fresh()}
            self._of_commands = {**kept, (here.user.id, here.fingerprint, here.ip): proof}

    def of_commands(self, here: Here) -> Proof:
        """What a command in this session may go by: what was proved in it, or before it in the same place."""
        before = self._of_commands.get((here.user.id, here.fingerprint or "", here.ip))
        return here.proof if before is None or here.proof.is_fresh() else before

    async def renew(self, user: User, code: str, proof: Proof) -> tuple[str, ...]:
        """New recovery codes in place of those that are left, to be shown once.

        Raises:
            Invalid, Refused: as `step_up`.
        """
        await self.step_up(user, code, proof)
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            audit.note(tx, user, "factor codes", user.name)
            return await factors.renew(tx, user.id)

    async def remove(self, user: User, code: str, proof: Proof) -> None:
        """Switch it off.

        Raises:
            Invalid, Refused: as `step_up`.
        """
        await self.step_up(user, code, proof)
        async with self._database.begin(user.id) as tx:
            await hold(tx, user)
            await factors.remove(tx, user.id)
            audit.note(tx, user, "factor off", user.name)

    async def reset(self, by: Authority, name: str) -> None:
        """Switch off somebody's who lost it; see `reset`."""
        await reset(self._database, self._accounts, by, name)

    @contextmanager
    def _guess(self, user: User) -> Iterator[None]:
        """Around looking at a code. It counts as wrong from its beginning, so that guesses side by side all count."""
        onlooking.refuse()  # who only looks would guess at somebody's codes, and use up their tries
        now = self._clock()
        lately = [at for at in self._wrong.get(user.id, ()) if at > now - FORGOTTEN_S]
        if len(lately) >= WRONG_CODES:
            raise Refused("too many wrong codes: try again in ten minutes")
        self._wrong[user.id] = [*lately, now]
        try:
            yield
        except RemoteError:  # our trouble, not a wrong code
            self._wrong[user.id] = [at for at in self._wrong.get(user.id, ()) if at != now]
            raise


async def reset(database: Database, accounts: Accounts, by: Authority, name: str) -> None:
    """Switch off the second factor of somebody who lost it.

    Raises:
        Missing: there is no such user, or they have none.
        Refused: `by` is no admin any more.
    """
    user = await accounts.by_name(name)
    async with database.begin(SYSTEM) as tx:
        if isinstance(by, Admin) and not (await hold(tx, by.user)).is_admin:
            raise Refused("only admins may do that")
        await factors.remove(tx, user.id)
        audit.note(tx, by, "users unfactor", name)

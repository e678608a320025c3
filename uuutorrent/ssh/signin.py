"""How one connection gets from nobody to a user: tries are counted, and only what proved itself becomes an identity.

asyncssh asks about a key twice, once when a client only shows it and once when it has signed, and a client may change
its user name and method between any two requests. So nothing that is asked about is an identity. Each check leaves its
proof as its very last act, with no pause between that and asyncssh's `auth_completed`, which takes it; whatever else
was asked before or after on the same connection has left another proof or none.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import asyncssh

from uuutorrent.accounts import Accounts
from uuutorrent.config import Ssh
from uuutorrent.delays import Delays
from uuutorrent.secondfactors import SecondFactors
from uuutorrent.ssh.algorithms import only_modern_signatures
from uuutorrent.tally import Tally
from uuutorrent.tries import Attempt, Tries
from uuutorrent.users import User


@dataclass(frozen=True, slots=True)
class Signature:
    """What a key proves once asyncssh has verified its signature."""

    name: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Shown:
    """The key that somebody came with who wants to sign up: it proves nothing but that they have it."""

    key: asyncssh.SSHKey


class SignIn(Tries):
    """The tries of one connection, keys among them, and what came of them."""

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
        super().__init__(accounts, second, tally, limits, delays, door="ssh", under_way=under_way)
        self._keys_left = limits.key_tries
        self.fingerprint: str | None = None
        """Of the key that signed; None: a password did."""

    @property
    def out_of_keys(self) -> bool:
        """No key will be looked at any more: hang up."""
        return self._keys_left <= 0

    async def key(self, name: str, key: asyncssh.SSHKey) -> bool:
        """Whether a signature by this key would sign the user in. asyncssh verifies the signature, if there is one."""
        self._forget()
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
        self._forget()
        only_modern_signatures(key)
        self._proof = Shown(key)

    def key_shown(self) -> asyncssh.SSHKey | None:
        """The key that signed for somebody who wants to sign up; None: they came without."""
        proof, self._proof = self._proof, None
        return proof.key if isinstance(proof, Shown) else None

    async def _user_of(self, proof: object, name: str) -> User:
        if not isinstance(proof, Signature) or proof.name != name:
            return await super()._user_of(proof, name)
        self.method, self.fingerprint = "publickey", proof.fingerprint
        return await self._accounts.with_key(name, proof.fingerprint)

"""The entrance of a connection: what a client may try in order to sign in, and what it is told when that fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import asyncssh
import structlog

from uuutorrent.errors import RemoteError, UuuError
from uuutorrent.passwords import Crowded
from uuutorrent.penalties import OnlyKeys, Source
from uuutorrent.ssh.guests import Guests
from uuutorrent.ssh.signin import SignIn
from uuutorrent.tries import Method

log = structlog.get_logger()

CLOSING = "the server is restarting: come back in a minute"
BROKE = "something broke on the server while you signed in; it was logged"
TOO_MANY = "too many wrong passwords: connect again"
TOO_MANY_KEYS = "too many keys that are not yours here: name the right one with ssh -i"

Challenge = tuple[str, str, str, Sequence[tuple[str, bool]]]
"""Name, instruction, language and the prompts, each with whether its answer is echoed. Source: RFC 4256, 3.2."""
ASK_PASSWORD: Challenge = ("", "", "en-US", (("Password: ", False),))
ASK_CODE: Challenge = ("", "", "en-US", (("Code of your app, or a recovery code: ", True),))


class Entrance(asyncssh.SSHServer):
    """Told by asyncssh how a client wants to sign in. Nobody is in before `auth_completed`."""

    def __init__(self, guests: Guests) -> None:
        services = guests.services
        self._guests = guests
        self._limits = services.config.ssh
        self._signin = SignIn(
            services.accounts,
            services.second_factors,
            services.tally,
            self._limits,
            guests.delays,
            under_way=guests.checks,
        )
        self._conn: asyncssh.SSHServerConnection | None = None
        self._address: tuple[str, int] = ("", 0)
        self._source = Source("")
        self._asked_name = ""
        """Whom the client last asked to be."""
        self._trouble = ""
        """What ended the signing in, in words for who signs in."""
        self._is_ours = False
        """It was trouble here, not there."""

    def begin_auth(self, username: str) -> bool:
        """Everybody signs in, whatever name they begin with; nobody while the server closes."""
        if self._guests.closing:
            raise asyncssh.DisconnectError(asyncssh.DISC_SERVICE_NOT_AVAILABLE, CLOSING)
        self._asked_name = username
        return True

    def public_key_auth_supported(self) -> bool:
        """Keys are taken."""
        return True

    def password_auth_supported(self) -> bool:
        """Passwords are taken, if they are at all; who comes to sign up has none."""
        return self._limits.passwords and not self._guests.joiners.expects(self._asked_name)

    def kbdint_auth_supported(self) -> bool:
        """Passwords are asked for as well, and who comes to sign up is asked for nothing."""
        return self._limits.passwords or self._guests.joiners.expects(self._asked_name)

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Asked for a key that is shown and for one that signed; neither makes an identity yet."""
        if self._guests.joiners.expects(username):
            self._signin.comes_with(key)
            return True
        with self._told():
            if await self._signin.key(username, key):
                return True
        if self._signin.out_of_keys:
            raise asyncssh.DisconnectError(asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, TOO_MANY_KEYS)
        return False

    async def validate_password(self, username: str, password: str) -> bool:
        """A password sent by itself."""
        return await self._password(username, password, "password")

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Challenge | bool:
        """The first question; none is asked of who comes to sign up."""
        self._signin.begins_anew()
        if self._guests.joiners.expects(username):
            return True
        return ASK_PASSWORD

    async def validate_kbdint_response(self, username: str, responses: Sequence[str]) -> bool | Challenge:
        """A password that was asked for, or the code that was asked for after it."""
        answer = responses[0] if len(responses) == 1 else ""
        if self._signin.awaits_code(username):
            return await self._code(username, answer)
        if await self._password(username, answer, "keyboard-interactive"):
            return True
        return ASK_CODE if self._signin.awaits_code(username) else False

    async def _password(self, name: str, password: str, method: Method) -> bool:
        with self._told():
            self._check_source()
            if await self._signin.password(name, password, method):
                return True
        self._check_tries()
        return False

    async def _code(self, name: str, code: str) -> bool:
        with self._told():
            if await self._signin.code(name, code, "keyboard-interactive"):
                return True
        self._check_tries()
        return False

    def _check_source(self) -> None:
        try:
            self._guests.services.penalties.check_password(self._source)
        except OnlyKeys:
            self._limit("source_passwords")
            raise

    def _check_tries(self) -> None:
        if self._signin.out_of_tries:
            raise asyncssh.DisconnectError(asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, TOO_MANY)

    def _limit(self, which: str) -> None:
        self._guests.services.tally.count("ssh_limits", which)

    def _where(self) -> dict[str, str | int]:
        return {"ip": self._address[0], "port": self._address[1]}

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What goes wrong here while signing in ends the connection with a sentence; asyncssh would give none."""
        try:
            yield
        except UuuError as e:
            self._trouble, self._is_ours = e.message, isinstance(e, Crowded | OnlyKeys | RemoteError)
            raise asyncssh.DisconnectError(asyncssh.DISC_SERVICE_NOT_AVAILABLE, e.message) from e
        except Exception as e:  # the outermost handler of signing in
            log.exception("sign_in_crashed")
            self._trouble, self._is_ours = BROKE, True
            raise asyncssh.DisconnectError(asyncssh.DISC_BY_APPLICATION, BROKE) from e

"""Who is here now: every connection of somebody who signed in, from where and how, what is open in it, and its end.

It is known by the daemon that they are connected to, for as long as they are; nothing of it is stored.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network

from uuutorrent.audit import clean
from uuutorrent.errors import Conflict, Invalid, Missing
from uuutorrent.factors import Proof
from uuutorrent.store import onlooking
from uuutorrent.users import Admin, SignedIn, User, UserId

ENDED = "this session was ended from another one of yours"
ENDED_BY_ADMIN = "an admin ended this session"
GONE = "your account is disabled or gone; ask an admin"
KEY_GONE = "the key you came with was removed, or your account is disabled or gone; ask an admin"
ROLE_CHANGED = "your role was changed: sign in again"
PASSWORD_RESET = "an admin gave you a new password: sign in with it"  # noqa: S105 - a sentence

LONGEST_MESSAGE = 300

_INSIDE = tuple(
    ip_network(network)
    for network in (
        "127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "169.254.0.0/16",
        "fe80::/10",
    )
)  # fmt: skip
"""This machine and private networks. Source: RFC 1122, 1918, 3927, 4193, 4291. Not 100.64.0.0/10 (RFC 6598): the
customers of one carrier share it, and they are strangers."""


def is_inside(ip: str) -> bool:
    """Whether an address is of this machine or of a private network; what is no address is not."""
    try:
        address = ip_address(ip.partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if address.version == 6 else None
    return any((mapped or address) in network for network in _INSIDE)


def said_by_admins(text: str) -> str:
    """A message as it is shown: one line, with nothing in it that a terminal would obey.

    Raises:
        Invalid: there is nothing to say, or too much.
    """
    said = clean(" ".join(text.split()), LONGEST_MESSAGE + 1)
    if not said or len(said) > LONGEST_MESSAGE:
        raise Invalid(f"a message has 1 to {LONGEST_MESSAGE} characters", field="text")
    return said


def only_by_key(user: User, ip: str, admin_passwords: str) -> bool:
    """Whether this user may not sign in with a password from there. A one-time password is taken from anywhere: it is
    how an admin comes in first, and it has to be changed at once."""
    return admin_passwords == "inside" and user.is_admin and not user.password_expired and not is_inside(ip)


def outstays(how: SignedIn, then: User, now: User | None) -> str:
    """Why whoever came so, and was `then` when they did, has to go, if they have to; `now` is who they are by now."""
    if now is None:
        return gone(how)
    if now.role != then.role:
        return ROLE_CHANGED
    return PASSWORD_RESET if now.password_expired and not then.password_expired else ""


def gone(how: SignedIn) -> str:
    """What somebody is told who came so and could not come so again."""
    return KEY_GONE if how.fingerprint else GONE


@dataclass(frozen=True, slots=True)
class Activity:
    """What a connection does: the doors open in it, and the bytes that went each way."""

    doors: tuple[str, ...] = ()
    sent: int = 0
    received: int = 0


def _nothing() -> Activity:
    return Activity()


def _nobody(_sentence: str) -> None:
    """There is nothing to hang up."""


def _unheard(_sentence: str) -> bool:
    """There is no screen."""
    return False


@dataclass(eq=False, slots=True)
class Here:
    """One connection of somebody who signed in. What is proved in it opens nothing elsewhere."""

    user: User
    ip: str = ""
    method: str = ""
    """publickey, password, keyboard-interactive or browser."""
    fingerprint: str | None = None
    """Of the key that signed; None: a password did."""
    activity: Callable[[], Activity] = _nothing
    hang_up: Callable[[str], None] = _nobody
    """End it; the person is told the sentence."""
    say: Callable[[str], bool] = _unheard
    """Show a sentence of the admins' on every screen that is open in it; False: none is."""
    proof: Proof = field(default_factory=Proof)
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    id: int = 0
    """0: it is not in the list."""


class Presence:
    """Everybody who is connected to this daemon."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._here: dict[int, Here] = {}

    def came(self, here: Here) -> None:
        """One more; it is given its id."""
        here.id = next(self._ids)
        self._here[here.id] = here

    def left(self, here: Here) -> None:
        """One less."""
        self._here.pop(here.id, None)

    def of(self, user: User) -> tuple[Here, ...]:
        """The user's connections, oldest first."""
        return tuple(here for here in self._here.values() if here.user.id == user.id)

    def every(self, by: Admin) -> tuple[Here, ...]:
        """Everybody's connections, oldest first."""
        return tuple(self._here.values())

    def end(self, here: Here, which: int) -> None:
        """End another connection of whoever is `here`.

        Raises:
            Missing: they have no such connection.
            Conflict: it is the one they ask in.
            Refused: they only look who ask for it.
        """
        onlooking.refuse()
        other = self._here.get(which)
        if other is None or other.user.id != here.user.id:
            raise Missing(f"you have no session {which}: sessions lists those you have")
        if other is here:
            raise Conflict("that is the session you are in: just leave it")
        other.hang_up(ENDED)

    def end_others(self, here: Here) -> int:
        """End every connection of whoever is `here` but this one; says how many that were.

        Raises:
            Refused: they only look who ask for it.
        """
        onlooking.refuse()
        others = [other for other in self.of(here.user) if other is not here]
        for other in others:
            other.hang_up(ENDED)
        return len(others)

    def end_for(self, by: Admin, which: int) -> Here:
        """End anybody's connection, and say whose it was.

        Raises:
            Missing: there is no such connection.
        """
        if (here := self._here.get(which)) is None:
            raise Missing(f"there is no session {which}")
        here.hang_up(ENDED_BY_ADMIN)
        return here

    def message(self, by: Admin, text: str, which: int | None = None) -> tuple[Here, ...]:
        """Say something to whoever sits at the screens of a connection, or of all (None); those that it was said to.

        Raises:
            Invalid: there is nothing to say, or too much.
            Missing: there is no such connection.
            Conflict: nobody sits at a screen there.
        """
        said = said_by_admins(text)
        if which is None:
            told = tuple(here for here in tuple(self._here.values()) if here.say(said))
            if not told:
                raise Conflict("nobody sits at a screen just now")
            return told
        if (here := self._here.get(which)) is None:
            raise Missing(f"there is no session {which}")
        if not here.say(said):
            doors = ", ".join(here.activity().doors) or "nothing"
            raise Conflict(f"nobody sits at a screen in session {which}: open there is {doors}")
        return (here,)

    def gone(self, user_id: UserId, sentence: str, *, but: Here | None = None) -> None:
        """End every connection of somebody who may not be here any more."""
        for here in tuple(self._here.values()):
            if here.user.id == user_id and here is not but:
                here.hang_up(sentence)

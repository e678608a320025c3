"""Who is who: the values that stand for people and for what they may do, and how people can be named.

Everybody else takes these from `accounts`, which alone makes them from what is stored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

from uuutorrent.errors import Invalid

UserId = NewType("UserId", int)

ROLES = ("user", "admin")
FIRST_ADMIN = "admin"
"""Who is made at the first start."""
RESERVED = frozenset(
    {"all", "everyone", "guest", "invite", "join", "me", "new", "nobody", "operator", "root", "signup"}
)
"""Names with a meaning of their own, here or on the machine."""
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class User:
    """Somebody signed in."""

    id: UserId
    name: str
    role: str
    """"user" or "admin"."""
    password_expired: bool = False
    """They signed in with a one-time password and must choose another."""
    ip: str = field(default="", compare=False)
    """Where they are, for those at a desk."""

    @property
    def is_admin(self) -> bool:
        """What to show; `Accounts.admin` decides what is allowed."""
        return self.role == "admin"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """How somebody came to be here: who they are, and the key that signed; None: a password did."""

    id: UserId
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class Admin:
    """Proof that a user's role was checked. Only `Accounts.admin` makes one."""

    user: User


@dataclass(frozen=True, slots=True)
class Operator:
    """The person at the machine. Whoever can open the database can do anything to it, so nothing more is checked."""


Authority = Admin | Operator


@dataclass(frozen=True, slots=True)
class UserInfo:
    """A user as admins see them."""

    user: User
    has_password: bool
    keys: int
    created_at: datetime
    last_seen_at: datetime | None
    disabled_at: datetime | None
    awaits_approval: bool = False
    """They signed up by themselves, and no admin has said yes."""


def check_name(name: str) -> None:
    """Check that a new user can be called so.

    Raises:
        Invalid: with the rule.
    """
    check_shape(name)
    if name in RESERVED:
        raise Invalid(f"the name {name} is reserved: choose another", field="name")


def check_shape(name: str) -> None:
    """Check that a name looks like one; it may be reserved or taken.

    Raises:
        Invalid: with the rule.
    """
    if not _NAME.fullmatch(name):
        raise Invalid(
            "a user name is 1 to 32 characters of a-z, 0-9, _ and -, and begins with a letter",
            field="name",
        )


def can_be_named(name: str) -> bool:
    """Whether somebody could have this name."""
    return _NAME.fullmatch(name) is not None and name not in RESERVED


def check_role(role: str) -> None:
    """Check that there is such a role.

    Raises:
        Invalid: there is not.
    """
    if role not in ROLES:
        raise Invalid("a role is user or admin", field="role")

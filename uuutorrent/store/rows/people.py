"""People, how they sign in, and what they watch."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Table, Text
from sqlalchemy.orm import Mapped, mapped_column

from uuutorrent.store import appendonly
from uuutorrent.store.rows.base import Base, user_id


class UserRow(Base):
    """A person. Owner: people."""

    __tablename__ = "users"
    # SQLite gives a deleted user's id to the next one otherwise, and a session may still hold the old.
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(32), unique=True)
    role: Mapped[str] = mapped_column(String(8))
    """"user" or "admin"."""
    password_hash: Mapped[str | None] = mapped_column(String(100))
    password_expired: Mapped[bool] = mapped_column(default=False)
    """A one-time password: it must be changed at the next sign-in."""
    awaits_approval: Mapped[bool] = mapped_column(default=False)
    """They signed up by themselves, and no admin has said yes."""
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]


class KeyRow(Base):
    """A public key that signs its user in. Owner: keys."""

    __tablename__ = "keys"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = user_id(index=True)
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA256:…, as `ssh-keygen -l` prints it. A key belongs to one user."""
    public_key: Mapped[str] = mapped_column(Text)
    comment: Mapped[str] = mapped_column(String(200))
    added_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class FactorRow(Base):
    """A user's second factor: codes that an app shows. Owner: factors."""

    __tablename__ = "factors"
    user_id: Mapped[int] = user_id(primary_key=True)
    sealed_secret: Mapped[str] = mapped_column(Text)
    last_step: Mapped[int] = mapped_column(default=0)
    """The time step of the last code that was taken: no code is taken twice."""
    recovery: Mapped[list[str]] = mapped_column(JSON, default=list)
    """SHA-256 of each recovery code that is left."""
    made_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    """When the first code was typed; until then it asks nobody."""


class InviteRow(Base):
    """A code that lets somebody make an account. Owner: invites."""

    __tablename__ = "invites"
    id: Mapped[int] = mapped_column(primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA-256 in hex: the code itself is shown once and kept nowhere."""
    made_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(8))
    quota_bytes: Mapped[int | None]
    """Of who comes with it; None: as configured; 0: no limit."""
    note: Mapped[str] = mapped_column(Text, default="")
    """Whom it is for, for admins."""
    uses_left: Mapped[int]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class LimitRow(Base):
    """What an admin settled for one user; None: as configured; 0: no limit. Owner: limits."""

    __tablename__ = "limits"
    user_id: Mapped[int] = user_id(primary_key=True)
    bytes: Mapped[int | None]
    """Disk they may claim."""
    torrents: Mapped[int | None]
    """Torrents they may claim."""
    active: Mapped[int | None]
    """Downloads that may run at the same time."""
    month_bytes: Mapped[int | None]
    """What the file doors may serve them in a month."""
    bps: Mapped[int | None]
    """How fast the file doors serve them, in bytes/s."""


class EgressRow(Base):
    """What the file doors served a user in a month. Owner: limits."""

    __tablename__ = "egress"
    user_id: Mapped[int] = user_id(primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    """2026-11, in UTC."""
    bytes: Mapped[int] = mapped_column(default=0)


class AuditRow(Base):
    """Something that was done, or tried: by whom, from where, on what, and how it ended. Owner: audit.

    It names people as they were, and outlives them; so it refers to nobody.
    """

    __tablename__ = "audit"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    who_id: Mapped[int | None]
    """None: nobody who is in."""
    who: Mapped[str] = mapped_column(String(64))
    """Their name; operator: the person at the machine; empty: nobody knows."""
    source: Mapped[str] = mapped_column(String(64))
    """The address they came from; empty: the machine itself."""
    act: Mapped[str] = mapped_column(String(64))
    target: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(String(16))
    """ok, refused or failed."""
    detail: Mapped[str] = mapped_column(Text)


if isinstance(AuditRow.__table__, Table):
    appendonly.protect(AuditRow.__table__)


class LinkRow(Base):
    """A user's AniList account. Owner: anime.links."""

    __tablename__ = "links"
    user_id: Mapped[int] = user_id(primary_key=True)
    anilist_id: Mapped[int]
    anilist_name: Mapped[str] = mapped_column(String(100))
    sealed_token: Mapped[str] = mapped_column(Text)
    linked_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    broken_at: Mapped[datetime | None]
    """AniList said the token is not valid any more."""


class EntryRow(Base):
    """One show on a local watchlist. Owner: anime.local."""

    __tablename__ = "entries"
    user_id: Mapped[int] = user_id(primary_key=True)
    media_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    status: Mapped[str] = mapped_column(String(16))
    progress: Mapped[int]
    updated_at: Mapped[datetime]


class LastListRow(Base):
    """The last good answer for a user's list, shown (as stale) while AniList is away. Owner: anime.lastlists."""

    __tablename__ = "last_lists"
    user_id: Mapped[int] = user_id(primary_key=True)
    status: Mapped[str] = mapped_column(String(16), primary_key=True)
    fetched_at: Mapped[datetime]
    answer: Mapped[list[dict[str, Any]]] = mapped_column(JSON)

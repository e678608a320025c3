"""Feeds, rules for them, and what was taken."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from uuutorrent.store.rows.base import Base, user_id


class FeedRow(Base):
    """An RSS or Atom feed that some rule follows, and how its last polls went. Owner: automation.feeds.rulebook."""

    __tablename__ = "feeds"
    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    """Of its address: rules with the same one share its polls."""
    sealed_url: Mapped[str] = mapped_column(Text)
    """Addresses of private trackers carry their user's passkey."""
    etag: Mapped[str] = mapped_column(Text, default="")
    modified: Mapped[str] = mapped_column(Text, default="")
    """What it said of its version, to be asked only for a newer one."""
    polled_at: Mapped[datetime | None]
    """When it last answered."""
    next_at: Mapped[datetime]
    failures: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(Text, default="")
    leased_until: Mapped[datetime | None]
    """A daemon is polling it; a second one leaves it alone until then."""


class RuleRow(Base):
    """A person's rule for a feed. Owner: automation.feeds.rulebook."""

    __tablename__ = "rules"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = user_id(index=True)
    feed_id: Mapped[int] = mapped_column(ForeignKey("feeds.id", ondelete="CASCADE"), index=True)
    terms: Mapped[dict[str, Any]] = mapped_column(JSON)
    saving: Mapped[dict[str, Any]] = mapped_column(JSON)
    is_enabled: Mapped[bool] = mapped_column(default=True)
    error: Mapped[str] = mapped_column(Text, default="")
    """Why it could say nothing to what its feed held last, although the feed was read."""
    made_at: Mapped[datetime]


class TakingRow(Base):
    """An item of a feed that a rule took for its user, or tries to. Owner: automation.feeds.errands."""

    __tablename__ = "takings"
    __table_args__ = (Index("ix_takings_user_id_item", "user_id", "item", unique=True),)
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = user_id()
    rule_id: Mapped[int | None] = mapped_column(ForeignKey("rules.id", ondelete="SET NULL"), index=True)
    item: Mapped[str] = mapped_column(String(64))
    """A digest of what makes the item itself: it is taken once, whichever rule wanted it."""
    title: Mapped[str] = mapped_column(Text)
    sealed_link: Mapped[str] = mapped_column(Text)
    infohash: Mapped[str] = mapped_column(String(64), default="")
    media_id: Mapped[int | None]
    episode: Mapped[int | None]
    outcome: Mapped[str] = mapped_column(String(16), index=True)
    why: Mapped[str] = mapped_column(Text, default="")
    tries: Mapped[int] = mapped_column(default=0)
    try_at: Mapped[datetime]
    """Not to be tried before; whoever tries it moves this on first, so that nobody else does meanwhile."""
    at: Mapped[datetime]

"""What the house does by itself: whom it tells, what it is after, how downloads fare, what disk and line bear."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from uuutorrent.store.rows.base import Base, user_id


class PreferenceRow(Base):
    """What a user wants to happen by itself. Owner: automation.preferences."""

    __tablename__ = "preferences"
    user_id: Mapped[int] = user_id(primary_key=True)
    preferences: Mapped[dict[str, Any]] = mapped_column(JSON)


class ShowModeRow(Base):
    """What a user wants the autopilot to do for one anime. Owner: automation.autopilot.pursuits."""

    __tablename__ = "show_modes"
    user_id: Mapped[int] = user_id(primary_key=True)
    media_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    mode: Mapped[str] = mapped_column(String(8), default="")
    """"off", "ask", "on"; empty: as for all shows."""
    first_episode: Mapped[int | None]
    """Earlier ones had aired when the autopilot first saw the show: it takes them only if they were asked for."""


class PursuitRow(Base):
    """An episode that the autopilot is after for a user, or was. Owner: automation.autopilot.pursuits."""

    __tablename__ = "pursuits"
    # What a person was asked goes by the number: SQLite gives a forgotten one to the next otherwise.
    __table_args__ = (
        Index("ix_pursuits_user_id_media_id_episode", "user_id", "media_id", "episode", unique=True),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = user_id()
    media_id: Mapped[int]
    episode: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), index=True)
    infohash: Mapped[str] = mapped_column(String(64), default="")
    """Of the release that was offered or taken."""
    title: Mapped[str] = mapped_column(Text, default="")
    why: Mapped[str] = mapped_column(Text, default="")
    tries: Mapped[int] = mapped_column(default=0)
    try_at: Mapped[datetime]
    """Not to be looked for before; whoever looks moves this on first, so that nobody else does meanwhile."""
    at: Mapped[datetime]
    """While it is wanted: when it aired, or was asked for. After that: since when it is what it is."""
    asked: Mapped[bool] = mapped_column(default=False)
    """The person said that this one is to be taken: it is not offered again, and may come out of a batch."""
    replaces: Mapped[str] = mapped_column(String(64), default="")
    """The infohash of the earlier version whose place it is to take."""


class NoticeRow(Base):
    """Something a user should know, or has to choose. Owner: automation.inbox.inbox."""

    __tablename__ = "notices"
    # Whoever hands notices on remembers the last number: SQLite gives a deleted one to the next otherwise.
    __table_args__ = (
        Index("ix_notices_user_id_key", "user_id", "key", unique=True),
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = user_id()
    kind: Mapped[str] = mapped_column(String(16))
    key: Mapped[str] = mapped_column(String(200))
    """What it is about: the same thing is told once."""
    text: Mapped[str] = mapped_column(Text)
    media_id: Mapped[int | None]
    episode: Mapped[int | None]
    infohash: Mapped[str] = mapped_column(String(64), default="")
    choices: Mapped[list[str]] = mapped_column(JSON, default=list)
    answer: Mapped[str] = mapped_column(String(32), default="")
    at: Mapped[datetime]
    seen_at: Mapped[datetime | None]


class ChannelRow(Base):
    """Where a user is told things outside of here. Owner: automation.channels.channels."""

    __tablename__ = "channels"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = user_id(index=True)
    sealed_url: Mapped[str] = mapped_column(Text)
    """It carries tokens and passwords."""
    label: Mapped[str] = mapped_column(String(100))
    kinds: Mapped[list[str]] = mapped_column(JSON)
    digest_h: Mapped[int] = mapped_column(default=0)
    """Everything of so many hours in one message; 0: each as it comes."""
    is_enabled: Mapped[bool] = mapped_column(default=True)
    sent_to: Mapped[int] = mapped_column(default=0)
    """The last notice that was delivered, or did not need to be."""
    next_at: Mapped[datetime]
    failures: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(Text, default="")
    made_at: Mapped[datetime]


class ServedRow(Base):
    """A video that a user read to its end. Owner: automation.inbox.uses."""

    __tablename__ = "served"
    user_id: Mapped[int] = user_id(primary_key=True)
    infohash: Mapped[str] = mapped_column(String(64), primary_key=True)
    path: Mapped[str] = mapped_column(Text, primary_key=True)
    media_id: Mapped[int | None]
    episode: Mapped[int | None]
    at: Mapped[datetime]
    try_at: Mapped[datetime | None] = mapped_column(index=True)
    """When to see whether it was watched; whoever does moves this on first. None: that is settled."""


class ObservationRow(Base):
    """How a download looked over time. Owner: automation.health.observations."""

    __tablename__ = "observations"
    torrent_id: Mapped[int] = mapped_column(ForeignKey("torrents.id", ondelete="CASCADE"), primary_key=True)
    infohash: Mapped[str] = mapped_column(String(64))
    first_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    completed_bytes: Mapped[int]
    still_s: Mapped[float] = mapped_column(default=0.0)
    """For how long it got no byte although it should have."""
    seedless_s: Mapped[float] = mapped_column(default=0.0)
    phase: Mapped[str] = mapped_column(String(16))
    refusal: Mapped[str] = mapped_column(Text, default="")
    """What its trackers said when they did not know it."""
    looked: Mapped[str] = mapped_column(String(8), default="")
    """How far its content was looked into: "", "list", "content"."""
    trouble: Mapped[str] = mapped_column(Text, default="")
    """What was found wrong with its content."""
    verdict: Mapped[str] = mapped_column(String(16), index=True)
    cause: Mapped[str] = mapped_column(String(16), default="")
    why: Mapped[str] = mapped_column(Text, default="")
    since: Mapped[datetime]
    """Since when the verdict is what it is."""


class TreatmentRow(Base):
    """What is done about a download that does not do well. Owner: automation.health.treatments."""

    __tablename__ = "treatments"
    torrent_id: Mapped[int] = mapped_column(ForeignKey("torrents.id", ondelete="CASCADE"), primary_key=True)
    verdict: Mapped[str] = mapped_column(String(16))
    why: Mapped[str] = mapped_column(Text)
    step: Mapped[str] = mapped_column(String(16), index=True)
    step_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    try_at: Mapped[datetime]
    """Not to be gone on with before; whoever does moves this on first, so that nobody else does meanwhile."""
    least_bytes: Mapped[int] = mapped_column(default=0)
    """The fewest that were here since: more of them means that it recovered."""


class ReplacementRow(Base):
    """A torrent that took another's place, and what is needed to undo that. Owner: automation.health.replacing."""

    __tablename__ = "replacements"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = user_id(index=True)
    media_id: Mapped[int | None]
    episode: Mapped[int | None]
    old_infohash: Mapped[str] = mapped_column(String(64), index=True)
    old_title: Mapped[str] = mapped_column(Text)
    old_metainfo: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    old_magnet: Mapped[str | None] = mapped_column(Text)
    new_infohash: Mapped[str] = mapped_column(String(64), index=True)
    new_title: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16), index=True)
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class TimelineRow(Base):
    """One thing that happened to somebody's download. Owner: automation.health.timeline."""

    __tablename__ = "timeline"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = user_id(index=True)
    infohash: Mapped[str] = mapped_column(String(64), index=True)
    media_id: Mapped[int | None]
    episode: Mapped[int | None]
    step: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    block_id: Mapped[int | None]
    replacement_id: Mapped[int | None]
    """What this line can undo, within a day."""
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class PolicyRow(Base):
    """What an admin settled for one user's seeding; None: as configured. Owner: automation.upkeep.upkeep."""

    __tablename__ = "policies"
    user_id: Mapped[int] = user_id(primary_key=True)
    seed_ratio: Mapped[float | None]
    seed_minutes: Mapped[int | None]


class TrafficRow(Base):
    """Bytes that left the machine in a month. Owner: automation.upkeep.traffic."""

    __tablename__ = "traffic"
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    """2026-11, in UTC."""
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    """"sftp" or "seeding"."""
    bytes: Mapped[int]


class TrafficDayRow(Base):
    """Bytes that left the machine in a day. Owner: automation.upkeep.traffic."""

    __tablename__ = "traffic_days"
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    """2026-11-21, in UTC."""
    bytes: Mapped[int]


class MeterRow(Base):
    """A figure that must outlive the daemon. Owner: automation.upkeep.meters."""

    __tablename__ = "meters"
    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    """"uploaded": how far the engine's counter was read; "limit": its limit before it was slowed; "waiting": downloads
    wait for the disk."""
    value: Mapped[int]
    at: Mapped[datetime]

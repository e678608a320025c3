"""What people prefer among releases, and what is known of how they are numbered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from uuutorrent.store.rows.base import Base, user_id


class TasteRow(Base):
    """A user's preferences among releases. Owner: releases.tastes."""

    __tablename__ = "tastes"
    user_id: Mapped[int] = user_id(primary_key=True)
    taste: Mapped[dict[str, Any]] = mapped_column(JSON)


class ShowTasteRow(Base):
    """What a user prefers otherwise for one anime: only what differs from their taste. Owner: releases.tastes."""

    __tablename__ = "show_tastes"
    user_id: Mapped[int] = user_id(primary_key=True)
    media_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    taste: Mapped[dict[str, Any]] = mapped_column(JSON)


class CorrectionRow(Base):
    """What somebody said about an anime's releases; the answers tell who accepts it. Owner: releases.corrections."""

    __tablename__ = "corrections"
    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    """Of what it says: the same thing said twice is one row."""
    media_id: Mapped[int] = mapped_column(index=True)
    form: Mapped[str] = mapped_column(String(16))
    infohash: Mapped[str] = mapped_column(String(64), default="")
    episode: Mapped[int | None]
    group: Mapped[str] = mapped_column(String(255), default="")
    offset: Mapped[int | None]
    title: Mapped[str] = mapped_column(Text, default="")
    is_for_all: Mapped[bool] = mapped_column(default=False)
    made_at: Mapped[datetime]


class CorrectionAnswerRow(Base):
    """Where a user stands to a correction: its author accepted it. Owner: releases.corrections."""

    __tablename__ = "correction_answers"
    user_id: Mapped[int] = user_id(primary_key=True)
    correction_id: Mapped[int] = mapped_column(
        ForeignKey("corrections.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    is_accepted: Mapped[bool]
    answered_at: Mapped[datetime]


class HabitRow(Base):
    """How a group numbers an anime, learnt from releases that could be read in one way only. Owner: releases.habits."""

    __tablename__ = "habits"
    media_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    group: Mapped[str] = mapped_column(String(255), primary_key=True)
    """Lower case."""
    offset: Mapped[int]
    title: Mapped[str] = mapped_column(Text)
    learnt_at: Mapped[datetime]


class BlockRow(Base):
    """A release that is not to be picked again for a while, and why. Owner: releases.blocks."""

    __tablename__ = "blocks"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = user_id(index=True)
    """None: for everybody, for what it holds is not what its name says."""
    infohash: Mapped[str] = mapped_column(String(64), index=True)
    title: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime]
    until: Mapped[datetime]


class UnblockRow(Base):
    """A user wants a release that is blocked for everybody all the same. Owner: releases.blocks."""

    __tablename__ = "unblocks"
    user_id: Mapped[int] = user_id(primary_key=True)
    infohash: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime]

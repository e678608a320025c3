"""Torrents, who claims them, and the grabs that brought them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from uuutorrent.store.rows.base import Base, user_id


class TorrentRow(Base):
    """A torrent somebody claimed, with what is needed to add it again. Owner: torrents.claims."""

    __tablename__ = "torrents"
    __table_args__ = (Index("ix_torrents_v1", "v1", unique=True), Index("ix_torrents_v2", "v2", unique=True))
    id: Mapped[int] = mapped_column(primary_key=True)
    v1: Mapped[str | None] = mapped_column(String(40))
    v2: Mapped[str | None] = mapped_column(String(64))
    """Hex, lower case. A torrent has one or both; either finds it."""
    name: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int | None]
    """None until a magnet's metadata is known."""
    metainfo: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    magnet: Mapped[str | None] = mapped_column(Text)
    folder: Mapped[str] = mapped_column(String(64))
    """Its own folder below the download root: the first hash it was known by."""
    finished: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    """The files that were seen whole, as {"path", "size"}: what can be served while the engine is away."""
    stopped: Mapped[bool] = mapped_column(default=False)
    """Somebody wants it to stand still."""
    held_back: Mapped[bool] = mapped_column(default=False)
    """It stands still because the disk is full, and goes on by itself."""
    waits_turn: Mapped[bool] = mapped_column(default=False)
    """It stands still because all who claim it have as many downloads running as they may; it goes on by itself."""
    seeded_at: Mapped[datetime | None]
    """When its seeding came to its limit and was ended; who starts it again keeps it seeding."""
    keep_files: Mapped[bool] = mapped_column(default=False)
    """Whoever gave up the last claim wants the files left on the disk."""
    added_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    """When the engine was first seen to have it; None: an add that may have been lost."""
    completed_at: Mapped[datetime | None]


class KeptRow(Base):
    """A folder that stayed on the disk when its torrent was given up without its files. Owner: torrents.kept."""

    __tablename__ = "kept"
    folder: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class ClaimRow(Base):
    """This user has a claim on this torrent, for this episode when it is known. Owner: torrents.claims."""

    __tablename__ = "claims"
    user_id: Mapped[int] = user_id(primary_key=True)
    torrent_id: Mapped[int] = mapped_column(ForeignKey("torrents.id", ondelete="CASCADE"), primary_key=True, index=True)
    media_id: Mapped[int | None]
    episode: Mapped[int | None]
    note: Mapped[str] = mapped_column(Text, default="")
    """What its owner should know, e.g. that it is over the quota."""
    size_bytes: Mapped[int | None]
    """What of the torrent this claim is about, where it is only a part; None: all of it."""
    claimed_at: Mapped[datetime]


class PickRow(Base):
    """An episode a user wants out of a batch they claim, and its files. Owner: torrents.picks."""

    __tablename__ = "picks"
    __table_args__ = (
        ForeignKeyConstraint(
            ["user_id", "torrent_id"],
            ["claims.user_id", "claims.torrent_id"],
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
        Index("ix_picks_user_id_media_id_episode", "user_id", "media_id", "episode"),
    )
    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    torrent_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    media_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    episode: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    files: Mapped[list[int]] = mapped_column(JSON)
    """Places in the torrent's list of files, from 0."""


class LookRow(Base):
    """When a user last looked at what is new among their files. Owner: torrents.views.looks."""

    __tablename__ = "looks"
    user_id: Mapped[int] = user_id(primary_key=True)
    since: Mapped[datetime]
    """When the look before the present one began: what came after it is new."""
    began_at: Mapped[datetime]
    """When the present look began, or the last one."""
    seen_at: Mapped[datetime]
    """When they last listed it."""


class ShowNameRow(Base):
    """How the folder of a show is called: it stays so, whatever AniList says later. Owner: torrents.views.shownames."""

    __tablename__ = "show_names"
    media_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    title: Mapped[str] = mapped_column(Text)
    is_film: Mapped[bool]


class GrabRow(Base):
    """A durable request for an episode. Owner: torrents.grabs."""

    __tablename__ = "grabs"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = user_id(index=True)
    media_id: Mapped[int]
    episode: Mapped[int]
    quality: Mapped[int | None]
    """Wanted height in lines, e.g. 1080; None: the user's taste."""
    infohash: Mapped[str | None] = mapped_column(String(64))
    """Asked for by hand, or chosen."""
    state: Mapped[str] = mapped_column(String(16), index=True)
    """"asked", "claimed", "added", "complete" or "failed"."""
    title: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    """Why it failed, or why this release was chosen."""
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    whole_batch: Mapped[bool] = mapped_column(default=False)
    """All of a batch was asked for."""
    files: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """What it fetches of a batch, by path; None: it is no batch."""
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class PanicRow(Base):
    """There while everything stands still by an admin's word; never more than one. Owner: torrents.panic."""

    __tablename__ = "panic"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(Text)


class StilledRow(Base):
    """A torrent that ran when everything was made to stand still, and is to run again. Owner: torrents.panic."""

    __tablename__ = "stilled"
    torrent: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Any of its hashes; it need not be one that somebody claims."""

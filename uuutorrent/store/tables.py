"""The schema on one page. Each table has one owner module, the only one that names its row class.

Times are aware UTC (`Instant`), sizes are bytes in 64-bit integers, flags are booleans. Migrations are in
`migrations/`; a test holds them equal to this page on both databases.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Instant(TypeDecorator[datetime]):
    """An aware UTC time. SQLite stores it without a zone, so the zone is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times; hand over UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time must carry its zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Always aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """All tables, with names for every constraint so that migrations can name them too."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: BigInteger().with_variant(Integer, "sqlite"),
        datetime: Instant,
    }


def _user_id(**options: Any) -> Mapped[int]:
    return mapped_column(ForeignKey("users.id", ondelete="CASCADE"), **options)


class UserRow(Base):
    """A person. Owner: accounts."""

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
    quota_bytes: Mapped[int | None]
    """None: as configured; 0: no limit."""
    quota_torrents: Mapped[int | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]


class KeyRow(Base):
    """A public key that signs its user in. Owner: keys."""

    __tablename__ = "keys"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = _user_id(index=True)
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    """SHA256:…, as `ssh-keygen -l` prints it. A key belongs to one user."""
    public_key: Mapped[str] = mapped_column(Text)
    comment: Mapped[str] = mapped_column(String(200))
    added_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class LinkRow(Base):
    """A user's AniList account. Owner: anime.links."""

    __tablename__ = "links"
    user_id: Mapped[int] = _user_id(primary_key=True)
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
    user_id: Mapped[int] = _user_id(primary_key=True)
    media_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    status: Mapped[str] = mapped_column(String(16))
    progress: Mapped[int]
    updated_at: Mapped[datetime]


class LastListRow(Base):
    """The last good answer for a user's list, shown (as stale) while AniList is away. Owner: anime.lastlists."""

    __tablename__ = "last_lists"
    user_id: Mapped[int] = _user_id(primary_key=True)
    status: Mapped[str] = mapped_column(String(16), primary_key=True)
    fetched_at: Mapped[datetime]
    answer: Mapped[list[dict[str, Any]]] = mapped_column(JSON)


class TasteRow(Base):
    """A user's preferences among releases. Owner: releases.tastes."""

    __tablename__ = "tastes"
    user_id: Mapped[int] = _user_id(primary_key=True)
    taste: Mapped[dict[str, Any]] = mapped_column(JSON)


class ShowTasteRow(Base):
    """What a user prefers otherwise for one anime: only what differs from their taste. Owner: releases.tastes."""

    __tablename__ = "show_tastes"
    user_id: Mapped[int] = _user_id(primary_key=True)
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
    user_id: Mapped[int] = _user_id(primary_key=True)
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
    keep_files: Mapped[bool] = mapped_column(default=False)
    """Whoever gave up the last claim wants the files left on the disk."""
    added_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    """When the engine was first seen to have it; None: an add that may have been lost."""
    completed_at: Mapped[datetime | None]


class ClaimRow(Base):
    """This user has a claim on this torrent, for this episode when it is known. Owner: torrents.claims."""

    __tablename__ = "claims"
    user_id: Mapped[int] = _user_id(primary_key=True)
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


class GrabRow(Base):
    """A durable request for an episode. Owner: torrents.grabs."""

    __tablename__ = "grabs"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = _user_id(index=True)
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


class FeedRow(Base):
    """An RSS or Atom feed that some rule follows, and how its last polls went. Owner: automation.rulebook."""

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
    """A person's rule for a feed. Owner: automation.rulebook."""

    __tablename__ = "rules"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = _user_id(index=True)
    feed_id: Mapped[int] = mapped_column(ForeignKey("feeds.id", ondelete="CASCADE"), index=True)
    terms: Mapped[dict[str, Any]] = mapped_column(JSON)
    saving: Mapped[dict[str, Any]] = mapped_column(JSON)
    is_enabled: Mapped[bool] = mapped_column(default=True)
    error: Mapped[str] = mapped_column(Text, default="")
    """Why it could say nothing to what its feed held last, although the feed was read."""
    made_at: Mapped[datetime]


class TakingRow(Base):
    """An item of a feed that a rule took for its user, or tries to. Owner: automation.errands."""

    __tablename__ = "takings"
    __table_args__ = (Index("ix_takings_user_id_item", "user_id", "item", unique=True),)
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = _user_id()
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

"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
TABLES = ("users", "keys", "links", "entries", "last_lists", "tastes", "torrents", "claims", "grabs")


def upgrade() -> None:
    _users()
    _keys()
    _links()
    _entries()
    _last_lists()
    _tastes()
    _torrents()
    _claims()
    _grabs()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", BIG, nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=8), nullable=False),
        sa.Column("password_hash", sa.String(length=100), nullable=True),
        sa.Column("password_expired", sa.Boolean(), nullable=False),
        sa.Column("quota_bytes", BIG, nullable=True),
        sa.Column("quota_torrents", BIG, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("disabled_at", TIME, nullable=True),
        sa.Column("last_seen_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("name", name=op.f("uq_users_name")),
        sqlite_autoincrement=True,
    )


def _keys() -> None:
    op.create_table(
        "keys",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("comment", sa.String(length=200), nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.Column("last_used_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_keys_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_keys_fingerprint")),
    )
    op.create_index(op.f("ix_keys_user_id"), "keys", ["user_id"], unique=False)


def _links() -> None:
    op.create_table(
        "links",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("anilist_id", BIG, nullable=False),
        sa.Column("anilist_name", sa.String(length=100), nullable=False),
        sa.Column("sealed_token", sa.Text(), nullable=False),
        sa.Column("linked_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("broken_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_links_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_links")),
    )


def _entries() -> None:
    op.create_table(
        "entries",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("media_id", BIG, autoincrement=False, nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("progress", BIG, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_entries_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "media_id", name=op.f("pk_entries")),
    )


def _last_lists() -> None:
    op.create_table(
        "last_lists",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("fetched_at", TIME, nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_last_lists_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "status", name=op.f("pk_last_lists")),
    )


def _tastes() -> None:
    op.create_table(
        "tastes",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("taste", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_tastes_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_tastes")),
    )


def _torrents() -> None:
    op.create_table(
        "torrents",
        sa.Column("id", BIG, nullable=False),
        sa.Column("v1", sa.String(length=40), nullable=True),
        sa.Column("v2", sa.String(length=64), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size_bytes", BIG, nullable=True),
        sa.Column("metainfo", sa.LargeBinary(), nullable=True),
        sa.Column("magnet", sa.Text(), nullable=True),
        sa.Column("folder", sa.String(length=64), nullable=False),
        sa.Column("finished", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("keep_files", sa.Boolean(), nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.Column("confirmed_at", TIME, nullable=True),
        sa.Column("completed_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_torrents")),
    )
    op.create_index("ix_torrents_v1", "torrents", ["v1"], unique=True)
    op.create_index("ix_torrents_v2", "torrents", ["v2"], unique=True)


def _claims() -> None:
    op.create_table(
        "claims",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("torrent_id", BIG, nullable=False),
        sa.Column("media_id", BIG, nullable=True),
        sa.Column("episode", BIG, nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("claimed_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["torrent_id"], ["torrents.id"], name=op.f("fk_claims_torrent_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_claims_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "torrent_id", name=op.f("pk_claims")),
    )
    op.create_index(op.f("ix_claims_torrent_id"), "claims", ["torrent_id"], unique=False)


def _grabs() -> None:
    op.create_table(
        "grabs",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("media_id", BIG, nullable=False),
        sa.Column("episode", BIG, nullable=False),
        sa.Column("quality", BIG, nullable=True),
        sa.Column("infohash", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_grabs_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grabs")),
    )
    op.create_index(op.f("ix_grabs_state"), "grabs", ["state"], unique=False)
    op.create_index(op.f("ix_grabs_user_id"), "grabs", ["user_id"], unique=False)

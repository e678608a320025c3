"""Choosing releases: tastes per show, corrections, habits of groups, episodes picked out of batches."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
TABLES = ("show_tastes", "corrections", "correction_answers", "habits", "picks")


def upgrade() -> None:
    op.create_table(
        "show_tastes",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("media_id", BIG, nullable=False),
        sa.Column("taste", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_show_tastes_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "media_id", name=op.f("pk_show_tastes")),
    )
    _corrections()
    _correction_answers()
    op.create_table(
        "habits",
        sa.Column("media_id", BIG, nullable=False),
        sa.Column("group", sa.String(length=255), nullable=False),
        sa.Column("offset", BIG, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("learnt_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("media_id", "group", name=op.f("pk_habits")),
    )
    op.add_column("claims", sa.Column("size_bytes", BIG, nullable=True))
    op.add_column("grabs", sa.Column("whole_batch", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("grabs", sa.Column("files", sa.JSON(), nullable=True))
    _picks()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    with op.batch_alter_table("grabs") as grabs:
        grabs.drop_column("files")
        grabs.drop_column("whole_batch")
    with op.batch_alter_table("claims") as claims:
        claims.drop_column("size_bytes")


def _corrections() -> None:
    op.create_table(
        "corrections",
        sa.Column("id", BIG, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("media_id", BIG, nullable=False),
        sa.Column("form", sa.String(length=16), nullable=False),
        sa.Column("infohash", sa.String(length=64), nullable=False),
        sa.Column("episode", BIG, nullable=True),
        sa.Column("group", sa.String(length=255), nullable=False),
        sa.Column("offset", BIG, nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("is_for_all", sa.Boolean(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
        sa.UniqueConstraint("digest", name=op.f("uq_corrections_digest")),
    )
    op.create_index(op.f("ix_corrections_media_id"), "corrections", ["media_id"], unique=False)


def _correction_answers() -> None:
    op.create_table(
        "correction_answers",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("correction_id", BIG, nullable=False),
        sa.Column("is_accepted", sa.Boolean(), nullable=False),
        sa.Column("answered_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["correction_id"], ["corrections.id"], name=op.f("fk_correction_answers_correction_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_correction_answers_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "correction_id", name=op.f("pk_correction_answers")),
    )
    op.create_index(op.f("ix_correction_answers_correction_id"), "correction_answers", ["correction_id"], unique=False)


def _picks() -> None:
    op.create_table(
        "picks",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("torrent_id", BIG, nullable=False),
        sa.Column("media_id", BIG, nullable=False),
        sa.Column("episode", BIG, nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id", "torrent_id"],
            ["claims.user_id", "claims.torrent_id"],
            name=op.f("fk_picks_user_id_torrent_id"),
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "torrent_id", "media_id", "episode", name=op.f("pk_picks")),
    )
    op.create_index("ix_picks_user_id_media_id_episode", "picks", ["user_id", "media_id", "episode"], unique=False)

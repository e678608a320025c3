"""Invitations, approval, and what each user may do and was served."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    # Whether a code was typed lately is known of each session, and no more of a user.
    op.drop_column("factors", "proved_at")
    op.add_column("users", sa.Column("awaits_approval", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("torrents", sa.Column("waits_turn", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "invites",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("made_by", BIG, nullable=True),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("quota_bytes", BIG, nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("uses_left", BIG, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["made_by"], ["users.id"], name=op.f("fk_invites_made_by"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invites")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_invites_code_hash")),
    )
    _limits_of_users()
    _rooms_of_files()


def _limits_of_users() -> None:
    op.create_table(
        "limits",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("bytes", BIG, nullable=True),
        sa.Column("torrents", BIG, nullable=True),
        sa.Column("active", BIG, nullable=True),
        sa.Column("month_bytes", BIG, nullable=True),
        sa.Column("bps", BIG, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_limits_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_limits")),
    )
    op.execute(
        "INSERT INTO limits (user_id, bytes, torrents) SELECT id, quota_bytes, quota_torrents FROM users "
        "WHERE quota_bytes IS NOT NULL OR quota_torrents IS NOT NULL"
    )
    # Dropped one by one: a table that is made anew would take with it, on SQLite, whatever refers to it.
    op.drop_column("users", "quota_bytes")
    op.drop_column("users", "quota_torrents")
    op.create_table(
        "egress",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("bytes", BIG, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_egress_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "month", name=op.f("pk_egress")),
    )


def _rooms_of_files() -> None:
    op.create_table(
        "looks",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("began_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_looks_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_looks")),
    )
    op.create_table(
        "show_names",
        sa.Column("media_id", BIG, autoincrement=False, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("is_film", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("media_id", name=op.f("pk_show_names")),
    )


def downgrade() -> None:
    op.drop_table("show_names")
    op.drop_table("looks")
    op.add_column("users", sa.Column("quota_bytes", BIG, nullable=True))
    op.add_column("users", sa.Column("quota_torrents", BIG, nullable=True))
    op.execute("UPDATE users SET quota_bytes = (SELECT bytes FROM limits WHERE limits.user_id = users.id)")
    op.execute("UPDATE users SET quota_torrents = (SELECT torrents FROM limits WHERE limits.user_id = users.id)")
    op.drop_table("egress")
    op.drop_table("limits")
    op.drop_table("invites")
    op.drop_column("torrents", "waits_turn")
    op.drop_column("users", "awaits_approval")
    op.add_column("factors", sa.Column("proved_at", TIME, nullable=True))

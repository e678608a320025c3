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
    op.create_table(
        "egress",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("bytes", BIG, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_egress_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "month", name=op.f("pk_egress")),
    )


def downgrade() -> None:
    op.drop_table("egress")
    op.drop_table("limits")
    op.drop_table("invites")
    op.drop_column("users", "awaits_approval")
    op.add_column("factors", sa.Column("proved_at", TIME, nullable=True))

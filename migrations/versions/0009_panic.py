"""The panic key: that it was pressed, and what ran then. What left the machine, by day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "panic",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panic")),
    )
    op.create_table(
        "stilled",
        sa.Column("torrent", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("torrent", name=op.f("pk_stilled")),
    )
    op.create_table(
        "traffic_days",
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("bytes", BIG, nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_traffic_days")),
    )


def downgrade() -> None:
    op.drop_table("traffic_days")
    op.drop_table("stilled")
    op.drop_table("panic")

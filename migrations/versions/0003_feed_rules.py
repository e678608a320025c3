"""Feed rules: feeds, rules, what they took."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "feeds",
        sa.Column("id", BIG, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("sealed_url", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("modified", sa.Text(), nullable=False),
        sa.Column("polled_at", TIME, nullable=True),
        sa.Column("next_at", TIME, nullable=False),
        sa.Column("failures", BIG, nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("leased_until", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feeds")),
        sa.UniqueConstraint("digest", name=op.f("uq_feeds_digest")),
    )
    _rules()
    _takings()


def downgrade() -> None:
    for table in ("takings", "rules", "feeds"):
        op.drop_table(table)


def _rules() -> None:
    op.create_table(
        "rules",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("feed_id", BIG, nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("saving", sa.JSON(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name=op.f("fk_rules_feed_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_rules_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rules")),
    )
    op.create_index(op.f("ix_rules_feed_id"), "rules", ["feed_id"], unique=False)
    op.create_index(op.f("ix_rules_user_id"), "rules", ["user_id"], unique=False)


def _takings() -> None:
    op.create_table(
        "takings",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("rule_id", BIG, nullable=True),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("sealed_link", sa.Text(), nullable=False),
        sa.Column("infohash", sa.String(length=64), nullable=False),
        sa.Column("media_id", BIG, nullable=True),
        sa.Column("episode", BIG, nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("tries", BIG, nullable=False),
        sa.Column("try_at", TIME, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["rule_id"], ["rules.id"], name=op.f("fk_takings_rule_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_takings_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_takings")),
    )
    op.create_index(op.f("ix_takings_outcome"), "takings", ["outcome"], unique=False)
    op.create_index(op.f("ix_takings_rule_id"), "takings", ["rule_id"], unique=False)
    op.create_index("ix_takings_user_id_item", "takings", ["user_id", "item"], unique=True)

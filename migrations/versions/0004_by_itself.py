"""What happens by itself: autopilot, inbox, health, upkeep."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
TABLES = (
    "preferences",
    "show_modes",
    "pursuits",
    "notices",
    "channels",
    "served",
    "blocks",
    "unblocks",
    "observations",
    "treatments",
    "replacements",
    "timeline",
    "policies",
    "traffic",
    "meters",
    "kept",
)


def upgrade() -> None:
    _preferences()
    _show_modes()
    _pursuits()
    _notices()
    _channels()
    _served()
    _blocks()
    _unblocks()
    _observations()
    _treatments()
    _replacements()
    _timeline()
    _policies()
    _traffic()
    _meters()
    _kept()
    op.add_column("torrents", sa.Column("seeded_at", TIME, nullable=True))
    op.add_column("torrents", sa.Column("held_back", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("torrents", "held_back")
    op.drop_column("torrents", "seeded_at")
    for table in reversed(TABLES):
        op.drop_table(table)


def _preferences() -> None:
    op.create_table(
        "preferences",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("preferences", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_preferences_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_preferences")),
    )


def _show_modes() -> None:
    op.create_table(
        "show_modes",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("media_id", BIG, autoincrement=False, nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("first_episode", BIG, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_show_modes_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "media_id", name=op.f("pk_show_modes")),
    )


def _pursuits() -> None:
    op.create_table(
        "pursuits",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("media_id", BIG, nullable=False),
        sa.Column("episode", BIG, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("infohash", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("tries", BIG, nullable=False),
        sa.Column("try_at", TIME, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("replaces", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_pursuits_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pursuits")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_pursuits_state"), "pursuits", ["state"], unique=False)
    op.create_index("ix_pursuits_user_id_media_id_episode", "pursuits", ["user_id", "media_id", "episode"], unique=True)


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("media_id", BIG, nullable=True),
        sa.Column("episode", BIG, nullable=True),
        sa.Column("infohash", sa.String(length=64), nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("answer", sa.String(length=32), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notices_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notices_user_id_key", "notices", ["user_id", "key"], unique=True)


def _channels() -> None:
    op.create_table(
        "channels",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("sealed_url", sa.Text(), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("digest_h", BIG, nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("sent_to", BIG, nullable=False),
        sa.Column("next_at", TIME, nullable=False),
        sa.Column("failures", BIG, nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_channels_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channels")),
    )
    op.create_index(op.f("ix_channels_user_id"), "channels", ["user_id"], unique=False)


def _served() -> None:
    op.create_table(
        "served",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("infohash", sa.String(length=64), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("media_id", BIG, nullable=True),
        sa.Column("episode", BIG, nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("try_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_served_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "infohash", "path", name=op.f("pk_served")),
    )
    op.create_index("ix_served_try_at", "served", ["try_at"])


def _blocks() -> None:
    op.create_table(
        "blocks",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=True),
        sa.Column("infohash", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_blocks_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blocks")),
    )
    op.create_index(op.f("ix_blocks_infohash"), "blocks", ["infohash"], unique=False)
    op.create_index(op.f("ix_blocks_user_id"), "blocks", ["user_id"], unique=False)


def _unblocks() -> None:
    op.create_table(
        "unblocks",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("infohash", sa.String(length=64), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_unblocks_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "infohash", name=op.f("pk_unblocks")),
    )


def _observations() -> None:
    op.create_table(
        "observations",
        sa.Column("torrent_id", BIG, nullable=False),
        sa.Column("infohash", sa.String(length=64), nullable=False),
        sa.Column("first_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("completed_bytes", BIG, nullable=False),
        sa.Column("still_s", sa.Double(), nullable=False),
        sa.Column("seedless_s", sa.Double(), nullable=False),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("refusal", sa.Text(), nullable=False),
        sa.Column("looked", sa.String(length=8), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["torrent_id"], ["torrents.id"], name=op.f("fk_observations_torrent_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("torrent_id", name=op.f("pk_observations")),
    )
    op.create_index(op.f("ix_observations_verdict"), "observations", ["verdict"], unique=False)


def _treatments() -> None:
    op.create_table(
        "treatments",
        sa.Column("torrent_id", BIG, nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("step_at", TIME, nullable=False),
        sa.Column("tries", BIG, nullable=False),
        sa.Column("try_at", TIME, nullable=False),
        sa.Column("least_bytes", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["torrent_id"], ["torrents.id"], name=op.f("fk_treatments_torrent_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("torrent_id", name=op.f("pk_treatments")),
    )
    op.create_index(op.f("ix_treatments_step"), "treatments", ["step"], unique=False)


def _replacements() -> None:
    op.create_table(
        "replacements",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("media_id", BIG, nullable=True),
        sa.Column("episode", BIG, nullable=True),
        sa.Column("old_infohash", sa.String(length=64), nullable=False),
        sa.Column("old_title", sa.Text(), nullable=False),
        sa.Column("old_metainfo", sa.LargeBinary(), nullable=True),
        sa.Column("old_magnet", sa.Text(), nullable=True),
        sa.Column("new_infohash", sa.String(length=64), nullable=False),
        sa.Column("new_title", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("undone_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_replacements_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replacements")),
    )
    op.create_index(op.f("ix_replacements_new_infohash"), "replacements", ["new_infohash"], unique=False)
    op.create_index(op.f("ix_replacements_old_infohash"), "replacements", ["old_infohash"], unique=False)
    op.create_index(op.f("ix_replacements_state"), "replacements", ["state"], unique=False)
    op.create_index(op.f("ix_replacements_user_id"), "replacements", ["user_id"], unique=False)


def _timeline() -> None:
    op.create_table(
        "timeline",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("infohash", sa.String(length=64), nullable=False),
        sa.Column("media_id", BIG, nullable=True),
        sa.Column("episode", BIG, nullable=True),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("block_id", BIG, nullable=True),
        sa.Column("replacement_id", BIG, nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("undone_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_timeline_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timeline")),
    )
    op.create_index(op.f("ix_timeline_infohash"), "timeline", ["infohash"], unique=False)
    op.create_index(op.f("ix_timeline_user_id"), "timeline", ["user_id"], unique=False)


def _policies() -> None:
    op.create_table(
        "policies",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("seed_ratio", sa.Double(), nullable=True),
        sa.Column("seed_minutes", BIG, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_policies_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_policies")),
    )


def _traffic() -> None:
    op.create_table(
        "traffic",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("bytes", BIG, nullable=False),
        sa.PrimaryKeyConstraint("month", "kind", name=op.f("pk_traffic")),
    )


def _meters() -> None:
    op.create_table(
        "meters",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("value", BIG, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meters")),
    )


def _kept() -> None:
    op.create_table(
        "kept",
        sa.Column("folder", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("folder", name=op.f("pk_kept")),
    )

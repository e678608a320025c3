"""Row-level security: on PostgreSQL a user's transaction sees no rows of others."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BY_USER_ID = (
    "channels",
    "claims",
    "correction_answers",
    "egress",
    "entries",
    "factors",
    "grabs",
    "keys",
    "last_lists",
    "limits",
    "links",
    "looks",
    "notices",
    "picks",
    "policies",
    "preferences",
    "pursuits",
    "replacements",
    "rules",
    "served",
    "show_modes",
    "show_tastes",
    "takings",
    "tastes",
    "timeline",
    "unblocks",
)
COLUMNS = {
    **dict.fromkeys(BY_USER_ID, "user_id"),
    "blocks": "user_id",
    "audit": "who_id",
    "invites": "made_by",
    "users": "id",
}
RIGHTS = {"r": "SELECT, INSERT, UPDATE, DELETE ON TABLE", "S": "USAGE, SELECT, UPDATE ON SEQUENCE"}
# What others put beside it, such as an extension's views, is not ours to grant.
OURS = """
SELECT oid::regclass::text, relkind::text FROM pg_class WHERE relkind IN ('r', 'S') AND pg_has_role(relowner, 'USAGE')
AND relnamespace::regnamespace::text IN ('public', 'jobs')
"""
HAS_JOBS = "SELECT 1 FROM pg_namespace WHERE nspname = 'jobs'"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    for schema in ("public", "jobs") if op.get_bind().exec_driver_sql(HAS_JOBS).first() else ("public",):
        op.execute(f"GRANT USAGE ON SCHEMA {schema} TO uuutorrent_system")
    for name, kind in op.get_bind().exec_driver_sql(OURS).all():
        op.execute(f"GRANT {RIGHTS[kind]} {name} TO uuutorrent_system")
    for table, column in COLUMNS.items():
        own = (
            "(SELECT current_user = 'uuutorrent_system') OR "
            f"{column} = (SELECT CAST(NULLIF(current_setting('uuutorrent.user', true), '') AS bigint))"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own_rows ON {table} USING ({own})")
    op.execute("CREATE POLICY rows_for_all ON blocks FOR SELECT USING (user_id IS NULL)")
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON audit FROM CURRENT_USER")
    op.execute("REVOKE UPDATE ON audit FROM uuutorrent_system")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    op.execute("GRANT UPDATE, DELETE, TRUNCATE ON audit TO CURRENT_USER")
    op.execute("DROP POLICY rows_for_all ON blocks")
    for table in COLUMNS:
        op.execute(f"DROP POLICY own_rows ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")

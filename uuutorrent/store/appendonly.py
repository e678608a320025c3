"""What keeps a table append-only in the database itself: rows are refused to change, and to go before their time.

It binds everybody who only reads and writes rows. On PostgreSQL the daemon's role has no right to change them either,
and the system's only the right to delete. Who owns the table can take that back; the program never does.
"""

from __future__ import annotations

from sqlalchemy import Connection, Table, event

from uuutorrent.store.policies import SYSTEM_ROLE

KEPT_DAYS = 400

_SQLITE = (
    """
    CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}
    BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
    """,
    """
    CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
    WHEN julianday(OLD.at) > julianday('now', '-{days} days')
    BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
    """,
)
_POSTGRESQL = (
    """
    CREATE FUNCTION {table}_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'DELETE' THEN IF OLD.at < now() - interval '{days} days' THEN RETURN OLD; END IF; END IF;
    RAISE EXCEPTION '{table} is append-only'; END $$
    """,
    """
    CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION {table}_stays()
    """,
    "CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION {table}_stays()",
    "REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM CURRENT_USER",
    "REVOKE UPDATE ON {table} FROM {system}",
)


def protect(table: Table) -> None:
    """Have a table with a column `at` append-only wherever it is created from its row; migrations say it themselves."""

    def create(_table: Table, connection: Connection, **_: object) -> None:
        for statement in _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL:
            connection.exec_driver_sql(statement.format(table=table.name, days=KEPT_DAYS, system=SYSTEM_ROLE))

    event.listen(table, "after_create", create)

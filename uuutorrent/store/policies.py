"""Row-level security: on PostgreSQL the database itself shows a user's transaction no rows but theirs.

Every table with a column that names a user has a policy. It compares that column with the user whom `Database.begin`
named for the transaction; where nobody is named, there are no rows. What is about more than one user runs as the role
`uuutorrent_system`, for as long as it takes. The policies bind the tables' owner, who is the daemon, and no superuser.
Source: postgresql.org/docs/current/ddl-rowsecurity.html.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from sqlalchemy import Connection, MetaData, Table, event, text
from sqlalchemy.exc import ProgrammingError

from uuutorrent.errors import BadConfig

SYSTEM_ROLE = "uuutorrent_system"
USER_SETTING = "uuutorrent.user"
POLICY, POLICY_FOR_ALL = "own_rows", "rows_for_all"


class Whose(Enum):
    """Whose rows a transaction works with, when it is not one user's."""

    SYSTEM = "the system"
    """Everybody's."""
    NOBODY = "nobody"
    """Only what belongs to nobody."""


_OWN = f"(SELECT CAST(NULLIF(current_setting('{USER_SETTING}', true), '') AS bigint))"
# A role's name, not its membership: a member that inherits from the role would else see everything at all times.
_IS_SYSTEM = f"(SELECT current_user = '{SYSTEM_ROLE}')"

_ROLE = {"role": SYSTEM_ROLE}
_OURSELVES = text("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
_HAS_OPTIONS = "CAST(current_setting('server_version_num') AS int) >= 160000"
BECOMES = f"CASE WHEN {_HAS_OPTIONS} THEN 'SET' ELSE 'MEMBER' END"
"""What to ask `pg_has_role` for: from 16 on, who is a member of a role may be kept from becoming it."""
_IS_OURS = text(f"SELECT pg_has_role(oid, {BECOMES}) FROM pg_roles WHERE rolname = :role")  # noqa: S608 - words of ours
_FROM_NOW_ON = tuple(
    f"ALTER DEFAULT PRIVILEGES GRANT {rights} TO {SYSTEM_ROLE}"
    for rights in ("SELECT, INSERT, UPDATE, DELETE ON TABLES", "USAGE, SELECT, UPDATE ON SEQUENCES", "USAGE ON SCHEMAS")
)
_NAMES_A_USER = {"users": "id", "picks": "user_id", "audit": "who_id"}
"""Those that name a user without referring to one."""
_FOR_ALL = frozenset({"blocks"})
"""Rows of these that name nobody are shown to everybody; only the system makes, changes and deletes them."""


def column_of(table: Table) -> str | None:
    """The column that says whose a row is; None: it is nobody's."""
    if table.name in _NAMES_A_USER:
        return _NAMES_A_USER[table.name]
    return next((key.parent.name for key in table.foreign_keys if key.column.table.name == "users"), None)


def statements(table: Table) -> list[str]:
    """What has a new table of PostgreSQL's hold to this."""
    column = column_of(table)
    if column is None:
        return []
    for_all = f"CREATE POLICY {POLICY_FOR_ALL} ON {table.name} FOR SELECT USING ({column} IS NULL)"
    return [
        f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table.name} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY {POLICY} ON {table.name} USING ({_IS_SYSTEM} OR {column} = {_OWN})",
        *([for_all] if table.name in _FOR_ALL else []),
    ]


def prepare(connection: Connection) -> None:
    """See to it that the system's role is there, that we may become it, and that it may use what we make from now on.

    Raises:
        BadConfig: the role is missing, and we are not allowed to make it.
    """
    if connection.dialect.name != "postgresql":
        return
    missing = _missing(connection)
    try:
        with connection.begin_nested():
            for statement in missing:
                connection.exec_driver_sql(statement)
    except ProgrammingError as e:
        raise BadConfig(_to_run(missing)) from e
    for statement in _FROM_NOW_ON:
        connection.exec_driver_sql(statement)


def check(connection: Connection) -> None:
    """See whether the policies bind the role we signed in as, and whether it may become the system's.

    Raises:
        BadConfig: one of the two is not so; what to do.
    """
    if connection.dialect.name != "postgresql":
        return
    name, is_super, bypasses = connection.execute(_OURSELVES).one()
    if is_super or bypasses:
        what = "a superuser" if is_super else "a role with BYPASSRLS"
        raise BadConfig(f"{name} is {what}, whom row-level security does not bind: sign in as a plain role")
    if missing := _missing(connection):
        raise BadConfig(_to_run(missing))


def _missing(connection: Connection) -> list[str]:
    """What has to be run so that we may become the system's role."""
    is_ours = connection.scalar(_IS_OURS, _ROLE)
    if is_ours:
        return []
    grant = f'GRANT {SYSTEM_ROLE} TO "{connection.scalar(text("SELECT current_user"))}"'
    # Else a grant without the option to set the role would stay one.
    grant += " WITH SET TRUE" if connection.scalar(text(f"SELECT {_HAS_OPTIONS}")) else ""
    return [grant] if is_ours is not None else [f"CREATE ROLE {SYSTEM_ROLE} NOLOGIN", grant]


def _to_run(missing: Sequence[str]) -> str:
    told = "; ".join(missing)
    return f"PostgreSQL lacks a role: run sudo uuutorrent install again, or have PostgreSQL's superuser run: {told};"


def protect(metadata: MetaData) -> None:
    """Have the tables hold to it wherever they are created from their rows; migrations say it themselves."""

    def ready(_: MetaData, connection: Connection, **__: object) -> None:
        prepare(connection)

    def create(table: Table, connection: Connection, **_: object) -> None:
        if connection.dialect.name == "postgresql":
            for statement in statements(table):
                connection.exec_driver_sql(statement)

    event.listen(metadata, "before_create", ready)
    for table in metadata.sorted_tables:
        event.listen(table, "after_create", create)

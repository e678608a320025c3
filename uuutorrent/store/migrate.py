"""Bringing a database to the schema of this program: Alembic, run on our own connection."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from uuutorrent.errors import BadConfig, Unexpected
from uuutorrent.store import policies
from uuutorrent.store.database import Database

LOCK = 0x7575755F64620001
"""PostgreSQL's advisory lock while the schema changes: daemons that start at once take turns."""


async def upgrade(database: Database) -> None:
    """Make the schema that of this program. All of it happens, or nothing does; done already, it does nothing.

    Raises:
        BadConfig: the database belongs to a newer program, or lacks a role that we may not make.
        Unreachable: the database does not answer.
    """
    await _change(database, lambda config: command.upgrade(config, "head"))


async def downgrade(database: Database, revision: str) -> None:
    """Go back to an older revision ("base": an empty database), losing what it has no place for."""
    await _change(database, lambda config: command.downgrade(config, revision))


async def at_head(database: Database) -> bool:
    """Whether the schema is that of this program."""
    async with database.connect() as connection:
        return await connection.run_sync(_current) == head()


async def is_behind(database: Database) -> bool:
    """Whether there is a schema that `upgrade` would change."""
    async with database.connect() as connection:
        present = await connection.run_sync(_current)
    return present not in (None, head()) and is_known(present)


def head() -> str:
    """The revision of this program's schema."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def is_known(revision: str | None) -> bool:
    """Whether this program can bring a schema of this revision to its own; that of a newer one it cannot."""
    return revision in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


async def _change(database: Database, step: Callable[[Config], None]) -> None:
    async with database.connect() as connection, _foreign_keys_off(database, connection), connection.begin():
        if not database.is_sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        await connection.run_sync(_check_known)
        await connection.run_sync(policies.prepare)
        await connection.run_sync(_run, step)
        if database.is_sqlite and (await connection.execute(text("PRAGMA foreign_key_check"))).first():
            raise Unexpected("the database", "after the change, rows would point at nothing; nothing was changed")


@asynccontextmanager
async def _foreign_keys_off(database: Database, connection: AsyncConnection) -> AsyncGenerator[None]:
    """On SQLite a column changes by copying its table and dropping the old one, which would delete what points there.

    The switch works outside transactions only. Source: sqlite.org/lang_altertable.html, section 7.
    """
    if not database.is_sqlite:
        yield
        return
    driver: Any = (await connection.get_raw_connection()).driver_connection
    await driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        await driver.execute("PRAGMA foreign_keys=ON")


def _run(connection: Connection, step: Callable[[Config], None]) -> None:
    config = _config()
    config.attributes["connection"] = connection
    step(config)


def _check_known(connection: Connection) -> None:
    present = _current(connection)
    if present is not None and not is_known(present):
        raise BadConfig(f"the database belongs to a newer uuutorrent (its schema is {present}): upgrade this program")


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    return config


def scripts() -> Path:
    """In the wheel the migrations are inside the package, in a checkout beside it."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "migrations"
    return inside if inside.is_dir() else package.parent / "migrations"

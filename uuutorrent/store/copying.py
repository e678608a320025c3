"""From one database to another of the other kind: so that a trial on SQLite can grow up, and go back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, Table, func, insert, literal, select, text, tuple_

from uuutorrent.errors import Refused, Unexpected
from uuutorrent.store import migrate
from uuutorrent.store.database import SYSTEM, Database, Tx
from uuutorrent.store.tables import Base

AT_ONCE = 500
"""Rows of one statement."""
_GO_ON = text("SELECT setval(CAST(:sequence AS regclass), :highest)")


async def copy(source: Database, target: Database) -> int:
    """Copy every row, after bringing both to this program's schema; how many there were. All of it, or nothing.

    Nobody may write to either meanwhile.

    Raises:
        Refused: there is something in the target already.
        Unexpected: the target does not hold what the source holds.
        Unreachable: one of them does not answer.
    """
    for database in (source, target):
        await migrate.upgrade(database)
    async with source.begin(SYSTEM) as reading, target.begin(SYSTEM) as writing:
        for table in Base.metadata.sorted_tables:
            if await _count(writing, table):
                raise Refused(f"there is something in the other database already ({table.name}): give an empty one")
        copied = 0
        for table in Base.metadata.sorted_tables:
            copied += await _copy(reading, writing, table)
            if not target.is_sqlite:
                await _count_on(writing, table)
            if await _count(reading, table) != await _count(writing, table):
                raise Unexpected("the other database", f"{table.name} has not all its rows; nothing was copied")
    return copied


async def _copy(reading: Tx, writing: Tx, table: Table) -> int:
    """Page by page in the order of the primary key: SQLite's driver would hold the whole table in memory."""
    copied, keys = 0, list(table.primary_key.columns)
    page = select(table).order_by(*keys).limit(AT_ONCE)
    rows = await _rows(reading, page)
    while rows:
        await writing.execute(insert(table), rows)
        copied += len(rows)
        last = tuple_(*(literal(rows[-1][key.name], key.type) for key in keys))
        rows = await _rows(reading, page.where(tuple_(*keys) > last)) if len(rows) == AT_ONCE else []
    return copied


async def _rows(reading: Tx, page: Select[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in (await reading.execute(page)).mappings()]


async def _count_on(writing: Tx, table: Table) -> None:
    """PostgreSQL goes on numbering after the highest number there is."""
    keys = list(table.primary_key.columns)
    if len(keys) == 1 and keys[0].autoincrement is not False and keys[0].type.python_type is int:
        sequence = await writing.scalar(select(func.pg_get_serial_sequence(table.name, keys[0].name)))
        highest = await writing.scalar(select(func.max(keys[0])))
        if sequence and highest:
            await writing.execute(_GO_ON, {"sequence": sequence, "highest": highest})


async def _count(tx: Tx, table: Table) -> int:
    return await tx.scalar(select(func.count()).select_from(table)) or 0

"""The backup before the schema of a database changes: a program that is taken back finds the database it knew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import structlog

from uuutorrent.backup.pgbackrest import PgBackRest
from uuutorrent.backup.taking import Place, Taking
from uuutorrent.config import Config
from uuutorrent.errors import BadConfig, Refused
from uuutorrent.store import migrate
from uuutorrent.store.database import Database
from uuutorrent.tally import Tally

log = structlog.get_logger()

NOT_COVERED = "its schema changes without a backup of PostgreSQL"


async def back_up_before_change(config: Config, file: Path | None, database: Database) -> None:
    """Take one if bringing the database to this program's schema would change it. PostgreSQL's is pgBackRest's; where
    that cannot be asked from here, the log says what is not covered.

    Raises:
        Conflict: one was taken in this very second.
        Unexpected: none could be taken, so nothing may be changed.
        Unreachable: the database does not answer.
    """
    if not await migrate.is_behind(database):
        return
    await Taking(replace(Place.of(config, file), second=""), Tally()).take()
    if database.is_sqlite:
        return
    if not config.backup.stanza:
        log.warning("backup.database_not_covered", what=NOT_COVERED, why="backup.stanza is not set")
        return
    try:
        taken = await PgBackRest(config).take(everywhere=False)
    except (Refused, BadConfig) as e:  # the daemon's own account, which may not read PostgreSQL's files
        log.warning("backup.database_not_covered", what=NOT_COVERED, why=e.message)
    else:
        log.info("backup.before_change", label=taken.label, kind=taken.kind, bytes=taken.bytes)

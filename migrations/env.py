"""Runs migrations on the connection that `uuutorrent.store.migrate` hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from uuutorrent.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    # The transaction is the caller's, so that all of it happens or nothing does.
    transactional_ddl=False,
)
context.run_migrations()

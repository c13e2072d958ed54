"""Runs migrations on the connection that `driftbell migrate` hands over, one process at a time."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

from service.store.tables import metadata

_LOCK = 0x64726966  # "drif"

connection = context.config.attributes["connection"]
connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
context.configure(connection=connection, target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()

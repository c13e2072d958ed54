"""One migrated database for many tests, emptied before each: making one takes longer than most tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Engine, text

from service.embedded import EmbeddedPostgres
from service.monitor import DAY_MS
from service.store.engine import connect, transaction
from service.store.migrate import migrate
from service.store.partitions import ensure_partitions
from service.store.tables import metadata
from tests.web.seeding import NOW_MS, add_grid


@contextmanager
def migrated(server: EmbeddedPostgres, name: str) -> Iterator[Engine]:
    """A database of that name with the schema, and partitions around now."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    engine = connect(server.url_of(name))
    migrate(engine)
    ensure_partitions(engine, NOW_MS - 30 * DAY_MS, NOW_MS + 30 * DAY_MS)
    yield engine
    engine.dispose()


def empty(engine: Engine) -> None:
    """Take all rows away, but for the grid that everything is counted on."""
    with transaction(engine) as connection:
        connection.execute(text(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY"))
        connection.execute(text("INSERT INTO revision DEFAULT VALUES"))
        add_grid(connection)

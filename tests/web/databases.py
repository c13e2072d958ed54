"""One migrated database for many tests, emptied before each: making one takes longer than most tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Engine, text

from service.embedded import EmbeddedPostgres
from service.store.engine import connect, transaction
from service.store.migrate import migrate
from service.store.tables import metadata
from tests.web.seeding import add_grid, make_partitions


@contextmanager
def migrated(server: EmbeddedPostgres, name: str) -> Iterator[Engine]:
    """A database of that name with the schema, and partitions around now."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    engine = connect(server.url_of(name))
    migrate(engine)
    with transaction(engine) as connection:
        make_partitions(connection)
    yield engine
    engine.dispose()


def empty(engine: Engine) -> None:
    """Take all rows away, but for the grid that everything is counted on."""
    with transaction(engine) as connection:
        connection.execute(text(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY"))
        connection.execute(text("INSERT INTO revision DEFAULT VALUES"))
        add_grid(connection)

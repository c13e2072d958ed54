"""`engine`: a migrated database, emptied before each test; import it where it is used.

`single` is one connection to it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import QueuePool

from service.embedded import EmbeddedPostgres
from service.store.engine import connect
from service.store.migrate import migrate
from tests.fakes.collecting import empty


@pytest.fixture(scope="module")
def migrated(postgres_server: EmbeddedPostgres) -> Iterator[Engine]:
    name = f"fakes_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(f"create database {name} strategy wal_log")
    engine = connect(postgres_server.url_of(name))
    migrate(engine)
    yield engine
    engine.dispose()
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture
def engine(migrated: Engine) -> Engine:
    empty(migrated)
    return migrated


@pytest.fixture
def single(engine: Engine) -> Iterator[Engine]:
    """All others of the pool are in use, by others who want a second one too."""
    made = create_engine(engine.url, poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.5)
    yield made
    made.dispose()

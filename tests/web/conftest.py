"""A database with the schema and nothing in it, and the site over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from service.store.engine import connect, transaction
from service.store.migrate import migrate
from tests.servers.fixtures import database, postgres_server  # noqa: F401 - fixtures
from tests.web.seeding import prepare
from tests.web.serving import Site, site_of

Add = Callable[..., None]


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:  # noqa: F811 - the fixture
    """A migrated database with partitions around now."""
    engine = connect(database)
    migrate(engine)
    with transaction(engine) as connection:
        prepare(connection)
    yield engine
    engine.dispose()


@pytest.fixture
def site(engine: Engine) -> Iterator[Site]:
    """The site over that database."""
    with site_of(engine) as site:
        yield site


@pytest.fixture
def add(engine: Engine) -> Add:
    """Calls a seeding function in its own transaction."""

    def call(seed: Callable[..., None], *values: Any, **changes: Any) -> None:
        with transaction(engine) as connection:
            seed(connection, *values, **changes)

    return call

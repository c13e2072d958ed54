"""A database with the schema and nothing in it, and the site over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from service.embedded import EmbeddedPostgres
from service.store.engine import transaction
from tests.web.databases import empty, migrated
from tests.web.serving import Site, site_of

Add = Callable[..., None]


@pytest.fixture(scope="session")
def only_engine(postgres_server: EmbeddedPostgres) -> Iterator[Engine]:
    """The database of all tests here."""
    with migrated(postgres_server, "web") as engine:
        yield engine


@pytest.fixture
def engine(only_engine: Engine) -> Engine:
    """A migrated database with partitions around now and nothing in it."""
    empty(only_engine)
    return only_engine


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

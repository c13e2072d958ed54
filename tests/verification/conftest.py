"""One faultless run, made once and copied for each test that spoils it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from service.embedded import EmbeddedPostgres
from service.store.engine import connect
from service.store.migrate import migrate
from tests.replaying import MONITOR, reference_of
from tests.verification.runs import Run, log_in, traffic

MINUTES = 45
SEGMENTED = replace(MONITOR, segments=("country",))


@pytest.fixture
def run(database: str, tmp_path: Path) -> Iterator[Run]:
    """Three partitions of all that a log may hold, not read yet, on a database of its own."""
    made = new_run(database, tmp_path)
    yield made
    made.engine.dispose()


@pytest.fixture(scope="module")
def faultless(
    postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """The name of a database after a whole run, and the folder of its log."""
    name = f"faultless_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(f"create database {name} strategy wal_log")
    made = new_run(postgres_server.url_of(name), tmp_path_factory.mktemp("run"))
    made.collect()
    made.evaluate()
    made.engine.dispose()
    return name, made.log


@pytest.fixture
def copied(postgres_server: EmbeddedPostgres, faultless: tuple[str, Path]) -> Iterator[Run]:
    """A copy of the faultless run's database, to be spoiled."""
    (template, log), name = faultless, f"copied_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(f"create database {name} template {template} strategy wal_log")
        made = Run(connect(postgres_server.url_of(name)), log)
        yield made
        made.engine.dispose()
        connection.execute(f"drop database {name} with (force)")


def new_run(database: str, folder: Path) -> Run:
    """A migrated database with one monitor, and a log."""
    made = Run(connect(database), log_in(folder, [list(traffic(number, MINUTES)) for number in range(3)]))
    migrate(made.engine)
    made.apply([SEGMENTED], [reference_of(folder)])
    return made

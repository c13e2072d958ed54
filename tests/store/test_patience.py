"""A server that takes what we say and never answers is given up in bounded time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Engine, text

from service.embedded import EmbeddedPostgres
from service.errors import Unavailable
from service.store import engine as engine_module
from service.store.engine import connect, take_time, transaction
from service.store.patience import PATIENCE_SECONDS, PatientConnection
from tests.faults.fragile_postgres import socket_of
from tests.faults.proxy import Proxy

pytestmark = pytest.mark.postgres


@pytest.fixture
def proxy(postgres_server: EmbeddedPostgres) -> Iterator[Proxy]:
    with Proxy(lambda: socket_of(postgres_server.url)) as made:
        yield made


@pytest.fixture
def impatient(proxy: Proxy, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine that waits half a second for an answer."""
    monkeypatch.setattr(PatientConnection, "patience_seconds", 0.5)
    engine = connect(f"postgresql://postgres@{proxy.address}/{conninfo_to_dict(database)['dbname']}")
    yield engine
    engine.dispose()


def test_a_statement_that_nobody_answers_ends(impatient: Engine, proxy: Proxy) -> None:
    with (
        pytest.raises(Unavailable, match="no answer"),
        transaction(impatient) as connection,
        proxy.swallowing(),
    ):
        connection.execute(text("SELECT 1"))


def test_a_commit_that_nobody_answers_ends(impatient: Engine, proxy: Proxy) -> None:
    with pytest.raises(Unavailable, match="no answer"):
        commit_into_silence(impatient, proxy)


def commit_into_silence(engine: Engine, proxy: Proxy) -> None:
    with ExitStack() as silence, transaction(engine) as connection:
        connection.execute(text("SELECT 1"))
        silence.enter_context(proxy.swallowing())


def test_afterwards_the_next_transaction_finds_a_connection_that_answers(
    impatient: Engine, proxy: Proxy
) -> None:
    with pytest.raises(Unavailable), transaction(impatient) as connection, proxy.swallowing():
        connection.execute(text("SELECT 1"))
    with transaction(impatient) as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_who_asked_for_time_gets_it_and_the_next_one_does_not(impatient: Engine) -> None:
    """A migration may take minutes."""
    with transaction(impatient) as connection:
        take_time(connection)
        connection.execute(text("SELECT pg_sleep(1.2)"))
    with pytest.raises(Unavailable, match="no answer"), transaction(impatient) as connection:
        connection.execute(text("SELECT pg_sleep(5)"))


def test_a_kept_connection_that_does_not_answer_is_given_up_sooner_than_a_statement(
    proxy: Proxy, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "PING_SECONDS", 0.5)
    engine = connect(f"postgresql://postgres@{proxy.address}/{conninfo_to_dict(database)['dbname']}")
    with transaction(engine) as connection:
        connection.execute(text("SELECT 1"))
    asked_at = time.monotonic()
    with proxy.swallowing(), pytest.raises(Unavailable), transaction(engine):
        pass
    assert time.monotonic() - asked_at < PATIENCE_SECONDS / 2
    with transaction(engine) as connection:
        raw = connection.connection.dbapi_connection
        assert isinstance(raw, PatientConnection)
        assert raw.patience_seconds == PATIENCE_SECONDS
    engine.dispose()

"""No address reads a whole large table, whether or not PostgreSQL has statistics, which a fresh database lacks."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import Connection, Engine, event

from service.embedded import EmbeddedPostgres
from service.store.engine import connect
from tests.benchmarks.crowded import Crowd, fill
from tests.benchmarks.pages import asked_of, serve
from tests.web.serving import serving

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

LARGE = re.compile(r"Seq Scan on ((?:finding|window_result|window_score)_w\d+|pane|alert)\b")
SMALL = Crowd(models=200, windows=20, features=10, large_windows=48, alerts=10_000)
WHOLE = {
    "/metrics", "/api/v1/dead-letters/by-{by}", "/api/v1/windows?limit=1000&format=csv",
    "/api/v1/findings?verdict=drift",
}  # fmt: skip
"""These tell of all there is, or of so much of what is here that an index is no help."""


@pytest.fixture(scope="module")
def crowded(postgres_server: EmbeddedPostgres) -> Iterator[Engine]:
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute("create database plans")
    engine = connect(postgres_server.url_of("plans"))
    fill(engine, SMALL)
    yield engine
    engine.dispose()


@contextmanager
def listening(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are sent meanwhile."""
    sent: list[tuple[str, Any]] = []

    def note(_: Connection, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            sent.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def scans(engine: Engine, statement: str, parameters: Any) -> set[str]:
    """The large tables that this statement reads as a whole."""
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars().all()
    return set(LARGE.findall("\n".join(plan)))


@pytest.mark.parametrize("is_analyzed", [False, True])
def test_no_address_reads_a_whole_large_table(crowded: Engine, is_analyzed: bool) -> None:
    if is_analyzed:
        with crowded.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    app = serve(crowded)
    wrong, statements = [], 0
    with serving(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        for name, asked in asked_of(app).items():
            path, parameters = asked(random.Random(1))
            with listening(crowded) as sent:
                assert client.get(path, params=parameters or None).status_code in {200, 404}, name
            statements += len(sent)
            for statement, values in sent:
                found = scans(crowded, statement, values) if name not in WHOLE else set()
                wrong += [(name, table, statement[:400]) for table in found]
    assert wrong == []
    assert statements > 40

"""The server tells what it is, what it lets us do, and what time it has."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine, text

from service.errors import DriftbellError
from service.store.engine import connect, transaction
from service.store.migrate import downgrade, migrate
from service.store.server import database_seen, looking

pytestmark = pytest.mark.postgres


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    made = connect(database)
    yield made
    made.dispose()


def test_an_empty_database_has_no_schema_and_lacks_nothing(engine: Engine) -> None:
    seen = database_seen(engine, now_ms)
    assert (seen.schema, seen.is_current, seen.lacking, seen.read_only) == (None, False, (), False)
    assert int(seen.version.split(".")[0]) >= 13
    assert 0 < seen.connections < seen.most_connections


def test_a_migrated_database_is_current_until_it_is_of_another_version(engine: Engine) -> None:
    migrate(engine)
    assert database_seen(engine, now_ms).is_current
    downgrade(engine, "0001")
    seen = database_seen(engine, now_ms)
    assert (seen.schema, seen.is_current) == ("0001", False)


def test_the_clocks_difference_is_told_with_how_far_it_is_known(engine: Engine) -> None:
    seen = database_seen(engine, lambda: now_ms() - 90_000)
    assert 89_000 < seen.ahead_ms < 91_000
    assert seen.unsure_ms < 1_000


def test_the_rights_that_a_role_lacks_are_named(engine: Engine, database: str) -> None:
    migrate(engine)
    role = f"reader_{engine.url.database}"
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {role} LOGIN")
        admin.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
        admin.execute(f"GRANT INSERT, UPDATE, DELETE ON pane TO {role}")
        admin.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    poor = connect(database.replace("postgres@", f"{role}@"))
    try:
        lacking = database_seen(poor, now_ms).lacking
    finally:
        poor.dispose()
        with psycopg.connect(database, autocommit=True) as admin:
            admin.execute(f"DROP OWNED BY {role}")
            admin.execute(f"DROP ROLE {role}")
    assert {"INSERT on outbox", "CREATE in schema public", "ownership of finding"} <= set(lacking)
    assert [one for one in lacking if one.startswith("SELECT") or one.endswith(" pane")] == []


def test_a_database_that_is_set_to_take_no_writes_says_so(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(
            text(f"ALTER DATABASE {engine.url.database} SET default_transaction_read_only = on")
        )
    engine.dispose()
    assert database_seen(engine, now_ms).read_only


def test_who_looks_cannot_write(engine: Engine) -> None:
    with pytest.raises(DriftbellError, match="read-only transaction"), looking(engine) as connection:
        connection.execute(text("CREATE TABLE t (x int)"))

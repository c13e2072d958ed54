"""The schema of the migrations is the schema of the tables, up and down, alone or two at once."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, event, text

from service.errors import ConfigurationError, Unavailable
from service.store.engine import connect, transaction
from service.store.migrate import downgrade, migrate, require_current
from service.store.partitions import ensure_partitions
from service.store.tables import metadata

pytestmark = pytest.mark.postgres

OLD_ALERT = """
INSERT INTO alert (id, incident, model, version, segment, "window", role, feature, rule, cause, severity, state,
    since_ms, at_ms, summary)
VALUES (:state, 'i', 'churn', '1', '', '5m', '', '', 'silence', 'silence', 'page', :state, 3, 7, 'nothing')
"""


@pytest.fixture
def empty(database: str) -> Iterator[Engine]:
    engine = connect(database)
    yield engine
    engine.dispose()


def tables(engine: Engine) -> set[str]:
    with transaction(engine) as connection:
        found = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        return set(found.scalars()) - {"alembic_version"}


def test_up_down_and_up_again(empty: Engine) -> None:
    for _ in range(2):
        migrate(empty)
        require_current(empty)
        assert tables(empty) == set(metadata.tables)
        ensure_partitions(empty, 0, 0)
        downgrade(empty, "base")
        assert tables(empty) == set()


def test_migrating_a_current_database_changes_nothing(empty: Engine) -> None:
    migrate(empty)
    with transaction(empty) as connection:
        connection.execute(text("UPDATE revision SET number = 7"))
    migrate(empty)
    with transaction(empty) as connection:
        assert connection.execute(text("SELECT number FROM revision")).scalar_one() == 7


def test_the_tables_of_the_code_are_those_of_the_migrations(empty: Engine) -> None:
    migrate(empty)
    with transaction(empty) as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []


def test_two_processes_at_once_wait_for_each_other(empty: Engine, database: str) -> None:
    """Both stand before the lock, which somebody else holds still, and are let go together."""
    imports = (
        "import sys; from service.store.engine import connect; from service.store.migrate import migrate"
    )
    code = f"{imports}; migrate(connect(sys.argv[1]))"
    with transaction(empty) as connection:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({0x64726966})"))
        both = [
            subprocess.Popen([sys.executable, "-c", code, database], stderr=subprocess.PIPE) for _ in range(2)
        ]
        waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        deadline = time.monotonic() + 20
        while connection.execute(waiting).scalar_one() < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert [(one.wait(20), one.communicate()[1]) for one in both] == [(0, b"")] * 2
    require_current(empty)


def test_a_migration_has_more_time_than_a_statement_of_a_loop(
    empty: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = {}

    def look(config: object, to: str) -> None:
        connection = config.attributes["connection"]  # type: ignore[attr-defined]
        for name in ("statement_timeout", "lock_timeout", "synchronous_commit"):
            shown[name] = connection.execute(text(f"SHOW {name}")).scalar_one()

    monkeypatch.setattr("alembic.command.upgrade", look)
    migrate(empty)
    assert shown == {"statement_timeout": "0", "lock_timeout": "5min", "synchronous_commit": "on"}


def sentence(engine: Engine, kind: type[Exception]) -> str:
    with pytest.raises(kind) as raised:
        require_current(engine)
    engine.dispose()
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_database_without_tables_is_told_what_to_run(empty: Engine) -> None:
    assert sentence(empty, ConfigurationError).endswith("has no driftbell tables; run `driftbell migrate`")


def test_alerts_of_the_version_before_are_kept_and_what_has_fired_is_known(empty: Engine) -> None:
    migrate(empty)
    downgrade(empty, "0002")
    with transaction(empty) as connection:
        for state in ("pending", "firing", "resolved"):
            connection.execute(text(OLD_ALERT), {"state": state})
    migrate(empty)
    with transaction(empty) as connection:
        found = connection.execute(
            text("SELECT state, consequence, confidence, evidence, fired_ms FROM alert ORDER BY state")
        ).all()
    assert [tuple(row) for row in found] == [
        ("firing", False, None, None, 7),
        ("pending", False, None, None, None),
        ("resolved", False, None, None, 7),
    ]


def test_nobody_s_writing_waits_while_scores_are_filled_in(empty: Engine, database: str) -> None:
    migrate(empty)
    downgrade(empty, "0006")
    other, tried = connect(database), []

    def try_to_write(_c: object, _u: object, statement: str, *_: object) -> None:
        if "INSERT INTO window_score" in statement:
            with transaction(other) as connection:
                connection.execute(text("SET LOCAL lock_timeout = '2s'"))
                tables = "window_result, finding, performance, alert"
                connection.execute(text(f"LOCK TABLE {tables} IN ROW EXCLUSIVE MODE"))
                tried.append(statement)

    event.listen(empty, "after_cursor_execute", try_to_write)
    migrate(empty)
    other.dispose()
    assert len(tried) == 1


def test_an_older_database_is_told_what_to_run(empty: Engine) -> None:
    migrate(empty)
    with transaction(empty) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    assert "is at migration 0000, this version needs 0007; run `driftbell migrate`" in sentence(
        empty, ConfigurationError
    )


def test_a_database_that_is_away_or_not_there_is_one_sentence(database: str) -> None:
    away = connect("postgresql://me:secret@127.0.0.1:1/results")
    assert sentence(away, Unavailable).startswith("the database results at 127.0.0.1 does not answer: ")
    missing = connect(database.replace("/test_", "/missing_"))
    assert "does not let us in: database" in sentence(missing, ConfigurationError)

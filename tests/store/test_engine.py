"""Trouble with the database is one clear sentence, sorted by what the reader must do."""

from __future__ import annotations

import time

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from service.embedded import EmbeddedPostgres
from service.errors import ConfigurationError, TooSlow, Unavailable
from service.store.engine import connect, take_time, transaction
from service.store.patience import PatientConnection

pytestmark = pytest.mark.postgres


def trouble(engine: Engine, statement: str = "SELECT 1") -> Exception:
    """What a transaction raises."""
    with pytest.raises(Exception) as raised, transaction(engine) as connection:
        connection.execute(text(statement))
    engine.dispose()
    return raised.value


@pytest.mark.parametrize(
    "url", ["nonsense", "postgresql://host:port/x", "mysql://host/x", "postgresql://[::1/x"]
)
def test_a_url_that_is_none_is_told_at_once_without_its_text(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DRIFTBELL_DATABASE_URL") as raised:
        connect(url)
    assert "\n" not in str(raised.value)


def test_nobody_who_listens_is_waited_for() -> None:
    why = trouble(connect("postgresql://me:secret@127.0.0.1:1/results"))
    assert isinstance(why, Unavailable)
    assert str(why).startswith("the database results at 127.0.0.1 does not answer: connection failed: ")
    assert str(why).endswith("Connection refused")


def test_a_name_that_nothing_has_is_waited_for() -> None:
    assert isinstance(trouble(connect("postgresql://me@no-such-host.invalid/results")), Unavailable)


def test_a_database_that_is_not_there_needs_a_person(postgres_server: EmbeddedPostgres) -> None:
    why = trouble(connect(postgres_server.url_of("missing")))
    assert isinstance(why, ConfigurationError)
    assert 'does not let us in: database "missing" does not exist' in str(why)


def test_an_unknown_user_needs_a_person(postgres_server: EmbeddedPostgres) -> None:
    url = postgres_server.url.replace("postgres@", "stranger@", 1)
    why = trouble(connect(url))
    assert isinstance(why, ConfigurationError)
    assert 'role "stranger" does not exist' in str(why)


@pytest.mark.parametrize(
    "words",
    [
        'connection to server at "db", port 5432 failed: FATAL:  password authentication failed for user "me"',
        (
            "Multiple connection attempts failed. All failures were:\n"
            "- host: 'db', hostaddr: '::1': connection failed: connection refused\n"
            "- host: 'db', hostaddr: '127.0.0.1': failed: FATAL:  password authentication failed for user \"me\""
        ),
        'connection failed: FATAL:  no pg_hba.conf entry for host "1.2.3.4", user "me", database "x", no encryption',
    ],
)
def test_a_wrong_password_needs_a_person(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    """The wheel's server trusts everybody; these are the words of one that does not."""

    def refuse(*_: object, **__: object) -> None:
        raise psycopg.OperationalError(words)

    engine = connect("postgresql://me:secret@db/x")
    monkeypatch.setattr(PatientConnection, "connect", refuse)
    why = trouble(engine)
    assert isinstance(why, ConfigurationError)
    assert str(why).startswith("the database x at db does not let us in: ")
    assert "\n" not in str(why)
    assert "secret" not in str(why)


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("failed: SSL error: certificate verify failed", "give its authority as sslrootcert"),
        ('failed: server certificate for "a" does not match host name "db"', "connect by a name"),
        ("failed: server does not support SSL, but SSL was required", "turn TLS on there"),
        ("failed: SSL error: tlsv13 alert certificate required", "check sslcert and sslkey"),
        ("failed: SSL error: sslv3 alert bad certificate", "check sslcert and sslkey"),
        ("failed: SSL error: tlsv1 alert unknown ca", "check sslcert and sslkey"),
    ],
)
def test_a_server_that_shows_no_good_certificate_needs_a_person(
    monkeypatch: pytest.MonkeyPatch, words: str, advice: str
) -> None:
    """No wait makes it a better one; its words are libpq's, with a host name as long as clouds make them."""
    host = f"{'a' * 60}.{'b' * 60}.rds.amazonaws.com"
    assert advice in str(
        _refused(monkeypatch, f'connection to server at "{host}" (10.0.0.1), port 5432 {words}')
    )


@pytest.mark.parametrize(
    "words",
    [
        "SSL SYSCALL error: Connection reset by peer",
        "SSL error: unexpected eof while reading",
        'could not translate host name "certificate-alert" to address: Temporary failure',
    ],
)
def test_a_handshake_that_breaks_off_is_tried_again(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    assert isinstance(_refused(monkeypatch, f"connection failed: {words}"), Unavailable)


def _refused(monkeypatch: pytest.MonkeyPatch, words: str) -> Exception:
    def refuse(*_: object, **__: object) -> None:
        raise psycopg.OperationalError(words)

    monkeypatch.setattr(PatientConnection, "connect", refuse)
    return trouble(connect("postgresql://me:secret@db/x"))


def test_a_database_without_tables_says_what_to_run(database: str) -> None:
    why = trouble(connect(database), "SELECT * FROM revision")
    assert isinstance(why, ConfigurationError)
    assert "has no driftbell tables; run `driftbell migrate`" in str(why)


def test_what_may_not_be_done_needs_a_person(engine: Engine) -> None:
    why = trouble(engine, "SET ROLE pg_monitor; SELECT * FROM pane")
    assert isinstance(why, ConfigurationError)
    assert "permission denied" in str(why)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT pg_terminate_backend(pg_backend_pid())",
        "SET LOCAL statement_timeout = 10; SELECT pg_sleep(5)",
        "SET TRANSACTION READ ONLY; CREATE TABLE t (x int)",
    ],
)
def test_what_may_succeed_later_is_tried_again(engine: Engine, statement: str) -> None:
    assert isinstance(trouble(engine, statement), Unavailable)


def test_a_statement_that_takes_too_long_is_told_from_a_database_that_is_away(engine: Engine) -> None:
    slow = trouble(engine, "SET LOCAL statement_timeout = 10; SELECT pg_sleep(5)")
    assert isinstance(slow, TooSlow)
    assert "took too long: canceling statement due to statement timeout" in str(slow)
    away = trouble(engine, "SELECT pg_terminate_backend(pg_backend_pid())")
    assert not isinstance(away, TooSlow)


@pytest.mark.parametrize(
    "statement", ["SELECT 1/0", "SELECT 'x'::int", "INSERT INTO revision VALUES (true, 1)"]
)
def test_data_that_is_refused_is_our_own_mistake(engine: Engine, statement: str) -> None:
    assert isinstance(trouble(engine, statement), DBAPIError)


def test_connections_that_are_all_in_use_are_waited_for(database: str) -> None:
    engine = connect(database)
    engine.pool._timeout = 0.01  # type: ignore[attr-defined]
    held = [engine.connect() for _ in range(8)]
    with pytest.raises(Unavailable, match="are in use"), transaction(engine):
        pass
    for connection in held:
        connection.close()
    engine.dispose()


def test_no_wait_is_without_an_end(engine: Engine) -> None:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "synchronous_commit")
    with transaction(engine) as connection:
        found = [connection.execute(text(f"SHOW {name}")).scalar_one() for name in names]
    assert found == ["20s", "10s", "30s", "off"]


def test_a_transaction_that_stands_still_gives_its_rows_back(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after many rows were sent at once, when PostgreSQL does not see that it idles."""
    monkeypatch.setattr("service.store.engine._TRANSACTION_SECONDS", 1)
    stopped = connect(engine.url.render_as_string(hide_password=False))

    def stand_still() -> None:
        with transaction(stopped) as connection:
            cursor = connection.connection.cursor()
            cursor.executemany("SELECT %s::text", [("a",), ("b",)])
            time.sleep(2.5)
            connection.execute(text("SELECT 1"))

    with pytest.raises(Unavailable):
        stand_still()
    stopped.dispose()


def test_a_transaction_that_needs_time_has_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.store.engine._TRANSACTION_SECONDS", 1)
    patient = connect(engine.url.render_as_string(hide_password=False))
    with transaction(patient) as connection:
        take_time(connection)
        time.sleep(2.5)
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    patient.dispose()

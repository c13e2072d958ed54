"""Connections to PostgreSQL, bounded in time, and its errors sorted by what the caller must do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as AllInUse
from sqlalchemy.pool import QueuePool

from service.errors import ConfigurationError, TooSlow, Unavailable
from service.store.patience import PatientConnection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_OPTIONS = {
    "statement_timeout": "20000",
    "lock_timeout": "10000",
    "idle_in_transaction_session_timeout": "30000",
    "synchronous_commit": "off",  # state and offset vanish together in a crash, and the log has them still
}
_TRANSACTION_SECONDS = 60
"""The longest transaction. A process that is stopped in one holds its rows no longer than this.

`idle_in_transaction_session_timeout` alone is not enough: PostgreSQL 18 was seen not to apply it after a pipeline,
which is how psycopg sends many rows. Servers before 17 have nothing better.
"""
_HAS_TRANSACTION_TIMEOUT = 170_000
_RETRY = ("08", "57P", "40001", "40P01", "25006", "25P03", "25P04", "53", "55P03", "57014")
_TOO_SLOW = {"57014", "55P03", "25P04"}
"""A statement, a lock or a transaction took longer than it may."""
_NO_TABLES = "42P01"
_REFUSED = {"3D000", "28000", "28P01"}
# A connection that was never made has no SQLSTATE, only the server's words.
_REFUSALS = (
    "password authentication failed",
    "no pg_hba.conf entry",
    "no password supplied",
    "does not exist",
)
_OUR_CERTIFICATE = "it refuses our certificate: check sslcert and sslkey in DRIFTBELL_DATABASE_URL"
# The same of TLS, in the words of libpq and OpenSSL, and what to do about it. A handshake that broke off may succeed.
_NOT_BELIEVED = {
    "server does not support SSL": "turn TLS on there, or allow sslmode=disable with DRIFTBELL_ALLOW_INSECURE=true",
    "does not match host name": "connect by a name that stands in its certificate, or give it one with this name",
    "certificate verify failed": "give its authority as sslrootcert in the database's URL, or renew its certificate",
    "alert bad certificate": _OUR_CERTIFICATE,
    "alert certificate": _OUR_CERTIFICATE,
    "alert unknown ca": _OUR_CERTIFICATE,
}

PING_SECONDS = 3.0
"""Before it is used a kept connection is asked whether its server is there, which costs that nothing. With a new
connection, which may take five seconds, a scrape of /metrics ends before Prometheus gives it up.
"""


def connect(url: str, password: str | None = None) -> Engine:
    """An engine; connects on first use. Raises ConfigurationError for a URL that is none."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            "DRIFTBELL_DATABASE_URL is no URL; write postgresql://user@host/database"
        ) from None
    if not parsed.drivername.startswith("postgresql"):
        raise ConfigurationError(
            f"DRIFTBELL_DATABASE_URL names {parsed.drivername}; driftbell keeps its results in postgresql"
        )
    parsed = parsed.set(drivername="postgresql+psycopg", password=password or parsed.password)
    engine = create_engine(
        parsed, poolclass=QueuePool, pool_size=4, max_overflow=4, pool_pre_ping=True, pool_timeout=10,
        connect_args={
            "connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
            "tcp_user_timeout": 20_000, "options": " ".join(f"-c {k}={v}" for k, v in _OPTIONS.items()),
        },
    )  # fmt: skip
    event.listen(engine, "do_connect", _patient)
    event.listen(engine, "checkin", _only_to_be_asked_whether_it_is_there)
    event.listen(engine, "checkout", _patient_again)
    return engine


def _patient(_dialect: object, _record: object, places: tuple[Any, ...], options: dict[str, Any]) -> object:
    connection = PatientConnection.connect(*places, **options)
    if connection.info.server_version >= _HAS_TRANSACTION_TIMEOUT:
        connection.execute(f"SET transaction_timeout = '{_TRANSACTION_SECONDS}s'")
        connection.commit()
    return connection


def _only_to_be_asked_whether_it_is_there(connection: PatientConnection | None, _record: object) -> None:
    if connection is not None:
        connection.patience_seconds = PING_SECONDS


def _patient_again(connection: PatientConnection, _record: object, _proxy: object) -> None:
    connection.patience_seconds = PatientConnection.patience_seconds


def place_of(url: URL) -> str:
    """The database in words, without its password."""
    return f"{url.database} at {url.host or url.query.get('host') or 'the local socket'}"


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction. Raises Unavailable when the same may succeed later, ConfigurationError when a person must act.

    Data that PostgreSQL refuses is a DBAPIError still: it is our own mistake, and the caller's to contain.
    """
    try:
        with engine.begin() as connection:
            yield connection
    except AllInUse as error:
        raise Unavailable(f"all our connections to the database {place_of(engine.url)} are in use") from error
    except DBAPIError as error:
        raise _sorted(error, engine.url) from error


def make_durable(connection: Connection) -> None:
    """What this transaction commits survives a crash of the server: no log holds what people typed."""
    connection.execute(text("SET LOCAL synchronous_commit = on"))


def take_time(connection: Connection) -> None:
    """Let this transaction and its statements run for as long as they need, and wait minutes for a lock."""
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text("SET LOCAL lock_timeout = '5min'"))
    whole = "SELECT set_config(name, '0', true) FROM pg_settings WHERE name = 'transaction_timeout'"
    connection.execute(text(whole))
    patient = connection.connection.driver_connection
    if isinstance(patient, PatientConnection):
        patient.patience_seconds = None


def _sorted(error: DBAPIError, url: URL) -> Exception:
    state, words = getattr(error.orig, "sqlstate", None) or "", _words(error)
    if state == _NO_TABLES:
        return ConfigurationError(
            f"the database {place_of(url)} has no driftbell tables; run `driftbell migrate`"
        )
    if state in _REFUSED or (not state and any(refusal in words for refusal in _REFUSALS)):
        return ConfigurationError(f"the database {place_of(url)} does not let us in: {words}")
    advice = [advice for sign, advice in _NOT_BELIEVED.items() if not state and sign in words]
    if advice:
        return ConfigurationError(
            f"no trust between us and the database {place_of(url)}: {words}; {advice[0]}"
        )
    if state == "42501":
        return ConfigurationError(
            f"the database {place_of(url)} does not let {url.username} do that: {words}"
        )
    if (
        state.startswith(_RETRY)
        or error.connection_invalidated
        or (isinstance(error, OperationalError) and not state)
    ):
        kind, why = (TooSlow, "took too long") if state in _TOO_SLOW else (Unavailable, "does not answer")
        return kind(f"the database {place_of(url)} {why}: {words}")
    return error


def _words(error: DBAPIError) -> str:
    """The server's own words where it said any, else the first line that says something."""
    lines = [line.strip(" \t-") for line in str(error.orig).splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL:" in line] or [
        line for line in lines if not line.startswith("Multiple ")
    ]
    return (telling or ["no reason given"])[0].rpartition("FATAL:")[2].strip()[:400]

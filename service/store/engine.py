"""Connections to PostgreSQL, bounded in time, and its errors sorted by what the caller must do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

from service.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPTIONS = {
    "statement_timeout": "20000",
    "lock_timeout": "10000",
    "idle_in_transaction_session_timeout": "30000",
    "synchronous_commit": "off",  # state and offset vanish together in a crash, and the log has them still
}
_RETRY = ("08", "57P", "40001", "40P01", "25006", "53", "55P03", "57014")
_NO_TABLES = "42P01"


def connect(url: str, password: str | None = None) -> Engine:
    """An engine; connects on first use. Raises ConfigurationError for a URL that is none."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigurationError("DRIFTBELL_DATABASE_URL is no URL; write postgresql://user@host/database") from None
    if not parsed.drivername.startswith("postgresql"):
        raise ConfigurationError(f"DRIFTBELL_DATABASE_URL names {parsed.drivername}; driftbell keeps its results in postgresql")
    parsed = parsed.set(drivername="postgresql+psycopg", **({"password": password} if password else {}))
    return create_engine(
        parsed, poolclass=QueuePool, pool_size=4, max_overflow=4, pool_pre_ping=True, pool_timeout=10,
        connect_args={
            "connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
            "tcp_user_timeout": 20_000, "options": " ".join(f"-c {k}={v}" for k, v in _OPTIONS.items()),
        },
    )  # fmt: skip


def place_of(url: URL) -> str:
    """The database in words, without its password."""
    return f"{url.database} at {url.host or url.query.get('host') or 'the local socket'}"


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction. Raises Unavailable when the same may succeed later, ConfigurationError when a person must act."""
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        raise _sorted(error, engine.url) from error


def _sorted(error: DBAPIError, url: URL) -> Exception:
    state = getattr(error.orig, "sqlstate", None) or ""
    if state == _NO_TABLES:
        return ConfigurationError(f"the database {place_of(url)} has no driftbell tables; run `driftbell migrate`")
    if state in {"3D000", "28000", "28P01"}:
        return ConfigurationError(f"the database {place_of(url)} does not let us in: {_first_line(error)}")
    if state.startswith(_RETRY) or error.connection_invalidated or (isinstance(error, OperationalError) and not state):
        return Unavailable(f"the database {place_of(url)} does not answer: {_first_line(error)}")
    return error


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().split("\n", maxsplit=1)[0][:200]

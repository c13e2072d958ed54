"""What the database server says of itself and of our rights: the first things to ask where something is wrong."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import text

from service.doctor.database import DatabaseSeen
from service.store.engine import place_of, transaction
from service.store.migrate import schema_of
from service.store.partitions import PARTITIONED
from service.store.tables import metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Engine

_SERVER = text("""
    SELECT current_setting('server_version') AS version,
        pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool AS read_only,
        CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint) AS now_ms
""")

LOOK_MS = 5_000

# What is held for superusers is not free for us; a role or a database may have a lower limit of its own.
_CONNECTIONS = text("""
    SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
        current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS most
""")

_LACKING = text("""
    SELECT privilege || ' on ' || name AS lacking
    FROM unnest(CAST(:tables AS text[])) AS name
    CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
    WHERE to_regclass(quote_ident(name)) IS NOT NULL
        AND NOT has_table_privilege(to_regclass(quote_ident(name)), privilege)
    UNION ALL
    SELECT 'CREATE in schema ' || current_schema() WHERE NOT has_schema_privilege(current_schema(), 'CREATE')
    UNION ALL
    SELECT 'ownership of ' || relname FROM pg_class
    WHERE oid = ANY (ARRAY(SELECT to_regclass(name) FROM unnest(CAST(:partitioned AS text[])) AS name))
        AND NOT pg_has_role(relowner, 'USAGE')
    ORDER BY 1
""")


@contextmanager
def looking(engine: Engine) -> Iterator[Connection]:
    """A transaction that can only read, and not for long."""
    with transaction(engine) as connection:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        connection.execute(text(f"SET LOCAL statement_timeout = {LOOK_MS}"))
        yield connection


def database_seen(engine: Engine, clock_ms: Callable[[], int]) -> DatabaseSeen:
    """The server now. Raises ConfigurationError or Unavailable."""
    with looking(engine) as connection:
        before_ms = clock_ms()
        server = connection.execute(_SERVER).one()
        after_ms = clock_ms()
        schema, wanted = schema_of(connection)
        used, most = connection.execute(_CONNECTIONS).one()
        return DatabaseSeen(
            place_of(engine.url), server.version.split()[0], schema, wanted, _lacking(connection), server.read_only,
            used, most, server.now_ms - (before_ms + after_ms) // 2, (after_ms - before_ms) // 2 + 1,
        )  # fmt: skip


def _lacking(connection: Connection) -> tuple[str, ...]:
    asked = {"tables": sorted(metadata.tables), "partitioned": list(PARTITIONED)}
    return tuple(connection.execute(_LACKING, asked).scalars())

"""The database, judged: whether it takes what we write, for how long, and by which clock."""

from __future__ import annotations

from dataclasses import dataclass

from service.doctor.check import Check, failure, not_checked, warning, well
from service.doctor.phrasing import lasting
from service.plurals import counted

LEAST_FREE = 8
"""A process holds so many connections at most."""
CLOCKS_APART_MS = 2_000
CLOCKS_FAR_APART_MS = 30_000
"""A lease lasts as long: beyond it nothing that is told by two clocks can be believed."""
PARTS = ("schema", "permissions", "connections", "clocks")


@dataclass(frozen=True, slots=True)
class DatabaseSeen:
    """The server, its schema (None: no tables) and what this version needs, our rights there, room, and its clock.

    `ahead_ms` is its clock less ours, known to within `unsure_ms`.
    """

    place: str
    version: str
    schema: str | None
    wanted: str
    lacking: tuple[str, ...] = ()
    read_only: bool = False
    connections: int = 1
    most_connections: int = 100
    ahead_ms: int = 0
    unsure_ms: int = 0

    @property
    def is_current(self) -> bool:
        """Whether its tables are those of this version."""
        return self.schema == self.wanted


def database_checks(seen: DatabaseSeen) -> list[Check]:
    """The server itself first, then what is in it."""
    return [_server(seen), _schema(seen), _permissions(seen), _connections(seen), _clocks(seen)]


def _server(seen: DatabaseSeen) -> Check:
    said = f"PostgreSQL {seen.version}, {seen.place}"
    if seen.read_only:
        advice = "name the primary in DRIFTBELL_DATABASE_URL, or wait until it is promoted"
        return failure("database", f"{said}, takes no writes: it is a standby or read-only", advice)
    return well("database", f"{said} answers")


def _schema(seen: DatabaseSeen) -> Check:
    if seen.is_current:
        return well("schema", f"it is at migration {seen.schema}, as this version needs")
    if seen.schema is None:
        return failure("schema", "the database has no driftbell tables", "run `driftbell migrate`")
    said = f"it is at migration {seen.schema}, this version needs {seen.wanted}"
    later = seen.schema > seen.wanted
    return failure("schema", said, "upgrade driftbell here" if later else "run `driftbell migrate`")


def _permissions(seen: DatabaseSeen) -> Check:
    if seen.schema is None:
        return not_checked("permissions", "there are no tables yet")
    if not seen.lacking:
        return well("permissions", "we may read and write every table, and make the tables of each week")
    more = f" and {len(seen.lacking) - 5:,} more" if len(seen.lacking) > 5 else ""
    lacking = f"we lack {', '.join(seen.lacking[:5])}{more}"
    return failure(
        "permissions", lacking, "GRANT them, or let the role that ran `driftbell migrate` run all roles"
    )


def _connections(seen: DatabaseSeen) -> Check:
    free = max(seen.most_connections - seen.connections, 0)
    said = f"{free:,} of {counted(seen.most_connections, 'connection')} are free"
    if free >= LEAST_FREE:
        return well("connections", said)
    advice = "raise max_connections, or find out in pg_stat_activity who holds them"
    return (warning if free else failure)(
        "connections", f"{said}; a process takes up to {LEAST_FREE}", advice
    )


def _clocks(seen: DatabaseSeen) -> Check:
    apart = abs(seen.ahead_ms) - seen.unsure_ms
    if apart < CLOCKS_APART_MS:
        return well("clocks", "this host's clock and the database's agree")
    where = "ahead of" if seen.ahead_ms > 0 else "behind"
    said = f"the database's clock is {lasting(abs(seen.ahead_ms))} {where} this host's"
    advice = "let both follow the same NTP servers: silence and leases are told by these clocks"
    return (warning if apart < CLOCKS_FAR_APART_MS else failure)("clocks", said, advice)

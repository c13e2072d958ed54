"""What API and pages read about models, their monitors and references, and the partitions they come from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, select, text, tuple_

from service.monitor import DAY_MS
from service.store.paging import Chunk, Order, Paging, check_key, chunk_of, columns_of
from service.store.partition_rows import has_position
from service.store.tables import model_version, reference, source_partition

VERSIONS_SEEN_WITHIN_MS = 8 * DAY_MS
MOST_VERSIONS = 50


# ---------------------------------------------------------------- models
@dataclass(frozen=True, slots=True)
class OpenAlerts:
    """How many alerts of a model are open, by what they do; `silence` is how many fire for it."""

    page: int = 0
    ticket: int = 0
    info: int = 0
    pending: int = 0
    silence: int = 0

    @property
    def total(self) -> int:
        """All open alerts, pending ones included."""
        return self.page + self.ticket + self.info + self.pending


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model at a glance. The times are event times, exact to the millisecond of the newest pane."""

    model: str
    number: int
    monitor: str
    reference_name: str | None
    versions: tuple[str, ...]
    last_event_ms: int | None
    last_label_ms: int | None
    last_window_end_ms: int | None
    alerts: OpenAlerts


# A pane's last event is never before an older pane's: only the newest panes that counted one are looked at.
NEWEST = """
    SELECT max(newest.last_ms) AS last_ms FROM (
        SELECT p.last_ms FROM pane p WHERE p.model = v.model AND p.{counted} > 0
        ORDER BY p.start_ms DESC FETCH FIRST 1 ROW WITH TIES
    ) newest
"""

# Postgres has no loose index scan: each step jumps to the next version in the primary key.
VERSIONS = f"""
    WITH RECURSIVE step AS (
        SELECT min(w.version) AS version, 1 AS number FROM window_result w
        WHERE w.model = v.model AND w.end_ms > :seen_since
        UNION ALL
        SELECT (
            SELECT min(w.version) FROM window_result w
            WHERE w.model = v.model AND w.version > step.version AND w.end_ms > :seen_since
        ), number + 1 FROM step WHERE step.version IS NOT NULL AND number < {MOST_VERSIONS}
    )
    SELECT array_agg(version ORDER BY number) FILTER (WHERE version IS NOT NULL) AS versions FROM step
"""  # noqa: S608 - only a constant

_ALERTS = """
    SELECT count(*) FILTER (WHERE a.state = 'firing' AND a.severity = 'page') AS page,
        count(*) FILTER (WHERE a.state = 'firing' AND a.severity = 'ticket') AS ticket,
        count(*) FILTER (WHERE a.state = 'firing' AND a.severity = 'info') AS info,
        count(*) FILTER (WHERE a.state = 'pending') AS pending,
        count(*) FILTER (WHERE a.state = 'firing' AND a.cause = 'silence' AND a.segment = '') AS silence
    FROM alert a WHERE a.model = v.model AND a.state IN ('pending', 'firing')
"""

_MODELS = text(f"""
    SELECT v.*, event.last_ms AS last_event_ms, label.last_ms AS last_label_ms,
        newest.end_ms AS last_window_end_ms, seen.versions,
        alerts.page, alerts.ticket, alerts.info, alerts.pending, alerts.silence
    FROM (
        SELECT DISTINCT ON (model) model, number, monitor, reference_name FROM model_version
        WHERE model > :after AND (CAST(:model AS text) IS NULL OR model = :model)
        ORDER BY model, number DESC LIMIT :limit
    ) v
    CROSS JOIN LATERAL ({NEWEST.format(counted="inferences")}) event
    CROSS JOIN LATERAL ({NEWEST.format(counted="labels")}) label
    LEFT JOIN LATERAL (
        SELECT w.end_ms FROM window_result w WHERE w.model = v.model ORDER BY w.end_ms DESC LIMIT 1
    ) newest ON true
    CROSS JOIN LATERAL ({VERSIONS}) seen
    CROSS JOIN LATERAL ({_ALERTS}) alerts
    ORDER BY v.model
""")  # noqa: S608 - only the constants above


def list_models(connection: Connection, now_ms: int, paging: Paging) -> Chunk[ModelRow]:
    """Models in the order of their names. `versions` had windows in the last eight days."""
    if paging.after is not None:
        check_key(paging.after, (str,))
    after = paging.after[0] if paging.after else ""
    values = {"after": after, "model": None, "limit": paging.limit + 1}
    found = connection.execute(_MODELS, values | _seen_since(now_ms)).mappings().all()
    return chunk_of(found, paging, _model_row, lambda row: (row["model"],))


def find_model(connection: Connection, now_ms: int, model: str) -> ModelRow | None:
    """One model; None when there is none of that name."""
    values = {"after": "", "model": model, "limit": 1}
    row = connection.execute(_MODELS, values | _seen_since(now_ms)).mappings().first()
    return None if row is None else _model_row(row)


def model_names(connection: Connection, most: int) -> list[str]:
    """The names of models, at most so many."""
    names = select(model_version.c.model).distinct().order_by(model_version.c.model).limit(most)
    return list(connection.execute(names).scalars())


def _seen_since(now_ms: int) -> dict[str, int]:
    return {"seen_since": now_ms - VERSIONS_SEEN_WITHIN_MS}


def _model_row(row: RowMapping) -> ModelRow:
    values = dict(row)
    alerts = OpenAlerts(*(values.pop(name) for name in ("page", "ticket", "info", "pending", "silence")))
    return ModelRow(**values | {"versions": tuple(row["versions"] or ()), "alerts": alerts})


# ---------------------------------------------------------------- monitors
@dataclass(frozen=True, slots=True)
class MonitorRow:
    """The newest version of a model's monitor; it holds from `since_ms`, which may lie ahead."""

    model: str
    number: int
    since_ms: int
    monitor: str
    reference_name: str | None
    grid_id: str
    origin: str
    created_at: datetime


_version = model_version.c
_newest = select(_version.model, func.max(_version.number)).group_by(_version.model)
_monitors = select(*columns_of(model_version, MonitorRow)).where(
    tuple_(_version.model, _version.number).in_(_newest)
)


def list_monitors(connection: Connection, paging: Paging) -> Chunk[MonitorRow]:
    """The newest version of each model's monitor, in the order of the models' names."""
    order = Order((_version.model,), downwards=False)
    return order.read(connection, _monitors, paging, lambda row: MonitorRow(**row))


def find_monitor(connection: Connection, model: str) -> MonitorRow | None:
    """The newest version of one model's monitor; None when there is none."""
    row = connection.execute(_monitors.where(_version.model == model)).mappings().first()
    return None if row is None else MonitorRow(**row)


def monitor_at(connection: Connection, model: str, now_ms: int) -> str | None:
    """The YAML of the monitor that a model has now; where all of its monitors lie ahead, the newest of them."""
    in_force = _version.since_ms <= now_ms
    query = select(_version.monitor).where(_version.model == model)
    return connection.execute(query.order_by(in_force.desc(), _version.number.desc()).limit(1)).scalar()


# ---------------------------------------------------------------- references
@dataclass(frozen=True, slots=True)
class ReferenceRow:
    """A stored reference without its profile."""

    name: str
    model: str
    grid_id: str
    rows: int
    created_at: datetime


def list_references(connection: Connection, paging: Paging, model: str | None = None) -> Chunk[ReferenceRow]:
    """References in the order of their names."""
    rows = select(*columns_of(reference, ReferenceRow))
    if model is not None:
        rows = rows.where(reference.c.model == model)
    order = Order((reference.c.name,), downwards=False)
    return order.read(connection, rows, paging, lambda row: ReferenceRow(**row))


def find_reference(connection: Connection, name: str) -> ReferenceRow | None:
    """One reference; None when there is none of that name."""
    rows = select(*columns_of(reference, ReferenceRow)).where(reference.c.name == name)
    row = connection.execute(rows).mappings().first()
    return None if row is None else ReferenceRow(**row)


# ---------------------------------------------------------------- partitions
@dataclass(frozen=True, slots=True)
class PartitionRow:
    """How far a partition is read, and where its records ended: five outcomes, which sum to those read."""

    topic: str
    partition: int
    topic_id: str | None
    first_offset: int
    next_offset: int
    lag: int | None
    highest_ms: int | None
    owner: str | None
    deaths: int
    idle_since: datetime | None
    halted: str | None
    accepted: int
    duplicate: int
    late: int
    dead: int
    tombstone: int
    lost: int
    updated_at: datetime


def topic_names(connection: Connection) -> list[str]:
    """The topics that were ever read, those too whose positions were forgotten."""
    topic = source_partition.c.topic
    return list(connection.execute(select(topic).distinct().order_by(topic)).scalars())


def list_partitions(
    connection: Connection, paging: Paging, topic: str | None = None, *, halted: bool | None = None
) -> Chunk[PartitionRow]:
    """Partitions by topic and number."""
    column = source_partition.c
    rows = select(*columns_of(source_partition, PartitionRow)).where(has_position)
    if topic is not None:
        rows = rows.where(column.topic == topic)
    if halted is not None:
        rows = rows.where(column.halted.is_not(None) if halted else column.halted.is_(None))
    order = Order((column.topic, column.partition), downwards=False)
    return order.read(connection, rows, paging, lambda row: PartitionRow(**row))

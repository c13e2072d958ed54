"""How far collectors, evaluators and deliveries have come, and what monitors and references are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, text

from service.doctor.collectors import PartitionSeen
from service.doctor.delivery import AlertmanagerSeen, OutboxSeen
from service.doctor.evaluators import EvaluationSeen
from service.doctor.monitors import MonitorSeen, ReferenceSeen
from service.errors import FormatError
from service.moments import ms_of
from service.panes.partition import MISSING_SEGMENT
from service.reference.profile import profile_from_bytes
from service.store.alertmanagers import alertmanagers
from service.store.dead_letters import DeadLetterFilter, count_dead_letters
from service.store.partition_rows import has_position
from service.store.server import looking
from service.store.tables import outbox, reference, source_partition
from service.store.watermarks import watermarks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from service.monitor import Monitor
    from service.store.watermarks import Progress

LATE_PANES = 10
"""So many panes before a model's newest one are looked at for its segments."""
_partition, _sent = source_partition.c, outbox.c

_EVALUATIONS = text("""
    SELECT m.model, e.position_ms, first.start_ms AS first_ms, last.end_ms AS last_ms, e.owner,
        CASE WHEN e.token IS NOT NULL AND e.expires_at < now()
            THEN CAST(extract(epoch FROM now() - e.expires_at) * 1000 AS bigint) END AS expired_ms,
        coalesce(inbox.rows, 0)::bigint AS inbox
    FROM unnest(CAST(:models AS text[])) AS m (model)
    LEFT JOIN evaluation e ON e.model = m.model
    LEFT JOIN (SELECT j.model, sum(j.rows) AS rows FROM join_inbox j GROUP BY j.model) inbox ON inbox.model = m.model
    LEFT JOIN LATERAL (
        SELECT p.start_ms FROM pane p WHERE p.model = m.model AND e.position_ms IS NULL ORDER BY p.start_ms LIMIT 1
    ) first ON true
    LEFT JOIN LATERAL (
        SELECT p.end_ms FROM pane p WHERE p.model = m.model ORDER BY p.start_ms DESC LIMIT 1
    ) last ON true
    ORDER BY m.model
""")

_MONITORS = text("""
    SELECT v.model, v.monitor, v.grid_id, v.reference_name, v.origin = 'learned' AS learned,
        newest.start_ms IS NOT NULL AS events,
        EXISTS (SELECT FROM pane p WHERE p.model = v.model AND p.labels > 0) AS labels,
        ARRAY(
            SELECT DISTINCT p.segment FROM pane p
            WHERE p.model = v.model AND p.segment <> '' AND NOT p.segment LIKE :missing
                AND p.start_ms >= newest.start_ms - :panes * (newest.end_ms - newest.start_ms)
        ) AS segments
    FROM (SELECT DISTINCT ON (model) * FROM model_version ORDER BY model, number DESC) v
    LEFT JOIN LATERAL (
        SELECT p.start_ms, p.end_ms FROM pane p WHERE p.model = v.model AND p.inferences > 0
        ORDER BY p.start_ms DESC LIMIT 1
    ) newest ON true
    ORDER BY v.model
""")

_ACCEPTED = text("""
    SELECT coalesce(sum(of_model.rows), 0)::bigint FROM (SELECT DISTINCT model FROM model_version) m
    CROSS JOIN LATERAL (
        SELECT sum(p.inferences + p.labels) AS rows FROM pane p
        WHERE p.model = m.model AND p.start_ms > :since_ms AND p.segment = ''
    ) of_model
""")


def clock_of(connection: Connection) -> int:
    """The database's clock, by which its rows tell time."""
    return int(connection.execute(select(func.extract("epoch", func.now()) * 1000)).scalar_one())


def partitions_seen(engine: Engine) -> tuple[int, list[PartitionSeen]]:
    """The database's clock, and every partition that was claimed."""
    silent = func.extract("epoch", func.now() - _partition.updated_at) * 1000
    columns = (_partition.topic, _partition.partition, _partition.next_offset, silent, _partition.owner,
               _partition.lag, _partition.halted, _partition.deaths, _partition.highest_ms)  # fmt: skip
    rows = select(*columns).where(has_position).order_by(_partition.topic, _partition.partition)
    with looking(engine) as connection:
        found = [
            PartitionSeen(topic, number, offset, int(silent_ms), *others)
            for topic, number, offset, silent_ms, *others in connection.execute(rows)
        ]
        return clock_of(connection), found


def monitors_seen(engine: Engine) -> tuple[int, list[MonitorSeen]]:
    """The database's clock, and the newest version of each model's monitor."""
    with looking(engine) as connection:
        rows = connection.execute(_MONITORS, {"panes": LATE_PANES, "missing": f"%={MISSING_SEGMENT}"}).all()
        named = select(reference).where(reference.c.name.in_({row.reference_name for row in rows}))
        references = {row.name: _reference(row) for row in connection.execute(named)}
        return clock_of(connection), [_monitor(row, references) for row in rows]


def _monitor(row: Any, references: Mapping[str, ReferenceSeen]) -> MonitorSeen:
    name = row.reference_name
    found = None if name is None else references.get(name)
    return MonitorSeen(
        row.model,
        row.monitor,
        row.grid_id,
        name,
        found,
        frozenset(row.segments),
        row.events,
        row.labels,
        row.learned,
    )


def _reference(row: Any) -> ReferenceSeen:
    created_ms = ms_of(row.created_at)
    try:
        profile = profile_from_bytes(bytes(row.profile))
    except FormatError as why:
        return ReferenceSeen(row.name, row.rows, created_ms, damage=str(why))
    return ReferenceSeen(row.name, row.rows, created_ms, profile.grid)


def evaluations_seen(
    engine: Engine, monitors: Sequence[Monitor], progress: tuple[Progress, ...]
) -> list[EvaluationSeen]:
    """How far each model is evaluated, and could be."""
    by_model = {one.model: one for one in monitors}
    with looking(engine) as connection:
        now_ms = clock_of(connection)
        rows = connection.execute(_EVALUATIONS, {"models": sorted(by_model)}).all()
    reached = watermarks(progress, monitors, now_ms)
    return [
        EvaluationSeen(
            row.model, row.position_ms, reached[row.model], row.first_ms, row.last_ms,
            by_model[row.model].pane_ms, row.owner, row.expired_ms, row.inbox,
        )
        for row in rows
    ]  # fmt: skip


def dead_letters_seen(engine: Engine, within_ms: int) -> tuple[dict[str, int], int]:
    """Of the latest time the dead letters by reason, and the rows of panes that began in it."""
    with looking(engine) as connection:
        since_ms = clock_of(connection) - within_ms
        counts = count_dead_letters(connection, DeadLetterFilter(since_ms=since_ms))
        accepted = int(connection.execute(_ACCEPTED, {"since_ms": since_ms}).scalar_one())
    return {one.name: one.count for one in counts}, accepted


def outbox_seen(engine: Engine) -> OutboxSeen:
    """Alerts that wait, and when one left last."""
    with looking(engine) as connection:
        return outbox_within(connection)


def outbox_within(connection: Connection) -> OutboxSeen:
    """The same in this transaction. What a silence has dropped was never attempted, and has not left."""
    waits = _sent.delivered_at.is_(None) & _sent.held_at.is_(None)
    held = _sent.delivered_at.is_(None) & _sent.held_at.is_not(None)
    tried, age_of_oldest = _sent.attempts > 0, func.now() - func.min(_sent.created_at).filter(waits)
    row = select(
        func.count().filter(waits), func.extract("epoch", age_of_oldest) * 1000, func.count().filter(waits & tried),
        func.max(_sent.delivered_at).filter(tried), func.count().filter(held),
        func.min(_sent.created_at).filter(waits & tried),
    )  # fmt: skip
    waiting, oldest_ms, attempted, left, kept_back, since = connection.execute(row).one()
    return OutboxSeen(waiting, int(oldest_ms or 0), attempted, _ms(left), kept_back, _ms(since))


def alertmanagers_seen(engine: Engine) -> tuple[int, list[AlertmanagerSeen]]:
    """The database's clock, and every Alertmanager that incidents were pushed to."""
    with looking(engine) as connection:
        return alertmanagers_within(connection)


def alertmanagers_within(connection: Connection) -> tuple[int, list[AlertmanagerSeen]]:
    """The same in this transaction."""
    return clock_of(connection), [
        AlertmanagerSeen(one.name, _ms(one.reached_at), _ms(one.failing_since), one.trouble)
        for one in alertmanagers(connection)
    ]


def _ms(at: datetime | None) -> int | None:
    return None if at is None else ms_of(at)

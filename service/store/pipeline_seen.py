"""The pipeline as the tables tell it: partitions, evaluations, joins, deliveries, dead letters and gaps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from service.doctor.delivery import OutboxSeen
from service.doctor.evaluators import EvaluationSeen
from service.doctor.flow import PartitionStanding
from service.monitor import HOUR_MS, Monitor
from service.store.dead_letters import DeadLetterCount, DeadLetterFilter, count_dead_letters
from service.store.gauge_queries import JoinBacklog, join_backlogs, monitors_in_force
from service.store.server import looking
from service.store.standing import (
    clock_of,
    dead_letters_seen,
    evaluations_seen,
    outbox_seen,
    partitions_standing,
)
from service.store.tables import gap
from service.store.watermarks import load_progress

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

MOST_GAPS = 50


@dataclass(frozen=True, slots=True)
class GapRow:
    """Offsets that are missing, or that were counted and taken back by the log."""

    topic: str
    partition: int
    offset: int
    kind: str
    records: int
    from_ms: int | None
    until_ms: int | None
    noted_at: datetime


@dataclass(frozen=True, slots=True)
class Gaps:
    """The latest of them, and how many and of how many records there are in all."""

    latest: Sequence[GapRow]
    count: int
    records: int


@dataclass(frozen=True, slots=True)
class DeadLettersSeen:
    """Stored dead letters by reason; those of the last hour, beside the rows of panes that began in it."""

    by_reason: Sequence[DeadLetterCount]
    last_hour: Mapping[str, int]
    accepted_last_hour: int


@dataclass(frozen=True, slots=True)
class PipelineSeen:
    """All of it, by the database's clock."""

    now_ms: int
    partitions: Sequence[PartitionStanding]
    evaluations: Sequence[EvaluationSeen]
    joins: Mapping[str, JoinBacklog]
    outbox: OutboxSeen
    dead: DeadLettersSeen
    gaps: Gaps
    disorder_ms: int


def pipeline_seen(engine: Engine, parse: Callable[[str, str], Monitor]) -> PipelineSeen:
    """How far everything has come. `parse` makes a monitor of a model's name and stored text."""
    with looking(engine) as connection:
        now_ms = clock_of(connection)
        partitions = partitions_standing(connection)
        joins = {one.model: one for one in join_backlogs(connection)}
        gaps = _gaps(connection)
        by_reason = count_dead_letters(connection, DeadLetterFilter())
        documents = monitors_in_force(connection, now_ms)
    monitors = [parse(model, document) for model, document in documents.items()]
    return PipelineSeen(
        now_ms,
        partitions,
        evaluations_seen(engine, monitors, load_progress(engine)),
        joins,
        outbox_seen(engine),
        DeadLettersSeen(by_reason, *dead_letters_seen(engine, HOUR_MS)),
        gaps,
        max(one.disorder_ms for one in monitors or [Monitor("learned")]),
    )


def _gaps(connection: Connection) -> Gaps:
    count, records = connection.execute(
        select(func.count(), func.coalesce(func.sum(gap.c.records), 0)).select_from(gap)
    ).one()
    newest = (
        select(*(gap.c[one.name] for one in fields(GapRow))).order_by(gap.c.noted_at.desc()).limit(MOST_GAPS)
    )
    return Gaps([GapRow(**row) for row in connection.execute(newest).mappings()], count, int(records))

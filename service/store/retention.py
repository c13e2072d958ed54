"""What is kept how long. What the collector may still write to is never touched: it forgets that itself."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, literal_column, select, text

from service.messages import State
from service.store.engine import transaction
from service.store.partitions import WEEK_MS, drop_partitions
from service.store.tables import (
    alert,
    dead_letter,
    feedback,
    feedback_candidate,
    outbox,
    outcome,
    pane,
    performance,
    performance_finding,
    retraining,
    score_columns,
    source_partition,
)

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Engine, Table

log = logging.getLogger(__name__)

_DELIVERED_KEPT = "7 days"
_ROWS_AT_ONCE = 5_000
_ROUNDS = 40
"""So many transactions at most a table and turn, each well within the statement timeout; the rest waits."""
_CROWDED = "SELECT topic FROM dead_letter GROUP BY topic HAVING count(*) > :kept ORDER BY count(*) DESC"


@dataclass(frozen=True, slots=True)
class Retention:
    """Ages in milliseconds, by event time for results and panes, by our clock for dead letters.

    Of a topic's dead letters at most `dead_letters_kept` stay, so that a poisoned topic cannot fill the disk.
    """

    results_ms: int
    panes_ms: int
    dead_letters_ms: int
    dead_letters_kept: int = 100_000
    every_ms: int = 600_000


def apply_retention(engine: Engine, retention: Retention, now_ms: int) -> None:
    """Delete what is older. Result tables lose whole weeks at a time."""
    drop_partitions(engine, now_ms - retention.results_ms)
    unused = score_columns.c.last_end_ms < now_ms - retention.results_ms - WEEK_MS
    _delete(engine, score_columns, unused, _ROUNDS)
    _delete(engine, pane, _closed_before(now_ms - retention.panes_ms, retention.panes_ms), _ROUNDS)
    _delete(engine, outcome, outcome.c.start_ms < now_ms - retention.results_ms, _ROUNDS)
    _delete(engine, performance, performance.c.end_ms < now_ms - retention.results_ms, _ROUNDS)
    judged = performance_finding.c.end_ms < now_ms - retention.results_ms
    _delete(engine, performance_finding, judged, _ROUNDS)
    _delete(engine, feedback, feedback.c.end_ms < now_ms - retention.results_ms, _ROUNDS)
    _delete(engine, feedback_candidate, feedback_candidate.c.start_ms < now_ms - retention.panes_ms, _ROUNDS)
    _delete(engine, retraining, retraining.c.at_ms < now_ms - retention.results_ms, _ROUNDS)
    age = func.now() - func.make_interval(0, 0, 0, 0, 0, 0, retention.dead_letters_ms / 1000)
    _delete(engine, dead_letter, dead_letter.c.seen_at < age, _ROUNDS)
    _thin_dead_letters(engine, retention.dead_letters_kept)
    _delete(engine, outbox, _told_and_over(), _ROUNDS)
    resolved = (alert.c.state == State.RESOLVED.value) & (alert.c.at_ms < now_ms - retention.results_ms)
    _delete(engine, alert, resolved, _ROUNDS)


def _thin_dead_letters(engine: Engine, kept: int) -> None:
    """Leave each topic its newest dead letters, the most crowded first; say how many of the others went."""
    with transaction(engine) as connection:
        crowded = [row.topic for row in connection.execute(text(_CROWDED), {"kept": kept})]
    rounds = _ROUNDS
    for topic in crowded:
        of_topic = dead_letter.c.topic == topic
        newest = select(dead_letter.c.id).where(of_topic).order_by(dead_letter.c.id.desc())
        with transaction(engine) as connection:
            last_to_go = connection.execute(newest.offset(kept).limit(1)).scalar() or 0
        dropped = _delete(engine, dead_letter, of_topic & (dead_letter.c.id <= last_to_go), rounds)
        log.warning(
            "topic %s has more than %d dead letters (DRIFTBELL_DEAD_LETTERS_KEPT): dropped %d of the oldest",
            topic, kept, dropped,
        )  # fmt: skip
        rounds -= dropped // _ROWS_AT_ONCE + 1
        if rounds <= 0:
            return


def _closed_before(before_ms: int, age_ms: int) -> ColumnElement[bool]:
    """Panes that ended before, by our clock and by their partition's: a backlog that is read now is old, and open."""
    partition = source_partition.c
    still_open = (
        select(partition.topic)
        .where(partition.topic == pane.c.topic, partition.partition == pane.c.partition)
        .where(func.coalesce(partition.highest_ms, 0) - age_ms <= pane.c.end_ms)
        .exists()
    )
    return (pane.c.end_ms < before_ms) & ~still_open


def _told_and_over() -> ColumnElement[bool]:
    """Messages that left long ago, of alerts whose end did, too: a silence swallows the end of what nobody heard of."""
    waiting = outbox.alias("waiting").c
    waits = select(waiting.id).where(waiting.alert_id == outbox.c.alert_id, waiting.delivered_at.is_(None))
    is_open = select(alert.c.id).where(alert.c.id == outbox.c.alert_id, alert.c.state != State.RESOLVED.value)
    delivered = outbox.c.delivered_at < func.now() - text(f"interval '{_DELIVERED_KEPT}'")
    return delivered & ~is_open.exists() & ~waits.exists()


def _delete(engine: Engine, table: Table, old: ColumnElement[bool], rounds: int) -> int:
    """Delete these rows, in at most so many transactions; returns how many went."""
    place: ColumnElement[Any] = literal_column(f"{table.name}.ctid")
    some = func.array(
        select(place).select_from(table).where(old).limit(_ROWS_AT_ONCE).correlate(None).scalar_subquery()
    )
    gone = 0
    for _ in range(rounds):
        with transaction(engine) as connection:
            deleted = connection.execute(delete(table).where(place == func.any(some))).rowcount
        gone += deleted
        if deleted < _ROWS_AT_ONCE:
            break
    return gone

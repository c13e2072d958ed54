"""What is kept how long. What the collector may still write to is never touched: it forgets that itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, literal_column, select, text

from service.messages import State
from service.store.engine import transaction
from service.store.partitions import drop_partitions
from service.store.tables import alert, dead_letter, outbox, pane, source_partition

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Engine, Table

_DELIVERED_KEPT = "7 days"
_ROWS_AT_ONCE = 5_000
_ROUNDS = 40
"""So many transactions at most a table and turn, each well within the statement timeout; the rest waits."""


@dataclass(frozen=True, slots=True)
class Retention:
    """Ages in milliseconds, by event time for results and panes, by our clock for dead letters."""

    results_ms: int
    panes_ms: int
    dead_letters_ms: int
    every_ms: int = 600_000


def apply_retention(engine: Engine, retention: Retention, now_ms: int) -> None:
    """Delete what is older. Result tables lose whole weeks at a time."""
    drop_partitions(engine, now_ms - retention.results_ms)
    _delete(engine, pane, _closed_before(now_ms - retention.panes_ms, retention.panes_ms))
    age = func.now() - func.make_interval(0, 0, 0, 0, 0, 0, retention.dead_letters_ms / 1000)
    _delete(engine, dead_letter, dead_letter.c.seen_at < age)
    _delete(engine, outbox, outbox.c.delivered_at < func.now() - text(f"interval '{_DELIVERED_KEPT}'"))
    _delete(
        engine,
        alert,
        (alert.c.state == State.RESOLVED.value) & (alert.c.at_ms < now_ms - retention.results_ms),
    )


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


def _delete(engine: Engine, table: Table, old: ColumnElement[bool]) -> None:
    place: ColumnElement[Any] = literal_column(f"{table.name}.ctid")
    some = func.array(
        select(place).select_from(table).where(old).limit(_ROWS_AT_ONCE).correlate(None).scalar_subquery()
    )
    for _ in range(_ROUNDS):
        with transaction(engine) as connection:
            deleted = connection.execute(delete(table).where(place == func.any(some)))
        if deleted.rowcount < _ROWS_AT_ONCE:
            return

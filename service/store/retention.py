"""What is kept how long. Open panes and their ids are never touched: the collector forgets those itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, text

from service.store.engine import transaction
from service.store.partitions import drop_partitions
from service.store.tables import dead_letter, outbox, pane

if TYPE_CHECKING:
    from sqlalchemy import Engine

_DELIVERED_KEPT = "7 days"


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
    with transaction(engine) as connection:
        connection.execute(delete(pane).where(pane.c.end_ms < now_ms - retention.panes_ms))
        age = func.now() - func.make_interval(0, 0, 0, 0, 0, 0, retention.dead_letters_ms / 1000)
        connection.execute(delete(dead_letter).where(dead_letter.c.seen_at < age))
        old = func.now() - text(f"interval '{_DELIVERED_KEPT}'")
        connection.execute(delete(outbox).where(outbox.c.delivered_at < old))

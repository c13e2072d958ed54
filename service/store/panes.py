"""Stored panes, for those who read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from service.store.checkpoint import pane_row
from service.store.engine import take_time, transaction
from service.store.tables import pane

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.messages import PaneRow


def inferences_between(engine: Engine, model: str, start_ms: int, end_ms: int) -> int:
    """How many inferences a model's panes count that start in [start_ms, end_ms)."""
    mine = (
        pane.c.model == model,
        pane.c.segment == "",
        pane.c.start_ms >= start_ms,
        pane.c.start_ms < end_ms,
    )
    with transaction(engine) as connection:
        return int(connection.execute(select(func.sum(pane.c.inferences)).where(*mine)).scalar() or 0)


def panes_between(
    engine: Engine, model: str, start_ms: int, end_ms: int, *, segments: bool = False
) -> Iterator[PaneRow]:
    """A model's panes that start in [start_ms, end_ms), oldest first, a few hundred at a time.

    Those of all traffic, or those of its segments.
    """
    mine = (
        pane.c.model == model,
        pane.c.segment != "" if segments else pane.c.segment == "",
        pane.c.start_ms >= start_ms,
        pane.c.start_ms < end_ms,
    )
    order = (pane.c.start_ms, pane.c.topic, pane.c.partition, pane.c.version, pane.c.segment)
    query = select(pane).where(*mine).order_by(*order).execution_options(yield_per=200)
    with transaction(engine) as connection:
        take_time(connection)
        for row in connection.execute(query).mappings():
            yield pane_row(row)

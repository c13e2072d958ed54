"""Stored panes, for those who read them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy import select

from service.store.checkpoint import pane_row
from service.store.engine import transaction
from service.store.tables import pane

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from service.messages import PaneRow


def panes_between(engine: Engine, model: str, start_ms: int, end_ms: int) -> Iterator[PaneRow]:
    """A model's panes of all traffic that start in [start_ms, end_ms), oldest first, a few hundred at a time."""
    mine = (
        pane.c.model == model,
        pane.c.segment == "",
        pane.c.start_ms >= start_ms,
        pane.c.start_ms < end_ms,
    )
    query = select(pane).where(*mine).order_by(pane.c.start_ms).execution_options(yield_per=200)
    with transaction(engine) as connection:
        for row in connection.execute(query).mappings():
            yield pane_row(row)

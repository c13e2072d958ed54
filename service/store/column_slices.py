"""Beside one column of a model: the slices that its windows have, and what rings about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from service.messages import State
from service.store.paging import columns_of
from service.store.result_queries import AlertRow, alert_row, place_of
from service.store.tables import alert, window_result

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from service.messages import Column
    from service.monitor import WindowSpec

_MOST_ROWS, _MOST_ALERTS, _WINDOWS_BACK = 2_000, 20, 6


@dataclass(frozen=True, slots=True)
class Slices:
    """The versions and segments of some windows, by name; the whole model has neither."""

    versions: tuple[str, ...]
    segments: tuple[str, ...]


def slices_until(connection: Connection, model: str, spec: WindowSpec, until_ms: int) -> Slices:
    """Those of the last few windows of this kind that ended by then."""
    c = window_result.c
    since_ms = until_ms - _WINDOWS_BACK * spec.every_ms
    mine = (c.model == model, c.window == spec.name, c.end_ms > since_ms, c.end_ms <= until_ms)
    rows = connection.execute(select(c.version, c.segment).where(*mine).distinct().limit(_MOST_ROWS)).all()
    versions, segments = ({row[place] for row in rows} for place in (0, 1))
    return Slices(tuple(sorted(versions - {""})), tuple(sorted(segments - {""})))


def open_alerts_of(connection: Connection, model: str, column: Column) -> tuple[AlertRow, ...]:
    """What is pending or firing about a column of any slice: firing before pending, the worst first."""
    c = alert.c
    of_column = (c.role == column.role.value, c.feature == column.name)
    is_open = c.state.in_([State.PENDING.value, State.FIRING.value])
    query = select(*columns_of(alert, AlertRow)).where(c.model == model, is_open, *of_column)
    badness = (
        place_of(c.state, "firing"),
        c.consequence,
        place_of(c.severity, "page", "ticket"),
        c.since_ms,
        c.id,
    )
    query = query.order_by(*badness).limit(_MOST_ALERTS)
    return tuple(map(alert_row, connection.execute(query).mappings()))

"""How complete the labels of windows are, how long labels take, and what was found once they had come."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from service.monitor_file import parse_monitors
from service.performance.delays import ripe_after_ms
from service.performance.maturity import Maturity, Window, maturity_of
from service.performance.windows import REALIZED, judged_spec
from service.store.judged import label_delays_of, reached
from service.store.paging import Chunk, Order, Paging, columns_of
from service.store.queries import find_monitor
from service.store.result_queries import WindowFilter, matching
from service.store.tables import join_share, performance, performance_finding, window_result

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """A finding about labelled predictions, with its limit and verdict. A number that is not finite is None."""

    model: str
    version: str
    segment: str
    window: str
    start_ms: int
    end_ms: int
    method: str
    value: float | None
    limit: float | None
    n: int
    m: int
    verdict: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedFilter(WindowFilter):
    """Which findings about labelled predictions; the times are those of the windows' ends."""

    method: str | None = None
    verdict: str | None = None


def labels_of(
    connection: Connection, model: str, window: str | None, segment: str, most: int, now_ms: int
) -> Maturity | None:
    """How the labels of a model come in, with its newest windows of a kind; None when there is no such model."""
    row = find_monitor(connection, model)
    if row is None:
        return None
    (monitor,) = parse_monitors(row.monitor, model)
    kind = window or judged_spec(monitor).name
    windows = _covered(connection, (model, kind, segment), monitor.labels.sample, most)
    delays = label_delays_of(connection, model)
    ripe_after = ripe_after_ms(delays, monitor.labels.wait_ms)
    place = (model, kind, segment)
    return maturity_of(place, delays, ripe_after, reached(connection, model).judged_ms, windows, now_ms)


def _covered(
    connection: Connection, place: tuple[str, str, str], sample: float, most: int
) -> tuple[Window, ...]:
    """The newest windows, the latest first; `sample` is the share of ids that the monitor joins."""
    (model, kind, segment), w, p = place, window_result.c, performance.c
    labelled = (
        select(p.version, p.end_ms, func.max(p.n).label("n"))
        .where(p.model == model, p.window == kind, p.segment == segment, p.basis == REALIZED)
        .group_by(p.version, p.end_ms)
        .subquery()
    )
    halved = select(func.power(0.5, join_share.c.halvings)).where(join_share.c.model == model)
    share = min(sample, connection.execute(halved).scalar() or 1.0)
    query = (
        select(w.version, w.end_ms, w.inferences, func.coalesce(labelled.c.n, 0).label("labelled"))
        .outerjoin(labelled, (labelled.c.version == w.version) & (labelled.c.end_ms == w.end_ms))
        .where(w.model == model, w.window == kind, w.segment == segment, w.inferences > 0)
        .order_by(w.end_ms.desc(), w.version)
        .limit(most)
    )
    return tuple(
        Window(r.version, r.end_ms, r.inferences, r.labelled, min(1.0, r.labelled / (r.inferences * share)))
        for r in connection.execute(query)
    )


def list_judged(connection: Connection, wanted: JudgedFilter, paging: Paging) -> Chunk[JudgedRow]:
    """Findings about labelled predictions, those of the latest window first."""
    column = performance_finding.c
    rows = matching(
        select(*columns_of(performance_finding, JudgedRow)), performance_finding, wanted, column.end_ms
    )
    key = ("end_ms", "model", "version", "segment", "window", "method")
    return Order(tuple(column[name] for name in key)).read(connection, rows, paging, _judged_row)


def _judged_row(row: RowMapping) -> JudgedRow:
    numbers = {name: row[name] for name in ("value", "limit")}
    finite = {name: v if v is not None and math.isfinite(v) else None for name, v in numbers.items()}
    return JudgedRow(**dict(row) | finite)

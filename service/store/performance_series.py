"""One metric of a model's windows over time, by version and basis, as charts and slices show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select

from service.store.tables import performance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection

    from service.store.window_heat import WindowSpan

MOST_VALUES = 50_000
_HEADLINES = ("accuracy", "rmse", "mae")
"""What a person asks of first, and what naive models are measured by."""


class MetricValue(NamedTuple):
    """A metric of one window; `reason` says why there is no value."""

    version: str
    start_ms: int
    end_ms: int
    basis: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    reason: str | None


def metrics_of(connection: Connection, span: WindowSpan) -> tuple[str, ...]:
    """The names of the metrics that the latest windows have, the one that is shown first in front."""
    ends = select(performance.c.end_ms).where(*_within(span)).order_by(performance.c.end_ms.desc()).limit(1)
    rows = select(performance.c.metric).where(
        *_within(span), performance.c.end_ms == ends.scalar_subquery()
    ).distinct()  # fmt: skip
    found = sorted(connection.execute(rows).scalars())
    first = next((name for name in _HEADLINES if name in found), None)
    return tuple(found) if first is None else (first, *(name for name in found if name != first))


def metric_values(connection: Connection, span: WindowSpan, metric: str) -> Sequence[MetricValue]:
    """Of all bases, the newest windows first where there are too many, told in order of time."""
    c = performance.c
    rows = (
        select(c.version, c.start_ms, c.end_ms, c.basis, c.value, c.low, c.high, c.n, c.reason)
        .where(*_within(span), c.metric == metric)
        .order_by(c.end_ms.desc(), c.version, c.basis)
        .limit(MOST_VALUES)
    )
    return [MetricValue(*row) for row in reversed(connection.execute(rows).all())]


class MetricMean(NamedTuple):
    """A metric over some time: the mean of its windows, weighted by their rows."""

    version: str
    segment: str
    basis: str
    value: float | None
    n: int


def metric_means(connection: Connection, span: WindowSpan, metric: str) -> Sequence[MetricMean]:
    """Of every version and segment, whatever segment the span is of."""
    c = performance.c
    weighed = func.sum(c.value * c.n) / func.nullif(func.sum(c.n), 0)
    rows = (
        select(c.version, c.segment, c.basis, weighed, func.sum(c.n))
        .where(*_of_time(span), c.metric == metric, c.value.is_not(None))
        .group_by(c.version, c.segment, c.basis)
    )
    return [MetricMean(v, s, b, value, int(n)) for v, s, b, value, n in connection.execute(rows)]


def _of_time(span: WindowSpan) -> list[ColumnElement[bool]]:
    c = performance.c
    return [
        c.model == span.model, c.window == span.window, c.end_ms > span.since_ms, c.end_ms <= span.until_ms,
    ]  # fmt: skip


def _within(span: WindowSpan) -> list[ColumnElement[bool]]:
    of_version = [] if span.version is None else [performance.c.version == span.version]
    return [*_of_time(span), performance.c.segment == span.segment, *of_version]

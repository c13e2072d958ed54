"""How well a model answered over time, over the API: columnar, since it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from detectors.performance.catalogue import OF_A_CLASS, OF_ALL_CLASSES, OF_SCORES
from service.performance.baselines import LAST, SEASONAL, USUAL
from service.performance.delays import ripe_after_ms
from service.performance.estimating import ESTIMATED, assumed
from service.performance.windows import REALIZED
from service.store.engine import transaction
from service.store.judged import label_delays_of
from service.store.performance_series import MetricValue, metric_values, metrics_of
from service.web.api.columnar import aligned, by_kind, series_table
from service.web.api.csv_rows import CsvTable
from service.web.api.parameters import Name
from service.web.api.window_spans import OfWindowSpan, WindowSpanParameters, found_monitor, window_span_of
from service.web.dependencies import Dependencies

if TYPE_CHECKING:
    from service.store.window_heat import WindowSpan

BASES = (REALIZED, ESTIMATED, USUAL, LAST, SEASONAL)
_OF_VALUES = {"values": "value", "lows": "low", "highs": "high", "n": "n", "reasons": "reason"}
_OF_WINDOWS = {"starts_ms": "start_ms", "ends_ms": "end_ms", "ripe": "ripe"}


class PerformanceOverTimeParameters(WindowSpanParameters):
    """Also of which metric."""

    metric: Name | None = Field(None, description="accuracy or root mean squared error if none is named")


class MetricSeries(BaseModel):
    """One basis of the metric for one version, with 95 % intervals; null where there is no value, `reasons` say why."""

    version: str
    basis: str
    values: list[float | None]
    lows: list[float | None]
    highs: list[float | None]
    n: list[int | None]
    reasons: list[str | None]


class PerformanceWindows(BaseModel):
    """Parallel lists, a window each; `ripe`: nine in ten of the labels that ever come have come."""

    starts_ms: list[int]
    ends_ms: list[int]
    ripe: list[bool]


class PerformanceOverTime(OfWindowSpan):
    """One metric over time: realized, estimated, and what naive models would have reached on the same labels.

    Estimates hold under `assumption` only.
    """

    metric: str | None
    metrics: list[str]
    higher_is_better: bool | None
    assumption: str | None
    ripe_after_ms: int | None
    windows: PerformanceWindows
    series: list[MetricSeries]

    @staticmethod
    def csv_table(told: Any) -> CsvTable:
        """A row for each value."""
        return series_table(told, "basis", _OF_WINDOWS, _OF_VALUES, "n")


def performance_over_time(
    web: Dependencies, asked: Annotated[PerformanceOverTimeParameters, Query()]
) -> PerformanceOverTime:
    """One metric of a model in each window, by version and basis, with its interval and how ripe its labels are.

    Numbers have six digits here; `/performance` has all of them.
    """
    with transaction(web.engine) as connection:
        monitor = found_monitor(connection, asked.model)
        span = window_span_of(asked, monitor, web.clock_ms())
        metrics = metrics_of(connection, span)
        metric = asked.metric or next(iter(metrics), None)
        found = [] if metric is None else metric_values(connection, span, metric)
        ripe_after = ripe_after_ms(label_delays_of(connection, span.model), monitor.labels.wait_ms)
    return over_time(span, metric, metrics, found, ripe_after, web.clock_ms())


def over_time(
    span: WindowSpan, metric: str | None, metrics: Sequence[str], found: Sequence[MetricValue], ripe_after: int | None,
    now_ms: int,
) -> PerformanceOverTime:  # fmt: skip
    """The values side by side: every list has a place for each window."""
    starts = {one.end_ms: one.start_ms for one in found}
    ends = sorted(starts)
    return PerformanceOverTime(
        **asdict(span), metric=metric, metrics=list(metrics),
        higher_is_better=None if metric is None else higher_is_better(metric),
        assumption=None if metric is None else assumed(metric), ripe_after_ms=ripe_after,
        windows=PerformanceWindows(
            starts_ms=[starts[end] for end in ends], ends_ms=ends,
            ripe=[ripe_after is not None and now_ms - end >= ripe_after for end in ends],
        ),
        series=_series(found, ends),
    )  # fmt: skip


def higher_is_better(metric: str) -> bool | None:
    """Which direction is better; None where neither is, such as of a bias. Of numbers all but r2 are errors."""
    if metric in OF_ALL_CLASSES:
        return True
    known = OF_A_CLASS.get(metric) or OF_SCORES.get(metric)
    if known is not None:
        return known.higher_is_better
    return None if metric == "bias" else metric == "r2"


def _series(found: Sequence[MetricValue], ends: Sequence[int]) -> list[MetricSeries]:
    series = by_kind(found, lambda one: (one.version, one.basis))
    order = sorted(
        series, key=lambda kind: (kind[0], BASES.index(kind[1]) if kind[1] in BASES else len(BASES))
    )
    return [
        MetricSeries(version=kind[0], basis=kind[1], **_shortened(aligned(series[kind], ends, _OF_VALUES)))
        for kind in order
    ]


def _shortened(lists: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
    return {name: list(map(_short, values)) for name, values in lists.items()}


def _short(value: Any) -> Any:
    """Six digits of a number: more are none to see, and three times the bytes."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


PERFORMANCE_ENDPOINTS: dict[str, Callable[..., Any]] = {"/performance-over-time": performance_over_time}

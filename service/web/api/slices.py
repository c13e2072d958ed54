"""The slices of a model over the API: versions and segments side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel

from service.performance.estimating import ESTIMATED
from service.performance.windows import REALIZED
from service.store.engine import transaction
from service.store.performance_series import MetricMean, metric_means, metrics_of
from service.store.slices import SliceTotal, slice_totals
from service.web.api.window_spans import WindowSpanParameters, found_monitor, window_span_of
from service.web.dependencies import Dependencies


class Slice(BaseModel):
    """One version and segment over the time: an empty segment is the whole model.

    `share` is that of the version's predictions; `worst` is the highest score by its limit, and `rang` counts the
    windows in which one was over it. `realized` and `estimated` are means of the windows' `metric`.
    """

    version: str
    segment: str
    windows: int
    inferences: int
    share: float
    labels: int
    rang: int
    worst: float | None
    incomplete: int
    first_start_ms: int
    last_end_ms: int
    metric: str | None
    realized: float | None
    realized_n: int
    estimated: float | None


class Slices(BaseModel):
    """All slices that had windows of this kind in this time."""

    model: str
    window: str
    since_ms: int
    until_ms: int
    items: list[Slice]


def slices(web: Dependencies, asked: Annotated[WindowSpanParameters, Query()]) -> Slices:
    """Versions and segments of a model side by side: traffic, scores by their limits, performance.

    All segments are told, whichever is asked for.
    """
    with transaction(web.engine) as connection:
        span = window_span_of(asked, found_monitor(connection, asked.model), web.clock_ms())
        totals = slice_totals(connection, span)
        metric = next(iter(metrics_of(connection, span)), None)
        means = [] if metric is None else metric_means(connection, span, metric)
    return Slices(
        model=span.model, window=span.window, since_ms=span.since_ms, until_ms=span.until_ms,
        items=side_by_side(totals, means, metric),
    )  # fmt: skip


def side_by_side(
    totals: Sequence[SliceTotal], means: Sequence[MetricMean], metric: str | None
) -> list[Slice]:
    """Each slice with its share of its version's traffic, and its performance."""
    whole = {one.version: one.inferences for one in totals if not one.segment}
    by_place = {(one.version, one.segment, one.basis): one for one in means}
    made = []
    for one in totals:
        realized = by_place.get((one.version, one.segment, REALIZED))
        estimated = by_place.get((one.version, one.segment, ESTIMATED))
        of = whole.get(one.version, 0)
        made.append(
            Slice(
                **one._asdict(),
                share=one.inferences / of if of else 0.0,
                metric=metric,
                realized=realized.value if realized else None,
                realized_n=realized.n if realized else 0,
                estimated=estimated.value if estimated else None,
            )
        )  # fmt: skip
    return made


SLICE_ENDPOINTS: dict[str, Callable[..., Any]] = {"/slices": slices}

"""Two versions side by side: all that is told of them, as one value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.comparison.answers import AnswersBeside
from service.comparison.verdict import Comparison

if TYPE_CHECKING:
    from detectors.performance.metric import Metric


@dataclass(frozen=True, slots=True)
class Traffic:
    """One version's rows in the panes of the span, and their share of all traffic there."""

    version: str
    first_ms: int
    last_ms: int
    rows: int
    share: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One metric of one version, with its interval for one look."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class MetricBeside:
    """One metric of both versions on the same hours (realized), or in the newest window of both (estimated)."""

    metric: str
    basis: str
    start_ms: int
    end_ms: int
    version: Measured
    against: Measured


@dataclass(frozen=True, slots=True)
class SegmentComparison:
    """One segment's comparison; the intervals of all segments hold together."""

    segment: str
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Labelled:
    """What labels say: of `hours` hours in which both versions have some."""

    comparison: Comparison
    hours: int
    segments: Sequence[SegmentComparison]
    metrics: Sequence[MetricBeside]


@dataclass(frozen=True, slots=True)
class AnswersOfPanes:
    """What both answer, of `panes` panes, spread evenly over the `shared` ones in which both were live."""

    columns: Sequence[AnswersBeside]
    panes: int
    shared: int


@dataclass(frozen=True, slots=True)
class VersionsBeside:
    """Two versions of a model, or of one segment of it ('' is all traffic), in [since_ms, until_ms).

    `comparison` and realized metrics are of the `hours` in which both have labels. `remark` says what breaks them.
    """

    model: str
    version: str
    against: str
    segment: str
    since_ms: int
    until_ms: int
    verdict: str
    comparison: Comparison
    hours: int
    segments: Sequence[SegmentComparison]
    traffic: Sequence[Traffic]
    metrics: Sequence[MetricBeside]
    answers: AnswersOfPanes
    remark: str | None = None


def metrics_beside(
    basis: str, span: tuple[int, int], mine: Sequence[Metric], theirs: Sequence[Metric]
) -> Iterator[MetricBeside]:
    """The metrics of both that have a value for one of them at least."""
    others = {metric.name: metric for metric in theirs}
    for metric in mine:
        other = others.get(metric.name)
        if other is not None and (metric.value is not None or other.value is not None):
            yield MetricBeside(metric.name, basis, *span, _measured(metric), _measured(other))


def _measured(metric: Metric) -> Measured:
    return Measured(metric.value, metric.low, metric.high, metric.n, metric.reason)

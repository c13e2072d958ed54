"""Whether a model's answers look healthy, without labels: each measure beside the reference's, in a plain word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from detectors.performance.metric import Metric, undefined
from detectors.prediction_health import (
    answer_entropy,
    commonest_share,
    contradicted_share,
    difference_p_value,
)
from detectors.prediction_health_bins import binned_quantile, mean_confidence, saturated_share
from service.diagnosis.phrasing import listed
from service.inspection.health_rows import (
    answer_counts,
    category_features,
    exact_twins,
    has_number_features,
    kept_values,
    latencies_of,
    near_twins,
    scores_of,
)
from service.monitor import Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.inspection.health_rows import AnsweredSpan
    from service.sketches.pane import PaneSketch

NO_REFERENCE = "no_reference"
REASONS = {
    "no_rows": "no such values came",
    "no_inputs_are_alike": "no two kept inputs are alike",
    "no_number_features": "kept rows hold numbers only, and there are none",
    "scores_are_no_probabilities": "some scores are below 0 or above 1",
    NO_REFERENCE: "the reference does not have it",
}
TITLES = {
    "commonest_answer": "share of the most frequent answer",
    "answer_entropy": "how mixed the answers are, in bits",
    "mean_confidence": "mean confidence",
    "saturated_scores": "scores within 0.001 of 0 or 1",
    "contradicted_duplicates": "equal inputs with different answers",
    "contradicted_near_duplicates": "nearly equal inputs with different answers",
    "latency_p50": "latency p50, in ms",
    "latency_p95": "latency p95, in ms",
    "latency_p99": "latency p99, in ms",
}
SURPRISING = 0.001
"""So well chance must explain a difference that is no news; the budget of pages has nothing to do with it."""
LITTLE = {"commonest_answer": 0.02, "answer_entropy": 0.05, "mean_confidence": 0.02, "saturated_scores": 0.01}
"""A smaller difference is not worth a word, whatever the number of rows."""
STUCK = 0.97
_SLOWER = 1.25
_SHARES = {"latency_p50": 0.5, "latency_p95": 0.95, "latency_p99": 0.99}


@dataclass(frozen=True, slots=True)
class HealthLine:
    """One measure: its value with a 95 % interval and the rows it is of, and the reference's.

    `resolution` bounds what counting in bins costs the value, in its unit. `p_value` is how well chance explains the
    difference, where there is a test. `reason` says why there is no value, `reference_reason` why there is none beside.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    resolution: float
    reason: str | None
    reference: float | None
    reference_n: int
    reference_reason: str | None
    p_value: float | None
    word: str


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The answers of a time, measure by measure; `panes` of `of_panes` were read, with `kept_rows` as they came."""

    inferences: int
    kept_rows: int
    panes: int
    of_panes: int
    lines: tuple[HealthLine, ...]


def health_of(span: AnsweredSpan, reference: PaneSketch | None, task: Task) -> HealthReport:
    """Measure the answers of a time beside those of a reference on the same grid."""
    lines = (*_of_counts(span, reference, task), *_of_twins(span, reference), *_of_latencies(span, reference))
    return HealthReport(span.sketch.inferences, len(span.classes), span.panes, span.of_panes, lines)


# ---------------------------------------------------------------- answers and scores
def _of_counts(span: AnsweredSpan, reference: PaneSketch | None, task: Task) -> Iterator[HealthLine]:
    def beside(name: str, measure: Callable[[PaneSketch], Metric]) -> HealthLine:
        return _line(measure(span.sketch), _reference(name, reference, measure), _difference)

    if task is Task.REGRESSION:
        yield _line(commonest_share(kept_values(span)), _none("commonest_answer"), _difference)
    else:
        yield beside("commonest_answer", lambda sketch: commonest_share(answer_counts(sketch, task)))
        yield beside("answer_entropy", lambda sketch: answer_entropy(answer_counts(sketch, task)))
    if task is not Task.REGRESSION:
        of_two = task is Task.BINARY
        yield beside(
            "mean_confidence", lambda sketch: mean_confidence(scores_of(sketch, task), of_two=of_two)
        )
        yield beside("saturated_scores", lambda sketch: saturated_share(scores_of(sketch, task)))


def _difference(current: Metric, reference: Metric, p_value: float | None) -> str:
    if current.name == "commonest_answer" and _stuck(current, reference):
        return "stuck: nearly every answer is the same"
    if current.value is None or reference.value is None:
        return ""
    moved = current.value - reference.value
    least = LITTLE[current.name] + current.resolution + reference.resolution
    if p_value is None or p_value >= SURPRISING or abs(moved) < least:
        return "as usual"
    return "higher than usual" if moved > 0 else "lower than usual"


def _stuck(current: Metric, reference: Metric) -> bool:
    usual = 0.0 if reference.value is None else reference.value
    return current.value is not None and current.n >= 30 and current.value >= STUCK > usual


# ---------------------------------------------------------------- inputs that are alike
def _of_twins(span: AnsweredSpan, reference: PaneSketch | None) -> Iterator[HealthLine]:
    exact, near = "contradicted_duplicates", "contradicted_near_duplicates"
    if not has_number_features(span):
        for name in (exact, near):
            nothing = undefined(name, 0, higher_is_better=False, reason="no_number_features")
            yield _line(nothing, _none(name), _no_word)
        return
    categories = category_features(span)
    alone = f"by numbers alone: {listed(categories)} not compared" if categories else ""

    def word(current: Metric, _reference: Metric, _p_value: float | None) -> str:
        if current.value is None:
            return ""
        return ", ".join(filter(None, ("none" if current.value == 0 else "some differ", alone)))

    twins = exact_twins(span)
    yield _line(contradicted_share(exact, twins.inputs, twins.answers, twins.tolerance), _none(exact), word)
    if reference is None:
        nothing = undefined(near, 0, higher_is_better=False, reason=NO_REFERENCE)
        yield _line(nothing, _none(near), _no_word)
        return
    twins = near_twins(span, reference)
    yield _line(contradicted_share(near, twins.inputs, twins.answers, twins.tolerance), _none(near), word)


# ---------------------------------------------------------------- latency
def _of_latencies(span: AnsweredSpan, reference: PaneSketch | None) -> Iterator[HealthLine]:
    for name, share in _SHARES.items():

        def measure(sketch: PaneSketch, name: str = name, share: float = share) -> Metric:
            return binned_quantile(name, latencies_of(sketch), share)

        yield _line(measure(span.sketch), _reference(name, reference, measure), _speed)


def _speed(current: Metric, reference: Metric, _p_value: float | None) -> str:
    if current.value is None or reference.value is None or current.low is None or current.high is None:
        return ""
    if reference.low is None or reference.high is None:
        return ""
    if current.low > reference.high and current.value > _SLOWER * reference.value:
        return "slower than usual"
    if current.high < reference.low and _SLOWER * current.value < reference.value:
        return "faster than usual"
    return "as usual"


# ---------------------------------------------------------------- lines
def _reference(name: str, reference: PaneSketch | None, measure: Callable[[PaneSketch], Metric]) -> Metric:
    found = _none(name) if reference is None else measure(reference)
    return _none(name) if found.n == 0 else found


def _none(name: str) -> Metric:
    return undefined(name, 0, higher_is_better=None, reason=NO_REFERENCE)


def _no_word(_current: Metric, _reference: Metric, _p_value: float | None) -> str:
    return ""


def _line(
    current: Metric, reference: Metric, word: Callable[[Metric, Metric, float | None], str]
) -> HealthLine:
    p_value = difference_p_value(current, reference)
    return HealthLine(
        current.name, current.value, current.low, current.high, current.n, current.resolution, current.reason,
        reference.value, reference.n, reference.reason, p_value, word(current, reference, p_value),
    )  # fmt: skip

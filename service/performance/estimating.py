"""How a window's predictions are expected to turn out, slice by slice: by what a reference's answers showed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from detectors.performance.estimate import SAME_CHANCES, SAME_ERRORS
from detectors.performance.estimated_regression import ESTIMATED as ESTIMATED_OF_NUMBERS
from detectors.performance.metric import undefined
from service.monitor import Task
from service.performance.counting import Arrays, BinaryCounting, MulticlassCounting, RegressionCounting
from service.performance.expectation import (
    BinaryExpectation,
    Expectation,
    MulticlassExpectation,
    RegressionExpectation,
)
from service.performance.windows import Performance

if TYPE_CHECKING:
    from service.messages import WindowKey
    from service.performance.answers import Answers
    from service.performance.counting import Counting
    from service.performance.rows import WindowRows

ESTIMATED = "estimated"
LEAST_ANSWERS = 1_000
"""A segment with fewer labelled rows in the reference is expected to turn out as all of its rows do."""

NO_TASK = "no_task"
NO_PANES = "panes_no_longer_kept"
NO_REFERENCE = "no_reference"
NO_ANSWERS = "reference_without_labels"
TOO_FEW_ANSWERS = "fewer_than_1000_labels_to_learn_from"
COUNTED_OTHERWISE = "reference_counted_in_another_way"
NO_SCORES_LEARNED = "reference_without_scores"
NO_ERRORS_LEARNED = "reference_without_errors_by_value"
NO_READABLE_REFERENCE = "reference_unreadable"
NO_READABLE_PANES = "panes_unreadable"
TOO_MANY_PANES = "more_than_10000_panes"

NOTHING_EXPECTED = (
    NO_TASK, NO_REFERENCE, NO_ANSWERS, TOO_FEW_ANSWERS, COUNTED_OTHERWISE, NO_SCORES_LEARNED, NO_ERRORS_LEARNED,
    NO_READABLE_REFERENCE,
)  # fmt: skip
"""Reasons that all windows share for as long as their reference and monitor stay as they are."""


def assumed(metric: str) -> str:
    """The sentence to stand beside an estimate."""
    return SAME_ERRORS if metric in ESTIMATED_OF_NUMBERS else SAME_CHANCES


def labelled(outcomes: Arrays) -> int:
    """How many labelled predictions are counted in outcomes of any task."""
    return next(int(outcomes[name].sum()) for name in ("confusion", "errors", "counts") if name in outcomes)


def no_estimate(key: WindowKey, task: Task, n: int, reason: str) -> Performance:
    """The reason why nothing is estimated of n predictions, told of the first metric of their task."""
    name, better = ("mae", False) if task is Task.REGRESSION else ("accuracy", True)
    return Performance(key, ESTIMATED, (undefined(name, n, higher_is_better=better, reason=reason),))


def estimate_of(
    key: WindowKey, task: Task, n: int, rows: WindowRows | str, expectation: Expectation | str
) -> Performance:
    """All metrics of n predictions, or one reason where none of them has a value."""
    if isinstance(expectation, str):
        return no_estimate(key, task, n, expectation)
    if isinstance(rows, str):
        return no_estimate(key, task, n, rows)
    metrics = tuple(one.metric for one in expectation.of_window(rows).values())
    if all(metric.value is None for metric in metrics):
        return no_estimate(key, task, n, metrics[-1].reason or "")
    return Performance(key, ESTIMATED, metrics)


@dataclass(frozen=True)
class Expectations:
    """What a reference's answers lead to expect, of all traffic and of its segments; each learned when asked for."""

    answers: Answers
    counting: Counting
    _learned: dict[str, Expectation | str] = field(default_factory=dict)

    def of(self, segment: str) -> Expectation | str:
        """Of a segment by its own rows if they are enough, else by all of them; the reason why there is none."""
        found = self._learned.get(segment)
        if found is None:
            found = self._learned[segment] = self._learn(segment)
        return found

    def _learn(self, segment: str) -> Expectation | str:
        outcomes = self.answers.of(self.counting, segment)
        if segment and (outcomes is None or labelled(outcomes) < LEAST_ANSWERS):
            return self.of("")
        if outcomes is None:
            return COUNTED_OTHERWISE
        match self.counting:
            case BinaryCounting():
                return BinaryExpectation.learned(outcomes) or NO_SCORES_LEARNED
            case MulticlassCounting():
                return MulticlassExpectation.learned(outcomes) or NO_SCORES_LEARNED
            case RegressionCounting():
                return self._by_value(segment) or NO_ERRORS_LEARNED
        return COUNTED_OTHERWISE

    def _by_value(self, segment: str) -> RegressionExpectation | None:
        cells = self.answers.cells
        errors = None if cells is None else cells.errors.get(segment)
        return None if cells is None or errors is None else RegressionExpectation(cells.edges, errors)

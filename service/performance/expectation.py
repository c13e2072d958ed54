"""What labelled rows of a reference lead to expect of others: the chance of each score, the errors at each value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from detectors.performance.binary_counts import BinaryOutcomes, BinaryPredictions
from detectors.performance.calibration import Calibration, calibrate
from detectors.performance.catalogue import OF_A_CLASS, OF_ALL_CLASSES, OF_SCORES
from detectors.performance.estimate import SAME_CHANCES, SAME_ERRORS, Estimate, refused
from detectors.performance.estimated_binary import FROM_SCORES, estimated_binary
from detectors.performance.estimated_regression import ESTIMATED, ErrorsByCell, estimated_regression
from detectors.performance.multiclass_counts import MulticlassOutcomes
from detectors.performance.score_grid import fine_grid
from service.performance.rows import BinnedRows, ScoredRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from service.performance.counting import Arrays
    from service.performance.rows import WindowRows

NO_SCORES = "no_scores"
NO_VALUES = "no_predicted_values"
NOT_PROBABILITIES = "scores_beyond_0_to_1"
NO_DECISIONS = "no_decisions_beside_scores"
NOT_BY_SCORE = "decisions_do_not_follow_the_score"
ONE_SCORE = "needs_scores_of_all_classes"
OTHER_ROWS = "rows_of_another_task"

Estimates = Mapping[str, Estimate]


class Expectation(Protocol):
    """What is expected where nothing has changed; called with rows whose labels are not known, or not looked at."""

    def of_window(self, rows: WindowRows) -> Estimates:
        """The metrics of a window's predictions, by name; the reason of each that has no value."""

    def of_outcomes(self, outcomes: Arrays) -> Estimates:
        """The metrics of labelled predictions, without a look at their labels; nothing where outcomes do not tell."""


@dataclass(frozen=True, eq=False)
class BinaryExpectation:
    """By the chance of a positive label at each score."""

    calibration: Calibration

    @classmethod
    def learned(cls, outcomes: Arrays) -> Self | None:
        """From outcomes of a reference; None when none of them has a score. Takes 30 ms."""
        scores = BinaryOutcomes.from_arrays(outcomes).scores
        return cls(calibrate(scores, fine_grid())) if scores.any() else None

    def of_window(self, rows: WindowRows) -> Estimates:
        if not isinstance(rows, ScoredRows):
            return _refused_all(_BINARY, OTHER_ROWS)
        if not rows.counts.any():
            return _refused_all(_BINARY, NO_SCORES, rows.n)
        found = estimated_binary(self.calibration, rows.predictions)
        open_by = rows.left_open(self.calibration.chances)
        found = {name: _at_least(one, open_by) for name, one in found.items()}
        if isinstance(rows.positive, str):
            found |= _refused_all(_OF_DECISIONS, rows.positive, rows.n)
        return found

    def of_outcomes(self, outcomes: Arrays) -> Estimates:
        return estimated_binary(self.calibration, BinaryOutcomes.from_arrays(outcomes).predictions())


@dataclass(frozen=True, eq=False)
class MulticlassExpectation:
    """By the chance that a decision is right, at the one score that it comes with: enough for the accuracy alone."""

    calibration: Calibration

    @classmethod
    def learned(cls, outcomes: Arrays) -> Self | None:
        """From outcomes of a reference; None when none of them has a score."""
        top = MulticlassOutcomes.from_arrays(outcomes).top
        return cls(calibrate(top, fine_grid())) if top.any() else None

    def of_window(self, rows: WindowRows) -> Estimates:
        if not isinstance(rows, ScoredRows):
            return _refused_all(_MULTICLASS, OTHER_ROWS)
        if not rows.counts.any():
            return _refused_all(_MULTICLASS, NO_SCORES, rows.n)
        found = self._accuracy(rows.counts)
        accuracy = _at_least(found, rows.left_open(self.calibration.chances))
        return {"accuracy": accuracy, **_refused_all(_MULTICLASS_UNKNOWN, ONE_SCORE, rows.n)}

    def of_outcomes(self, outcomes: Arrays) -> Estimates:
        top = MulticlassOutcomes.from_arrays(outcomes).top
        return {"accuracy": self._accuracy(top.sum(axis=0))} if top.any() else {}

    def _accuracy(self, counts: NDArray[np.int64]) -> Estimate:
        """Each decision as a positive one, which is right to the chance of its score."""
        decided = np.zeros((3, fine_grid().size + 1), np.int64)
        decided[1, :-1] = counts
        found = estimated_binary(self.calibration, BinaryPredictions(decided, int(counts.sum())))
        return found["accuracy"]


@dataclass(frozen=True, eq=False)
class RegressionExpectation:
    """By the size of errors between `edges` of the predicted value."""

    edges: NDArray[np.float64]
    errors: ErrorsByCell

    def of_window(self, rows: WindowRows) -> Estimates:
        if not isinstance(rows, BinnedRows):
            return _refused_all(_REGRESSION, OTHER_ROWS, assumption=SAME_ERRORS)
        return estimated_regression(self.errors, rows.between(self.edges)[:, None])

    def of_outcomes(self, outcomes: Arrays) -> Estimates:  # noqa: ARG002 - outcomes do not tell what was predicted
        return {}


_OF_DECISIONS: Mapping[str, bool | None] = {
    **{name: one.higher_is_better for name, one in OF_A_CLASS.items()},
    **dict.fromkeys(OF_ALL_CLASSES, True),
}
_BINARY = {**_OF_DECISIONS, **{name: OF_SCORES[name].higher_is_better for name in FROM_SCORES}}
_MULTICLASS: Mapping[str, bool | None] = dict.fromkeys(OF_ALL_CLASSES, True)
_MULTICLASS_UNKNOWN = {name: better for name, better in _MULTICLASS.items() if name != "accuracy"}
_REGRESSION: Mapping[str, bool | None] = dict.fromkeys(ESTIMATED, False)


def _refused_all(
    names: Mapping[str, bool | None], reason: str, n: int = 0, assumption: str = SAME_CHANCES
) -> dict[str, Estimate]:
    return {
        name: refused(name, n, 0.0, higher_is_better=better, reason=reason, assumption=assumption)
        for name, better in names.items()
    }


def _at_least(one: Estimate, resolution: float) -> Estimate:
    """The estimate, known to no more than this."""
    if one.metric.value is None:
        return one
    return one._replace(metric=one.metric._replace(resolution=max(one.metric.resolution, resolution)))

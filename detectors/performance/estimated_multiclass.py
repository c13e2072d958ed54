"""Performance of a multiclass model without labels, from its scores and decisions alone."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

import numpy as np

from detectors.pair import FloatArray
from detectors.performance.calibration import Calibration, calibrate
from detectors.performance.catalogue import OF_A_CLASS, OF_ALL_CLASSES
from detectors.performance.estimate import SAME_CHANCES, Errors, Estimate, refusal, refused
from detectors.performance.estimated_binary import Expected, estimated_score
from detectors.performance.expansion import Expansion
from detectors.performance.intervals import LEVEL, normal_within
from detectors.performance.metric import Metric
from detectors.performance.multiclass_counts import MulticlassOutcomes, MulticlassPredictions
from detectors.performance.realized_multiclass import RANKINGS, mean_over_classes
from detectors.performance.score_grid import coarse_grid


@dataclass(frozen=True, slots=True, eq=False)
class MulticlassCalibration:
    """What each class's score means, learned from a reference's labels.

    Parameters
    ----------
    of_class : tuple of Calibration
        Of each named class against the rest, on the coarse grid.
    has_tail : bool
        Whether the reference has labels that are of no named class.
    tail_right : float
        Which share of the reference's rows with label and decision in the tail is right, in [0, 1].

    Examples
    --------
    >>> calibrate_classes(MulticlassOutcomes.zeros(2)).has_tail
    False
    """

    of_class: tuple[Calibration, ...]
    has_tail: bool
    tail_right: float


class _Table(NamedTuple):
    """Expected confusion, what it was made of, and how sure it is.

    `confusion` is (K + 2, K + 2) as `MulticlassOutcomes.table`; `rows` (K + 1, K, C) by decision, class and point.
    """

    confusion: FloatArray
    rows: FloatArray
    n: int
    size: float
    reason: str | None


def calibrate_classes(outcomes: MulticlassOutcomes) -> MulticlassCalibration:
    """Learn from a reference's labels what its scores mean, one class against the rest.

    Parameters
    ----------
    outcomes : MulticlassOutcomes
        Of the reference.

    Returns
    -------
    MulticlassCalibration
        Each class is calibrated where that helps on held-out halves.

    References
    ----------
    B. Zadrozny, C. Elkan, "Transforming classifier scores into accurate multiclass probability estimates", KDD 2002,
    doi:10.1145/775047.775151.

    Examples
    --------
    >>> len(calibrate_classes(MulticlassOutcomes.zeros(3)).of_class)
    3
    """
    tail, grid = outcomes.classes, coarse_grid()
    both = int(outcomes.confusion[tail, tail])
    return MulticlassCalibration(
        tuple(calibrate(outcomes.of_class[:, of], grid) for of in range(tail)),
        bool(outcomes.confusion[tail].any()),
        outcomes.tail_right / both if both else 0.0,
    )


def estimated_multiclass(
    calibration: MulticlassCalibration, predictions: MulticlassPredictions, level: float = LEVEL
) -> dict[str, Estimate]:
    """Estimate the metrics of a multiclass model as a whole without labels.

    Parameters
    ----------
    calibration : MulticlassCalibration
        Of the reference.
    predictions : MulticlassPredictions
        Of a window: its panes, merged.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    dict of str to Estimate
        By name: those of the confusion, and the means over classes of what ranks one class against the rest.

    Notes
    -----
    Assumption: for each class P(label is it | its score) as in the reference.
    Each cell of the expected confusion is the sum of the class's chances over the rows decided so, scaled so that each
    decision's column has as many rows as there are; what the named classes leave is the tail's, if the reference has
    labels of it.
    Window error: each column as a sample from its own mean; that of scores within a decision is not taken off, which
    makes it too large. Calibration error: classes as if independent, means over classes of rankings as if the same.
    Cost: about 0.5 ms a class.

    Examples
    --------
    >>> labels, scores = np.repeat([0, 1], 500), np.repeat([[0.75, 0.25], [0.25, 0.75]], 500, axis=0)
    >>> reference = MulticlassOutcomes.zeros(2).add(labels ^ (np.arange(1000) % 4 == 0), labels, scores)
    >>> found = estimated_multiclass(calibrate_classes(reference), reference.predictions)
    >>> round(found["accuracy"].metric.value, 6)
    0.75
    """
    table = _expected(calibration, predictions)
    tail = predictions.classes
    found = [
        _estimated(calibration, table, name, metric.expand(table.confusion, tail), better=True, level=level)
        for name, metric in OF_ALL_CLASSES.items()
    ]
    for name in RANKINGS:
        each = [_ranking(calibration, predictions, of, name, level) for of in range(tail)]
        found.append(_mean_of(each, name))
    return {one.metric.name: one for one in found}


def estimated_class(
    calibration: MulticlassCalibration, predictions: MulticlassPredictions, of: int, level: float = LEVEL
) -> dict[str, Estimate]:
    """Estimate the metrics of one class against the rest without labels.

    Parameters
    ----------
    calibration : MulticlassCalibration
        Of the reference.
    predictions : MulticlassPredictions
        Of a window: its panes, merged.
    of : int
        The class, from 0 to K-1.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    dict of str to Estimate
        By name: precision, recall, F1, prevalence, area under the ROC curve and average precision.

    Examples
    --------
    >>> none = MulticlassPredictions.zeros(2)
    >>> estimated_class(calibrate_classes(MulticlassOutcomes.zeros(2)), none, 0)["f1"].metric.reason
    'effective_size_below_100'
    """
    table = _expected(calibration, predictions)
    found = [
        _estimated(
            calibration,
            table,
            name,
            metric.expand(table.confusion, of),
            better=metric.higher_is_better,
            level=level,
        )
        for name, metric in OF_A_CLASS.items()
    ]
    found += [_ranking(calibration, predictions, of, name, level) for name in RANKINGS]
    return {one.metric.name: one for one in found}


def expected_confusion(calibration: MulticlassCalibration, predictions: MulticlassPredictions) -> FloatArray:
    """Return how many rows of each label and decision are expected.

    Parameters
    ----------
    calibration : MulticlassCalibration
        Of the reference.
    predictions : MulticlassPredictions
        Of a window.

    Returns
    -------
    (K + 1, K + 1) float array
        Expected rows by label and decision, the tail last, of those with scores; columns sum to the rows decided so.

    Examples
    --------
    >>> labels, scores = np.repeat([0, 1], 500), np.repeat([[0.75, 0.25], [0.25, 0.75]], 500, axis=0)
    >>> reference = MulticlassOutcomes.zeros(2).add(labels ^ (np.arange(1000) % 4 == 0), labels, scores)
    >>> expected_confusion(calibrate_classes(reference), reference.predictions).round(6).tolist()
    [[375.0, 125.0, 0.0], [125.0, 375.0, 0.0], [0.0, 0.0, 0.0]]
    """
    tail = predictions.classes
    table = _expected(calibration, predictions).confusion
    folded = table[:-1, :-1].copy()
    folded[tail, tail] += table[tail, tail + 1]
    return np.asarray(folded)


def _expected(calibration: MulticlassCalibration, predictions: MulticlassPredictions) -> _Table:
    rows = predictions.counts[:-1].astype(np.float64)
    tail, n = predictions.classes, rows[:, 0].sum()
    decided = rows[:, 0].sum(axis=1)
    named = np.array([rows[:, of] @ one.chances for of, one in enumerate(calibration.of_class)])
    left = np.maximum(decided - named.sum(axis=0), 0.0) if calibration.has_tail else np.zeros(tail + 1)
    columns = np.concatenate([named, left[None]])
    columns *= decided / np.maximum(columns.sum(axis=0), np.finfo(np.float64).tiny)
    confusion = np.zeros((tail + 2, tail + 2))
    confusion[:-1, :-1] = columns
    confusion[tail, tail] *= calibration.tail_right
    confusion[tail, tail + 1] = columns[tail, tail] - confusion[tail, tail]
    by_class = rows.sum(axis=0)
    speaking = [one.effective_size(by_class[of]) for of, one in enumerate(calibration.of_class)]
    outside = max(one.share_outside(by_class[of]) for of, one in enumerate(calibration.of_class))
    size = min(float(n), *speaking)
    return _Table(confusion, rows, round(float(n)), size, refusal(size, outside))


def _estimated(
    calibration: MulticlassCalibration,
    table: _Table,
    name: str,
    at: Expansion | str,
    *,
    better: bool | None,
    level: float,
) -> Estimate:
    at = table.reason or at
    if isinstance(at, str):
        return refused(name, table.n, table.size, higher_is_better=better, reason=at, assumption=SAME_CHANCES)
    errors = _errors(calibration, table, at.slope)
    ends = normal_within(at.value, errors.total, 1.0, level)
    metric = Metric(name, at.value, *ends, table.n, 0.0, better, None, errors.total)
    return Estimate(metric, *errors, table.size, SAME_CHANCES)


def _errors(calibration: MulticlassCalibration, table: _Table, slope: FloatArray) -> Errors:
    decided = np.maximum(table.confusion.sum(axis=0), np.finfo(np.float64).tiny)
    shares = table.confusion / decided
    means = (shares * slope).sum(axis=0)
    window = float((decided * ((shares * slope**2).sum(axis=0) - means**2)).sum())
    learned = 0.0
    for of, one in enumerate(calibration.of_class):
        change = slope[of, :-1] - means[:-1]
        learned += one.variance_of((table.rows[:, of] * change[:, None]).sum(axis=0))
    return Errors(sqrt(max(window, 0.0)), sqrt(learned))


def _ranking(
    calibration: MulticlassCalibration, predictions: MulticlassPredictions, of: int, name: str, level: float
) -> Estimate:
    one = calibration.of_class[of]
    rows = predictions.counts[:, of].sum(axis=0, keepdims=True).astype(np.float64)
    expected = Expected(rows, one.chances)
    return estimated_score(name, expected, one, coarse_grid(), predictions.off_grid, level)


def _mean_of(found: list[Estimate], name: str) -> Estimate:
    metric = mean_over_classes([one.metric for one in found], name)
    size = min(one.effective_size for one in found)
    there = [one for one in found if one.metric.value is not None]
    if not there:
        reason = found[0].metric.reason or ""
        return refused(name, metric.n, size, higher_is_better=True, reason=reason, assumption=SAME_CHANCES)
    window = float(np.mean([one.window_error for one in there]))
    learned = float(np.mean([one.calibration_error for one in there]))
    return Estimate(metric, window, learned, size, SAME_CHANCES)

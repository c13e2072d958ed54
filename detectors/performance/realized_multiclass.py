"""Realized performance of a multiclass model, from its predictions with labels."""

from __future__ import annotations

from math import sqrt

import numpy as np

from detectors.performance.binary_counts import LOSS_UNIT
from detectors.performance.intervals import LEVEL, log_normal, mean_of
from detectors.performance.metric import NO_ROWS, SINGLE_CLASS, Metric, undefined
from detectors.performance.multiclass_counts import MulticlassOutcomes
from detectors.performance.realized import of_a_class, of_all_classes, of_score
from detectors.performance.score_grid import coarse_grid, fine_grid

RANKINGS = ("roc_auc", "average_precision")


def realized_multiclass(outcomes: MulticlassOutcomes, level: float = LEVEL) -> dict[str, Metric]:
    """Measure the metrics of a multiclass model as a whole.

    Parameters
    ----------
    outcomes : MulticlassOutcomes
        Predictions with their labels, of a window: its panes, merged.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    dict of str to Metric
        By name: those of the confusion (accuracy counts the tail, means are over the named classes), the calibration
        error of the decision's score, the means over classes of what ranks one class against the rest, the log loss in
        nats, and the Brier score, a sum over classes from 0 to 2.

    Notes
    -----
    Intervals of means over classes of rankings take these as perfectly correlated, and so cover too often.
    Cost: about 0.3 ms a class.

    Examples
    --------
    >>> labels, decisions = np.array([0, 1, 2, 0]), np.array([0, 1, 2, 1])
    >>> scores = np.array([[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.1, 0.1, 0.8], [0.3, 0.5, 0.2]])
    >>> found = realized_multiclass(MulticlassOutcomes.zeros(3).add(labels, decisions, scores))
    >>> found["accuracy"].value, found["roc_auc"].value, round(found["brier"].value, 3)
    (0.75, 1.0, 0.285)
    """
    found = [
        *of_all_classes(outcomes.table, outcomes.classes, level),
        of_score("calibration_error", outcomes.top, fine_grid(), outcomes.top_off_grid, None, level),
    ]
    for name in RANKINGS:
        each = [_ranking(outcomes, of, name, level) for of in range(outcomes.classes)]
        found.append(mean_over_classes(each, name))
    return {one.name: one for one in found} | _losses(outcomes, level)


def realized_class(outcomes: MulticlassOutcomes, of: int, level: float = LEVEL) -> dict[str, Metric]:
    """Measure the metrics of one class against the rest.

    Parameters
    ----------
    outcomes : MulticlassOutcomes
        Predictions with their labels, of a window: its panes, merged.
    of : int
        The class, from 0 to K-1.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    dict of str to Metric
        By name: precision, recall, F1, prevalence, area under the ROC curve and average precision.

    Examples
    --------
    >>> outcomes = MulticlassOutcomes.zeros(2).add(
    ...     np.array([0, 1]), np.array([0, 0]), np.array([[0.9, 0.1]] * 2)
    ... )
    >>> realized_class(outcomes, 0)["precision"].value
    0.5
    """
    found = (
        *of_a_class(outcomes.table, of, level),
        *(_ranking(outcomes, of, name, level) for name in RANKINGS),
    )
    return {one.name: one for one in found}


def mean_over_classes(found: list[Metric], name: str) -> Metric:
    """Return the mean of one metric over the classes where it is defined.

    Parameters
    ----------
    found : list of Metric
        Of each class; all lie in [0, 1].
    name : str
        Of the mean.

    Returns
    -------
    Metric
        With the interval of perfectly correlated estimates, the widest; n is the most rows of a class.

    Examples
    --------
    >>> one = Metric("roc_auc", 0.8, 0.7, 0.9, 50, 0.0, True, None, 0.05)
    >>> round(mean_over_classes([one, one], "roc_auc").low, 3)
    0.7
    """
    n = max((one.n for one in found), default=0)
    there = [one for one in found if one.value is not None]
    if not there:
        return undefined(name, n, higher_is_better=True, reason=SINGLE_CLASS if n else NO_ROWS)
    values, ends, errors = (
        np.array([[getattr(one, field) for field in wanted] for one in there], np.float64)
        for wanted in (("value",), ("low", "high"), ("error", "resolution"))
    )
    low, high = mean_of(values[:, 0], ends, np.ones((len(there), len(there))))
    error, resolution = errors.mean(axis=0).tolist()
    return Metric(name, float(values.mean()), low, high, n, resolution, higher_is_better=True, error=error)


def _ranking(outcomes: MulticlassOutcomes, of: int, name: str, level: float) -> Metric:
    off_grid = outcomes.predictions.off_grid
    return of_score(name, outcomes.of_class[:, of], coarse_grid(), off_grid, None, level)


def _losses(outcomes: MulticlassOutcomes, level: float) -> dict[str, Metric]:
    n, sums = int(outcomes.of_class[:, 0].sum()), outcomes.losses
    found = {}
    for name, total, squares in (
        ("log_loss", sums.logs, sums.logs_squared),
        ("brier", sums.brier, sums.brier_squared),
    ):
        if not n:
            found[name] = undefined(name, n, higher_is_better=False, reason=NO_ROWS)
            continue
        spread = max(n * squares - total**2, 0) * LOSS_UNIT**2
        value, error = total * LOSS_UNIT / n, sqrt(spread / max(n - 1, 1)) / n
        ends = log_normal(value, error, level)
        found[name] = Metric(name, value, *ends, n, LOSS_UNIT / 2, higher_is_better=False, error=error)
    return found

"""Metrics of tables of counts with labels: a confusion matrix, and labels by score."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detectors.pair import IntArray
from detectors.performance.catalogue import OF_A_CLASS, OF_ALL_CLASSES, OF_SCORES
from detectors.performance.expansion import sampling_error
from detectors.performance.intervals import LEVEL
from detectors.performance.metric import Metric, undefined
from detectors.performance.score_grid import ScoreGrid


class Exact(NamedTuple):
    """A value that is known better than its counts at points tell.

    Parameters
    ----------
    value : float
        In the metric's unit.
    resolution : float
        Bound on its error.

    Examples
    --------
    >>> Exact(0.25, 1e-9).value
    0.25
    """

    value: float
    resolution: float


def of_a_class(confusion: IntArray, of: int = 1, level: float = LEVEL) -> tuple[Metric, ...]:
    """Measure precision, recall, F1 and prevalence of one class.

    Parameters
    ----------
    confusion : (K, K) int array
        Rows by label and decision, at least 0.
    of : int
        The class.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    tuple of Metric
        In the order of the catalogue.

    Examples
    --------
    >>> [found.value for found in of_a_class(np.array([[60, 20], [10, 10]]))][1]
    0.5
    """
    counts, n, found = confusion.astype(np.float64), int(confusion.sum()), []
    for name, metric in OF_A_CLASS.items():
        better, at = metric.higher_is_better, metric.expand(counts, of)
        if isinstance(at, str):
            found.append(undefined(name, n, higher_is_better=better, reason=at))
        else:
            ends = metric.interval(counts, of, level)
            found.append(Metric(name, at.value, *ends, n, 0.0, better, None, sampling_error(at, counts)))
    return tuple(found)


def of_all_classes(confusion: IntArray, named: int | None = None, level: float = LEVEL) -> tuple[Metric, ...]:
    """Measure accuracy, balanced accuracy and the means of precision, recall and F1 over classes.

    Parameters
    ----------
    confusion : (K, K) int array
        Rows by label and decision, at least 0.
    named : int, optional
        Only so many classes, the first ones, are averaged over. Default: all.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    tuple of Metric
        In the order of the catalogue.

    Examples
    --------
    >>> of_all_classes(np.array([[60, 20], [10, 10]]))[0].value
    0.7
    """
    counts, n, found = confusion.astype(np.float64), int(confusion.sum()), []
    for name, metric in OF_ALL_CLASSES.items():
        at = metric.expand(counts, named)
        if isinstance(at, str):
            found.append(undefined(name, n, higher_is_better=True, reason=at))
            continue
        error = sampling_error(at, counts)
        ends = metric.interval(counts, len(counts) if named is None else named, level)
        found.append(Metric(name, at.value, *ends, n, 0.0, higher_is_better=True, error=error))
    return tuple(found)


def of_score(
    name: str,
    scores: IntArray,
    grid: ScoreGrid,
    off_grid: int,
    exact: Exact | None = None,
    level: float = LEVEL,
) -> Metric:
    """Measure one metric of labels by score.

    Parameters
    ----------
    name : str
        Of `catalogue.OF_SCORES`.
    scores : (2, B) int array
        Rows by label (negative, positive) and point.
    grid : ScoreGrid
        Of B points.
    off_grid : int
        Scores that differ from their point; without any, the value is exact.
    exact : Exact, optional
        The value, where it is known better. Default: that of the points.
    level : float
        Coverage of the interval, in (0, 1).

    Returns
    -------
    Metric
        With the delta method's standard error, which for the area under the ROC curve is DeLong's.

    Raises
    ------
    KeyError
        When no metric has that name.

    Notes
    -----
    Cost: O(B), about 0.1 ms on the fine grid.

    Examples
    --------
    >>> from detectors.performance.score_grid import fine_grid
    >>> one = np.zeros((2, fine_grid().size), int)
    >>> of_score("roc_auc", one, fine_grid(), 0).reason
    'single_class'
    """
    metric, counts, n = OF_SCORES[name], scores.astype(np.float64), int(scores.sum())
    at = metric.expand(counts, grid.points)
    if isinstance(at, str):
        return undefined(name, n, higher_is_better=metric.higher_is_better, reason=at)
    error = sampling_error(at, counts)
    if exact is None:
        exact = Exact(at.value, metric.resolution(counts, grid.points, grid.reaches) if off_grid else 0.0)
    ends = metric.interval(counts, grid.points, exact.value, error, level)
    return Metric(name, exact.value, *ends, n, exact.resolution, metric.higher_is_better, None, error)

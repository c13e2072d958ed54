"""Intervals of metrics that are proportions of a confusion matrix's cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detectors.pair import FloatArray
from detectors.performance.confusion import f1
from detectors.performance.expansion import Expansion
from detectors.performance.intervals import Interval, mean_of, wilson

ConfusionInterval: TypeAlias = Callable[[FloatArray, int, float], Interval]
"""(K, K) confusion, a class or, for metrics of all classes, how many are averaged over, and the level."""
_HALF_A_ROW: Final = 0.5


def of_accuracy(confusion: FloatArray, of: int, level: float) -> Interval:
    """Return Wilson's interval of right among all rows.

    Parameters
    ----------
    confusion : (K, K) float array
        Rows by label and decision; not all 0.
    of : int
        Not looked at.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval
        Within [0, 1].

    Examples
    --------
    >>> [round(end, 2) for end in of_accuracy(np.array([[60.0, 20.0], [10.0, 10.0]]), 1, 0.95)]
    [0.6, 0.78]
    """
    del of
    return wilson(float(np.trace(confusion)), float(confusion.sum()), level)


def of_prevalence(confusion: FloatArray, of: int, level: float) -> Interval:
    """Return Wilson's interval of a class's labels among all rows.

    Parameters
    ----------
    confusion : (K, K) float array
        Rows by label and decision; not all 0.
    of : int
        The class.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval
        Within [0, 1].

    Examples
    --------
    >>> [round(end, 2) for end in of_prevalence(np.array([[60.0, 20.0], [10.0, 10.0]]), 1, 0.95)]
    [0.13, 0.29]
    """
    return wilson(float(confusion[of].sum()), float(confusion.sum()), level)


def of_precision(confusion: FloatArray, of: int, level: float) -> Interval:
    """Return Wilson's interval of right among the rows decided for a class.

    Parameters
    ----------
    confusion : (K, K) float array
        Rows by label and decision; some are decided for the class.
    of : int
        The class.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval
        Within [0, 1].

    Examples
    --------
    >>> [round(end, 2) for end in of_precision(np.array([[60.0, 20.0], [10.0, 20.0]]), 1, 0.95)]
    [0.35, 0.65]
    """
    return wilson(float(confusion[of, of]), float(confusion[:, of].sum()), level)


def of_recall(confusion: FloatArray, of: int, level: float) -> Interval:
    """Return Wilson's interval of right among a class's labels.

    Parameters
    ----------
    confusion : (K, K) float array
        Rows by label and decision; some are labelled with the class.
    of : int
        The class.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval
        Within [0, 1].

    Examples
    --------
    >>> [round(end, 2) for end in of_recall(np.array([[60.0, 20.0], [10.0, 20.0]]), 1, 0.95)]
    [0.49, 0.81]
    """
    return of_precision(confusion.T, of, level)


def of_f1(confusion: FloatArray, of: int, level: float) -> Interval:
    """Return the interval of a class's F1.

    Parameters
    ----------
    confusion : (K, K) float array
        Rows by label and decision; some have the class as one of both.
    of : int
        The class.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval
        Within [0, 1].

    Notes
    -----
    Among the rows that have the class as label or decision, those that have it as both are a proportion J, and
    ``F1 = 2 J / (1 + J)`` rises with it: so do the ends of J's Wilson interval.

    References
    ----------
    K. Takahashi, K. Yamamoto, A. Kuchiba, T. Koyama, "Confidence interval for micro-averaged F1 and macro-averaged
    F1 scores", Applied Intelligence 52, 2022, doi:10.1007/s10489-021-02635-5 (the delta method for the same).

    Examples
    --------
    >>> [round(end, 2) for end in of_f1(np.array([[60.0, 20.0], [10.0, 20.0]]), 1, 0.95)]
    [0.43, 0.7]
    """
    either = float(confusion[of].sum() + confusion[:, of].sum() - confusion[of, of])
    low, high = wilson(float(confusion[of, of]), either, level)
    return Interval(2 * low / (1 + low), 2 * high / (1 + high))


def of_balanced_accuracy(confusion: FloatArray, of: int, level: float) -> Interval:
    """Return an interval of the mean recall of the classes that have labels.

    Parameters
    ----------
    confusion : (K, K) float array
        Rows by label and decision; some class has labels.
    of : int
        How many classes, the first ones, are averaged over.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval
        Within [0, 1].

    Examples
    --------
    >>> [round(end, 2) for end in of_balanced_accuracy(np.array([[60.0, 20.0], [10.0, 20.0]]), 2, 0.95)]
    [0.6, 0.79]
    """
    labels = confusion.sum(axis=1)[:of]
    return _mean_of_shares(np.diagonal(confusion)[:of], labels, labels > 0, level)


def of_macro_recall(confusion: FloatArray, of: int, level: float) -> Interval:
    """Return an interval of the mean recall of the classes that have labels or decisions.

    Parameters
    ----------
    confusion : (K, K) float array
        Rows by label and decision; not all 0.
    of : int
        How many classes, the first ones, are averaged over.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval
        Within [0, 1]; a class that has no labels may have any recall.

    Examples
    --------
    >>> [round(end, 2) for end in of_macro_recall(np.array([[60.0, 20.0], [10.0, 20.0]]), 2, 0.95)]
    [0.6, 0.79]
    """
    labels = confusion.sum(axis=1)[:of]
    there = (confusion.sum(axis=0) + confusion.sum(axis=1))[:of] > 0
    return _mean_of_shares(np.diagonal(confusion)[:of], labels, there, level)


def of_macro_precision(confusion: FloatArray, of: int, level: float) -> Interval:
    """Return an interval of the mean precision of the classes that have labels or decisions.

    Parameters
    ----------
    confusion : (K, K) float array
        Rows by label and decision; not all 0.
    of : int
        How many classes, the first ones, are averaged over.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval
        Within [0, 1]; a class that nothing is decided for may have any precision.

    Examples
    --------
    >>> [round(end, 2) for end in of_macro_precision(np.array([[60.0, 20.0], [10.0, 20.0]]), 2, 0.95)]
    [0.59, 0.76]
    """
    return of_macro_recall(confusion.T, of, level)


def of_macro_f1(confusion: FloatArray, of: int, level: float) -> Interval:
    """Return an interval of the mean F1 of the classes that have labels or decisions.

    Parameters
    ----------
    confusion : (K, K) float array
        Rows by label and decision; not all 0.
    of : int
        How many classes, the first ones, are averaged over.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval
        Within [0, 1]: out of the intervals of each class, with the correlations that the slopes have at these counts
        and half a row more in each cell.

    Examples
    --------
    >>> [round(end, 2) for end in of_macro_f1(np.array([[60.0, 20.0], [10.0, 20.0]]), 2, 0.95)]
    [0.59, 0.77]
    """
    there = np.flatnonzero((confusion.sum(axis=0) + confusion.sum(axis=1))[:of] > 0)
    values = np.array([_f1(confusion, int(one)) for one in there])
    ends = np.array([of_f1(confusion, int(one), level) for one in there])
    counts = confusion + _HALF_A_ROW
    slopes = [found.slope for one in there if isinstance(found := f1(counts, int(one)), Expansion)]
    flat = np.array([(np.sqrt(counts) * slope).ravel() for slope in slopes])
    lengths = np.linalg.norm(flat, axis=1)
    return mean_of(values, ends, flat @ flat.T / np.outer(lengths, lengths))


def _f1(confusion: FloatArray, of: int) -> float:
    found = f1(confusion, of)
    return found.value if isinstance(found, Expansion) else 0.0


def _mean_of_shares(hits: FloatArray, trials: FloatArray, there: NDArray[np.bool_], level: float) -> Interval:
    hits, trials = hits[there], trials[there]
    ends = np.array([wilson(float(h), float(of), level) for h, of in zip(hits, trials, strict=True)])
    return mean_of(hits / np.maximum(trials, 1.0), ends)

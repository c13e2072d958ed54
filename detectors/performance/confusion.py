"""Metrics of a confusion matrix, rows by label and columns by decision, each with its slope by every cell."""

from __future__ import annotations

import numpy as np

from detectors.pair import FloatArray
from detectors.performance.expansion import Expansion
from detectors.performance.metric import (
    NO_POSITIVE_DECISIONS,
    NO_POSITIVE_LABELS,
    NO_POSITIVES_AT_ALL,
    NO_ROWS,
)


def accuracy(confusion: FloatArray) -> Expansion | str:
    """Return the share of rows whose decision is their label.

    Parameters
    ----------
    confusion : (K, K) float array
        Rows by label and decision, at least 0.

    Returns
    -------
    Expansion or str
        In [0, 1], higher is better; or why there is none.

    Examples
    --------
    >>> accuracy(np.array([[6.0, 2.0], [1.0, 1.0]])).value
    0.7
    """
    n = float(confusion.sum())
    if n <= 0:
        return NO_ROWS
    value = float(np.trace(confusion)) / n
    return Expansion(value, (np.eye(len(confusion)) - value) / n)


def prevalence(confusion: FloatArray, of: int = 1) -> Expansion | str:
    """Return the share of rows whose label is a class.

    Parameters
    ----------
    confusion : (K, K) float array
        Rows by label and decision, at least 0.
    of : int
        The class.

    Returns
    -------
    Expansion or str
        In [0, 1]; or why there is none.

    Examples
    --------
    >>> prevalence(np.array([[6.0, 2.0], [1.0, 1.0]])).value
    0.2
    """
    n = float(confusion.sum())
    if n <= 0:
        return NO_ROWS
    is_positive = np.zeros_like(confusion)
    is_positive[of] = 1.0
    value = float(confusion[of].sum()) / n
    return Expansion(value, (is_positive - value) / n)


def precision(confusion: FloatArray, of: int = 1) -> Expansion | str:
    """Return the share of a class's labels among the rows decided for it.

    Parameters
    ----------
    confusion : (K, K) float array
        Rows by label and decision, at least 0.
    of : int
        The class.

    Returns
    -------
    Expansion or str
        In [0, 1], higher is better; or why there is none.

    Examples
    --------
    >>> precision(np.array([[6.0, 3.0], [1.0, 1.0]])).value
    0.25
    """
    decided = float(confusion[:, of].sum())
    if decided <= 0:
        return NO_POSITIVE_DECISIONS
    value = float(confusion[of, of]) / decided
    slope = np.zeros_like(confusion)
    slope[:, of] = -value / decided
    slope[of, of] += 1 / decided
    return Expansion(value, slope)


def recall(confusion: FloatArray, of: int = 1) -> Expansion | str:
    """Return the share of rows decided for a class among its labels.

    Parameters
    ----------
    confusion : (K, K) float array
        Rows by label and decision, at least 0.
    of : int
        The class.

    Returns
    -------
    Expansion or str
        In [0, 1], higher is better; or why there is none.

    Examples
    --------
    >>> recall(np.array([[6.0, 3.0], [1.0, 1.0]])).value
    0.5
    """
    turned = precision(confusion.T, of)
    return NO_POSITIVE_LABELS if isinstance(turned, str) else Expansion(turned.value, turned.slope.T)


def f1(confusion: FloatArray, of: int = 1) -> Expansion | str:
    """Return the harmonic mean of a class's precision and recall.

    Parameters
    ----------
    confusion : (K, K) float array
        Rows by label and decision, at least 0.
    of : int
        The class.

    Returns
    -------
    Expansion or str
        ``2 TP / (2 TP + FP + FN)`` in [0, 1], higher is better; or why there is none.

    Examples
    --------
    >>> f1(np.array([[6.0, 1.0], [1.0, 2.0]])).value
    0.6666666666666666
    """
    both = float(confusion[of].sum() + confusion[:, of].sum())
    if both <= 0:
        return NO_POSITIVES_AT_ALL
    value = 2 * float(confusion[of, of]) / both
    slope = np.zeros_like(confusion)
    slope[of] -= value / both
    slope[:, of] -= value / both
    slope[of, of] += 2 / both
    return Expansion(value, slope)


def balanced_accuracy(confusion: FloatArray, named: int | None = None) -> Expansion | str:
    """Return the mean recall of the classes that have labels.

    Parameters
    ----------
    confusion : (K, K) float array
        Rows by label and decision, at least 0.
    named : int, optional
        Only so many classes, the first ones, are averaged over. Default: all.

    Returns
    -------
    Expansion or str
        In [0, 1], higher is better; or why there is none.

    References
    ----------
    K. H. Brodersen et al., "The balanced accuracy and its posterior distribution", ICPR 2010,
    doi:10.1109/ICPR.2010.764.

    Examples
    --------
    >>> balanced_accuracy(np.array([[6.0, 2.0], [1.0, 1.0]])).value
    0.625
    """
    found = [recall(confusion, of) for of in _present(confusion, named)]
    return _mean([one for one in found if isinstance(one, Expansion)])


def macro_precision(confusion: FloatArray, named: int | None = None) -> Expansion | str:
    """Return the plain mean of precision over the classes that have labels or decisions, 0 where it has none.

    Parameters
    ----------
    confusion : (K, K) float array
        Rows by label and decision, at least 0.
    named : int, optional
        Only so many classes, the first ones, are averaged over. Default: all.

    Returns
    -------
    Expansion or str
        In [0, 1], higher is better; or why there is none.

    Notes
    -----
    A class that nothing is decided for counts as 0, as with scikit-learn's `zero_division=0`.

    Examples
    --------
    >>> macro_precision(np.array([[6.0, 0.0], [2.0, 0.0]])).value
    0.375
    """
    return _mean([_or_zero(precision(confusion, of), confusion) for of in _present(confusion, named)])


def macro_recall(confusion: FloatArray, named: int | None = None) -> Expansion | str:
    """Return the plain mean of recall over the classes that have labels or decisions, 0 where it has none.

    Parameters
    ----------
    confusion : (K, K) float array
        Rows by label and decision, at least 0.
    named : int, optional
        Only so many classes, the first ones, are averaged over. Default: all.

    Returns
    -------
    Expansion or str
        In [0, 1], higher is better; or why there is none.

    Examples
    --------
    >>> macro_recall(np.array([[6.0, 2.0], [0.0, 0.0]])).value
    0.375
    """
    return _mean([_or_zero(recall(confusion, of), confusion) for of in _present(confusion, named)])


def macro_f1(confusion: FloatArray, named: int | None = None) -> Expansion | str:
    """Return the plain mean of F1 over the classes that have labels or decisions.

    Parameters
    ----------
    confusion : (K, K) float array
        Rows by label and decision, at least 0.
    named : int, optional
        Only so many classes, the first ones, are averaged over. Default: all.

    Returns
    -------
    Expansion or str
        In [0, 1], higher is better; or why there is none.

    Examples
    --------
    >>> round(macro_f1(np.array([[6.0, 1.0], [1.0, 2.0]])).value, 3)
    0.762
    """
    return _mean([_or_zero(f1(confusion, of), confusion) for of in _present(confusion, named)])


def _present(confusion: FloatArray, named: int | None) -> list[int]:
    rows = confusion.sum(axis=0) + confusion.sum(axis=1)
    return [int(of) for of in np.flatnonzero(rows[:named] > 0)]


def _or_zero(found: Expansion | str, confusion: FloatArray) -> Expansion:
    return Expansion(0.0, np.zeros_like(confusion)) if isinstance(found, str) else found


def _mean(found: list[Expansion]) -> Expansion | str:
    if not found:
        return NO_ROWS
    value = sum(one.value for one in found) / len(found)
    return Expansion(value, np.mean([one.slope for one in found], axis=0))

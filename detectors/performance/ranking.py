"""How well scores rank positives above negatives: metrics of counts by label and point, with their slopes."""

from __future__ import annotations

import numpy as np
from scipy.special import digamma

from detectors.pair import FloatArray
from detectors.performance.expansion import Expansion
from detectors.performance.metric import NO_POSITIVE_LABELS, SINGLE_CLASS


def roc_auc(scores: FloatArray) -> Expansion | str:
    """Return the chance that a positive's score is above a negative's, equal points counting half.

    Parameters
    ----------
    scores : (2, B) float array
        Rows by label (negative, positive) and by point, in ascending order, at least 0.

    Returns
    -------
    Expansion or str
        In [0, 1], higher is better, 1/2 is chance; or why there is none.

    Notes
    -----
    The slope by a positive is its placement among the negatives, less the value, over the number of positives, and
    likewise for negatives: the components of DeLong's variance.
    Cost: O(B).

    References
    ----------
    E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, "Comparing the areas under two or more correlated receiver
    operating characteristic curves", Biometrics 44(3), 1988, doi:10.2307/2531595.

    Examples
    --------
    >>> roc_auc(np.array([[3.0, 1.0, 0.0], [0.0, 1.0, 2.0]])).value
    0.9583333333333334
    """
    negatives, positives = scores
    n0, n1 = float(negatives.sum()), float(positives.sum())
    if n0 <= 0 or n1 <= 0:
        return SINGLE_CLASS
    below = (np.cumsum(negatives) - negatives / 2) / n0
    above = 1 - (np.cumsum(positives) - positives / 2) / n1
    value = float(positives @ below) / n1
    return Expansion(value, np.stack([(above - value) / n0, (below - value) / n1]))


def roc_auc_resolution(scores: FloatArray) -> float:
    """Return how far `roc_auc` can be from that of the scores before they were counted at points.

    Parameters
    ----------
    scores : (2, B) float array
        Rows by label and point; both labels have rows.

    Returns
    -------
    float
        Half the share of pairs that share a point; reached when all of these are in one order.

    Examples
    --------
    >>> roc_auc_resolution(np.array([[3.0, 1.0], [0.0, 1.0]]))
    0.125
    """
    negatives, positives = scores
    return float(negatives @ positives) / 2 / float(negatives.sum()) / float(positives.sum())


def average_precision(scores: FloatArray) -> Expansion | str:
    """Return the mean over positives of the precision among the rows scored no lower.

    Parameters
    ----------
    scores : (2, B) float array
        Rows by label (negative, positive) and by point, in ascending order, at least 0.

    Returns
    -------
    Expansion or str
        In [0, 1], higher is better, the prevalence is chance; or why there is none.

    Notes
    -----
    ``sum (R_k - R_(k-1)) P_k`` over the points as thresholds, without interpolation.
    Cost: O(B).

    References
    ----------
    K. Boyd, K. H. Eng, C. D. Page, "Area under the precision-recall curve: point estimates and confidence
    intervals", ECML PKDD 2013, doi:10.1007/978-3-642-40994-3_55.

    Examples
    --------
    >>> round(average_precision(np.array([[3.0, 1.0, 0.0], [0.0, 1.0, 2.0]])).value, 4)
    0.9167
    """
    negatives, positives = scores
    n1 = float(positives.sum())
    if n1 <= 0:
        return NO_POSITIVE_LABELS
    hits, misses = _at_or_above(positives), _at_or_above(negatives)
    rows = np.maximum(hits + misses, np.finfo(np.float64).tiny)
    precisions = hits / rows
    value = float(positives @ precisions) / n1
    share = positives / n1 / rows
    by_positive = (precisions - value) / n1 + np.cumsum(share * (1 - precisions))
    return Expansion(value, np.stack([-np.cumsum(share * precisions), by_positive]))


def average_precision_resolution(scores: FloatArray) -> float:
    """Return how far `average_precision` can be from that of the scores before they were counted at points.

    Parameters
    ----------
    scores : (2, B) float array
        Rows by label and point; the positive label has rows.

    Returns
    -------
    float
        The larger distance to the two extremes: in every point all positives share a score above all negatives, or
        have one score each, below all negatives.

    Notes
    -----
    With a positives and c rows above the t positives of a point, these add ``t (a + t) / (c + t)`` at best. With c rows
    above that count the point's negatives they add ``sum (a + i) / (c + i)`` at worst, i from 1 to t, which is
    ``t - (c - a) (psi(c + t + 1) - psi(c + 1))``.

    Examples
    --------
    >>> round(average_precision_resolution(np.array([[3.0, 1.0], [0.0, 1.0]])), 3)
    0.5
    """
    negatives, positives = scores
    n1 = float(positives.sum())
    hits, misses = _at_or_above(positives) - positives, _at_or_above(negatives) - negatives
    wrong, least = misses + negatives, np.finfo(np.float64).tiny
    best = float(positives @ ((hits + positives) / np.maximum(hits + positives + misses, least))) / n1
    harmonic = digamma(hits + wrong + positives + 1) - digamma(hits + wrong + 1)
    worst = float((positives - wrong * harmonic).sum()) / n1
    value = float(positives @ ((hits + positives) / np.maximum(hits + positives + wrong, least))) / n1
    return max(best - value, value - worst, 0.0)


def _at_or_above(counts: FloatArray) -> FloatArray:
    return np.asarray(np.cumsum(counts[::-1])[::-1])

"""How good scores are as probabilities: losses of counts by label and point, with their slopes."""

from __future__ import annotations

from typing import Final

import numpy as np

from detectors.pair import FloatArray, IntArray
from detectors.performance.expansion import Expansion
from detectors.performance.metric import NO_ROWS

LEAST_PROBABILITY: Final = float(np.finfo(np.float64).eps)
"""A score nearer to 0 or 1 counts as this near in the log loss, as scikit-learn does."""
GROUPS: Final = 10
"""Of equal width, over which the calibration error is summed."""


def brier(scores: FloatArray, points: FloatArray) -> Expansion | str:
    """Return the mean squared distance of score and label.

    Parameters
    ----------
    scores : (2, B) float array
        Rows by label (negative, positive) and point, at least 0.
    points : (B,) float array
        Probabilities of the positive class.

    Returns
    -------
    Expansion or str
        In [0, 1], lower is better; or why there is none.

    References
    ----------
    G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78(1), 1950,
    doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.

    Examples
    --------
    >>> round(brier(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0.1, 0.7])).value, 9)
    0.05
    """
    return _mean_of(np.stack([points**2, (1 - points) ** 2]), scores)


def log_loss(scores: FloatArray, points: FloatArray) -> Expansion | str:
    """Return the mean of minus the logarithm of the probability that was given to the label.

    Parameters
    ----------
    scores : (2, B) float array
        Rows by label (negative, positive) and point, at least 0.
    points : (B,) float array
        Probabilities of the positive class.

    Returns
    -------
    Expansion or str
        In nats, from 0 to 36, lower is better; or why there is none.

    Notes
    -----
    Probabilities below `LEAST_PROBABILITY` count as that.

    References
    ----------
    I. J. Good, "Rational decisions", Journal of the Royal Statistical Society B 14(1), 1952,
    doi:10.1111/j.2517-6161.1952.tb00104.x.

    Examples
    --------
    >>> round(log_loss(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0.1, 0.7])).value, 4)
    0.231
    """
    chances = np.maximum(np.stack([1 - points, points]), LEAST_PROBABILITY)
    return _mean_of(-np.log(chances), scores)


def calibration_error(scores: FloatArray, points: FloatArray) -> Expansion | str:
    """Return the expected calibration error: how far mean score and share of positives are apart, over 10 groups.

    Parameters
    ----------
    scores : (2, B) float array
        Rows by label (negative, positive) and point, at least 0.
    points : (B,) float array
        Probabilities of the positive class; those of one tenth form a group.

    Returns
    -------
    Expansion or str
        In [0, 1], lower is better; or why there is none.

    Notes
    -----
    ``sum |sum (label - score)| / n`` over the groups.
    It is biased upwards: with perfect calibration it is about ``0.3 sqrt(GROUPS / n)`` and never 0.

    References
    ----------
    M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning",
    AAAI 2015, doi:10.1609/aaai.v29i1.9602.

    Examples
    --------
    >>> round(calibration_error(np.array([[8.0, 0.0], [2.0, 5.0]]), np.array([0.1, 0.8])).value, 4)
    0.1333
    """
    n = float(scores.sum())
    if n <= 0:
        return NO_ROWS
    group = calibration_groups(points)
    misses = np.stack([-points, 1 - points])
    excess = np.bincount(group, weights=(scores * misses).sum(axis=0), minlength=GROUPS)
    value = float(np.abs(excess).sum()) / n
    return Expansion(value, (np.sign(excess)[group] * misses - value) / n)


def calibration_groups(points: FloatArray) -> IntArray:
    """Return the group that each point belongs to in the calibration error.

    Parameters
    ----------
    points : (B,) float array
        Probabilities.

    Returns
    -------
    (B,) int64 array
        From 0 to 9: the tenth that it lies in, borders counting above.

    Examples
    --------
    >>> calibration_groups(np.array([0.0, 0.1, 1.0])).tolist()
    [0, 1, 9]
    """
    return np.minimum((points * GROUPS + 1e-9).astype(np.int64), GROUPS - 1)


def _mean_of(losses: FloatArray, scores: FloatArray) -> Expansion | str:
    n = float(scores.sum())
    if n <= 0:
        return NO_ROWS
    value = float((scores * losses).sum()) / n
    return Expansion(value, (losses - value) / n)


def brier_resolution(scores: FloatArray, points: FloatArray, reaches: FloatArray) -> float:
    """Return how far `brier` can be from that of the scores before they were counted at points.

    Parameters
    ----------
    scores : (2, B) float array
        Rows by label and point; not all 0.
    points, reaches : (B,) float array
        Probabilities, and how far a score can be from them.

    Returns
    -------
    float
        Mean of ``2 |score - label| reach + reach**2``.

    Examples
    --------
    >>> round(brier_resolution(np.array([[1.0], [1.0]]), np.array([0.5]), np.array([0.1])), 9)
    0.11
    """
    misses = np.stack([points, 1 - points])
    return float((scores * (2 * misses * reaches + reaches**2)).sum() / scores.sum())


def log_loss_resolution(scores: FloatArray, points: FloatArray, reaches: FloatArray) -> float:
    """Return how far `log_loss` can be from that of the scores before they were counted at points.

    Parameters
    ----------
    scores : (2, B) float array
        Rows by label and point; not all 0.
    points, reaches : (B,) float array
        Probabilities, and how far a score can be from them.

    Returns
    -------
    float
        Mean of the larger change of the logarithm when a score moves by its reach.

    Examples
    --------
    >>> round(log_loss_resolution(np.array([[1.0], [1.0]]), np.array([0.5]), np.array([0.1])), 3)
    0.223
    """
    chances = np.stack([1 - points, points])
    at, down, up = (
        np.log(np.clip(moved, LEAST_PROBABILITY, 1.0))
        for moved in (chances, chances - reaches, chances + reaches)
    )
    return float((scores * np.maximum(at - down, up - at)).sum() / scores.sum())


def calibration_error_resolution(scores: FloatArray, points: FloatArray, reaches: FloatArray) -> float:
    """Return how far `calibration_error` can be from that of the scores before they were counted at points.

    Parameters
    ----------
    scores : (2, B) float array
        Rows by label and point; not all 0.
    points, reaches : (B,) float array
        Probabilities, and how far a score can be from them.

    Returns
    -------
    float
        Mean of the reaches; the groups are sets of points.

    Examples
    --------
    >>> calibration_error_resolution(np.array([[1.0], [1.0]]), np.array([0.5]), np.array([0.1]))
    0.1
    """
    del points
    return float((scores * reaches).sum() / scores.sum())

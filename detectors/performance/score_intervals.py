"""Intervals of metrics of labels by score, from their standard errors."""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt
from typing import TypeAlias

import numpy as np

from detectors.pair import FloatArray
from detectors.performance.intervals import Interval, log_normal, logit_normal, normal_quantile
from detectors.performance.probability_losses import GROUPS, calibration_groups

ScoreInterval: TypeAlias = Callable[[FloatArray, FloatArray, float, float, float], Interval]
"""(2, B) counts, (B,) points, value, standard error and level to interval."""


def of_share(scores: FloatArray, points: FloatArray, value: float, error: float, level: float) -> Interval:
    """Return the interval of a metric in [0, 1], symmetric on the scale of log odds.

    Parameters
    ----------
    scores : (2, B) float array
        Rows by label and point.
    points : (B,) float array
        Not looked at.
    value, error : float
        The metric and its standard error.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval
        Within [0, 1]; at 0 and 1 Wilson's, with as many rows as the smaller class has.

    Examples
    --------
    >>> [round(end, 3) for end in of_share(np.ones((2, 50)), np.ones(50), 0.95, 0.02, 0.95)]
    [0.893, 0.977]
    """
    del points
    return logit_normal(value, error, max(float(scores.sum(axis=1).min()), 1.0), level)


def of_loss(scores: FloatArray, points: FloatArray, value: float, error: float, level: float) -> Interval:
    """Return the interval of a metric of 0 and up, symmetric on the scale of its logarithm.

    Parameters
    ----------
    scores : (2, B) float array
        Not looked at.
    points : (B,) float array
        Not looked at.
    value, error : float
        The metric and its standard error.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval
        At least 0.

    Examples
    --------
    >>> [round(end, 2) for end in of_loss(np.ones((2, 1)), np.ones(1), 10.0, 1.0, 0.95)]
    [8.22, 12.17]
    """
    del scores, points
    return log_normal(value, error, level)


def of_calibration_error(
    scores: FloatArray, points: FloatArray, value: float, error: float, level: float
) -> Interval:
    """Return the interval of the expected calibration error, which chance alone raises above 0.

    Parameters
    ----------
    scores : (2, B) float array
        Rows by label and point; not all 0.
    points : (B,) float array
        Probabilities of the positive class.
    value, error : float
        The metric and its standard error.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval
        Within [0, 1].

    Notes
    -----
    Were all scores right, each group's excess would be near a normal law of variance ``s**2 = sum score (1 - score)``
    and the value would have mean ``sum(s) sqrt(2 / pi) / n`` and variance ``sum(s**2) (1 - 2 / pi) / n**2``. The lower
    end is as much lower as this mean, and z times the larger of both errors below the value.
    Coverage: above the level, since a calibration error that is there is not raised by so much.

    Examples
    --------
    >>> points, scores = np.array([0.25, 0.75]), np.array([[70.0, 30.0], [30.0, 70.0]])
    >>> [round(end, 2) for end in of_calibration_error(scores, points, 0.05, 0.02, 0.95)]
    [0.0, 0.09]
    """
    n, z = float(scores.sum()), normal_quantile(level)
    variances = np.bincount(
        calibration_groups(points), weights=scores.sum(axis=0) * points * (1 - points), minlength=GROUPS
    )
    by_chance = float(np.sqrt(variances).sum()) * sqrt(2 / pi) / n
    spread = sqrt(float(variances.sum()) * (1 - 2 / pi)) / n
    return Interval(max(value - by_chance - z * max(error, spread), 0.0), min(value + z * error, 1.0))

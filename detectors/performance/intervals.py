"""Confidence intervals of proportions, means and smooth functions of counts."""

from __future__ import annotations

from math import exp, log, sqrt
from typing import Final, NamedTuple

import numpy as np
from scipy.special import ndtri

from detectors.pair import FloatArray

LEVEL: Final = 0.95


class Interval(NamedTuple):
    """Both ends of an interval, in the unit of what it is for.

    Examples
    --------
    >>> Interval(0.1, 0.3).high
    0.3
    """

    low: float
    high: float


def normal_quantile(level: float) -> float:
    """Return z with ``P(|Z| <= z) = level`` for a standard normal Z.

    Parameters
    ----------
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    float
        In standard deviations.

    Raises
    ------
    ValueError
        When the level is not strictly between 0 and 1.

    Examples
    --------
    >>> round(normal_quantile(0.95), 3)
    1.96
    """
    if not 0 < level < 1:
        message = f"level must be between 0 and 1, got {level}"
        raise ValueError(message)
    return float(ndtri((1 + level) / 2))


def wilson(hits: float, n: float, level: float = LEVEL) -> Interval:
    """Return the score interval of a proportion.

    Parameters
    ----------
    hits, n : float
        Hits and trials, ``0 <= hits <= n``.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval
        Within [0, 1]; never of no width, and all of it without trials.

    Notes
    -----
    All rates p with ``|hits / n - p| <= z sqrt(p (1 - p) / n)``.
    Coverage: near the level on average over p; single p lie a little beside it, since hits are whole.

    References
    ----------
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
    Statistical Association 22(158), 1927, doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> [round(end, 3) for end in wilson(8, 10)]
    [0.49, 0.943]
    """
    if n <= 0:
        return Interval(0.0, 1.0)
    z2 = normal_quantile(level) ** 2
    middle = (hits + z2 / 2) / (n + z2)
    half = sqrt(z2 * (hits * (n - hits) / n + z2 / 4)) / (n + z2)
    return Interval(max(middle - half, 0.0), min(middle + half, 1.0))


def mean_of(values: FloatArray, ends: FloatArray, correlation: FloatArray | None = None) -> Interval:
    """Return an interval of the plain mean of values in [0, 1], each of which has an interval.

    Parameters
    ----------
    values : (K,) float array
        Estimates.
    ends : (K, 2) float array
        Their intervals, of one level.
    correlation : (K, K) float array, optional
        Of the estimates. Default: independent.

    Returns
    -------
    Interval
        Within [0, 1].

    Notes
    -----
    Variances are recovered from the limits: the mean less ``sqrt(d' R d) / K`` with distances d to the lower limits
    and correlations R, and likewise above.

    References
    ----------
    G. Y. Zou, A. Donner, "Construction of confidence limits about effect measures: a general approach", Statistics in
    Medicine 27(10), 2008, doi:10.1002/sim.3095.

    Examples
    --------
    >>> values, ends = np.array([0.9, 0.8]), np.array([wilson(90, 100), wilson(80, 100)])
    >>> [round(end, 3) for end in mean_of(values, ends)]
    [0.792, 0.89]
    """
    related = np.eye(values.size) if correlation is None else correlation
    middle = float(values.mean())
    below, above = (
        sqrt(max(float(distance @ related @ distance), 0.0)) / values.size
        for distance in (values - ends[:, 0], ends[:, 1] - values)
    )
    return Interval(max(middle - below, 0.0), min(middle + above, 1.0))


def normal(value: float, error: float, level: float = LEVEL) -> Interval:
    """Return ``value`` less and plus z standard errors.

    Parameters
    ----------
    value, error : float
        A value and its standard error, in one unit.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval
        Symmetric and unbounded.

    Examples
    --------
    >>> [round(end, 2) for end in normal(10.0, 1.0)]
    [8.04, 11.96]
    """
    half = normal_quantile(level) * error
    return Interval(value - half, value + half)


def normal_within(value: float, error: float, most: float, level: float = LEVEL) -> Interval:
    """Return the normal interval, cut at the ends of what the value can be.

    Parameters
    ----------
    value, error : float
        A value between 0 and `most`, and its standard error.
    most : float
        The largest that it can be.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval
        Within [0, `most`]. Unlike intervals on the scale of log odds it reaches the ends, which is where a metric of
        few rows may well come out.

    Examples
    --------
    >>> [round(end, 2) for end in normal_within(0.9, 0.1, 1.0)]
    [0.7, 1.0]
    """
    low, high = normal(value, error, level)
    return Interval(max(low, 0.0), min(high, most))


def log_normal(value: float, error: float, level: float = LEVEL) -> Interval:
    """Return an interval of a value that is at least 0, symmetric on the scale of its logarithm.

    Parameters
    ----------
    value, error : float
        A value of at least 0 and its standard error.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval
        At least 0; of no width at 0.

    Examples
    --------
    >>> [round(end, 2) for end in log_normal(10.0, 1.0)]
    [8.22, 12.17]
    """
    if value <= 0:
        return Interval(0.0, 0.0)
    half = normal_quantile(level) * error / value
    return Interval(value * exp(-half), value * exp(min(half, 700.0)))


def logit_normal(value: float, error: float, rows: float, level: float = LEVEL) -> Interval:
    """Return an interval of a value in [0, 1], symmetric on the scale of its log odds.

    Parameters
    ----------
    value, error : float
        A value in [0, 1] and its standard error.
    rows : float
        Rows that could have contradicted a value of 0 or 1, where log odds say nothing: there it is Wilson's.
    level : float
        Coverage, in (0, 1).

    Returns
    -------
    Interval
        Within [0, 1].

    Examples
    --------
    >>> [round(end, 3) for end in logit_normal(0.95, 0.02, 100)]
    [0.893, 0.977]
    >>> [round(end, 3) for end in logit_normal(1.0, 0.0, 100)]
    [0.963, 1.0]
    """
    left = min(value, 1 - value)
    if left <= 0 or error <= 0:
        return wilson(min(max(value, 0.0), 1.0) * rows, rows, level)
    half = normal_quantile(level) * error / (value * (1 - value))
    middle = log(value / (1 - value))
    return Interval(_logistic(middle - half), _logistic(middle + half))


def _logistic(x: float) -> float:
    return 1 / (1 + exp(-x)) if x > -700 else 0.0

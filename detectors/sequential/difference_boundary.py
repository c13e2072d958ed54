"""How far an estimate may stray from the truth at all looks together: a normal mixture's boundary."""

from __future__ import annotations

from math import exp, log, log1p, sqrt
from typing import Final

from detectors.score import require_alpha

_MOST_GROWTH: Final = 1e12


def narrowest(alpha: float) -> float:
    """Return the age at which the boundary is tightest for its variance.

    Parameters
    ----------
    alpha : float
        1 less the confidence, in (0, 1).

    Returns
    -------
    float
        Prior variance of the mixture over the variance of the estimate then; about 8 for alpha 0.05.

    Raises
    ------
    ValueError
        When alpha is outside (0, 1).

    Notes
    -----
    ``-2 ln(alpha) + ln(1 - 2 ln(alpha))``, within a percent of the best (Howard and others 2021, proposition 3).

    Examples
    --------
    >>> round(narrowest(0.05), 2)
    7.94
    """
    require_alpha(alpha)
    nats = -2 * log(alpha)
    return nats + log1p(nats)


def log_evidence(surprise: float, age: float) -> float:
    """Return the evidence against a hypothesis, in nats: the logarithm of a mixture of likelihood ratios.

    Parameters
    ----------
    surprise : float
        Logarithm of the largest likelihood ratio, in nats: half the square of the estimate's distance from the
        hypothesis in standard errors; may be infinite.
    age : float
        Prior variance over the estimate's variance now, above 0; it grows with the rows.

    Returns
    -------
    float
        Its exponential is a martingale of mean 1 under the hypothesis, for an estimate that is normal.

    Notes
    -----
    ``surprise * age / (1 + age) - ln(1 + age) / 2``: alternatives are normal about the hypothesis (Robbins 1970).

    Examples
    --------
    >>> round(log_evidence(8.0, age=8.0), 2)
    6.01
    """
    return surprise * age / (1 + age) - log1p(age) / 2


def always_valid_p(evidence: float) -> float:
    """Return the probability, under the hypothesis, that evidence ever gets so large.

    Parameters
    ----------
    evidence : float
        In nats.

    Returns
    -------
    float
        In [0, 1]; by Ville's inequality.

    Examples
    --------
    >>> always_valid_p(-1.0), round(always_valid_p(3.0), 3)
    (1.0, 0.05)
    """
    return exp(-max(0.0, evidence))


def deviations_allowed(age: float, alpha: float) -> float:
    """Return how many standard errors the estimate may be away without a doubt of the hypothesis.

    Parameters
    ----------
    age : float
        Prior variance over the estimate's variance now, above 0.
    alpha : float
        1 less the confidence, in (0, 1).

    Returns
    -------
    float
        Where `log_evidence` is ``ln(1 / alpha)``.

    Raises
    ------
    ValueError
        When alpha is outside (0, 1).

    Examples
    --------
    >>> round(deviations_allowed(narrowest(0.05), 0.05), 2)
    3.04
    """
    require_alpha(alpha)
    return sqrt((1 + age) / age * (log1p(age) - 2 * log(alpha)))


def growth_needed(error: float, age: float, half_width: float, alpha: float) -> float:
    """Return by which factor the rows must grow until the interval is so narrow.

    Parameters
    ----------
    error : float
        Standard error now, above 0.
    age : float
        Prior variance over the estimate's variance now, above 0.
    half_width : float
        Wanted, in the unit of `error`, above 0.
    alpha : float
        1 less the confidence, in (0, 1).

    Returns
    -------
    float
        At least 1, at most 1e12.

    Raises
    ------
    ValueError
        When alpha is outside (0, 1).

    Notes
    -----
    Variance falls as one over the rows, age grows with them; by bisection of the logarithm.

    Examples
    --------
    >>> round(growth_needed(error=0.01, age=8.0, half_width=0.01, alpha=0.05), 1)
    10.6
    """

    def width(growth: float) -> float:
        return error / sqrt(growth) * deviations_allowed(age * growth, alpha)

    low, high = 0.0, log(_MOST_GROWTH)
    if width(1.0) <= half_width:
        return 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if width(exp(middle)) > half_width else (low, middle)
    return exp(high)

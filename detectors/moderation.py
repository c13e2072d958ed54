"""Many variances, each estimated from few values, steadied by each other."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import polygamma, psi

from detectors.pair import FloatArray

MOST_FREEDOM: Final = 1e6
_LEAST: Final = 1e-3


def moderated(variances: FloatArray, freedom: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return variances drawn towards their common level, and the degrees of freedom they then have.

    Parameters
    ----------
    variances : (P,) float array
        Estimates, at least 0.
    freedom : (P,) float array
        Their degrees of freedom, at least 0; an estimate with 0 is ignored.

    Returns
    -------
    variances : (P,) float array
        ``(f0 s0**2 + f s**2) / (f0 + f)``.
    freedom : (P,) float array
        ``f0 + f``, at least 1: a value over the root of such a variance has Student's t law with these.

    Notes
    -----
    Model: true variances are drawn from a scaled inverse chi-square law with f0 degrees of freedom and scale
    s0**2, both estimated here by the moments of log variances (empirical Bayes).
    Alike variances have a large f0, and steady each other; variances that differ are left to themselves.
    f0 is at most half of all other degrees of freedom, because the estimates may depend on each other.
    Cost: O(P), about 0.1 ms at 1000.

    References
    ----------
    G. K. Smyth, "Linear models and empirical Bayes methods for assessing differential expression in microarray
    experiments", Statistical Applications in Genetics and Molecular Biology 3(1), 2004,
    doi:10.2202/1544-6115.1027.

    Examples
    --------
    >>> alike = np.random.default_rng(1).chisquare(8, size=500) / 8
    >>> steadied, freedom = moderated(alike, np.full(500, 8.0))
    >>> bool(alike.std() > 0.4), bool(steadied.std() < 0.1), bool(freedom.min() > 100)
    (True, True, True)
    """
    full = freedom >= max(float(freedom.max(initial=0.0)), 1.0)
    if not full.any():
        return np.ones_like(variances), np.ones_like(freedom)
    half = float(freedom.max()) / 2
    logs = np.log(np.maximum(variances[full], _LEAST)) - psi(half) + np.log(half)
    most = half * (logs.size - 1)
    beyond = float(logs.var(ddof=1)) - float(polygamma(1, half)) if logs.size > 1 else np.inf
    prior = most if beyond <= 0 else min(2 * _inverse_trigamma(beyond), most)
    level = float(logs.mean()) + (float(psi(prior / 2) - np.log(prior / 2)) if prior > _LEAST else 0.0)
    together = np.maximum(prior + freedom, 1.0)
    drawn = (prior * np.exp(level) + freedom * variances) / np.maximum(prior + freedom, _LEAST)
    return np.where(prior + freedom > 0, drawn, 1.0), np.minimum(together, MOST_FREEDOM)


def _inverse_trigamma(value: float) -> float:
    """Return x with trigamma(x) = value, by Newton's method on the reciprocal; 0 for infinity."""
    if not np.isfinite(value):
        return 0.0
    x = 0.5 + 1 / value
    for _ in range(20):
        trigamma = float(polygamma(1, x))
        x += trigamma * (1 - trigamma / value) / float(polygamma(2, x))
    return x

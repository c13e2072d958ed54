"""The two-sample Kolmogorov-Smirnov test for samples of equal size, many at once and exact."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from scipy.special import gammaln

from detectors.pair import FloatArray

_LEAST_DISTANCE: Final = 0.1


def ks_distances(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the Kolmogorov-Smirnov distance of each row of two samples of equal size.

    Parameters
    ----------
    first, second : (n, r) float array
        Values; their order in a row does not matter.

    Returns
    -------
    (n,) float array
        In [0, 1], multiples of 1 / r.

    Examples
    --------
    >>> ks_distances(np.array([[1.0, 2.0]]), np.array([[2.0, 3.0]])).tolist()
    [0.5]
    """
    size = first.shape[1]
    both = np.concatenate([first, second], axis=1)
    order = np.argsort(both, axis=1)
    ahead = np.cumsum(np.where(order < size, 1, -1), axis=1)
    ranked = np.take_along_axis(both, order, axis=1)
    ahead[:, :-1][ranked[:, 1:] == ranked[:, :-1]] = (
        0  # only at the end of equal values do both have counted them
    )
    return np.asarray(np.abs(ahead).max(axis=1) / size)


@lru_cache(maxsize=64)
def largest_usual(size: int, alpha: float) -> float:
    """Return the largest distance that is no drift.

    Parameters
    ----------
    size : int
        Of each sample.
    alpha : float
        Probability of one test, in (0, 1).

    Returns
    -------
    float
        The largest multiple of 1 / size with a p-value above alpha, and 0.1 at least.

    Examples
    --------
    >>> round(largest_usual(30, 0.005), 3)
    0.433
    """
    steps = np.arange(1, size + 1)
    rare = np.flatnonzero([tail_probability(size, int(k)) <= alpha for k in steps])
    critical = int(steps[rare[0]]) if len(rare) else size + 1
    return max((critical - 1) / size, _LEAST_DISTANCE)


def tail_probability(size: int, steps: int) -> float:
    """Return P(distance >= steps / size) of two samples of equal size from one continuous distribution.

    Parameters
    ----------
    size : int
        Of each sample.
    steps : int
        The distance times the size, at least 1.

    Returns
    -------
    float
        ``2 sum((-1)**(j - 1) C(2 size, size - j steps) / C(2 size, size))``, at most 1.

    References
    ----------
    B. V. Gnedenko and V. S. Korolyuk, "On the maximum discrepancy between two empirical distributions", 1951, in
    Selected Translations in Mathematical Statistics and Probability 1, 1961 (without a DOI).

    Examples
    --------
    >>> round(tail_probability(2, 2), 6)
    0.333333
    """
    j = np.arange(1, size // steps + 1)
    logs = 2.0 * gammaln(size + 1.0) - gammaln(size - j * steps + 1.0) - gammaln(size + j * steps + 1.0)
    return float(min(1.0, 2.0 * np.sum(np.where(j % 2 == 1, 1.0, -1.0) * np.exp(logs))))

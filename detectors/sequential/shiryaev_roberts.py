"""The Shiryaev-Roberts e-detector: e-values of all possible change points, added up."""

from __future__ import annotations

from math import log
from typing import Final

import numpy as np

from detectors.pair import FloatArray
from detectors.sequential.parameters import require_inside

_MOST: Final = 500.0
_HIGHEST: Final = 1e300
_LONGEST: Final = 1e15
_TENTH: Final = 10.0


def shiryaev_roberts(start: FloatArray, gains: FloatArray) -> FloatArray:
    """Return the sum over all change points of the e-value since then, for each alternative.

    Parameters
    ----------
    start : (A,) float array
        The sums before; 0 for a detector that has seen nothing.
    gains : (n, A) float array
        Logarithms of e-values of n values; above 500 they count as 500, and sums above 1e300 as 1e300.

    Returns
    -------
    (n, A) float array
        ``R = (1 + R) exp(gain)``, one value after the other.

    Notes
    -----
    Under the null ``E exp(gain) <= 1`` given the past, so the sum less the number of values is a supermartingale, as
    is the same for the mean over alternatives: the mean first exceeds A after A values or more, in expectation.
    It is never less than the CUSUM ``exp(max(0, S) + gain)``, which keeps the same promise: it rings sooner.
    Cost: about 0.05 us a value and alternative.

    References
    ----------
    J. Shin, A. Ramdas and A. Rinaldo, "E-detectors: a nonparametric framework for sequential change detection",
    New England Journal of Statistics in Data Science 2(2), 2024, doi:10.51387/23-NEJSDS51.

    Examples
    --------
    >>> shiryaev_roberts(np.zeros(1), np.log([[1.0], [3.0]])).round(6).tolist()
    [[1.0], [6.0]]
    """
    factors = np.exp(np.minimum(gains, _MOST))
    columns = []
    for r, column in zip(start.tolist(), factors.T.tolist(), strict=True):
        total, sums = r, []
        for factor in column:
            total = (total + 1.0) * factor
            sums.append(total)
        columns.append(sums)
    # what follows a drift in its block may be beyond all measure
    return np.fmin(np.array(columns).T, _HIGHEST)


def evidence_of(sums: FloatArray) -> FloatArray:
    """Return how much the mean over alternatives speaks for a change.

    Parameters
    ----------
    sums : (n, A) float array
        Of `shiryaev_roberts`.

    Returns
    -------
    (n,) float array
        In nats, at least 0.

    Examples
    --------
    >>> evidence_of(np.array([[1.0, 0.0], [np.e, np.e]])).tolist()
    [0.0, 1.0]
    """
    total = np.add.accumulate(sums, axis=1)[:, -1]  # in this order, however the array lies in memory
    return np.asarray(np.log(np.maximum(total / sums.shape[1], 1.0)))


def limits_for(run_length: float) -> tuple[float, float]:
    """Return the limits of drift and of a warning.

    Parameters
    ----------
    run_length : float
        Mean number of values between false alarms that is promised, in (1, 1e15).

    Returns
    -------
    limit, warning_limit : float
        In nats; a warning is promised a tenth of the run length.

    Raises
    ------
    ValueError
        When the run length is out of its range.

    Examples
    --------
    >>> [round(limit, 2) for limit in limits_for(1000)]
    [6.91, 4.61]
    """
    require_inside("run_length", run_length, 1, _LONGEST)
    return log(run_length), max(log(run_length / _TENTH), 0.0)

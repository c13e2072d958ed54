"""A metric as a smooth function of counts: its value there, and its slope by each count."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

from detectors.pair import FloatArray


class Expansion(NamedTuple):
    """First two terms of a metric's Taylor series at given counts.

    Parameters
    ----------
    value : float
        The metric.
    slope : (...) float array
        Its derivative by each count. The metrics here do not change when all counts double, so that the counts and
        the slope are orthogonal.

    Examples
    --------
    >>> import numpy as np
    >>> Expansion(0.5, np.array([0.01, -0.01])).value
    0.5
    """

    value: float
    slope: FloatArray


def sampling_error(expansion: Expansion, counts: FloatArray) -> float:
    """Return the standard error of a metric whose counts are those of independent rows.

    Parameters
    ----------
    expansion : Expansion
        Of the metric at `counts`.
    counts : (...) float array
        Rows by cell, at least 0.

    Returns
    -------
    float
        In the metric's unit.

    Notes
    -----
    The delta method: ``sqrt(sum(counts slope**2) n / (n - 1))``, the mean slope of a row being 0; a row's influence
    on the metric is n times the slope of its cell.

    References
    ----------
    F. R. Hampel, "The influence curve and its role in robust estimation", Journal of the American Statistical
    Association 69(346), 1974, doi:10.1080/01621459.1974.10482962.

    Examples
    --------
    >>> import numpy as np
    >>> half = Expansion(0.5, np.array([0.5, -0.5]) / 100)
    >>> round(sampling_error(half, np.array([50.0, 50.0])), 4)
    0.0503
    """
    n = float(counts.sum())
    variance = float((counts * expansion.slope**2).sum())
    return sqrt(variance * n / max(n - 1, 1.0))

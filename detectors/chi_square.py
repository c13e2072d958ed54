"""Pearson's two-sample chi-square statistic."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from detectors.cells import Sizes
from detectors.divergence import Divergence
from detectors.pair import FloatArray


class ChiSquare(Divergence):
    """Pearson's statistic of the 2 by G table of counts, 0 to n + m.

    Notes
    -----
    ``sum (c sqrt(m / n) - r sqrt(n / m))**2 / (c + r)``, the statistic of a contingency table.
    Under the null its mean is near G - 1; unlike the distances it grows with the sample sizes.

    References
    ----------
    K. Pearson, "On the probability that two independent distributions of frequency are really samples from
    the same population", Biometrika 8, 1911, doi:10.1093/biomet/8.1-2.250.

    Examples
    --------
    >>> from detectors.pair import CategoricalPair
    >>> pair = CategoricalPair(np.array([700, 300]), np.array([500, 500]))
    >>> score = ChiSquare().score(pair, alpha=1e-6)
    >>> round(score.value, 2), score.value > score.limit
    (83.33, True)
    """

    name: ClassVar[str] = "chi_square"

    def terms(self, reference: FloatArray, current: FloatArray, sizes: Sizes) -> FloatArray:
        """Return a group's share of the statistic."""
        ratio = np.sqrt(sizes.m / sizes.n)
        difference = current * ratio - reference / ratio
        share: FloatArray = difference * difference / np.maximum(current + reference, 1)
        return share

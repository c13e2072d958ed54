"""Hellinger distance."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from detectors.cells import Sizes
from detectors.divergence import Divergence
from detectors.pair import FloatArray


class Hellinger(Divergence):
    """Hellinger distance, in [0, 1].

    Notes
    -----
    ``sqrt(sum (sqrt(q) - sqrt(p))**2 / 2)`` with ``p = r / m``, ``q = c / n``.
    Under the null its square is near ``(1/n + 1/m) chi2(G - 1) / 8``; an empty group weighs twice as much as
    in a likelihood ratio, which the fitted third cumulant follows.

    References
    ----------
    G. L. Yang, L. Le Cam, "Asymptotics in Statistics", Springer, 2000, doi:10.1007/978-1-4612-1166-2.

    Examples
    --------
    >>> from detectors.pair import CategoricalPair
    >>> pair = CategoricalPair(np.array([700, 300]), np.array([500, 500]))
    >>> score = Hellinger().score(pair, alpha=1e-6)
    >>> round(score.value, 3), score.value > score.limit
    (0.145, True)
    """

    name: ClassVar[str] = "hellinger"

    def terms(self, reference: FloatArray, current: FloatArray, sizes: Sizes) -> FloatArray:
        """Return half the squared difference of the roots."""
        difference: FloatArray = np.sqrt(current / sizes.n) - np.sqrt(reference / sizes.m)
        return difference * difference / 2

    def finish(self, total: FloatArray) -> FloatArray:
        """Return the root."""
        return np.minimum(np.sqrt(np.maximum(total, 0.0)), 1.0)

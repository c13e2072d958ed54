"""Total variation distance."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from detectors.cells import Sizes
from detectors.divergence import Divergence
from detectors.pair import FloatArray


class Tv(Divergence):
    """Total variation distance: the share of events that would have to change their group, in [0, 1].

    Notes
    -----
    ``sum |q - p| / 2`` with ``p = r / m``, ``q = c / n``.
    Under the null it grows like ``sqrt(2 / pi) sum sqrt(p (1 - p) (1/n + 1/m)) / 2``; its tail is that of a
    normal law, so that the fitted Pearson law is conservative far out.

    References
    ----------
    A. L. Gibbs, F. E. Su, "On choosing and bounding probability metrics", International Statistical Review
    70(3), 2002, doi:10.1111/j.1751-5823.2002.tb00178.x.

    Examples
    --------
    >>> from detectors.pair import CategoricalPair
    >>> pair = CategoricalPair(np.array([700, 300]), np.array([500, 500]))
    >>> score = Tv().score(pair, alpha=1e-6)
    >>> round(score.value, 3), score.value > score.limit
    (0.2, True)
    """

    name: ClassVar[str] = "tv"

    def terms(self, reference: FloatArray, current: FloatArray, sizes: Sizes) -> FloatArray:
        """Return half the absolute difference."""
        difference: FloatArray = np.abs(current / sizes.n - reference / sizes.m)
        return difference / 2

    def finish(self, total: FloatArray) -> FloatArray:
        """Return the distance, at most 1."""
        return np.minimum(total, 1.0)

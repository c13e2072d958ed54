"""Jensen-Shannon distance to base 2."""

from __future__ import annotations

from math import log
from typing import ClassVar, Final

import numpy as np

from detectors.cells import Sizes
from detectors.divergence import Divergence
from detectors.pair import FloatArray

TINY: Final = 1e-300  # 0 log 0 is 0


class JsDistance(Divergence):
    """Jensen-Shannon distance: the root of the divergence to base 2, in [0, 1].

    Notes
    -----
    ``sqrt(sum (p log2(p / a) + q log2(q / a)) / 2)`` with ``a = (p + q) / 2``, ``p = r / m``, ``q = c / n``.
    Under the null the divergence is near ``(1/n + 1/m) chi2(G - 1) / (8 ln 2)``, so that a fixed limit rings
    on small windows alone.
    To compare: Evidently's distance is in nats and smaller by sqrt(ln 2) = 0.8326, NannyML's is this one.

    References
    ----------
    D. M. Endres, J. E. Schindelin, "A new metric for probability distributions", IEEE Transactions on
    Information Theory 49(7), 2003, doi:10.1109/TIT.2003.813506.

    Examples
    --------
    >>> from detectors.pair import CategoricalPair
    >>> pair = CategoricalPair(np.array([700, 300]), np.array([500, 500]))
    >>> score = JsDistance().score(pair, alpha=1e-6)
    >>> round(score.value, 3), score.value > score.limit
    (0.174, True)
    """

    name: ClassVar[str] = "js_distance"

    def terms(self, reference: FloatArray, current: FloatArray, sizes: Sizes) -> FloatArray:
        """Return a group's share of the divergence in nats."""
        p = reference / sizes.m
        q = current / sizes.n
        middle = np.maximum((p + q) / 2, TINY)
        of_reference: FloatArray = p * np.log(np.maximum(p / middle, TINY))
        of_current: FloatArray = q * np.log(np.maximum(q / middle, TINY))
        return (of_reference + of_current) / 2

    def finish(self, total: FloatArray) -> FloatArray:
        """Return the root of the divergence to base 2."""
        return np.minimum(np.sqrt(np.maximum(total, 0.0) / log(2)), 1.0)

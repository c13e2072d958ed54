"""Population stability index."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from detectors.cells import Sizes
from detectors.divergence import Divergence
from detectors.pair import FloatArray


class Psi(Divergence):
    """Population stability index, the symmetric Kullback-Leibler divergence, in nats.

    Notes
    -----
    ``sum (q - p) ln(q / p)`` over G groups with ``p = (r + 1/2) / (m + G/2)``, ``q = (c + 1/2) / (n + G/2)``.
    The half event stands in for the customary floor of 0.0001, which makes the value depend on nothing but
    the floor once a group is empty.
    Range: 0 to about ln(2 min(n, m)) * 2.
    False alarms: with 40 groups the customary limits 0.1 and 0.2 ring nearly always at n = 200 and never at
    n = 5000; the limit here follows both sample sizes.

    References
    ----------
    B. Yurdakul, J. Naranjo, "Statistical properties of the population stability index", Journal of Risk Model
    Validation 14(4), 2020, doi:10.21314/JRMV.2020.227.

    Examples
    --------
    >>> from detectors.pair import CategoricalPair
    >>> pair = CategoricalPair(np.array([700, 300]), np.array([500, 500]))
    >>> score = Psi().score(pair, alpha=1e-6)
    >>> round(score.value, 3), score.value > score.limit
    (0.169, True)
    """

    name: ClassVar[str] = "psi"

    def terms(self, reference: FloatArray, current: FloatArray, sizes: Sizes) -> FloatArray:
        """Return ``(q - p) ln(q / p)``."""
        half = 0.5 * sizes.groups
        p = (reference + 0.5) / (sizes.m + half)
        q = (current + 0.5) / (sizes.n + half)
        return (q - p) * np.log(q / p)

"""L-infinity distance: the largest change of one group's share."""

from __future__ import annotations

from math import exp, log
from typing import ClassVar, Final

import numpy as np

from detectors.cells import Cells, tabulate
from detectors.pair import FloatArray, Pair, sizes
from detectors.score import Score, is_too_little, require_alpha, too_little_data

TIE: Final = 1e-9  # distances this near are equal but for rounding


class LInfinity:
    """The largest absolute difference of one group's share, in [0, 1].

    Notes
    -----
    ``max |q - p|`` with ``p = r / m``, ``q = c / n``.
    Null hypothesis: both samples are drawn from one distribution.
    The p-value is the sum over groups of their beta-binomial tails (a union bound, sharp far out and never
    too small); the limit is its inverse.
    Both interpolate the logarithm of the tail between the tables' nodes.
    Cost: O(J G log(J G)), about 0.1 ms beyond the shared tables.

    Examples
    --------
    >>> from detectors.pair import CategoricalPair
    >>> pair = CategoricalPair(np.array([700, 300]), np.array([500, 500]))
    >>> score = LInfinity().score(pair, alpha=1e-6)
    >>> round(score.value, 3), score.value > score.limit
    (0.2, True)
    """

    name: ClassVar[str] = "l_infinity"

    def score(self, pair: Pair, alpha: float) -> Score:
        """Score one window.

        Parameters
        ----------
        pair : NumericPair or CategoricalPair
            Counts of both sides.
        alpha : float
            Probability of a false alarm, in (0, 1).

        Returns
        -------
        Score
            Without value below 10 current or 30 reference values.

        Raises
        ------
        ValueError
            When alpha is outside (0, 1).
        """
        require_alpha(alpha)
        n, m = sizes(pair)
        if is_too_little(n, m):
            return too_little_data(self.name, n, m)
        return self.score_cells(tabulate(pair), alpha)

    def score_cells(self, cells: Cells, alpha: float) -> Score:
        """Score tables that several methods share; else like `score`.

        Parameters
        ----------
        cells : Cells
            The pair's groups and their null.
        alpha : float
            Probability of a false alarm, in (0, 1).

        Returns
        -------
        Score
            Never without value.
        """
        value = float(np.abs(cells.current / cells.n - cells.reference / cells.m).max())
        p_value, limit = 1.0, value
        if cells.reference.size > 1:
            distance, log_tail = _union(cells)
            # a hair below the value, so that counts with the same distance are counted too
            p_value = exp(float(np.interp(value * (1 - TIE), distance[::-1], log_tail[::-1])))
            # 1, which nothing passes, where the table ends too early
            limit = float(np.interp(log(alpha), log_tail, distance, left=1.0)) * (1 + TIE)
        return Score(self.name, value, min(p_value, 1.0), limit, cells.n, cells.m, 0.0)


def _union(cells: Cells) -> tuple[FloatArray, FloatArray]:
    """Return falling distances and log(sum over groups of P(distance or more))."""
    share = cells.reference[:, None] / cells.m
    # where only every s-th count has a node, its mass is spread over two places, because groups of equal mass
    # have equal nodes; P(count or more) then holds but (1 + 1/s) / 2 of the mass in its own place
    step = cells.step[:, None]
    shift = (step - 1) / 4
    nodes = np.stack([cells.nodes - shift, cells.nodes + shift])
    mass = np.stack([cells.weights, cells.weights]) / 2
    distance: FloatArray = np.abs(nodes / cells.n - share).ravel()
    order = np.argsort(-distance)
    tail: FloatArray = np.cumsum(mass.ravel()[order]) - (mass * (1 - 1 / step) / 2).ravel()[order]
    return distance[order], np.log(np.maximum(tail, 1e-300))

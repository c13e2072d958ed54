"""Methods that add one term per group, and the null of such a sum."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Final

import numpy as np
from scipy.special import gammaincc, gammainccinv

from detectors.cells import Cells, tabulate
from detectors.pair import FloatArray, Pair, sizes
from detectors.score import Score, is_too_little, require_alpha, too_little_data

GUARD: Final = 0.95  # p = q ** GUARD: at 5 expected events the fit was up to 3 times too light at 1e-5
TINY: Final = 1e-300  # keeps quotients and p-values above 0
PAIR: Final = 2  # groups whose sum is enumerated
TIE: Final = 1e-9  # sums this near are equal but for rounding
MIN_SKEW: Final = 0.02  # below it a Pearson law is a normal one and its shape overflows


class Divergence(ABC):
    """A score that is a rising function of a sum over groups.

    Subclasses say what a group adds (`terms`) and how the sum reads (`finish`).

    Notes
    -----
    Null hypothesis: both samples are drawn from one distribution.
    The sum's mean, variance and third cumulant under it follow from the tables of `cells`: the mean is exact;
    the covariance of two groups is that of their polynomials of degree 2 under a bivariate normal law with
    the multinomial correlation; the third cumulant is that of independent groups, scaled as if the
    dependence had merged some of them into one.
    A Pearson type III law (a shifted gamma) with these three gives p-value and limit.
    A textbook chi-square law is its limit for many counts; at 5 to 10 expected events it rings 3 to 30 times
    too often at 1e-5.
    Two groups whose counts all have a node are enumerated instead: the p-value is exact.
    Cost: O(J G + G^2), about 0.05 ms beyond the shared tables.
    """

    name: ClassVar[str]

    @abstractmethod
    def terms(self, reference: FloatArray, current: FloatArray, cells: Cells) -> FloatArray:
        """Return what each group adds, for counts of one broadcast shape."""

    def finish(self, total: float) -> float:
        """Return the score for a sum; rising."""
        return total

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
        total = float(self.terms(cells.reference, cells.current, cells).sum())
        p_value, limit = 1.0, total
        if cells.reference.size > 1:
            exact = cells.reference.size == PAIR and cells.step.min() == 1
            p_value, limit = (self._enumerate if exact else self._fit)(cells, total, alpha)
        return Score(self.name, self.finish(total), p_value, self.finish(limit), cells.n, cells.m, 0.0)

    def _enumerate(self, cells: Cells, total: float, alpha: float) -> tuple[float, float]:
        row = int(np.argmin(cells.step))
        nodes = np.stack([cells.nodes[row], cells.n - cells.nodes[row]])[:: 1 - 2 * row]
        sums = self.terms(cells.reference[:, None], nodes, cells).sum(axis=0)
        p_value = float(cells.weights[row][sums >= total * (1 - TIE)].sum())
        order = np.argsort(sums)
        at_least = np.cumsum(cells.weights[row][order][::-1])[::-1]
        limit = float(sums[order][np.flatnonzero(at_least > alpha)[-1]])
        return min(max(p_value, TINY), 1.0), limit * (1 + TIE)

    def _fit(self, cells: Cells, total: float, alpha: float) -> tuple[float, float]:
        mean, variance, third = self._cumulants(cells)
        sd = max(variance, TINY) ** 0.5
        shape = 4 / max(third / sd**3, MIN_SKEW) ** 2
        scale = sd / shape**0.5
        p_value = float(gammaincc(shape, max(shape + (total - mean) / scale, 0.0))) ** GUARD
        limit = mean + (float(gammainccinv(shape, alpha ** (1 / GUARD))) - shape) * scale
        return max(p_value, TINY), max(limit, 0.0)

    def _cumulants(self, cells: Cells) -> tuple[float, float, float]:
        terms = self.terms(cells.reference[:, None], cells.nodes, cells)
        means = np.einsum("kj,kj->k", terms, cells.weights)
        deviation = terms - means[:, None]
        weighted = deviation * deviation * cells.weights
        own = float(weighted.sum())
        linear = np.einsum("kj,kj->k", deviation, cells.first)
        square = np.einsum("kj,kj->k", deviation, cells.second)
        rho = cells.correlation
        variance = own + float(linear @ rho @ linear + square @ (rho * rho) @ square)
        third = float((weighted * deviation).sum()) * (variance / max(own, TINY)) ** 2
        return float(means.sum()), variance, third

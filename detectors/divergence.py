"""Methods that add one term per group, and the null of such a sum."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Final

import numpy as np

from detectors.cells import Cells, Sizes, group
from detectors.column_scores import ColumnScores
from detectors.pair import FloatArray, Pair, sizes
from detectors.pearson import TINY, Cumulants
from detectors.score import Score, is_too_little, require_alpha, too_little_data
from detectors.tables import Tables, node_steps, tabulate

PAIR: Final = 2  # groups whose sum is enumerated
CONSTANT: Final = 1e-200  # the variance of what does not vary; its powers are numbers still
TIE: Final = 1e-9  # sums this near are equal but for rounding


class Divergence(ABC):
    """A score that is a rising function of a sum over groups.

    Subclasses say what a group adds (`terms`) and how the sum reads (`finish`).

    Notes
    -----
    Null hypothesis: both samples are drawn from one distribution.
    The sum's mean, variance and third cumulant under it follow from `tables`: the mean is exact; the
    covariance of two groups is that of their polynomials of degree 2 under a bivariate normal law with the
    multinomial correlation; the third cumulant is that of independent groups, scaled as if the dependence
    had merged some of them into one.
    A Pearson type III law with these three gives p-value and limit.
    A textbook chi-square law is its limit for many counts; at 5 to 10 expected events it rings 3 to 30 times
    too often at 1e-5.
    Two groups whose counts all have a node are enumerated instead: the p-value is exact.
    Cost: O(J G), about 0.05 ms beyond the shared tables.
    """

    name: ClassVar[str]

    @abstractmethod
    def terms(self, reference: FloatArray, current: FloatArray, sizes: Sizes) -> FloatArray:
        """Return what each group adds, for counts and sizes that broadcast."""

    def finish(self, total: FloatArray) -> FloatArray:
        """Return the scores for sums; rising."""
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
        cells = group(pair)
        return self.score_tables(tabulate(cells), ExactPairs(cells), alpha)

    def score_tables(self, tables: Tables, exact: ExactPairs, alpha: float) -> Score:
        """Score one column by tables that several methods share; else like `score`.

        Parameters
        ----------
        tables : Tables
            The column's groups and their null.
        exact : ExactPairs
            Of the same groups.
        alpha : float
            Probability of a false alarm, in (0, 1).

        Returns
        -------
        Score
            Never without value.
        """
        return self.judge(tables.cells, self.cumulants(tables), exact, alpha).score(0)

    def judge(self, cells: Cells, null: Cumulants, exact: ExactPairs, alpha: float) -> ColumnScores:
        """Score C columns by what is known of their null.

        Parameters
        ----------
        cells : Cells
            Groups of C columns, none with too little data.
        null : Cumulants
            Of each column's sum under the null.
        exact : ExactPairs
            The columns among them that are enumerated.
        alpha : float
            Probability of a false alarm of each score, in (0, 1).

        Returns
        -------
        ColumnScores
            Of C columns.
        """
        total = cells.total(self.terms(cells.reference, cells.current, cells.sizes))
        p_value, limit = null.tail(total), null.limit(alpha)
        if exact.columns.any():
            at = exact.columns
            p_value[at], limit[at] = exact.enumerate(self, total[at], alpha)
        alone = cells.columns.groups == 1
        p_value[alone], limit[alone] = 1.0, total[alone]
        return ColumnScores.exact(self.name, cells, self.finish(total), p_value, self.finish(limit))

    def cumulants(self, tables: Tables) -> Cumulants:
        """Return the cumulants of the sum under the null.

        Parameters
        ----------
        tables : Tables
            The null of the groups of C columns.

        Returns
        -------
        Cumulants
            (C,) arrays.
        """
        cells, odds = tables.cells, tables.odds
        terms = self.terms(cells.reference[:, None], tables.nodes, cells.sizes.per_node())
        means = np.einsum("kj,kj->k", terms, tables.weights)
        deviation = terms - means[:, None]
        weighted = deviation * deviation * tables.weights
        own = cells.total(weighted.sum(axis=1))
        linear = odds * np.einsum("kj,kj->k", deviation, tables.first)
        square = odds * odds * np.einsum("kj,kj->k", deviation, tables.second)
        # sum over i != k of x_i x_k: the correlation of two groups is minus the product of their odds
        between = cells.total(square) ** 2 - cells.total(square**2)
        between -= cells.total(linear) ** 2 - cells.total(linear**2)
        variance = np.maximum(own + between, CONSTANT)
        third = cells.total(np.einsum("kj,kj->k", weighted, deviation))
        third *= (variance / np.maximum(own, CONSTANT)) ** 2
        return Cumulants(cells.total(means), np.sqrt(variance), third / variance**1.5)


class ExactPairs:
    """The columns of two groups whose counts all have a node.

    Parameters
    ----------
    cells : Cells
        Groups of C columns.

    Examples
    --------
    >>> from detectors.cells import cells_of
    >>> ExactPairs(cells_of(np.array([70.0, 30]), np.array([7.0, 3]), np.array([0]))).columns.tolist()
    [True]
    """

    __slots__ = ("_nodes", "_row", "_weights", "cells", "columns")

    def __init__(self, cells: Cells) -> None:
        self.columns = cells.columns.groups == PAIR
        if self.columns.any():
            steps = node_steps(cells.of(self.columns)).reshape(-1, PAIR)
            self.columns[self.columns] = steps.min(axis=1) == 1
        if self.columns.any():
            self.cells = cells.of(self.columns)
            # the rarer group's law is the other's seen from the other end
            self._row = PAIR * np.arange(self.cells.starts.size) + np.argmin(
                node_steps(self.cells).reshape(-1, PAIR), axis=1
            )
            tables = tabulate(self.cells)
            self._nodes, self._weights = tables.nodes[self._row], tables.weights[self._row]

    def enumerate(
        self, divergence: Divergence, total: FloatArray, alpha: float
    ) -> tuple[FloatArray, FloatArray]:
        """Judge sums by all their possible values.

        Parameters
        ----------
        divergence : Divergence
            What adds the terms.
        total : (P,) float array
            The sums of the P columns.
        alpha : float
            In (0, 1).

        Returns
        -------
        p_value, limit : (P,) float array
            P(sum at least this), and the largest sum that is reached or passed more often than alpha.
        """
        reference, one = self.cells.reference, self._row
        other = one + 1 - 2 * (one % PAIR)
        sizes = Sizes(self.cells.columns.n, self.cells.columns.m, self.cells.columns.groups).per_node()
        sums = divergence.terms(reference[one, None], self._nodes, sizes)
        sums = sums + divergence.terms(reference[other, None], sizes.n - self._nodes, sizes)
        p_value = (self._weights * (sums >= total[:, None] * (1 - TIE))).sum(axis=1)
        order = np.argsort(sums, axis=1)
        rising = np.take_along_axis(sums, order, axis=1)
        mass = np.take_along_axis(self._weights, order, axis=1)
        at_least = np.cumsum(mass[:, ::-1], axis=1)[:, ::-1]
        last = np.count_nonzero(at_least > alpha, axis=1) - 1
        limit = np.take_along_axis(rising, last[:, None], axis=1)[:, 0]
        return np.clip(p_value, TINY, 1.0), limit * (1 + TIE)

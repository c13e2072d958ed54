"""The null of group counts, tabulated once for all methods that add terms over groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import gammaln

from detectors.cells import Cells
from detectors.pair import FloatArray

NODES: Final = 96
BELOW, ABOVE = 7.0, 8.0  # reach of the table in standard deviations
KINK: Final = (1 - 3**-0.5) / 2  # a zero of Bernoulli's second polynomial: there a kink costs a sum least
EXTRA, SLOW = 12.0, 24.0  # and in events: a rare group falls like a power, or like n / (n + m) if n > m


@dataclass(frozen=True, slots=True)
class Tables:
    """The law of each group's current count, given the reference counts.

    Parameters
    ----------
    cells : Cells
        The groups, G in all; their current counts are not read.
    nodes : (G, J) float array
        Counts at which the null is tabulated, ascending.
    weights : (G, J) float array
        Probability at the nodes; each row sums to 1.
    first, second : (G, J) float array
        Weights times the orthonormal polynomials of degree 1 and 2.
    odds : (G,) float array
        Roots of the odds of each group; the counts of two groups are correlated by minus their product.

    Notes
    -----
    Null hypothesis: both samples are drawn from one distribution that nobody knows.
    With Jeffreys' prior on it the current counts are Dirichlet-multinomial given the reference, one count is
    beta-binomial(n, r + 1/2, m - r + (G - 1) / 2).
    Its variance is ``n p (1 - p) (1 + n / m)``, that of two independent samples, and it keeps the skew of
    small counts, which a normal law loses.
    """

    cells: Cells
    nodes: FloatArray
    weights: FloatArray
    first: FloatArray
    second: FloatArray
    odds: FloatArray


def tabulate(cells: Cells) -> Tables:
    """Tabulate the null of each group.

    Parameters
    ----------
    cells : Cells
        Groups of columns with at least 10 current and 30 reference values; G groups in all.

    Returns
    -------
    Tables
        With J = 96 nodes a group, from 7 standard deviations below its mean to 8 (and some events) above.

    Notes
    -----
    Cost: O(J G), about 0.3 ms for 18 groups.

    Examples
    --------
    >>> from detectors.cells import group
    >>> from detectors.pair import CategoricalPair
    >>> tables = tabulate(group(CategoricalPair(np.array([700, 300]), np.array([60, 40]))))
    >>> [round(float(mean)) for mean in (tables.weights * tables.nodes).sum(axis=1)]
    [70, 30]
    """
    alpha, rest, mean, sd = _law(cells)
    low, step = _lattice(cells, mean, sd)
    n = cells.sizes.n[:, None]
    nodes, weights = _beta_binomial(low + step * np.arange(NODES), n, alpha[:, None], rest[:, None])
    first, second = _polynomials(nodes, weights, mean[:, None], np.maximum(sd[:, None], 1e-9))
    odds = np.where(cells.sizes.groups > 1, np.sqrt(alpha / rest), 0.0)
    return Tables(cells, nodes, weights, first, second, odds)


def node_steps(cells: Cells) -> FloatArray:
    """Return the distance of neighbouring nodes.

    Parameters
    ----------
    cells : Cells
        G groups.

    Returns
    -------
    (G,) float array
        Whole numbers; 1 where every count has its node.

    Examples
    --------
    >>> from detectors.cells import cells_of
    >>> node_steps(cells_of(np.array([10.0, 9e5, 1e5]), np.array([5.0, 9e4, 1e4]), np.array([0]))).tolist()
    [1.0, 16.0, 16.0]
    """
    _, _, mean, sd = _law(cells)
    return _lattice(cells, mean, sd)[1][:, 0]


def _law(cells: Cells) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return both parameters of each group's beta-binomial law, its mean and its standard deviation."""
    n, total = cells.sizes.n, cells.sizes.m + cells.sizes.groups / 2
    alpha: FloatArray = cells.reference + 0.5
    p = alpha / total
    mean = n * p
    sd = np.sqrt(mean * (1 - p) * (total + n) / (total + 1))
    return alpha, np.maximum(total - alpha, 0.5), mean, sd  # one group has no rest


def _lattice(cells: Cells, mean: FloatArray, sd: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the first node and the distance of nodes, (G, 1) each."""
    n, total = cells.sizes.n, cells.sizes.m + cells.sizes.groups / 2
    low = np.floor(np.maximum(mean - BELOW * sd, 0))
    high = np.minimum(np.ceil(mean + ABOVE * sd + EXTRA + SLOW * n / total), n)
    step = np.maximum(np.ceil((high - low) / (NODES - 1)), 1)
    usual = n * cells.reference / cells.sizes.m  # where absolute differences have their kink
    shifted = usual - step * (np.floor((usual - low) / step - KINK) + KINK)
    return np.where((step > 1) & (low > 0), shifted, low)[:, None], step[:, None]


def _beta_binomial(
    spaced: FloatArray, n: FloatArray, alpha: FloatArray, beta: FloatArray
) -> tuple[FloatArray, FloatArray]:
    inside = spaced <= n
    nodes: FloatArray = np.minimum(spaced, n)
    rest = n - nodes
    log_mass = gammaln(nodes + alpha) - gammaln(nodes + 1) + gammaln(rest + beta) - gammaln(rest + 1)
    weights = np.exp(log_mass - log_mass.max(axis=1, keepdims=True)) * inside
    return nodes, weights / weights.sum(axis=1, keepdims=True)


def _polynomials(
    nodes: FloatArray, weights: FloatArray, mean: FloatArray, sd: FloatArray
) -> tuple[FloatArray, FloatArray]:
    z = (nodes - mean) / sd
    first = weights * z
    square = z * z - 1 - np.sum(first * z * z, axis=1, keepdims=True) * z
    norm = np.sqrt(np.sum(weights * square * square, axis=1, keepdims=True))
    return first, weights * square / np.maximum(norm, 1e-9)

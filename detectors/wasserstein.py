"""Wasserstein distance on the fine grid, in reference standard deviations."""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np
from scipy.special import ndtr, ndtri

from detectors.column_scores import ColumnScores
from detectors.number_columns import NumberColumns, NumberReference, columns_of
from detectors.pair import FloatArray, IntArray, NumericPair, Pair, sizes
from detectors.proportion import score_proportion
from detectors.score import Score, is_too_little, require_alpha, too_little_data

TAIL: Final = 3.0  # P(W > x) < 3 P(Z > x / s): 2 for the sides, and at most 1.5 for the shape, at x >= 2.5 s
MIN_REFERENCE: Final = 8  # reference events beyond each end of the core
MIN_EXPECTED: Final = 2  # current events expected there
HUGE: Final = 1e90  # widths in standard deviations are cut here, so that cubes stay finite


class Wasserstein:
    """The mean distance that mass has to travel, in standard deviations of the reference; 0 and up.

    Notes
    -----
    ``integral |F_current - F_reference| dx / reference_std``, with both distribution functions linear inside
    a bin; the truth is within `resolution`.
    A constant reference has no scale: the range seen on both sides stands in for it, the value is in [0, 1].
    Null hypothesis: both samples are drawn from one distribution.
    Under it the integral of an absolute Brownian bridge has the tail of a normal law with the variance of
    the column itself times ``1/n + 1/m``: measured over normal, exponential, lognormal, uniform and discrete
    laws, ``P(W > x)`` is 1 to 1.5 times ``2 P(Z > x / s)`` from 1e-2 down to 1e-5, so no covariance matrix is
    needed.
    Bernstein's correction with ``E|X|^3 / E X^2`` as jump adds the skew of small samples.
    No law bounds what lies beyond the reference: a value in the outermost 8 reference events (or 2 expected
    current ones) may be arbitrarily far.
    So p-value and limit judge the core between them, and the distance beyond it is added to value and limit
    alike.
    Where one value leaves no core, the p-value is that of the rate of other values.
    False alarms: about 0.5 to 1 alpha on smooth columns, less on heavy tails.
    Cost: O(B), about 0.1 ms at 556 bins.

    References
    ----------
    E. del Barrio, E. Gine, C. Matran, "Central limit theorems for the Wasserstein distance between the
    empirical and the true distributions", Annals of Probability 27(2), 1999, doi:10.1214/aop/1022677394.

    Examples
    --------
    >>> edges = np.linspace(-3, 3, 61)
    >>> reference = np.diff(np.concatenate([[0], 10_000 * ndtr(edges), [10_000]]).astype(int))
    >>> current = np.diff(np.concatenate([[0], 1_000 * ndtr(edges - 0.5), [1_000]]).astype(int))
    >>> score = Wasserstein().score(NumericPair(edges, reference, current, -4.0, 4.0, 1.0), alpha=1e-6)
    >>> round(score.value, 1), score.value > score.limit
    (0.5, True)
    """

    name: ClassVar[str] = "wasserstein"

    def score(self, pair: Pair, alpha: float) -> Score:
        """Score one window.

        Parameters
        ----------
        pair : NumericPair
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
            When alpha is outside (0, 1), or the pair is of categories, which have no distance.
        """
        require_alpha(alpha)
        if not isinstance(pair, NumericPair):
            message = "wasserstein needs a NumericPair: categories have no distance"
            raise ValueError(message)  # noqa: TRY004
        n, m = sizes(pair)
        if is_too_little(n, m):
            return too_little_data(self.name, n, m)
        return self.judge(columns_of(pair), alpha).score(0)

    def judge(self, columns: NumberColumns, alpha: float) -> ColumnScores:
        """Score C columns.

        Parameters
        ----------
        columns : NumberColumns
            C columns, none with too little data.
        alpha : float
            Probability of a false alarm of each score, in (0, 1).

        Returns
        -------
        ColumnScores
            Of C columns.
        """
        return ColumnScores.joined([self._judge(block, alpha) for block in columns.blocks()])

    def _judge(self, columns: NumberColumns, alpha: float) -> ColumnScores:
        n, m, widths = columns.n, columns.reference.m, _widths(columns)
        areas = widths * _mean_heights(columns.rise)
        value = areas.sum(axis=1)
        first, last = _core(columns.reference, n, m)
        place = np.arange(widths.shape[1])
        core = (place >= first[:, None]) & (place < last[:, None])
        inside = np.where(core, areas, 0.0).sum(axis=1)
        p_value, limit = _judge_core(columns, np.where(core, widths, 0.0), inside, alpha)
        limit += np.where(core, 0.0, areas).sum(axis=1)
        for row in np.flatnonzero(last <= first).tolist():
            p_value[row], limit[row] = _judge_rest(columns, row, float(value[row]), alpha)
        resolution = np.einsum("cb,cb->c", widths, columns.current / n[:, None] + columns.reference.mass) / 2
        enough = np.ones(value.size, np.bool_)
        return ColumnScores(self.name, value, p_value, limit, resolution, n, m, enough)


def _widths(columns: NumberColumns) -> FloatArray:
    """Return each bin's width in reference standard deviations; outer bins end at the extremes."""
    low, high = columns.low[:, None], columns.high[:, None]
    # halves, because low and high may be further apart than the largest float
    ends = np.concatenate([low, np.clip(columns.reference.edges, low, high), high], axis=1) / 2
    scale = columns.reference.std / 2
    scale = np.where(scale > 0, scale, columns.high / 2 - columns.low / 2)
    scale = np.where(scale > 0, scale, 1.0)[:, None]
    with np.errstate(over="ignore"):
        return np.minimum(np.diff(ends, axis=1) / scale, HUGE)


def _mean_heights(difference: FloatArray) -> FloatArray:
    """Return each bin's mean of |F_current - F_reference|, given the difference at the upper edges."""
    right = np.abs(difference)
    heights = right.copy()
    heights[:, 1:] += right[:, :-1]
    heights /= 2
    row, at = np.nonzero(
        difference[:, 1:] * difference[:, :-1] < 0
    )  # the functions cross inside few bins only
    ends = right[row, at], right[row, at + 1]
    heights[row, at + 1] = (ends[0] ** 2 + ends[1] ** 2) / (2 * (ends[0] + ends[1]))
    return heights


def _core(reference: NumberReference, n: FloatArray, m: FloatArray) -> tuple[IntArray, IntArray]:
    """Return the first bin of the core and the first bin after it."""
    least = np.ceil(np.maximum(MIN_REFERENCE, MIN_EXPECTED * m / n)).astype(np.int64)
    return reference.find(least) + 1, reference.find(reference.upto[:, -1] - least, beyond=True)


def _judge_core(
    columns: NumberColumns, inner: FloatArray, inside: FloatArray, alpha: float
) -> tuple[FloatArray, FloatArray]:
    """Return the p-values and the limits of the distance `inside` the core, whose bins are `inner` wide.

    The mass on either side of the core lies at its ends.
    """
    n, m, mass = columns.n, columns.reference.m, columns.reference.mass
    place = np.cumsum(inner, axis=1) - inner / 2
    away = np.abs(place - np.einsum("cb,cb->c", mass, place)[:, None])
    square = away * away
    variance = np.einsum("cb,cb->c", mass, square)
    third = np.einsum("cb,cb->c", mass, square * away)
    known = variance > 0
    variance = np.where(known, variance, 1.0)
    s = np.sqrt(variance * (1 / n + 1 / m))
    jump = third / variance / np.minimum(n, m) / (3 * s)
    x = inside / s
    p_value = np.minimum(TAIL * ndtr(-x / np.sqrt(1 + jump * x)), 1.0)
    far = ndtri(alpha / TAIL) ** 2
    limit = s * (far * jump + np.sqrt((far * jump) ** 2 + 4 * far)) / 2
    return np.where(known, p_value, 1.0), np.where(known, limit, inside)


def _judge_rest(columns: NumberColumns, row: int, value: float, alpha: float) -> tuple[float, float]:
    """Return the p-value of the rate of values outside the heaviest bin, and a limit that agrees with it."""
    n, m = int(columns.n[row]), int(columns.reference.m[row])
    heaviest = int(np.argmax(columns.reference.counts[row]))
    rest, reference_rest = (
        n - int(columns.current[row, heaviest]),
        m - int(columns.reference.counts[row, heaviest]),
    )
    p_value = score_proportion(reference_rest, m, rest, n, alpha).p_value or 0.0
    return p_value, value if p_value > alpha else 0.0

"""Kolmogorov-Smirnov statistic on the fine grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, kolmogi, kolmogorov

from detectors.column_scores import ColumnScores
from detectors.crossing import crossing
from detectors.number_columns import NumberColumns, NumberReference, columns_of
from detectors.pair import FloatArray, NumericPair, Pair, sizes
from detectors.score import Score, is_too_little, require_alpha, too_little_data

SIDES: Final = 2  # upwards and downwards
HALF: Final = 0.5
NEAR: Final = 1e-3  # the limit is within 1e-6
REACH: Final = 1 + 1e-12  # a share cannot pass 1, but for rounding


class Ks:
    """The largest difference of the two distribution functions, in [0, 1].

    Notes
    -----
    ``max |F_current - F_reference|`` over the grid's edges; between edges the truth may be larger by at most
    `resolution`.
    Null hypothesis: both samples are drawn from one distribution, with ``h = n m / (n + m)``.
    Two upper bounds of the tail are computed and the smaller one counts.
    The first is Kolmogorov's law at ``sqrt(h) D``: right for a continuous column, hopelessly conservative
    where one value holds most of the mass (95 % zeros).
    The second knows the reference's distribution function F, which skips one half where a value is heavy.
    Let s be its last point below one half, or its first above.
    A Brownian bridge passes D somewhere beyond s at most ``1 + 1 / |2 s - 1|`` times as often as at s itself
    (reflection and Mills' ratio; 2 for s near 0 or 1, useless near one half), and at most as often as there
    are further points.
    At s the law is binomial (h, s), as an incomplete beta function, which keeps the skew of a rare tail.
    False alarms: at or below alpha; on continuous columns 0.7 to 1 alpha, on discrete ones less.
    Cost: O(B), about 0.06 ms at 556 bins.

    References
    ----------
    N. Smirnov, "Table for estimating the goodness of fit of empirical distributions", Annals of Mathematical
    Statistics 19(2), 1948, doi:10.1214/aoms/1177730256.

    Examples
    --------
    >>> pair = NumericPair(np.array([0.0]), np.array([500, 500]), np.array([250, 50]), -3.0, 3.0, 1.0)
    >>> score = Ks().score(pair, alpha=1e-6)
    >>> round(score.value, 3), score.value > score.limit
    (0.333, True)
    """

    name: ClassVar[str] = "ks"

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
            When alpha is outside (0, 1), or the pair is of categories, which have no order.
        """
        require_alpha(alpha)
        if not isinstance(pair, NumericPair):
            message = "ks needs a NumericPair: categories have no order"
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
        n, m = columns.n, columns.reference.m
        parts = [_differences(block) for block in columns.blocks()]
        value, within = (np.concatenate(each) for each in zip(*parts, strict=True))
        h = n * m / (n + m)
        points = _points(columns.reference)
        p_value = np.minimum(kolmogorov(np.sqrt(h) * value), _worst_tail(points, h, value))
        limit, enough = _limit(points, h, alpha), np.ones(n.size, np.bool_)
        return ColumnScores(self.name, value, p_value, limit, np.maximum(within - value, 0), n, m, enough)


def _differences(columns: NumberColumns) -> tuple[FloatArray, FloatArray]:
    """Return the largest difference at the edges, and the largest that values anywhere in their bins can make."""
    value = np.abs(columns.rise).max(axis=1)
    # all current values of a bin come first, or all of the reference
    above = (columns.rise + columns.reference.mass).max(axis=1)
    below = (columns.current / columns.n[:, None] - columns.rise).max(axis=1)
    return value, np.maximum(above, below)


@dataclass(frozen=True, slots=True)
class _Points:
    """The points of F next to one half, below it and above; (C, 2) arrays, and both sides of each as (C, 2, 2).

    exists : whether there is such a point.
    share : P(less) and P(more) there.
    factor : how many tails at the point bound the path.
    """

    exists: NDArray[np.bool_]
    share: FloatArray
    factor: FloatArray


def _points(reference: NumberReference) -> _Points:
    m = reference.upto[:, -1]
    rows, last = np.arange(m.size), reference.bins - 1
    middle = np.minimum(reference.find(m // 2 + m % 2), last)
    exists = np.stack([middle > 0, middle < last], axis=1)
    bins = np.stack([np.maximum(middle - 1, 0), middle], axis=1)
    s = (reference.upto[rows[:, None], bins] + HALF) / (m + 1)[:, None]
    # F steps at bins that hold something; its first and its last value are no points
    steps = reference.filled
    below = steps[rows, np.maximum(middle - 1, 0)] - steps[rows, 0]
    above = steps[rows, np.maximum(last - 1, 0)] - steps[rows, middle]
    others = np.stack([below, np.maximum(above, 0)], axis=1)
    beyond = np.minimum(1 / np.maximum(np.abs(2 * s - 1), 1e-9), others)
    factor = SIDES * np.count_nonzero(exists, axis=1)[:, None] * (1 + beyond)
    return _Points(exists[:, :, None], np.stack([s, 1 - s], axis=2), factor[:, :, None])


def _worst_tail(points: _Points, h: FloatArray, value: FloatArray) -> FloatArray:
    """Return the largest bound on P(the path passes `value`), of both points and sides."""
    share, size = points.share, h[:, None, None]
    reached = share + value[:, None, None]
    over = np.minimum(reached, 1.0)
    tail = points.factor * betainc(size * over, size * (1 - over) + 1, share)
    # out of reach here, but not further out: this point bounds nothing
    tail = np.where(reached <= REACH, tail, np.where(share < HALF, 1.0, 0.0))
    bound = np.where(points.exists, tail, 0.0).max(axis=(1, 2))
    worst: FloatArray = np.where(points.exists.any(axis=(1, 2)), bound, 1.0)
    return worst


def _limit(points: _Points, h: FloatArray, alpha: float) -> FloatArray:
    """Return Kolmogorov's limit, or the value where the bound of the points is alpha if that is smaller."""
    limit: FloatArray = kolmogi(alpha) / np.sqrt(h)
    smaller = _worst_tail(points, h, limit) < alpha
    if smaller.any():
        some = _Points(points.exists[smaller], points.share[smaller], points.factor[smaller])
        most = 2 * some.factor.max(axis=(1, 2))
        ends = np.zeros_like(most), limit[smaller] / 2, limit[smaller]
        limit[smaller] = crossing(lambda v: _worst_tail(some, h[smaller], v), alpha, most, ends, NEAR)
    return limit

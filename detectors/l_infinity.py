"""L-infinity distance: the largest change of one group's share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from detectors.beta_binomial import upper_tail
from detectors.cells import Cells, group
from detectors.column_scores import ColumnScores
from detectors.crossing import crossing
from detectors.pair import FloatArray, IntArray, Pair, sizes
from detectors.score import Score, is_too_little, require_alpha, too_little_data

TIE: Final = 1e-9  # distances this near are equal but for rounding
TINY: Final = 1e-300
EDGE: Final = 0.75  # nearer to no count, the law of an empty group has no tail
NEAR: Final = 0.01
HALVINGS: Final = 12  # of the distance between two counts
NEGLIGIBLE: Final = 1e-7  # share of a tail


class LInfinity:
    """The largest absolute difference of one group's share, in [0, 1].

    Notes
    -----
    ``max |q - p|`` with ``p = r / m``, ``q = c / n``.
    Null hypothesis: both samples are drawn from one distribution.
    The p-value is the sum over groups of their beta-binomial tails (a union bound, sharp far out and never
    too small), each to the next whole count; the limit is the distance where that sum passes alpha.
    Cost: O(G), about 8 tails of 0.1 us for each side of each group.

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
        return self.judge(group(pair), alpha).score(0)

    def judge(self, cells: Cells, alpha: float) -> ColumnScores:
        """Score C columns.

        Parameters
        ----------
        cells : Cells
            Groups of C columns, none with too little data.
        alpha : float
            Probability of a false alarm of each score, in (0, 1).

        Returns
        -------
        ColumnScores
            Of C columns.
        """
        sides, columns = _Sides.of(cells), cells.columns
        value = (
            cells.largest(np.abs(cells.current - cells.sizes.n * cells.reference / cells.sizes.m)) / columns.n
        )
        # a hair below the value, so that counts with the same distance are counted too
        counts = np.ceil(sides.counts(value * (1 - TIE)))
        p_value = np.clip(sides.total(sides.tail(counts)), TINY, 1.0)
        limit = _on_lattice(sides, _smooth_limit(sides, cells, alpha), columns.n, alpha) * (1 + TIE)
        alone = columns.groups == 1
        p_value[alone], limit[alone] = 1.0, value[alone]
        return ColumnScores.exact(self.name, cells, value, p_value, limit)


@dataclass(frozen=True, slots=True)
class _Sides:
    """The groups of C columns, and each once more as all but itself: a share that falls is a rest that rises.

    n, share, hits, misses : (S,) arrays of the law of each side's count, and `column`, whose it is.
    """

    n: FloatArray
    share: FloatArray
    hits: FloatArray
    misses: FloatArray
    column: IntArray
    columns: int

    @classmethod
    def of(cls, cells: Cells) -> _Sides:
        s = cells.sizes
        hits, rest = cells.reference, s.m - cells.reference
        # each further group lends the rest half an event
        both = np.concatenate([hits, rest + np.maximum(s.groups / 2 - 1, 0)])
        column = np.repeat(np.arange(cells.starts.size), np.diff(cells.starts, append=hits.size))
        share = np.concatenate([hits / s.m, rest / s.m])
        return cls(
            np.tile(s.n, 2), share, both, np.roll(both, hits.size), np.tile(column, 2), cells.starts.size
        )

    def some(self, which: NDArray[np.bool_]) -> _Sides:
        return _Sides(
            self.n[which],
            self.share[which],
            self.hits[which],
            self.misses[which],
            self.column[which],
            self.columns,
        )

    def counts(self, distance: FloatArray) -> FloatArray:
        """The counts that are `distance` (C,) above the reference's share."""
        return self.n * (self.share + distance[self.column])

    def tail(self, count: FloatArray) -> FloatArray:
        """P(count or more)."""
        tail = upper_tail(np.clip(count, EDGE, self.n), self.n, self.hits, self.misses)
        return np.where(count > self.n, 0.0, np.where(count < 0.5, 1.0, tail))

    def smooth_tail(self, count: FloatArray) -> FloatArray:
        """The same without steps, never below it; beyond n it falls to 0 within one count."""
        smooth: FloatArray = self.tail(np.minimum(count, self.n)) * np.clip(self.n + 1 - count, 0, 1)
        return smooth

    def total(self, each: FloatArray) -> FloatArray:
        """Sums over the sides of each column, (C,)."""
        return np.bincount(self.column, weights=each, minlength=self.columns).astype(np.float64)


def _smooth_limit(sides: _Sides, cells: Cells, alpha: float) -> FloatArray:
    """Return the distance where the tail without its steps is alpha."""
    columns, share = cells.columns, cells.reference / cells.sizes.m
    widest = cells.largest(np.sqrt(share * (1 - share))) * np.sqrt(1 / columns.n + 1 / columns.m)
    most = 2 * columns.groups
    guess = np.clip(widest * np.sqrt(2 * np.log(most / alpha)), 0.5 / columns.n, 1.0)
    counts = sides.counts(guess)
    each = sides.smooth_tail(counts)
    # few sides matter: those of the widest groups
    least = NEGLIGIBLE * np.minimum(sides.total(each), alpha)
    some = sides.some((each >= least[sides.column]) | (counts > sides.n))
    ends = np.zeros_like(guess), guess, 1 + 1 / columns.n
    return crossing(lambda d: some.total(some.smooth_tail(some.counts(d))), alpha, most, ends, NEAR)


def _on_lattice(sides: _Sides, smooth: FloatArray, n: FloatArray, alpha: float) -> FloatArray:
    """Return the last distance, below `smooth` and within a count of it, at which the tail exceeds alpha.

    In that interval each side's count becomes the next one once.
    """
    low, high = np.maximum(smooth - 1 / n, 0.0), smooth
    count = np.floor(sides.counts(low)) + 1
    before = sides.tail(count)
    start = sides.total(before)
    heavy = before > alpha * NEGLIGIBLE
    sides, count, before = sides.some(heavy), count[heavy], before[heavy]
    falls, fall = count / sides.n - sides.share, before - sides.tail(count + 1)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        tail = start - sides.total(np.where(falls < middle[sides.column], fall, 0.0))
        low, high = np.where(tail > alpha, middle, low), np.where(tail > alpha, high, middle)
    return np.asarray(high)

"""ADWIN: some cut of the whole window has means on its sides that differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from detectors.pair import FloatArray, IntArray
from detectors.sequential.parameters import require_at_least, require_inside
from detectors.sequential.recursions import before, running_sum
from detectors.sequential.sequential import ANY, SHARES, Sequential, Trace


class _Window(NamedTuple):
    """Where buckets can end: at how many values, and the rows and the sum up to there."""

    values: IntArray
    rows: FloatArray
    totals: FloatArray

    def buckets(self, lengths: IntArray, most: int) -> tuple[FloatArray, FloatArray, IntArray]:
        """Rows and sums up to the end of each bucket for several lengths, and where each length's begin."""
        ends, starts = bucket_ends(lengths, most)
        places = np.searchsorted(self.values, ends)
        return self.rows[places], self.totals[places], starts


class AdwinState(NamedTuple):
    """Rows, values, squared deviations, the statistic; rows and sum from the begin up to the end of each bucket."""

    n: float
    values: float
    squares: float
    statistic: float
    bucket_rows: FloatArray
    bucket_totals: FloatArray


@dataclass(frozen=True)
class Adwin(Sequential[AdwinState]):
    """Adaptive windowing: every cut of the stream since the last drift, on buckets that grow with their age.

    Parameters
    ----------
    delta : float
        Probability in the bound, in (0, 1).
    clock : int
        Rows between two looks, at least 1.
    max_buckets : int
        Buckets of each size before the two oldest become one of twice the size, at least 1.
    min_window_length : int
        Fewest rows on either side of a cut, at least 1.
    grace_period : int
        Rows before the first look, at least 0.
    rates : bool
        Whether values are shares of hits, so that a pane's rows vary by ``p (1 - p)`` within it.

    Raises
    ------
    ValueError
        When a parameter is out of its range.

    Notes
    -----
    Null hypothesis: the mean does not change.
    With ``d = ln(2 ln(n) / delta)`` and ``1/m = 1/(n_0 - l + 1) + 1/(n_1 - l + 1)``, l the fewest rows, the means of
    both sides may differ by ``e = sqrt(2 d v / m) + 2 d / (3 m)``; the statistic is the largest difference over its e,
    as of the last look, and the limit is 1. The second term takes values to lie within a range of 1.
    A pane of w rows is one bucket of w rows. The variance v of a row is, for rates, that of all rows, ``p (1 - p)``
    within panes and their spread; otherwise it is learned from how far panes lie apart, times their rows, so that
    single values and panes agree in expectation.
    After a drift the window is empty: what is older than the change is forgotten with it.
    False alarms: delta bounds one look, not all of them; few are seen (`docs/concept-drift.md`).
    Cost: O(log n) a look; about 0.2 us a value in arrays; some 60 log2(n) bytes of state.

    References
    ----------
    A. Bifet and R. Gavalda, "Learning from time-changing data with adaptive windowing", SIAM International Conference
    on Data Mining 2007, doi:10.1137/1.9781611972771.42.

    Examples
    --------
    >>> state, steps = Adwin().run([0, 1] * 500 + [5, 6] * 50)
    >>> steps.drifts.tolist()
    [1023]
    """

    name: ClassVar[str] = "adwin"

    delta: float = 0.002
    clock: int = 32
    max_buckets: int = 5
    min_window_length: int = 5
    grace_period: int = 10
    rates: bool = False

    def __post_init__(self) -> None:
        require_inside("delta", self.delta, 0, 1)
        require_at_least("clock", self.clock, 1)
        require_at_least("max_buckets", self.max_buckets, 1)
        require_at_least("min_window_length", self.min_window_length, 1)
        require_at_least("grace_period", self.grace_period, 0)

    @property
    def bounds(self) -> tuple[float, float]:
        return SHARES if self.rates else ANY

    def begin(self) -> AdwinState:
        return AdwinState(0.0, 0.0, 0.0, 0.0, np.zeros(0), np.zeros(0))

    def trace(self, state: AdwinState, values: FloatArray, weights: FloatArray) -> tuple[AdwinState, Trace]:
        total_before = float(state.bucket_totals[-1]) if state.n else 0.0
        n, total = running_sum(state.n, weights), running_sum(total_before, values * weights)
        added = self._squares((n, before(state.n, n)), before(total_before, total), values, weights)
        squares = running_sum(state.squares, added)
        count = int(state.values) + np.arange(1, len(values) + 1)
        window = _Window(
            np.concatenate([bucket_ends(count[:1] - 1, self.max_buckets)[0], count]),
            np.concatenate([state.bucket_rows, n]),
            np.concatenate([state.bucket_totals, total]),
        )
        looks = (n // self.clock > before(state.n, n) // self.clock) & (n > self.grace_period)
        statistic = np.full(len(values), state.statistic)
        if looks.any():
            variance = squares[looks] / (n[looks] if self.rates else count[looks])
            ratios = self._largest(*window.buckets(count[looks], self.max_buckets), variance)
            statistic = np.concatenate([[state.statistic], ratios])[np.cumsum(looks)]
        rows, totals, _ = window.buckets(count[-1:], self.max_buckets)
        after = AdwinState(
            float(n[-1]), float(count[-1]), float(squares[-1]), float(statistic[-1]), rows, totals
        )
        return after, Trace(np.where(n > self.grace_period, statistic, np.nan), 1.0, np.inf, n)

    def _squares(
        self, n: tuple[FloatArray, FloatArray], total: FloatArray, values: FloatArray, weights: FloatArray
    ) -> FloatArray:
        """What each value adds to the squared deviations; n with and without it, and the sum without it."""
        after, earlier = n
        mean = total / np.where(earlier > 0, earlier, 1.0)
        added = weights * earlier / after * (values - mean) ** 2
        return added + weights * values * (1.0 - values) if self.rates else added

    def _largest(
        self, rows: FloatArray, totals: FloatArray, starts: IntArray, variance: FloatArray
    ) -> FloatArray:
        """Of each look the largest difference of means over its bound, over all cuts between its buckets."""
        counts = np.diff(np.append(starts, len(rows)))
        last = starts + counts - 1
        n, spare = rows[last], self.min_window_length - 1
        d = np.log(2.0 * np.log(np.maximum(n, 2.0)) / self.delta)
        n_0, u_0 = rows, totals
        n_1, u_1 = np.repeat(n, counts) - n_0, np.repeat(totals[last], counts) - u_0
        far = (n_0 > spare) & (n_1 > spare)
        n_0, n_1 = np.where(far, n_0, spare + 1.0), np.where(far, n_1, spare + 1.0)
        d, spread = np.repeat(d, counts), np.repeat(2.0 * variance * d, counts)
        m = 1.0 / (n_0 - spare) + 1.0 / (n_1 - spare)
        bound = np.sqrt(m * spread) + 2.0 / 3.0 * d * m
        ratio = np.where(far, np.abs(u_0 / n_0 - u_1 / n_1) / bound, 0.0)
        return np.maximum.reduceat(ratio, starts)


def bucket_ends(values: IntArray, most: int) -> tuple[IntArray, IntArray]:
    """Return how many values there are up to the end of each bucket, for several lengths of a stream.

    Parameters
    ----------
    values : (t,) int array
        Values so far, at least 0.
    most : int
        Buckets of each size before the two oldest become one.

    Returns
    -------
    ends : (b,) int array
        For each length ascending, one length after the other; the oldest buckets, of the largest power of two, come
        first.
    starts : (t,) int array
        Where each length's begin.

    Notes
    -----
    Sizes depend on the number of values only: of k values that reach a size, ``(k - most + 1) // 2`` pairs have been
    passed on to the next one.
    Cost: O(log values) each.

    Examples
    --------
    >>> ends, starts = bucket_ends(np.array([3, 7]), 5)
    >>> ends.tolist(), starts.tolist()
    ([1, 2, 3, 2, 3, 4, 5, 6, 7], [0, 3])
    """
    counts, left = [], values
    while left.any():
        passed = np.where(left > most, (left - most + 1) // 2, 0)
        counts.append(left - 2 * passed)
        left = passed
    table = np.array(counts[::-1], dtype=np.int64).reshape(-1, len(values)).T
    sizes = np.broadcast_to(2 ** np.arange(table.shape[1] - 1, -1, -1), table.shape)
    ends = np.cumsum(np.repeat(sizes.ravel(), table.ravel()))
    numbers = table.sum(axis=1)
    starts = np.cumsum(numbers) - numbers
    return ends - np.repeat(np.cumsum(values) - values, numbers), starts

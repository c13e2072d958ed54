"""HDDM-W: a fading mean has left the fading mean up to some cut by more than McDiarmid's bound."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from typing import ClassVar, NamedTuple

import numpy as np

from detectors.evidence import BoolArray
from detectors.pair import FloatArray
from detectors.sequential.parameters import require_inside
from detectors.sequential.recursions import at_record, before, faded, running_sum
from detectors.sequential.sequential import SHARES, Sequential, Trace


class Fading(NamedTuple):
    """How much of the past a value of so many rows keeps, and how much of their squares its own weights add."""

    keep: FloatArray
    keep_squares: FloatArray
    add_squares: FloatArray


class HddmWState(NamedTuple):
    """Rows; the fading mean with its squared weights; of each side the bound, the cut and what came since."""

    n: float
    mean: float
    squares: float
    up: FloatArray
    down: FloatArray


@dataclass(frozen=True)
class HddmW(Sequential[HddmWState]):
    """Hoeffding drift detection by the fading average.

    Parameters
    ----------
    drift_confidence, warning_confidence : float
        Probabilities in McDiarmid's bound, in (0, 1), the first not above the second.
    lambda_val : float
        Weight of the newest row in the mean, in (0, 1); smaller remembers longer.
    two_sided_test : bool
        Whether a fall is drift, too.

    Raises
    ------
    ValueError
        When a parameter is out of its range.

    Notes
    -----
    Null hypothesis: the mean of values in [0, 1] does not rise (two-sided: does not change).
    A fading mean whose squared weights sum to v is within ``sqrt(v ln(1/a) / 2)`` of what it should be. The cut is
    where mean and bound together were lowest; the statistic is the fading mean since less the one up to it, over the
    bound for both, the larger of both sides; the limit is 1.
    A pane of w rows counts as w rows that are each its mean, so its squared weights are no less than those of its
    rows in any order; a cut is at its end.
    False alarms: a's bound holds for one cut and one look, not for all of them (measured in
    `docs/concept-drift.md`).
    Cost: O(1), about 0.4 us a value in arrays; 154 bytes of state.

    References
    ----------
    I. Frias-Blanco et al., "Online and non-parametric drift detection methods based on Hoeffding's bounds", IEEE
    Transactions on Knowledge and Data Engineering 27(3), 2015, doi:10.1109/TKDE.2014.2345382.

    Examples
    --------
    >>> state, steps = HddmW().run([0, 0, 0, 1] * 300 + [0, 1, 1, 1] * 100)
    >>> steps.drifts.tolist()
    [1227]
    """

    name: ClassVar[str] = "hddm_w"

    drift_confidence: float = 0.001
    warning_confidence: float = 0.005
    lambda_val: float = 0.05
    two_sided_test: bool = False

    def __post_init__(self) -> None:
        require_inside("warning_confidence", self.warning_confidence, 0, 1)
        require_inside("drift_confidence", self.drift_confidence, 0, self.warning_confidence * (1 + 1e-12))
        require_inside("lambda_val", self.lambda_val, 0, 1)

    @property
    def bounds(self) -> tuple[float, float]:
        return SHARES

    def begin(self) -> HddmWState:
        nothing = np.array([np.inf, 0.0, 0.0, 0.0, 0.0, 1.0])
        return HddmWState(0.0, 0.0, 1.0, nothing, nothing)

    def trace(self, state: HddmWState, values: FloatArray, weights: FloatArray) -> tuple[HddmWState, Trace]:
        fading = self._fading(weights)
        first = np.zeros(len(values), np.bool_)
        first[0] = state.n == 0
        mean = _mean(state.mean, values, fading, first)
        squares = faded(state.squares, fading.keep_squares, fading.add_squares)
        up, statistic = self._side(state.up, values, fading, (mean, squares))
        down = state.down
        if self.two_sided_test:
            down, fallen = self._side(state.down, 1.0 - values, fading, (1.0 - mean, squares))
            statistic = np.maximum(statistic, fallen)
        warns = sqrt(log(1.0 / self.warning_confidence) / log(1.0 / self.drift_confidence))
        n = running_sum(state.n, weights)
        after = HddmWState(float(n[-1]), float(mean[-1]), float(squares[-1]), up, down)
        return after, Trace(statistic, 1.0, warns, n)

    def _fading(self, weights: FloatArray) -> Fading:
        """As w rows that are alike, one by one."""
        keep = (1.0 - self.lambda_val) ** weights
        steady = self.lambda_val**2 / (1.0 - (1.0 - self.lambda_val) ** 2)
        return Fading(keep, keep**2, steady * (1.0 - keep**2))

    def _side(
        self, state: FloatArray, values: FloatArray, fading: Fading, of_all: tuple[FloatArray, FloatArray]
    ) -> tuple[FloatArray, FloatArray]:
        """One side's state after the block, and its statistic."""
        bound, cut_mean, cut_squares, since_mean, since_squares, empty = state.tolist()
        certain = log(1.0 / self.drift_confidence) / 2.0
        mean, squares = of_all
        highest = mean + np.sqrt(squares * certain)
        lowest = np.minimum.accumulate(np.concatenate([[bound], highest]))
        cut = highest < lowest[:-1]
        fresh = before(empty, cut.astype(np.float64)) > 0
        since = _mean(since_mean, values, fading, fresh)
        add = fading.add_squares + np.where(fresh, fading.keep_squares, 0.0)
        since_all = faded(since_squares, np.where(fresh, 0.0, fading.keep_squares), add)
        means, weighted = at_record(cut, cut_mean, mean), at_record(cut, cut_squares, squares)
        statistic = np.where(cut, 0.0, (since - means) / np.sqrt((weighted + since_all) * certain))
        columns = (lowest[1:], means, weighted, since, since_all, cut)
        return np.array([float(column[-1]) for column in columns]), np.maximum(statistic, 0.0)


def _mean(start: float, values: FloatArray, fading: Fading, fresh: BoolArray) -> FloatArray:
    """The fading mean, which begins with its first value."""
    return faded(
        start, np.where(fresh, 0.0, fading.keep), np.where(fresh, values, (1.0 - fading.keep) * values)
    )

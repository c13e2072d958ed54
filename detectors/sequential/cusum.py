"""CUSUM: deviations from a mean that was learned at the start have added up."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar, NamedTuple

import numpy as np

from detectors.pair import FloatArray
from detectors.sequential.parameters import require_at_least, require_mode
from detectors.sequential.recursions import floored_sum, running_sum
from detectors.sequential.sequential import ANY, SHARES, Sequential, Trace
from detectors.sequential.sides import larger_side


class Learned(NamedTuple):
    """Values, rows, mean and squared deviations while learning; the deviation of one row, -1 until it is known."""

    values: float
    rows: float
    mean: float
    squares: float
    sigma: float


class CusumState(NamedTuple):
    """Observations, what was learned at the start, and the sums up and down."""

    n: float
    learned: FloatArray
    increase: float
    decrease: float


@dataclass(frozen=True)
class Cusum(Sequential[CusumState]):
    """Tabular CUSUM, standardized by the first values.

    Parameters
    ----------
    min_instances : int
        Values (for rates: rows) that mean and deviation are learned from, at least 2.
    slack : float
        What of a deviation is let pass, in standard deviations of a row, at least 0.
    threshold : float
        Limit of the summed deviations, in standard deviations of a row, above 0.
    mode : str
        "up", "down" or "both".
    rates : bool
        Whether values are shares of hits, so that a pane's rows vary by ``p (1 - p)`` within it.

    Raises
    ------
    ValueError
        When a parameter is out of its range.

    Notes
    -----
    Null hypothesis: the mean does not change (rise, fall) after the first values.
    ``S = max(0, S + x - mean - slack sigma)``, downward likewise; the statistic is S and the limit threshold x sigma,
    both in the values' unit.
    A pane of w rows counts w times. A row's deviation is learned from how far panes lie apart, times their rows, and
    for rates from ``p (1 - p)`` too.
    False alarms: at the classical (0.5, 5) one in some 465 normal values if mean and deviation were known; with 30
    values to learn them from it differs from stream to stream (mean in `docs/concept-drift.md`). Values that never
    varied at the start make any change drift.
    Cost: O(1), about 0.2 us a value in arrays; 94 bytes of state.

    References
    ----------
    E. S. Page, "Continuous inspection schemes", Biometrika 41(1/2), 1954, doi:10.1093/biomet/41.1-2.100.

    Examples
    --------
    >>> state, steps = Cusum().run([0, 1] * 100 + [2, 3] * 10)
    >>> steps.drifts.tolist()
    [201]
    """

    name: ClassVar[str] = "cusum"

    min_instances: int = 30
    slack: float = 0.5
    threshold: float = 5.0
    mode: str = "both"
    rates: bool = False

    def __post_init__(self) -> None:
        require_at_least("min_instances", self.min_instances, 2)
        require_at_least("slack", self.slack, 0)
        require_at_least("threshold", self.threshold, 1e-12)
        require_mode(self.mode)

    @property
    def bounds(self) -> tuple[float, float]:
        return SHARES if self.rates else ANY

    def begin(self) -> CusumState:
        return CusumState(0.0, np.array([0.0, 0.0, 0.0, 0.0, -1.0]), 0.0, 0.0)

    def trace(self, state: CusumState, values: FloatArray, weights: FloatArray) -> tuple[CusumState, Trace]:
        learned, warm = self._learn(Learned(*state.learned.tolist()), values, weights)
        n, statistic = running_sum(state.n, weights), np.full(len(values), np.nan)
        increase, decrease = state.increase, state.decrease
        if warm < len(values):
            deviation, w = values[warm:] - learned.mean, weights[warm:]
            slack = self.slack * learned.sigma
            up = floored_sum(increase, w * (deviation - slack))
            down = floored_sum(decrease, w * (-deviation - slack))
            statistic[warm:] = larger_side(self.mode, up, down)
            increase, decrease = float(up[-1]), float(down[-1])
        trace = Trace(statistic, self.threshold * max(learned.sigma, 0.0), np.inf, n)
        return CusumState(float(n[-1]), np.array(learned), increase, decrease), trace

    def _learn(self, learned: Learned, values: FloatArray, weights: FloatArray) -> tuple[Learned, int]:
        """What is learned after the block, and the index of the first value that is judged."""
        if learned.sigma >= 0:
            return learned, 0
        count, rows, mean, squares, _ = learned
        for index, (x, w) in enumerate(zip(values.tolist(), weights.tolist(), strict=True)):
            count, rows, off = count + 1.0, rows + w, x - mean
            mean += off * w / rows
            squares += w * off * (x - mean) + (w * x * (1.0 - x) if self.rates else 0.0)
            size = rows if self.rates else count
            if size >= self.min_instances:
                return Learned(count, rows, mean, squares, sqrt(max(squares, 0.0) / (size - 1.0))), index
        return Learned(count, rows, mean, squares, -1.0), len(values)

"""HDDM-A: the mean of all has left the mean up to some cut by more than Hoeffding's bound."""

from __future__ import annotations

from dataclasses import dataclass
from math import log, sqrt
from typing import ClassVar, NamedTuple

import numpy as np

from detectors.pair import FloatArray
from detectors.sequential.parameters import require_inside
from detectors.sequential.recursions import at_record, running_sum
from detectors.sequential.sequential import SHARES, Sequential, Trace


class HddmAState(NamedTuple):
    """Rows and their sum; the lowest upper bound and the highest lower bound of the mean, with rows and mean there."""

    n: float
    total: float
    upper: float
    upper_n: float
    upper_mean: float
    lower: float
    lower_n: float
    lower_mean: float


@dataclass(frozen=True)
class HddmA(Sequential[HddmAState]):
    """Hoeffding drift detection by the moving average.

    Parameters
    ----------
    drift_confidence, warning_confidence : float
        Probabilities in Hoeffding's bound, in (0, 1), the first not above the second.
    two_sided_test : bool
        Whether a fall is drift, too.

    Raises
    ------
    ValueError
        When a parameter is out of its range.

    Notes
    -----
    Null hypothesis: the mean of values in [0, 1] does not rise (two-sided: does not change).
    The cut is where ``mean + sqrt(ln(1/a) / 2n)`` was lowest. With n_0 rows up to it and n in all, the statistic is
    ``(mean - mean_0) / sqrt(ln(2/a) (n - n_0) / (2 n_0 n))``, the larger of both sides; the limit is 1.
    A pane of w rows adds w rows and their sum; a cut is at its end.
    False alarms: a's bound holds for one cut and one look, not for all of them (measured in
    `docs/concept-drift.md`).
    Cost: O(1), about 0.2 us a value in arrays; 110 bytes of state.

    References
    ----------
    I. Frias-Blanco et al., "Online and non-parametric drift detection methods based on Hoeffding's bounds", IEEE
    Transactions on Knowledge and Data Engineering 27(3), 2015, doi:10.1109/TKDE.2014.2345382.

    Examples
    --------
    >>> state, steps = HddmA().run([0, 0, 0, 1] * 300 + [0, 1, 1, 1] * 100)
    >>> steps.drifts.tolist()
    [1214]
    """

    name: ClassVar[str] = "hddm_a"

    drift_confidence: float = 0.001
    warning_confidence: float = 0.005
    two_sided_test: bool = False

    def __post_init__(self) -> None:
        require_inside("warning_confidence", self.warning_confidence, 0, 1)
        require_inside("drift_confidence", self.drift_confidence, 0, self.warning_confidence * (1 + 1e-12))

    @property
    def bounds(self) -> tuple[float, float]:
        return SHARES

    def begin(self) -> HddmAState:
        return HddmAState(0.0, 0.0, np.inf, 1.0, 0.0, -np.inf, 1.0, 0.0)

    def trace(self, state: HddmAState, values: FloatArray, weights: FloatArray) -> tuple[HddmAState, Trace]:
        n, total = running_sum(state.n, weights), running_sum(state.total, values * weights)
        mean, doubt = total / n, np.sqrt(log(1.0 / self.drift_confidence) / (2.0 * n))
        best_up, up_n, up_mean = _best(mean + doubt, n, mean, (state.upper, state.upper_n, state.upper_mean))
        worst, down_n, down_mean = _best(
            doubt - mean, n, mean, (-state.lower, state.lower_n, state.lower_mean)
        )
        statistic = (mean - up_mean) / self._bound(up_n, n)
        if self.two_sided_test:
            statistic = np.maximum(statistic, (down_mean - mean) / self._bound(down_n, n))
        warns = sqrt(log(2.0 / self.warning_confidence) / log(2.0 / self.drift_confidence))
        columns = (n, total, best_up, up_n, up_mean, -worst, down_n, down_mean)
        after = HddmAState(*(float(column[-1]) for column in columns))
        return after, Trace(np.maximum(statistic, 0.0), 1.0, warns, n)

    def _bound(self, n_0: FloatArray, n: FloatArray) -> FloatArray:
        """Hoeffding's bound on the difference; inf at the cut itself, where there is none."""
        rest = (n - n_0) / (n_0 * n)
        return np.where(rest > 0, np.sqrt(rest / 2.0 * log(2.0 / self.drift_confidence)), np.inf)


def _best(
    bound: FloatArray, n: FloatArray, mean: FloatArray, start: tuple[float, float, float]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The lowest bound so far, with rows and mean where it was reached last."""
    lowest = np.minimum.accumulate(np.concatenate([[start[0]], bound]))
    record = bound <= lowest[:-1]
    return lowest[1:], at_record(record, start[1], n), at_record(record, start[2], mean)

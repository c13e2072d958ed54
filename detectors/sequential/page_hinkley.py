"""Page-Hinkley: deviations from the running mean have added up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from detectors.pair import FloatArray
from detectors.sequential.parameters import require_at_least, require_inside, require_mode
from detectors.sequential.recursions import faded, running_sum
from detectors.sequential.sequential import Sequential, Trace
from detectors.sequential.sides import larger_side


class PageHinkleyState(NamedTuple):
    """Observations, the first value and the sum above it; deviations summed up and down, and their extremes."""

    n: float
    origin: float
    total: float
    increase: float
    decrease: float
    least: float
    most: float


@dataclass(frozen=True)
class PageHinkley(Sequential[PageHinkleyState]):
    """Page-Hinkley test on values of any unit.

    Parameters
    ----------
    min_instances : int
        Observations before anything is judged, at least 1.
    delta : float
        What of a deviation is let pass, in the values' unit, at least 0.
    threshold : float
        Limit of the summed deviations, in the values' unit, at least 0.
    alpha : float
        What is kept of the sum from one observation to the next, in (0, 1].
    mode : str
        "up", "down" or "both".

    Raises
    ------
    ValueError
        When a parameter is out of its range.

    Notes
    -----
    Null hypothesis: the mean does not change (rise, fall).
    ``m = alpha m + (x - mean - delta)`` with the mean of all values so far; the statistic is ``m - min m``, downward
    likewise, in the values' unit.
    A pane of w rows counts w times, in one go: the mean takes all of it before its deviation is taken, which differs
    from w equal rows by a share w / n of the deviation, toward no drift.
    False alarms: no guarantee; the threshold is in the values' unit, whatever their spread, and a sum that is faded
    by 0.9999 wanders by 70 standard deviations in the long run.
    Cost: O(1), about 0.3 us a value in arrays; 98 bytes of state.

    References
    ----------
    E. S. Page, "Continuous inspection schemes", Biometrika 41(1/2), 1954, doi:10.1093/biomet/41.1-2.100.
    R. Sebastiao and J. M. Fernandes, "Supporting the Page-Hinkley test with empirical mode decomposition for change
    detection", ISMIS 2017, doi:10.1007/978-3-319-60438-1_48.

    Examples
    --------
    >>> state, steps = PageHinkley().run([0, 1] * 500 + [5, 6] * 50)
    >>> steps.drifts.tolist()
    [1009]
    """

    name: ClassVar[str] = "page_hinkley"

    min_instances: int = 30
    delta: float = 0.005
    threshold: float = 50.0
    alpha: float = 1 - 0.0001
    mode: str = "both"

    def __post_init__(self) -> None:
        require_at_least("min_instances", self.min_instances, 1)
        require_at_least("delta", self.delta, 0)
        require_at_least("threshold", self.threshold, 0)
        require_inside("alpha", self.alpha, 0, 1 + 1e-12)
        require_mode(self.mode)

    def begin(self) -> PageHinkleyState:
        return PageHinkleyState(0.0, 0.0, 0.0, 0.0, 0.0, np.inf, -np.inf)

    def trace(
        self, state: PageHinkleyState, values: FloatArray, weights: FloatArray
    ) -> tuple[PageHinkleyState, Trace]:
        origin = state.origin if state.n else float(values[0])
        above = values - origin  # so that a constant deviates from its mean by exactly nothing
        n, total = running_sum(state.n, weights), running_sum(state.total, above * weights)
        deviation = above - total / n
        keep = self.alpha**weights
        times = weights if self.alpha == 1 else (1.0 - keep) / (1.0 - self.alpha)
        increase = faded(state.increase, keep, times * (deviation - self.delta))
        decrease = faded(state.decrease, keep, times * (deviation + self.delta))
        least = np.minimum.accumulate(np.concatenate([[state.least], increase]))[1:]
        most = np.maximum.accumulate(np.concatenate([[state.most], decrease]))[1:]
        statistic = larger_side(self.mode, increase - least, most - decrease)
        trace = Trace(np.where(n >= self.min_instances, statistic, np.nan), self.threshold, np.inf, n)
        columns = (total, increase, decrease, least, most)
        return PageHinkleyState(float(n[-1]), origin, *(float(column[-1]) for column in columns)), trace

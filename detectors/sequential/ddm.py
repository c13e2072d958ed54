"""DDM: the error rate has risen three standard deviations above its lowest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from detectors.pair import FloatArray
from detectors.sequential.parameters import require_at_least
from detectors.sequential.recursions import at_record, running_sum
from detectors.sequential.sequential import SHARES, Sequential, Trace


class DdmState(NamedTuple):
    """Rows and hits so far; rate and standard deviation where their sum was lowest, and that sum."""

    n: float
    hits: float
    lowest_rate: float
    lowest_deviation: float
    lowest: float


@dataclass(frozen=True)
class Ddm(Sequential[DdmState]):
    """Drift detection method: an error rate against its own lowest.

    Parameters
    ----------
    warm_start : int
        Rows before anything is judged, at least 1.
    warning_threshold, drift_threshold : float
        Standard deviations above the lowest, at least 0.

    Raises
    ------
    ValueError
        When a parameter is out of its range.

    Notes
    -----
    Null hypothesis: the error rate does not rise.
    With p the rate of all rows so far and ``s = sqrt(p (1 - p) / n)``, the statistic is ``p + s`` and the limit
    ``p_min + 3 s_min``, taken where ``p + s`` was lowest.
    A pane of w rows adds w rows and its hits, so it is judged as w single rows are at its end.
    False alarms: no guarantee; the lowest of many is taken as the truth, so they come mostly early (see
    `docs/concept-drift.md`). Only a rise is found, and after a long quiet time late, since p is the rate of all rows.
    Cost: O(1), about 0.1 us a value in arrays; 74 bytes of state.

    References
    ----------
    J. Gama, P. Medas, G. Castillo and P. Rodrigues, "Learning with drift detection", SBIA 2004,
    doi:10.1007/978-3-540-28645-5_29.

    Examples
    --------
    >>> state, steps = Ddm().run([0, 0, 0, 1] * 300 + [0, 1, 1, 1] * 100)
    >>> steps.drifts.tolist()
    [1262]
    """

    name: ClassVar[str] = "ddm"

    warm_start: int = 30
    warning_threshold: float = 2.0
    drift_threshold: float = 3.0

    def __post_init__(self) -> None:
        require_at_least("warm_start", self.warm_start, 1)
        require_at_least("warning_threshold", self.warning_threshold, 0)
        require_at_least("drift_threshold", self.drift_threshold, self.warning_threshold)

    @property
    def bounds(self) -> tuple[float, float]:
        return SHARES

    def begin(self) -> DdmState:
        return DdmState(0.0, 0.0, 0.0, 0.0, np.inf)

    def trace(self, state: DdmState, values: FloatArray, weights: FloatArray) -> tuple[DdmState, Trace]:
        n, hits = running_sum(state.n, weights), running_sum(state.hits, values * weights)
        rate = np.minimum(hits / n, 1.0)
        deviation = np.sqrt(rate * (1.0 - rate) / n)
        warm, level = n > self.warm_start, rate + deviation
        lowest = np.minimum.accumulate(np.concatenate([[state.lowest], np.where(warm, level, np.inf)]))
        record = warm & (level <= lowest[:-1])
        p, s = (
            at_record(record, state.lowest_rate, rate),
            at_record(record, state.lowest_deviation, deviation),
        )
        trace = Trace(
            np.where(warm, level, np.nan), p + self.drift_threshold * s, p + self.warning_threshold * s, n
        )
        return DdmState(float(n[-1]), float(hits[-1]), float(p[-1]), float(s[-1]), float(lowest[-1])), trace

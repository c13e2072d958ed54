"""Evidence that a rate is above its reference's, always valid, by a budget of false alarms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, NamedTuple

import numpy as np

from detectors.evidence import RATES, rate_gains
from detectors.pair import FloatArray
from detectors.sequential.parameters import require_at_least, require_inside
from detectors.sequential.recursions import running_sum
from detectors.sequential.sequential import SHARES, Sequential, Trace
from detectors.sequential.shiryaev_roberts import evidence_of, limits_for, shiryaev_roberts
from detectors.sequential.usual_rate import highest_usual_rate

_HIGHEST: Final = 0.99


class EvidenceState(NamedTuple):
    """Observations, and of each alternative the e-values of all possible change points, added up."""

    n: float
    sums: FloatArray


@dataclass(frozen=True)
class RateEvidence(Sequential[EvidenceState]):
    """E-detector of a raised rate, for the error rate of a model above all.

    Parameters
    ----------
    reference_hits, reference_rows : float
        What was counted on the reference: 0 <= hits <= rows, rows at least 1.
    tolerance : float
        By how much a rate may be higher without being worth an alarm, in [0, 1).
    standard_errors : float
        How many of its own standard errors the reference is given, at least 0.
    run_length : float
        Mean number of values between false alarms that is promised, in (1, 1e15); a pane is one value. Its month of
        values over the false alarms allowed in a month is a budget kept.

    Raises
    ------
    ValueError
        When a parameter is out of its range.

    Notes
    -----
    Null hypothesis: the rate is at most `usual`, the reference's with its error and the tolerance; it may wander
    below, and rows may depend on the past, as long as each one's chance stays at most that.
    The statistic is the logarithm, in nats, of the mean over raised rates of the Shiryaev-Roberts sums of their
    likelihood ratios (`detectors.evidence.rate_gains`); the limit is ln(run_length).
    A pane of w rows adds its hits at once: the e-value of w single rows, looked at at the end.
    False alarms: at most one in `run_length` values on average, for any number of rows in them, whenever the reference
    is not off by more than its `standard_errors`: a theorem, not a fit.
    A fall is no drift; to watch for one hand over ``1 - value`` and ``rows - hits``.
    Power: after a change to q some ``ln(8 run_length) / KL(q, best raised rate below it)`` rows.
    Cost: O(8), about 0.8 us a value in arrays; 94 bytes of state.

    References
    ----------
    J. Shin, A. Ramdas and A. Rinaldo, "E-detectors: a nonparametric framework for sequential change detection",
    New England Journal of Statistics in Data Science 2(2), 2024, doi:10.51387/23-NEJSDS51.

    Examples
    --------
    >>> detector = RateEvidence(reference_hits=500, reference_rows=10_000)
    >>> round(detector.usual, 4)
    0.0666
    >>> state, steps = detector.run([0.05] * 100 + [0.12] * 10, [200] * 110)
    >>> steps.drifts.tolist()[0]
    103
    """

    name: ClassVar[str] = "rate_evidence"

    reference_hits: float
    reference_rows: float
    tolerance: float = 0.01
    standard_errors: float = 3.0
    run_length: float = 100_000.0

    def __post_init__(self) -> None:
        require_at_least("reference_rows", self.reference_rows, 1)
        require_at_least("reference_hits", self.reference_hits, 0)
        require_at_least("reference_rows", self.reference_rows, self.reference_hits)
        require_inside("tolerance", self.tolerance, -1e-12, 1)
        require_at_least("standard_errors", self.standard_errors, 0)
        limits_for(self.run_length)

    @property
    def usual(self) -> float:
        """The highest rate that is no drift."""
        known = highest_usual_rate(self.reference_hits, self.reference_rows, self.standard_errors)
        return min(_HIGHEST, known + self.tolerance)

    @property
    def bounds(self) -> tuple[float, float]:
        return SHARES

    def begin(self) -> EvidenceState:
        return EvidenceState(0.0, np.zeros(len(RATES)))

    def trace(
        self, state: EvidenceState, values: FloatArray, weights: FloatArray
    ) -> tuple[EvidenceState, Trace]:
        usual = np.full(len(values), self.usual)
        sums = shiryaev_roberts(state.sums, rate_gains(values * weights, weights, usual))
        n = running_sum(state.n, weights)
        return EvidenceState(float(n[-1]), sums[-1]), Trace(
            evidence_of(sums), *limits_for(self.run_length), n
        )

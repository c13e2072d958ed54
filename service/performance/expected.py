"""How often labelled predictions were to be wrong, by what their own scores meant on the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from detectors.performance.binary_counts import UNDECIDED, BinaryOutcomes
from service.performance.counting import BinaryCounting

if TYPE_CHECKING:
    from service.performance.counting import Arrays, Counting
    from service.performance.expectation import Expectation

_DOUBT = 3.0
"""Standard errors of the reference by which its chances may be off."""


class Expected(NamedTuple):
    """Wrong and all predictions that have a score and a decision, and how often they were to be wrong at most."""

    wrong: int
    rows: int
    at_most: float


def expected_wrong(expectation: Expectation, counting: Counting, outcomes: Arrays) -> Expected | None:
    """None where scores tell nothing: of numbers, of classes without a score, of scores that the reference has not."""
    if not isinstance(counting, BinaryCounting):
        return None
    estimate = expectation.of_outcomes(outcomes).get("accuracy")
    if estimate is None or estimate.metric.value is None or estimate.calibration_error is None:
        return None
    table = BinaryOutcomes.from_arrays(outcomes).counts[:, :UNDECIDED, :-1].sum(axis=2)
    rows = int(table.sum())
    at_most = 1.0 - estimate.metric.value + _DOUBT * estimate.calibration_error
    return Expected(rows - int(table.trace()), rows, min(1.0, max(0.0, at_most)))

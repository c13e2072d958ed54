"""How far labels are from what was expected of the same predictions: the one sign of concept drift in numbers."""

from __future__ import annotations

from math import erfc, sqrt
from typing import TYPE_CHECKING, NamedTuple

from detectors.performance.estimate import SAME_CHANCES, Estimate
from detectors.performance.gap import gap
from detectors.performance.intervals import LEVEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from detectors.performance.gap import Gap
    from detectors.performance.metric import Metric
    from service.performance.counting import Arrays, Counting
    from service.performance.expectation import Expectation


class PerformanceGap(NamedTuple):
    """Realized less estimated, of `n` labelled predictions.

    `z` is in standard errors and larger is worse, less what counting at points can cost; `p_value` is the chance of
    one at least as bad where nothing has changed.
    """

    metric: str
    value: float
    z: float
    p_value: float
    n: int
    expected: float
    realized: float


def gaps_of(counting: Counting, outcomes: Arrays, expectation: Expectation) -> Mapping[str, PerformanceGap]:
    """By metric, of labelled predictions against what is expected of these very ones. Takes 2 ms."""
    expected = expectation.of_outcomes(outcomes)
    found = {}
    for realized in counting.metrics(outcomes):
        if realized.name in expected:
            estimate = expected[realized.name]
            one = _told(gap(estimate, realized, 1 - LEVEL), estimate.metric, realized)
            if one is not None:
                found[realized.name] = one
    return found


def gap_from(counting: Counting, outcomes: Arrays, estimated: Metric) -> PerformanceGap | None:
    """Of labelled predictions against the estimate of their whole window; None where one of both has no value.

    Labels may have come for some of the window's rows only, so that the errors of both count in full.
    """
    realized = next((one for one in counting.metrics(outcomes) if one.name == estimated.name), None)
    if realized is None:
        return None
    whole = Estimate(estimated, estimated.error, estimated.error, float(estimated.n), SAME_CHANCES)
    return _told(gap(whole, realized, 1 - LEVEL, same_rows=False), estimated, realized)


def _told(found: Gap, expected: Metric, realized: Metric) -> PerformanceGap | None:
    if found.value is None or not found.error or expected.value is None or realized.value is None:
        return None
    beyond = max(abs(found.value) - expected.resolution - realized.resolution, 0.0) / found.error
    is_better = realized.higher_is_better is (found.value > 0)
    z = -beyond if is_better else beyond
    return PerformanceGap(
        found.name, found.value, z, erfc(z / sqrt(2)) / 2, realized.n, expected.value, realized.value
    )

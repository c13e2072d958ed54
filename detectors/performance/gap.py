"""The gap between what was expected without labels and what labels show: concept drift, when beyond chance."""

from __future__ import annotations

from math import hypot
from typing import Final, NamedTuple

from scipy.special import ndtr

from detectors.performance.estimate import Estimate
from detectors.performance.intervals import normal, normal_quantile
from detectors.performance.metric import Metric
from detectors.score import require_alpha

CONCEPT_DRIFT: Final = "concept drift: labels show what P(label | score) of the reference does not explain"
WITHIN_CHANCE: Final = "no concept drift seen: labels show what was estimated, within the errors of both"


class Gap(NamedTuple):
    """How far a realized metric is from its estimate.

    Parameters
    ----------
    name : str
        The metric's name.
    value : float or None
        Realized less estimated, in the metric's unit; None when one of both has no value.
    error : float or None
        Its standard error.
    low, high : float or None
        Ends of its interval, of level 1 - alpha.
    p_value : float or None
        P(a gap at least as large either way | no concept drift).
    is_beyond : bool
        Whether zero lies outside the interval by more than the resolutions of both.
    is_worse : bool
        Whether it is beyond, and in the worse direction.
    verdict : str
        One sentence, or the reason why there is no value.

    Examples
    --------
    >>> Gap("f1", None, None, None, None, None, False, False, "no_rows").value is None
    True
    """

    name: str
    value: float | None
    error: float | None
    low: float | None
    high: float | None
    p_value: float | None
    is_beyond: bool
    is_worse: bool
    verdict: str


def gap(estimated: Estimate, realized: Metric, alpha: float, *, same_rows: bool = True) -> Gap:
    """Compare a realized metric with its estimate.

    Parameters
    ----------
    estimated : Estimate
        Without labels.
    realized : Metric
        With labels, of the same name.
    alpha : float
        Probability of a false alarm, in (0, 1).
    same_rows : bool
        Whether the estimate is of the labelled rows themselves (`BinaryOutcomes.predictions`), so that only labels are
        chance. Else the sampling error of the realized rows is added twice: they may be a part of the estimate's.

    Returns
    -------
    Gap
        Realized less estimated.

    Raises
    ------
    ValueError
        When the names differ or alpha is outside (0, 1).

    Notes
    -----
    Null hypothesis: no concept drift, P(label | score) is the reference's. Then realized less estimated is near a
    normal law of mean 0 and the variance of the estimate: labels given scores, and the reference's finitely many.
    Prefer the same rows: where labels come for some traffic only, the window's estimate is not theirs.
    False alarms: near alpha for 5 % and 1 %, measured in docs/performance-metrics.md; a normal law is no promise for
    1e-6.

    Examples
    --------
    >>> from detectors.performance.estimate import SAME_CHANCES
    >>> expected = Estimate(
    ...     Metric("f1", 0.9, 0.88, 0.92, 900, 0.0, True, None, 0.01), 0.008, 0.006, 900.0, SAME_CHANCES
    ... )
    >>> found = gap(expected, Metric("f1", 0.8, 0.77, 0.83, 900, 0.0, True, None, 0.015), alpha=0.001)
    >>> round(found.value, 3), found.is_beyond, found.is_worse
    (-0.1, True, True)
    """
    require_alpha(alpha)
    expected = estimated.metric
    if expected.name != realized.name:
        message = f"an estimate of {expected.name} tells nothing about {realized.name}"
        raise ValueError(message)
    error = _error(estimated, realized, same_rows=same_rows)
    if expected.value is None or realized.value is None or error is None:
        reason = expected.reason or realized.reason or "no_error"
        return Gap(
            expected.name, None, None, None, None, None, is_beyond=False, is_worse=False, verdict=reason
        )
    value = realized.value - expected.value
    low, high = normal(value, error, 1 - alpha)
    beyond = max(abs(value) - expected.resolution - realized.resolution, 0.0)
    is_beyond = beyond > normal_quantile(1 - alpha) * error
    p_value = 2 * float(ndtr(-beyond / error)) if error > 0 else float(beyond == 0)
    is_worse = is_beyond and expected.higher_is_better is (value < 0)
    verdict = CONCEPT_DRIFT if is_beyond else WITHIN_CHANCE
    return Gap(expected.name, value, error, low, high, p_value, is_beyond, is_worse, verdict)


def _error(estimated: Estimate, realized: Metric, *, same_rows: bool) -> float | None:
    if estimated.calibration_error is None or realized.error is None:
        return None
    if same_rows:
        return estimated.metric.error
    return hypot(estimated.calibration_error, realized.error, realized.error)

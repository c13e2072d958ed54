"""A metric that was estimated without labels: its errors, and what it assumes."""

from __future__ import annotations

from math import hypot
from typing import Final, NamedTuple

from detectors.performance.metric import Metric, undefined

SAME_CHANCES: Final = "no concept drift: P(label | score) as in the reference"
SAME_ERRORS: Final = "no concept drift: the size of errors at each prediction as in the reference"
LEAST_EFFECTIVE: Final = 100.0
"""Fewer of the reference's labels that speak for the window, or fewer rows in it, tell nothing."""
MOST_OUTSIDE: Final = 0.05
TOO_FEW_EFFECTIVE: Final = "effective_size_below_100"
OUTSIDE_REFERENCE: Final = "outside_reference"


class Estimate(NamedTuple):
    """One metric estimated without labels.

    Parameters
    ----------
    metric : Metric
        Value and interval: what the labels of this very window would show, were they as in the reference. Its error
        is both errors below together.
    window_error : float or None
        Standard error since labels, given scores, are chance.
    calibration_error : float or None
        Standard error since the reference has finitely many labels.
    effective_size : float
        The smaller of the window's rows and the reference's labels that speak for it.
    assumption : str
        The sentence to stand beside the value.

    Examples
    --------
    >>> refused(
    ...     "f1", 20, 12.5, higher_is_better=True, reason=TOO_FEW_EFFECTIVE, assumption=SAME_CHANCES
    ... ).metric.reason
    'effective_size_below_100'
    """

    metric: Metric
    window_error: float | None
    calibration_error: float | None
    effective_size: float
    assumption: str


class Errors(NamedTuple):
    """The two standard errors of an estimate, in its unit.

    Examples
    --------
    >>> Errors(3.0, 4.0).total
    5.0
    """

    window: float
    calibration: float

    @property
    def total(self) -> float:
        """Both, which are independent."""
        return hypot(self.window, self.calibration)


def refused(
    name: str,
    n: int,
    effective_size: float,
    *,
    higher_is_better: bool | None,
    reason: str,
    assumption: str,
) -> Estimate:
    """Return an estimate without value.

    Parameters
    ----------
    name : str
        The metric's name.
    n : int
        The window's rows.
    effective_size : float
        How many labels or rows speak for it.
    higher_is_better : bool or None
        Which direction is better.
    reason : str
        Why there is no value.
    assumption : str
        What would have been assumed.

    Returns
    -------
    Estimate
        Without value and errors.

    Examples
    --------
    >>> refused(
    ...     "mae", 0, 0.0, higher_is_better=False, reason="no_rows", assumption=SAME_ERRORS
    ... ).metric.value is None
    True
    """
    metric = undefined(name, n, higher_is_better=higher_is_better, reason=reason)
    return Estimate(metric, None, None, effective_size, assumption)


def refusal(effective_size: float, share_outside: float) -> str | None:
    """Say why nothing can be estimated.

    Parameters
    ----------
    effective_size : float
        How many labels or rows speak for the window.
    share_outside : float
        Share of the window's rows where the reference has no labels.

    Returns
    -------
    str or None
        A reason, or None when there is enough.

    Examples
    --------
    >>> refusal(99.0, 0.0), refusal(500.0, 0.2), refusal(500.0, 0.0)
    ('effective_size_below_100', 'outside_reference', None)
    """
    if effective_size < LEAST_EFFECTIVE:
        return TOO_FEW_EFFECTIVE
    return OUTSIDE_REFERENCE if share_outside > MOST_OUTSIDE else None

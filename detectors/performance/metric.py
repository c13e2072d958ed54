"""One performance metric of one window: a frozen value with its interval, or the reason why there is none."""

from __future__ import annotations

from typing import Final, NamedTuple

NO_ROWS: Final = "no_rows"
SINGLE_CLASS: Final = "single_class"
NO_POSITIVE_LABELS: Final = "no_positive_labels"
NO_POSITIVE_DECISIONS: Final = "no_positive_decisions"
NO_POSITIVES_AT_ALL: Final = "no_positive_labels_or_decisions"
NO_VARIATION: Final = "labels_do_not_vary"
ONLY_ZERO_LABELS: Final = "only_zero_labels"
TOO_LARGE: Final = "too_large"


class Metric(NamedTuple):
    """One metric with its confidence interval.

    Parameters
    ----------
    name : str
        Its name in the catalogue.
    value : float or None
        In the metric's own unit; None where it is not defined.
    low, high : float or None
        Ends of the confidence interval; None where the value is, or where one row alone cannot tell.
    n : int
        Rows that the value is of.
    resolution : float
        Bound on the error of `value` that counting in bins causes, in its unit; 0 is exact.
    higher_is_better : bool or None
        None where neither direction is: prevalence, bias.
    reason : str or None
        Why `value` is None.
    error : float or None
        Standard error of `value`, in its unit.

    Examples
    --------
    >>> undefined("f1", n=0, higher_is_better=True, reason=NO_ROWS).value is None
    True
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    resolution: float
    higher_is_better: bool | None
    reason: str | None = None
    error: float | None = None


def undefined(name: str, n: int, *, higher_is_better: bool | None, reason: str) -> Metric:
    """Return a metric that has no value.

    Parameters
    ----------
    name : str
        Its name in the catalogue.
    n : int
        Rows that it would have been of.
    higher_is_better : bool or None
        Which direction is better.
    reason : str
        Why it has none.

    Returns
    -------
    Metric
        Without value, interval and error.

    Examples
    --------
    >>> undefined("roc_auc", 20, higher_is_better=True, reason=SINGLE_CLASS).reason
    'single_class'
    """
    return Metric(name, None, None, None, n, 0.0, higher_is_better, reason)

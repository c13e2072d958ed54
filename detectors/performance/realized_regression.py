"""Realized performance of a regression, from its predictions with labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import exp, log, sqrt
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from detectors.performance.intervals import LEVEL, Interval, log_normal, normal, normal_quantile
from detectors.performance.metric import NO_ROWS, NO_VARIATION, ONLY_ZERO_LABELS, TOO_LARGE, Metric, undefined
from detectors.performance.regression_counts import COARSE_SHIFT, RATIO_UNIT, RegressionOutcomes


class Estimated(NamedTuple):
    """A value with its standard error and resolution, in one unit; `n` rows have gone into it.

    Examples
    --------
    >>> Estimated(1.0, 0.1, 0.0, 100).error
    0.1
    """

    value: float
    error: float
    resolution: float
    n: int


Measure: TypeAlias = Callable[[RegressionOutcomes], Estimated | str]
MakeInterval: TypeAlias = Callable[[RegressionOutcomes, Estimated, float], Interval]


class RegressionMetric(NamedTuple):
    """A metric of errors.

    Parameters
    ----------
    measure : callable
        Outcomes, of at least one row, to value and error.
    interval : callable
        Outcomes, value with error, and level to interval.
    higher_is_better : bool or None
        None where neither direction is.

    Examples
    --------
    >>> OF_ERRORS["r2"].higher_is_better
    True
    """

    measure: Measure
    interval: MakeInterval
    higher_is_better: bool | None


def realized_regression(outcomes: RegressionOutcomes, level: float = LEVEL) -> dict[str, Metric]:
    """Measure all metrics of a regression.

    Parameters
    ----------
    outcomes : RegressionOutcomes
        Predictions with their labels, of a window: its panes, merged.
    level : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    dict of str to Metric
        By name, in the order of the catalogue. Errors are prediction less label: a bias above 0 predicts too much.

    Notes
    -----
    Means (bias) have normal intervals with the sample's variance, means of what is at least 0 have them on the scale of
    logarithms, R2 on that of ``log(1 - R2)``, the median has that of order statistics.
    Resolutions are bounds: half a unit (2**-21 of the error's scale) for means and the root mean square, what that is
    worth for R2, half a bin, 4.5 %, for the median.
    Cost: about 0.3 ms.

    References
    ----------
    R. Koenker, G. Bassett, "Regression quantiles", Econometrica 46(1), 1978, doi:10.2307/1913643 (quantile loss).

    Examples
    --------
    >>> from detectors.performance.regression_counts import RegressionScales
    >>> none = RegressionOutcomes.zeros(RegressionScales(0.0, 1.0, 1.0))
    >>> found = realized_regression(none.add(np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.0, 3.5])))
    >>> found["bias"].value, round(found["mae"].value, 4), round(found["r2"].value, 4)
    (0.0, 0.3333, 0.8929)
    """
    return {name: _measured(name, metric, outcomes, level) for name, metric in OF_ERRORS.items()}


def _measured(name: str, metric: RegressionMetric, outcomes: RegressionOutcomes, level: float) -> Metric:
    better = metric.higher_is_better
    try:
        found = metric.measure(outcomes) if outcomes.rows else NO_ROWS
        if isinstance(found, str):
            return undefined(name, outcomes.rows, higher_is_better=better, reason=found)
        ends = metric.interval(outcomes, found, level)
    except OverflowError:  # errors around 1e150, whose squares are no numbers
        return undefined(name, outcomes.rows, higher_is_better=better, reason=TOO_LARGE)
    if not np.isfinite([*found, *ends]).all():
        return undefined(name, outcomes.rows, higher_is_better=better, reason=TOO_LARGE)
    return Metric(name, found.value, *ends, found.n, found.resolution, better, None, found.error)


def _mean(total: float, squares: float, n: int, resolution: float) -> Estimated:
    mean = total / n
    variance = max(squares / n - mean * mean, 0.0)
    return Estimated(mean, sqrt(variance / max(n - 1, 1)), resolution, n)


def _bias(outcomes: RegressionOutcomes) -> Estimated:
    u, sums = outcomes.scales.error_unit, outcomes.sums
    return _mean(sums.error * u, sums.squared * u * u, outcomes.rows, u / 2)


def _mae(outcomes: RegressionOutcomes) -> Estimated:
    u, sums = outcomes.scales.error_unit, outcomes.sums
    return _mean(sums.absolute * u, sums.squared * u * u, outcomes.rows, u / 2)


def _rmse(outcomes: RegressionOutcomes) -> Estimated:
    u, n, sums = outcomes.scales.error_unit, outcomes.rows, outcomes.sums
    coarse = (u * 2**COARSE_SHIFT) ** 2
    squares = _mean(sums.e2 * coarse, sums.e4 * coarse * coarse, n, 0.0)
    value = sqrt(sums.squared / n) * u
    return Estimated(value, squares.error / (2 * value) if value > 0 else 0.0, u / 2, n)


def _mape(outcomes: RegressionOutcomes) -> Estimated | str:
    n, sums = outcomes.rows - outcomes.sums.zero_labels, outcomes.sums
    if not n:
        return ONLY_ZERO_LABELS
    return _mean(sums.ratio * RATIO_UNIT, sums.ratio_squared * RATIO_UNIT**2, n, RATIO_UNIT / 2)


def _r2(outcomes: RegressionOutcomes) -> Estimated | str:
    n, sums, scales = outcomes.rows, outcomes.sums, outcomes.scales
    variation = n * sums.label_squared - sums.label**2
    if variation <= 0:
        return NO_VARIATION
    ratio = float(Fraction(n * sums.squared, variation)) * (scales.error_unit / scales.label_unit) ** 2
    spread = sqrt(variation) / n
    mean_error = sums.absolute / n
    coarsest = (
        2 * ratio * (0.5 / spread) + mean_error / spread**2 * (scales.error_unit / scales.label_unit) ** 2
    )
    return Estimated(1 - ratio, _r2_error(outcomes), coarsest, n)


def _r2_error(outcomes: RegressionOutcomes) -> float:
    """By the influence ``(e**2 - rho (z - mean)**2) / variance`` of a row on rho, which is 1 - R2."""
    n, scales = outcomes.rows, outcomes.scales
    e2, e4, z1, z2, z3, z4, e2z1, e2z2 = (Fraction(total, n) for total in outcomes.sums[-8:])
    variance = z2 - z1**2
    if variance <= 0:
        return 0.0
    rho = e2 / variance
    with_error = e2z2 - 2 * z1 * e2z1 + z1**2 * e2
    fourth = z4 - 4 * z1 * z3 + 6 * z1**2 * z2 - 3 * z1**4
    spread = max(e4 - 2 * rho * with_error + rho**2 * fourth, Fraction(0)) / variance**2
    return sqrt(float(spread) / max(n - 1, 1)) * (scales.error_unit / scales.label_unit) ** 2


def _quantile_loss(quantile: float) -> Measure:
    def measure(outcomes: RegressionOutcomes) -> Estimated:
        u, sums = outcomes.scales.error_unit, outcomes.sums
        over, under = (sums.absolute + sums.error) * u / 2, (sums.absolute - sums.error) * u / 2
        over2, under2 = (sums.squared + sums.signed_squared) / 2, (sums.squared - sums.signed_squared) / 2
        weights = quantile, 1 - quantile
        squares = (weights[0] ** 2 * under2 + weights[1] ** 2 * over2) * u * u
        return _mean(weights[0] * under + weights[1] * over, squares, outcomes.rows, u / 2)

    return measure


def _median_absolute_error(outcomes: RegressionOutcomes) -> Estimated:
    low, high = _quantile_bin(outcomes, outcomes.rows / 2)
    width = high - low
    value = low + width / 2
    ends = _order_statistics(outcomes, None, LEVEL)
    error = (ends.high - ends.low) / (2 * normal_quantile(LEVEL))
    return Estimated(value, error, width / 2, outcomes.rows)


def _order_statistics(outcomes: RegressionOutcomes, found: Estimated | None, level: float) -> Interval:
    del found
    n = outcomes.rows
    reach = normal_quantile(level) * sqrt(n) / 2
    low, _ = _quantile_bin(outcomes, max(n / 2 - reach, 0.0))
    _, high = _quantile_bin(outcomes, min(n / 2 + reach, float(n)))
    return Interval(low, high)


def _quantile_bin(outcomes: RegressionOutcomes, rank: float) -> tuple[float, float]:
    edges = outcomes.scales.error_edges
    half = edges.size // 2
    sizes = np.concatenate([[0.0], edges[half:], edges[-1:]])
    folded = outcomes.errors[half:] + np.concatenate([[0], outcomes.errors[:half][::-1]])
    place = int(np.searchsorted(np.cumsum(folded), max(rank, 1e-9)))
    place = min(place, folded.size - 1)
    return float(sizes[place]), float(sizes[place + 1])


def _normal(outcomes: RegressionOutcomes, found: Estimated, level: float) -> Interval:
    del outcomes
    return normal(found.value, found.error, level)


def _log_normal(outcomes: RegressionOutcomes, found: Estimated, level: float) -> Interval:
    del outcomes
    return log_normal(found.value, found.error, level)


def _below_one(outcomes: RegressionOutcomes, found: Estimated, level: float) -> Interval:
    del outcomes
    value = found.value
    if value >= 1:
        return Interval(1.0, 1.0)
    half = normal_quantile(level) * found.error / (1 - value)
    middle = log(1 - value)
    return Interval(1 - exp(min(middle + half, 700.0)), 1 - exp(middle - half))


OF_ERRORS: Final[Mapping[str, RegressionMetric]] = {
    "mae": RegressionMetric(_mae, _log_normal, higher_is_better=False),
    "rmse": RegressionMetric(_rmse, _log_normal, higher_is_better=False),
    "mape": RegressionMetric(_mape, _log_normal, higher_is_better=False),
    "r2": RegressionMetric(_r2, _below_one, higher_is_better=True),
    "bias": RegressionMetric(_bias, _normal, higher_is_better=None),
    "quantile_loss_10": RegressionMetric(_quantile_loss(0.1), _log_normal, higher_is_better=False),
    "quantile_loss_50": RegressionMetric(_quantile_loss(0.5), _log_normal, higher_is_better=False),
    "quantile_loss_90": RegressionMetric(_quantile_loss(0.9), _log_normal, higher_is_better=False),
    "median_absolute_error": RegressionMetric(
        _median_absolute_error, _order_statistics, higher_is_better=False
    ),
}
"""Every metric of a regression by its name."""

from __future__ import annotations

from math import isfinite

import numpy as np
import pytest
from sklearn import metrics

from detectors.performance.realized_regression import OF_ERRORS, realized_regression
from detectors.performance.regression_counts import RegressionOutcomes, RegressionScales
from tests.detectors.performance.draws import SCALES, regression, regression_rows

TRUTHS = {
    "mae": metrics.mean_absolute_error,
    "rmse": metrics.root_mean_squared_error,
    "mape": metrics.mean_absolute_percentage_error,
    "r2": metrics.r2_score,
    "bias": lambda y, p: (p - y).mean(),
    **{
        f"quantile_loss_{q}": lambda y, p, q=q: metrics.mean_pinball_loss(y, p, alpha=q / 100)
        for q in (10, 50, 90)
    },
    "median_absolute_error": metrics.median_absolute_error,
}


def measured(labels, predictions, scales=SCALES):
    return realized_regression(RegressionOutcomes.zeros(scales).add(labels, predictions))


def on_units(values):
    """Rounded to 1/1024, which all units divide."""
    return np.round(values * 1024) / 1024


@pytest.mark.parametrize("seed", range(5))
def test_values_in_whole_units_give_what_scikit_learn_gives(seed):
    labels, predictions = (on_units(x) for x in regression_rows(np.random.default_rng(seed), 700))
    found = measured(labels, predictions)

    for name in set(TRUTHS) - {"median_absolute_error"}:
        assert found[name].value == pytest.approx(TRUTHS[name](labels, predictions), abs=1e-9), name


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e9])
def test_any_values_give_it_within_the_stated_resolution(size):
    labels, predictions = (size * x for x in regression_rows(np.random.default_rng(3), 2000, "laplace"))
    scales = RegressionScales(50 * size, 10 * size, 3 * size)
    found = measured(labels, predictions, scales)

    for name, truth in TRUTHS.items():
        assert abs(found[name].value - truth(labels, predictions)) <= found[name].resolution * (1 + 1e-9), (
            name
        )
    assert found["mae"].resolution < 1e-6 * 3 * size


def test_labels_far_from_zero_lose_nothing():
    random = np.random.default_rng(4)
    labels = 1.7e9 + random.normal(0, 100, 1000)
    predictions = labels + random.normal(0, 10, 1000)
    found = measured(labels, predictions, RegressionScales(1.7e9, 100.0, 10.0))

    assert found["r2"].value == pytest.approx(metrics.r2_score(labels, predictions), abs=1e-7)


def test_predictions_above_the_labels_have_a_bias_above_zero():
    assert measured(np.array([1.0, 2.0]), np.array([2.0, 4.0]))["bias"].value == 1.5


@pytest.mark.parametrize(
    ("labels", "name", "reason"),
    [(np.full(50, 7.0), "r2", "labels_do_not_vary"), (np.zeros(50), "mape", "only_zero_labels")],
)
def test_what_is_not_defined_has_a_reason(labels, name, reason):
    found = measured(labels, labels + np.arange(50.0))[name]
    assert (found.value, found.low, found.error, found.reason) == (None, None, None, reason)


def test_labels_of_zero_are_left_out_of_relative_errors_and_no_others():
    found = measured(np.array([0.0, 2.0, -4.0]), np.array([5.0, 3.0, -5.0]))
    assert (found["mape"].value, found["mape"].n, found["mae"].n) == (0.375, 2, 3)


def test_without_rows_everything_has_a_reason():
    found = realized_regression(RegressionOutcomes.zeros(SCALES))
    assert list(found) == list(OF_ERRORS)
    assert all(one.value is None and one.reason == "no_rows" for one in found.values())


@pytest.mark.parametrize(
    ("labels", "predictions"),
    [
        ([1.0], [1.0]),
        ([1.0, 2.0], [1.0, 2.0]),
        ([1e300, -1e300], [-1e300, 1e300]),
        ([1e-320, 5.0], [1e300, 5.0]),
        ([np.nan, 1.0, 2.0], [1.0, np.inf, 3.0]),
        (np.arange(100.0), np.arange(100.0) + 1),
    ],
)
def test_no_number_is_ever_nan_and_every_value_lies_in_its_interval(labels, predictions):
    for one in measured(np.array(labels), np.array(predictions)).values():
        if one.value is None:
            assert one.reason
            continue
        assert all(isfinite(x) for x in (one.value, one.low, one.high, one.error, one.resolution)), one
        assert one.low - 1e-9 <= one.value <= one.high + 1e-9, one


@pytest.mark.parametrize("size", [2.0**-19, 1.0, 2.0**19])
def test_the_median_is_as_fine_for_errors_far_from_the_scale_either_way(size):
    errors = size * SCALES.error * np.random.default_rng(5).lognormal(0, 0.3, 999)
    found = measured(np.zeros(999), errors)["median_absolute_error"]

    assert abs(found.value - np.median(errors)) <= found.resolution < 0.046 * np.median(errors)


def test_errors_beyond_a_million_scales_are_clipped_there():
    found = measured(np.zeros(1), np.array([1e30]))
    assert found["mae"].value == SCALES.error_unit * 2**40


@pytest.mark.parametrize("bad", [(np.nan, 1.0, 1.0), (0.0, 0.0, 1.0), (0.0, 1.0, -1.0), (0.0, np.inf, 1.0)])
def test_impossible_scales_are_refused(bad):
    with pytest.raises(ValueError, match="scales"):
        RegressionScales(*bad)


def test_sums_of_other_scales_are_not_merged():
    other = RegressionOutcomes.zeros(RegressionScales(0.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="same scales"):
        regression(np.random.default_rng(1), 5).merge(other)


@pytest.mark.parametrize("size", [1e140, 1e150, 1e160, 1e300])
def test_errors_whose_squares_are_no_numbers_have_a_reason_instead_of_a_value(size):
    some = RegressionOutcomes.zeros(RegressionScales(0.0, size, size))
    found = realized_regression(some.add(np.array([0.0, 1.0, 2.0]) * size, np.array([5.0, 1.0, -1.0]) * size))
    for metric in found.values():
        if metric.value is None:
            assert metric.reason == "too_large"
        else:
            assert all(map(isfinite, (metric.value, metric.low, metric.high, metric.error)))
    assert (found["mae"].value is None) == (size > 1e150)
    assert found["median_absolute_error"].value is not None

from __future__ import annotations

import numpy as np
import pytest

from detectors.performance.estimate import SAME_ERRORS
from detectors.performance.estimated_regression import ErrorsByCell, estimated_regression
from detectors.performance.gap import gap
from detectors.performance.realized_regression import realized_regression
from detectors.performance.regression_counts import RegressionOutcomes
from tests.detectors.performance.draws import SCALES

EDGES = np.linspace(20, 80, 61)


def rows(random, n, centre=50.0, worse=1.0):
    """Predictions, and errors that grow with them and are twice as large where the other column is 1."""
    predictions = random.normal(centre, 8, n)
    others = (random.random(n) < 0.3).astype(int)
    spread = worse * np.maximum(predictions, 1) / 20 * (1 + others)
    return predictions, others, random.normal(0, 1, n) * spread


def cells(random, n, others=True, **law):
    predictions, other, errors = rows(random, n, **law)
    bins = np.searchsorted(EDGES, predictions)
    return ErrorsByCell.zeros(62, 2 if others else 1, 3.0).add(bins, other if others else 0 * other, errors)


def realized(random, n, **law):
    """The window's counts by cell, and what its labels show."""
    predictions, other, errors = rows(random, n, **law)
    window = np.zeros((62, 2), np.int64)
    np.add.at(window, (np.searchsorted(EDGES, predictions), other), 1)
    outcomes = RegressionOutcomes.zeros(SCALES).add(predictions - errors, predictions)
    return window, realized_regression(outcomes)


@pytest.mark.parametrize("others", [True, False])
def test_shifted_traffic_is_estimated_within_its_errors(others):
    window, truth = realized(np.random.default_rng(2), 20_000, centre=58.0)
    usual = realized(np.random.default_rng(3), 20_000)[1]
    reference = cells(np.random.default_rng(1), 40_000, others)
    found = estimated_regression(reference, window if others else window.sum(axis=1, keepdims=True))

    for name in ("mae", "rmse"):
        one = found[name]
        assert abs(one.metric.value - truth[name].value) < 3.5 * one.metric.error, name
        assert abs(usual[name].value - truth[name].value) > 5 * one.metric.error, name
        assert one.assumption == SAME_ERRORS
        assert one.metric.low < one.metric.value < one.metric.high


def test_the_other_column_tells_what_the_prediction_cannot():
    """All of the window lies where the other column is 1: errors are twice as large there."""
    random = np.random.default_rng(4)
    predictions, _, _ = rows(random, 5000)
    window = np.zeros((62, 2), np.int64)
    np.add.at(window, (np.searchsorted(EDGES, predictions), 1), 1)
    both, alone = (
        cells(np.random.default_rng(5), 40_000),
        cells(np.random.default_rng(5), 40_000, others=False),
    )

    known = estimated_regression(both, window)["mae"].metric.value
    blind = estimated_regression(alone, window.sum(axis=1, keepdims=True))["mae"].metric.value
    assert known / blind == pytest.approx(2 / 1.3, rel=0.05)


def test_a_value_of_the_other_column_without_labels_is_estimated_by_the_prediction_alone():
    reference = cells(np.random.default_rng(6), 20_000, others=False)
    wider = ErrorsByCell.zeros(62, 3, 3.0)
    arrays = wider.to_arrays()
    for name, array in reference.to_arrays().items():
        arrays[name][:, :1] = array
    wider = ErrorsByCell.from_arrays(3.0, arrays)
    window = np.zeros((62, 3), np.int64)
    window[30:40, 2] = 100

    known = estimated_regression(reference, window[:, 2:])
    assert estimated_regression(wider, window)["mae"].metric.value == pytest.approx(known["mae"].metric.value)


@pytest.mark.parametrize(
    ("labels", "n", "centre", "reason"),
    [
        (10_000, 99, 50.0, "effective_size_below_100"),
        (90, 5000, 50.0, "effective_size_below_100"),
        (10_000, 0, 50.0, "effective_size_below_100"),
        (10_000, 3000, 85.0, "effective_size_below_100"),
    ],
)
def test_where_too_little_speaks_for_the_window_there_is_no_estimate(labels, n, centre, reason):
    reference = cells(np.random.default_rng(7), labels)
    found = estimated_regression(reference, realized(np.random.default_rng(8), n, centre=centre)[0])
    assert {one.metric.reason for one in found.values()} == {reason}


def test_predictions_that_the_reference_never_made_are_refused():
    window = np.zeros((3, 1), np.int64)
    window[:, 0] = [0, 900, 100]
    reference = ErrorsByCell.zeros(3, 1, 1.0).add(np.repeat([0, 1], 1000), np.zeros(2000, int), np.ones(2000))
    assert estimated_regression(reference, window)["mae"].metric.reason == "outside_reference"


@pytest.mark.slow
@pytest.mark.parametrize("n", [200, 2000])
def test_without_concept_drift_gaps_are_beyond_as_often_as_alpha_says_and_with_it_nearly_always(n):
    random, runs = np.random.default_rng(9), 200
    rings = {(worse, name): 0 for worse in (1.0, 1.35) for name in ("mae", "rmse")}
    for _ in range(runs):
        reference = cells(random, 5000)
        for worse in (1.0, 1.35):
            window, truth = realized(random, n, centre=54.0, worse=worse)
            for name, one in estimated_regression(reference, window).items():
                rings[worse, name] += gap(one, truth[name], alpha=0.05).is_beyond

    assert max(rings[1.0, name] for name in ("mae", "rmse")) <= 0.09 * runs
    assert min(rings[1.35, name] for name in ("mae", "rmse")) >= 0.9 * runs


def test_errors_of_other_scales_are_not_merged():
    with pytest.raises(ValueError, match="same scale"):
        ErrorsByCell.zeros(2, 1, 1.0).merge(ErrorsByCell.zeros(2, 1, 2.0))

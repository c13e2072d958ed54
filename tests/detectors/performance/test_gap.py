from __future__ import annotations

import numpy as np
import pytest

from detectors.performance.calibration import calibrate
from detectors.performance.estimate import SAME_CHANCES, Estimate
from detectors.performance.estimated_binary import estimated_binary
from detectors.performance.gap import CONCEPT_DRIFT, WITHIN_CHANCE, gap
from detectors.performance.metric import Metric, undefined
from detectors.performance.realized_binary import realized_binary
from detectors.performance.score_grid import fine_grid
from tests.detectors.performance.draws import binary


def expected(value=0.9, window=0.008, calibration=0.006, resolution=0.0, name="f1", better=True):
    total = float(np.hypot(window, calibration))
    metric = Metric(name, value, value - total, value + total, 900, resolution, better, None, total)
    return Estimate(metric, window, calibration, 900.0, SAME_CHANCES)


def seen(value, name="f1", error=0.01, better=True):
    return Metric(name, value, value - error, value + error, 900, 0.0, better, None, error)


def test_a_gap_beyond_its_error_is_concept_drift():
    found = gap(expected(), seen(0.86), alpha=0.001)
    assert (found.is_beyond, found.is_worse, found.verdict) == (True, True, CONCEPT_DRIFT)
    assert found.value == pytest.approx(-0.04)
    assert found.error == pytest.approx(0.01)
    assert found.high < 0


def test_a_gap_within_its_error_is_not():
    found = gap(expected(), seen(0.88), alpha=0.001)
    assert (found.is_beyond, found.is_worse, found.verdict) == (False, False, WITHIN_CHANCE)
    assert found.p_value == pytest.approx(0.0455, abs=1e-3)


@pytest.mark.parametrize(
    ("better", "value", "is_worse"), [(True, 0.95, False), (False, 0.95, True), (None, 0.95, False)]
)
def test_which_way_is_worse_is_the_metrics_own(better, value, is_worse):
    found = gap(expected(better=better), seen(value, better=better), alpha=0.001)
    assert (found.is_beyond, found.is_worse) == (True, is_worse)


def test_what_counting_at_points_may_have_caused_is_no_gap():
    assert gap(expected(), seen(0.86), alpha=0.001).is_beyond
    assert not gap(expected(resolution=0.02), seen(0.86), alpha=0.001).is_beyond


def test_other_rows_add_their_own_sampling_error_twice():
    found = gap(expected(), seen(0.86), alpha=0.001, same_rows=False)
    assert found.error == pytest.approx((0.006**2 + 2 * 0.01**2) ** 0.5)


def test_without_a_value_on_one_side_the_reason_is_told():
    missing = undefined("f1", 3, higher_is_better=True, reason="no_rows")
    assert gap(expected(), missing, 0.01).verdict == "no_rows"
    refused = Estimate(missing, None, None, 3.0, SAME_CHANCES)
    assert gap(refused, seen(0.9), 0.01) == gap(refused, missing, 0.01)


def test_certain_estimates_are_missed_by_anything_else():
    certain = expected(value=1.0, window=0.0, calibration=0.0)
    assert (gap(certain, seen(1.0), 0.01).p_value, gap(certain, seen(0.9), 0.01).p_value) == (1.0, 0.0)
    assert gap(certain, seen(0.9), 0.01).is_beyond


def test_metrics_of_two_names_are_not_compared():
    with pytest.raises(ValueError, match="tells nothing"):
        gap(expected(), seen(0.9, name="recall"), 0.01)


def test_an_impossible_alpha_is_refused():
    with pytest.raises(ValueError, match="alpha"):
        gap(expected(), seen(0.9), 0.0)


def test_concept_drift_that_no_score_shows_is_found_when_labels_land():
    """The same scores; their labels come true less often than in the reference."""
    random = np.random.default_rng(1)
    learned = calibrate(binary(random, 20_000).scores, fine_grid())
    window = binary(random, 2000, power=1.8)
    found, truth = estimated_binary(learned, window.predictions()), realized_binary(window)

    for name in ("f1", "precision", "prevalence"):
        assert gap(found[name], truth[name], alpha=1e-4).is_beyond, name


@pytest.mark.slow
@pytest.mark.parametrize("n", [200, 2000])
@pytest.mark.parametrize("power", [1.0, 1.6])
def test_without_concept_drift_shifted_traffic_is_beyond_no_more_often_than_alpha_says(n, power):
    """Scores that are chances and scores that are not; a reference of 5,000 labels."""
    random = np.random.default_rng(2)
    runs, alarms = 200, dict.fromkeys(("f1", "accuracy", "roc_auc", "brier"), 0)
    for run in range(runs):
        if run % 5 == 0:
            learned = calibrate(binary(random, 5000, power=power).scores, fine_grid())
        window = binary(random, n, (3, 1), power)
        found, truth = estimated_binary(learned, window.predictions()), realized_binary(window)
        for name in alarms:
            alarms[name] += gap(found[name], truth[name], alpha=0.05).is_beyond

    assert max(alarms.values()) <= 0.09 * runs

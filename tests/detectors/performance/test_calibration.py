from __future__ import annotations

import numpy as np
import pytest

from detectors.performance.calibration import calibrate
from detectors.performance.score_grid import fine_grid
from tests.detectors.performance.draws import binary


def learned(power, n=20_000, law=(1.0, 1.0)):
    return calibrate(binary(np.random.default_rng(1), n, law, power).scores, fine_grid())


def test_scores_that_are_chances_are_left_as_they_are():
    found = learned(power=1.0)
    assert not found.is_calibrated
    assert found.chances == pytest.approx(fine_grid().points)


def test_scores_that_are_not_are_calibrated():
    found = learned(power=2.0)
    inside = (fine_grid().points > 0.05) & (fine_grid().points < 0.95)

    assert found.is_calibrated
    assert np.abs(found.chances - fine_grid().points ** 2)[inside].max() < 0.1
    assert np.abs(found.chances - fine_grid().points ** 2)[inside].mean() < 0.02


def test_a_small_reference_is_not_fitted_to_its_noise():
    fitted = [
        calibrate(binary(np.random.default_rng(seed), 300).scores, fine_grid()).is_calibrated
        for seed in range(40)
    ]
    assert np.mean(fitted) < 0.1


def test_equal_counts_give_equal_chances():
    assert learned(2.0, n=1000).chances.tolist() == learned(2.0, n=1000).chances.tolist()


def test_every_group_has_enough_labels_and_all_are_counted():
    found = learned(1.0, n=5000)
    assert found.group_rows.min() >= 25
    assert found.group_rows.sum() == 5000
    assert (np.diff(found.group) >= 0).all()


def test_a_window_like_the_reference_has_all_its_labels_and_one_elsewhere_fewer():
    found = learned(1.0, n=10_000)
    alike = np.bincount(found.group, minlength=found.group_rows.size)
    alike = (found.group_rows / alike)[found.group]
    high = np.zeros(fine_grid().size)
    high[fine_grid().place(np.arange(951, 1000) / 1000)[0]] = 1

    assert found.effective_size(alike) == pytest.approx(10_000)
    assert 200 < found.effective_size(high) < 800
    assert found.effective_size(np.zeros(fine_grid().size)) == 0.0


def test_scores_beyond_all_labels_of_the_reference_are_outside():
    half = binary(np.random.default_rng(2), 3000).scores
    half[:, fine_grid().points > 0.5] = 0
    found = calibrate(half, fine_grid())
    rows = np.zeros(fine_grid().size)
    rows[fine_grid().place(np.array([0.2, 0.4, 0.45, 0.9]))[0]] = 1

    assert found.share_outside(rows) == pytest.approx(0.25)


def test_an_empty_reference_speaks_for_nothing():
    found = calibrate(np.zeros((2, fine_grid().size), int), fine_grid())
    assert found.effective_size(np.ones(fine_grid().size)) < 1e-3

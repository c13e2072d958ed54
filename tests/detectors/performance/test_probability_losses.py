from __future__ import annotations

import numpy as np
import pytest

from detectors.performance.probability_losses import (
    brier,
    brier_resolution,
    calibration_error,
    calibration_error_resolution,
    log_loss,
    log_loss_resolution,
)
from detectors.performance.score_grid import coarse_grid

GRID = coarse_grid()


@pytest.fixture
def scores():
    return np.random.default_rng(1).integers(1, 20, (2, GRID.size)).astype(float)


@pytest.mark.parametrize("function", [brier, log_loss, calibration_error])
def test_the_slope_is_the_derivative_by_each_count(function, scores):
    slope, step = function(scores, GRID.points).slope, 1e-5
    for cell in [(0, 0), (1, 0), (0, 60), (1, 77), (1, GRID.size - 1)]:
        up, down = scores.copy(), scores.copy()
        up[cell] += step
        down[cell] -= step
        numeric = (function(up, GRID.points).value - function(down, GRID.points).value) / (2 * step)
        assert slope[cell] == pytest.approx(numeric, abs=1e-8)


@pytest.mark.parametrize(
    ("function", "resolution"),
    [
        (brier, brier_resolution),
        (log_loss, log_loss_resolution),
        (calibration_error, calibration_error_resolution),
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_scores_anywhere_within_reach_of_their_points_stay_within_the_resolution(
    function, resolution, seed, scores
):
    random = np.random.default_rng(seed)
    reaches = np.minimum(GRID.reaches, np.minimum(GRID.points, 1 - GRID.points))
    moved = GRID.points + reaches * random.choice([-0.999, 0.999], GRID.size)
    moved[[0, -1]] = GRID.points[[0, -1]]
    kept = np.floor(moved * 10) == np.floor(GRID.points * 10)  # else it would be of another group
    moved = np.where(kept, moved, GRID.points)

    bound = resolution(scores, GRID.points, GRID.reaches)
    assert abs(function(scores, moved).value - function(scores, GRID.points).value) <= bound


def test_the_calibration_error_is_the_weighted_distance_of_ten_groups():
    random = np.random.default_rng(2)
    values = random.integers(0, 101, 2000) / 100
    labels = (random.random(2000) < values**2).astype(int)
    group = np.minimum((values * 10 + 1e-9).astype(int), 9)
    truth = sum(
        abs(labels[group == g].mean() - values[group == g].mean()) * (group == g).mean() for g in range(10)
    )

    counts = np.zeros((2, GRID.size))
    np.add.at(counts, (labels, GRID.place(values)[0]), 1)
    assert calibration_error(counts, GRID.points).value == pytest.approx(truth)

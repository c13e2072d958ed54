from __future__ import annotations

import numpy as np
import pytest

from detectors.performance.score_grid import coarse_grid, fine_grid


@pytest.mark.parametrize(("grid", "steps"), [(fine_grid(), 1000), (coarse_grid(), 100)])
def test_even_steps_are_points_of_their_own(grid, steps):
    scores = np.arange(steps + 1) / steps
    bins, off_grid = grid.place(scores)

    assert off_grid == 0
    assert grid.points[bins] == pytest.approx(scores, abs=1e-15)
    assert np.unique(bins).size == steps + 1


def test_each_score_is_as_near_to_its_point_as_the_grid_says():
    scores = np.random.default_rng(1).beta(0.3, 0.3, 100_000)
    bins, off_grid = fine_grid().place(scores)

    assert (np.abs(scores - fine_grid().points[bins]) <= fine_grid().reaches[bins]).all()
    assert off_grid > 99_000


@pytest.mark.parametrize("mirrored", [False, True])
def test_small_scores_are_told_apart_down_to_a_ten_billionth(mirrored):
    small = 10.0 ** -np.arange(3, 11)
    points = fine_grid().points[fine_grid().place(1 - small if mirrored else small)[0]]

    assert (1 - points if mirrored else points) == pytest.approx(small, rel=1e-4)


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf, -1e-9, 1.0000001, 87.0])
def test_what_is_no_probability_has_the_bin_beside_the_points(score):
    bins, off_grid = fine_grid().place(np.array([score]))
    assert (bins.tolist(), off_grid) == ([fine_grid().size], 0)


def test_points_are_ascending_and_symmetric():
    for grid in (fine_grid(), coarse_grid()):
        assert (np.diff(grid.points) > 0).all()
        assert grid.points == pytest.approx(1 - grid.points[::-1], abs=1e-15)

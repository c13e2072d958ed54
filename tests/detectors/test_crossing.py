from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from detectors.crossing import crossing


@pytest.mark.parametrize("guess", [0.01, 3.0, 29.0])
def test_finds_the_quantile_of_a_normal_law_from_any_guess(guess):
    scale = np.array([1.0, 2.0])
    ends = np.zeros(2), np.full(2, guess), np.full(2, 30.0)
    found = crossing(lambda x: ndtr(-x / scale), 1e-6, np.ones(2), ends, 1e-3)
    assert found == pytest.approx(-ndtri(1e-6) * scale, rel=1e-5)


def test_finds_where_a_tail_ends_at_once():
    """Nothing is ever beyond 2: no slope leads there, only halving does."""
    ends = np.zeros(1), np.array([5.0]), np.array([10.0])
    found = crossing(lambda x: np.where(x > 2, 0.0, 0.5), 1e-6, np.ones(1), ends, 1e-4)
    assert found == pytest.approx([2.0], rel=1e-3)


def test_no_distance_depends_on_the_others():
    def found(scale):
        ends = np.zeros(scale.size), np.full(scale.size, 3.0), np.full(scale.size, 300.0)
        return crossing(lambda x: ndtr(-x / scale), 1e-6, np.ones(scale.size), ends, 1e-2)

    assert found(np.array([1.0, 20.0])).tolist() == [*found(np.array([1.0])), *found(np.array([20.0]))]

"""The scale, the shift and the line that carry usual rows to the current ones, with their errors."""

from __future__ import annotations

import numpy as np
import pytest

from service.diagnosis.affine import best_affine, best_scale, best_shift
from tests.diagnosis.number_views import setting, skewed


@pytest.mark.parametrize("ratio", [0.01, 0.7, 1.0, 1.37, 250.0])
def test_the_scale_is_within_three_errors(ratio):
    made = setting(skewed(10_000), None, skewed(1000, 2) * ratio)
    fit = best_scale(made, made.usual[0])
    assert abs(np.log(fit.value / ratio)) < max(3 * fit.error, 0.08)
    assert fit.error < 0.08


def test_a_column_of_zeros_cannot_be_scaled():
    made = setting(np.where(np.arange(1000) < 990, 0.0, 1.0), None, np.where(np.arange(100) < 99, 0.0, 1.0))
    assert best_scale(made, made.usual[0]) is None


@pytest.mark.parametrize("offset", [-2.0, 0.0, 0.4, 30.0])
def test_the_shift_is_within_a_tenth_of_the_spread(offset):
    made = setting(skewed(10_000), None, skewed(1000, 2) + offset)
    assert best_shift(made, made.usual[0]).value == pytest.approx(offset, abs=0.3)


def test_ratio_and_offset_are_found_together():
    rows = np.random.default_rng(0).normal(20, 5, 11_000)
    made = setting(rows[:10_000], None, rows[10_000:] * 1.8 + 32)
    fit = best_affine(made, made.usual[0])
    assert (fit.ratio, fit.offset) == (pytest.approx(1.8, rel=0.08), pytest.approx(32, abs=3))

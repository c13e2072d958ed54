from __future__ import annotations

import numpy as np
import pytest

from detectors.sequential.usual_rate import highest_usual_rate


@pytest.mark.parametrize("rate", [0.002, 0.05, 0.5, 0.95])
@pytest.mark.parametrize("rows", [200, 5_000])
def test_the_bound_is_above_the_truth_as_often_as_its_standard_errors_say(rate, rows):
    hits = np.random.default_rng(121).binomial(rows, rate, 4_000)
    above = np.mean([highest_usual_rate(float(h), float(rows), 2.0) >= rate for h in hits])
    assert above >= 0.965


def test_it_falls_to_the_rate_as_rows_grow():
    bounds = [highest_usual_rate(0.1 * rows, rows, 3.0) for rows in (10.0, 1e3, 1e5, 1e9)]
    assert bounds == sorted(bounds, reverse=True)
    assert bounds[-1] == pytest.approx(0.1, abs=1e-4)


def test_none_in_many_is_bounded_by_about_three_in_as_many():
    assert highest_usual_rate(0.0, 1_000.0, 2.0) == pytest.approx(3 / 1_000, rel=0.1)

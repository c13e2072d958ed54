from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from detectors.performance.intervals import (
    log_normal,
    logit_normal,
    mean_of,
    normal_quantile,
    normal_within,
    wilson,
)


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (3, 10), (10, 10), (199, 200), (1234, 2000)])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
def test_wilson_is_scipys(hits, n, level):
    truth = binomtest(hits, n).proportion_ci(level, method="wilson")
    assert wilson(hits, n, level) == pytest.approx((truth.low, truth.high), abs=1e-12)


def test_without_trials_any_proportion_is_possible():
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_quantile_is_the_two_sided_one():
    assert normal_quantile(0.95) == pytest.approx(norm.ppf(0.975))


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, float("nan")])
def test_an_impossible_level_is_refused(level):
    with pytest.raises(ValueError, match="level"):
        normal_quantile(level)


def test_correlated_values_have_a_wider_mean():
    values, ends = np.array([0.5, 0.5]), np.array([[0.4, 0.6], [0.4, 0.6]])
    apart = mean_of(values, ends)
    together = mean_of(values, ends, np.ones((2, 2)))

    assert apart == pytest.approx((0.5 - 0.1 / 2**0.5, 0.5 + 0.1 / 2**0.5))
    assert together == pytest.approx((0.4, 0.6))


def test_the_log_odds_interval_is_symmetric_there():
    low, high = logit_normal(0.9, 0.03, 100)
    odds = [np.log(x / (1 - x)) for x in (low, 0.9, high)]
    assert odds[2] - odds[1] == pytest.approx(odds[1] - odds[0])
    assert 0 < low < 0.9 < high < 1


def test_no_interval_leaves_its_range():
    assert logit_normal(1e-12, 0.5, 10).low >= 0
    assert log_normal(1e-300, 1e10).high < float("inf")
    assert normal_within(0.01, 1.0, 1.0) == (0.0, 1.0)

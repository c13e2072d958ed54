from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import betabinom

from detectors.l_infinity import LInfinity
from detectors.pair import CategoricalPair


def test_is_the_largest_change_of_a_share():
    pair = CategoricalPair(np.array([500, 300, 200]), np.array([450, 250, 300]))
    assert LInfinity().score(pair, 0.01).value == pytest.approx(0.1)


def test_a_new_category_counts_with_its_share():
    """NannyML: a new category that takes one seventh."""
    pair = CategoricalPair(np.array([300, 300, 0]), np.array([300, 300, 100]))
    assert LInfinity().score(pair, 0.01).value == pytest.approx(1 / 7)


@pytest.mark.parametrize(("reference", "current"), [((300, 700), (40, 60)), ((3000, 7000), (985, 2015))])
def test_the_p_value_is_the_sum_of_beta_binomial_tails_in_scipy(reference, current):
    m, n = sum(reference), sum(current)
    score = LInfinity().score(CategoricalPair(np.array(reference), np.array(current)), 0.01)
    total = 0.0
    for r in reference:
        law = betabinom(n, r + 0.5, m - r + 0.5)
        counts = np.arange(n + 1)
        total += law.pmf(counts)[np.abs(counts / n - r / m) >= score.value - 1e-12].sum()
    assert score.p_value == pytest.approx(min(total, 1.0), rel=0.15)


def test_the_limit_is_passed_about_as_often_as_alpha_says():
    score = LInfinity().score(CategoricalPair(np.array([300, 700]), np.array([30, 70])), 1e-4)
    law = betabinom(100, 300.5, 700.5)
    counts = np.arange(101)
    assert 2 * law.pmf(counts)[np.abs(counts / 100 - 0.3) > score.limit].sum() <= 1.2e-4

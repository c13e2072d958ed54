from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import entropy

from detectors.pair import CategoricalPair
from detectors.psi import Psi


def test_equals_the_two_kullback_leibler_divergences_of_the_smoothed_shares_in_scipy():
    reference, current = np.array([700, 200, 100]), np.array([50, 30, 20])
    p, q = (reference + 0.5) / 1001.5, (current + 0.5) / 101.5
    assert Psi().score(CategoricalPair(reference, current), 0.01).value == pytest.approx(
        entropy(p, q) + entropy(q, p)
    )


def test_approaches_the_published_unsmoothed_value_on_large_counts(published_pair):
    large = CategoricalPair(published_pair.reference * 1000, published_pair.current * 1000)
    assert Psi().score(large, 0.01).value == pytest.approx(0.0372184, abs=1e-6)


def test_an_emptied_category_gives_a_finite_value():
    score = Psi().score(CategoricalPair(np.array([500, 500]), np.array([1000, 0])), 0.01)
    assert 3 < score.value < 5


def test_the_limit_at_one_percent_follows_the_sample_size_as_chi_square_theory_says(null_pair):
    random = np.random.default_rng(1)
    small, large = (Psi().score(null_pair("normal", random, n, 10_000), 0.01) for n in (200, 5000))
    assert small.limit == pytest.approx((1 / 200 + 1 / 10_000) * 32.0, rel=0.15)
    assert large.limit == pytest.approx((1 / 5000 + 1 / 10_000) * 33.4, rel=0.15)

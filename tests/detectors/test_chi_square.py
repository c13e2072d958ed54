from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import betabinom, chi2_contingency

from detectors.chi_square import ChiSquare
from detectors.pair import CategoricalPair


def test_equals_the_published_statistic(published_pair):
    assert ChiSquare().score(published_pair, 0.01).value == pytest.approx(16.2241, abs=1e-4)


def test_equals_scipys_statistic_and_nearly_its_p_value_on_large_counts():
    pair = CategoricalPair(np.array([30_000, 25_000, 45_000]), np.array([1040, 820, 1390]))
    truth = chi2_contingency(np.stack([pair.reference, pair.current]), correction=False)
    score = ChiSquare().score(pair, 0.01)
    assert score.value == pytest.approx(truth.statistic)
    assert score.p_value == pytest.approx(truth.pvalue, rel=0.4)


def test_the_p_value_of_two_small_groups_is_exact():
    """Enumerated by hand: beta-binomial(50, 25.5, 475.5) counts at least as far out as 8."""
    score = ChiSquare().score(CategoricalPair(np.array([25, 475]), np.array([8, 42])), 0.01)
    law = betabinom(50, 25.5, 475.5)
    counts = np.arange(51)
    tables = [np.array([[25, 475], [c, 50 - c]]) for c in counts]
    statistic = np.array([chi2_contingency(t, correction=False).statistic for t in tables])
    assert score.p_value == pytest.approx(law.pmf(counts)[statistic >= statistic[8] - 1e-9].sum(), rel=1e-6)


def test_swapping_the_sides_keeps_the_statistic():
    a, b = np.array([500, 300, 200]), np.array([450, 250, 300])
    there, back = (ChiSquare().score(CategoricalPair(*sides), 0.01) for sides in ((a, b), (b, a)))
    assert there.value == pytest.approx(back.value)

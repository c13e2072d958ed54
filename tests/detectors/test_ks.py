from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from detectors.ks import Ks
from detectors.pair import CategoricalPair, NumericPair


@pytest.mark.parametrize(
    ("shift", "statistic"), [(0, 0.0178), (0.1, 0.0494), (0.25, 0.1112), (0.5, 0.2058), (1, 0.393)]
)
def test_is_the_published_statistic_within_its_resolution(numeric_pair, shift, statistic):
    reference = np.random.RandomState(7).normal(0, 1, 5000)
    current = np.random.RandomState(8).normal(shift, 1, 5000)
    score = Ks().score(numeric_pair(reference, current), 0.01)
    assert score.value <= statistic + 1e-9
    assert statistic <= score.value + score.resolution + 1e-9
    assert score.resolution < 0.02


def test_is_exact_where_every_value_has_its_edge():
    """The ordered categorical pair of detection.md: D = 0.0454545."""
    edges = np.array([1.5, 2.5, 3.5, 4.5, 5.5])
    reference, current = np.array([16, 18, 16, 14, 12, 12]), np.array([16, 16, 16, 16, 16, 8])
    score = Ks().score(NumericPair(edges, reference, current, 1.0, 6.0, 1.6), 0.01)
    assert score.value == pytest.approx(0.0454545, abs=1e-6)


def test_the_p_value_on_a_continuous_column_agrees_with_scipy(numeric_pair):
    random = np.random.default_rng(3)
    reference, current = random.normal(size=20_000), random.normal(0.08, 1, size=1000)
    score = Ks().score(numeric_pair(reference, current), 0.01)
    truth = ks_2samp(reference, current, method="asymp")
    assert score.p_value == pytest.approx(truth.pvalue, rel=0.5)


def test_a_mostly_constant_column_gets_a_lower_limit_than_a_continuous_one(null_pair):
    random = np.random.default_rng(4)
    limits = {
        law: Ks().score(null_pair(law, random, 1000, 10_000), 1e-4).limit for law in ("normal", "mostly zero")
    }
    assert limits["mostly zero"] < 0.7 * limits["normal"]


def test_the_value_passes_the_limit_exactly_when_its_p_value_is_below_alpha(null_pair):
    random = np.random.default_rng(5)
    for _ in range(100):
        score = Ks().score(null_pair("few integers", random, 300, 1000), 0.3)
        assert (score.value > score.limit) == (score.p_value < 0.3)


def test_categories_are_refused():
    with pytest.raises(ValueError, match="no order"):
        Ks().score(CategoricalPair(np.array([50, 50]), np.array([10, 10])), 0.01)


def test_a_handful_of_rows_rings_no_more_often_than_promised() -> None:
    """A dozen rows cannot pass the far point of the grid, but can pass one further out."""
    random = np.random.default_rng(1)
    edges = np.sort(random.normal(size=300))

    def counts(n: int) -> np.ndarray:
        return np.bincount(np.searchsorted(edges, random.normal(size=n), side="right"), minlength=301)

    pairs = (NumericPair(edges, counts(300), counts(12), -9.0, 9.0, 1.0) for _ in range(3_000))
    scores = [Ks().score(pair, alpha=1e-7) for pair in pairs]

    assert sum(score.value > score.limit for score in scores) == 0

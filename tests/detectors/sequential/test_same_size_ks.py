from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from detectors.sequential.same_size_ks import ks_distances, tail_probability


@pytest.mark.parametrize(("size", "steps"), [(5, 3), (20, 9), (30, 11), (100, 26), (500, 61)])
def test_the_tail_is_scipys_exact_one(size, steps):
    first = np.arange(size, dtype=float)
    second = first + steps - 0.5  # distance is steps / size
    exact = ks_2samp(first, second, method="exact")
    assert exact.statistic == pytest.approx(steps / size)
    assert tail_probability(size, steps) == pytest.approx(exact.pvalue, rel=1e-6)


def test_distances_are_scipys_with_and_without_ties():
    random = np.random.default_rng(71)
    for draw in (random.normal, lambda size: random.integers(0, 4, size).astype(float)):
        first, second = draw(size=(50, 24)), draw(size=(50, 24))
        truth = [ks_2samp(a, b).statistic for a, b in zip(first, second, strict=True)]
        assert ks_distances(first, second) == pytest.approx(truth)

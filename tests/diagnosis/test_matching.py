"""The cheapest pairs are the cheapest of all pairs."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from service.diagnosis.matching import cheapest_pairs


@pytest.mark.parametrize("seed", range(40))
def test_no_other_assignment_is_cheaper(seed: int):
    rng = np.random.default_rng(seed)
    costs = np.round(rng.normal(size=(rng.integers(1, 6), rng.integers(1, 6))), int(rng.integers(0, 3)))
    pairs = cheapest_pairs(costs)
    small, large = sorted(costs.shape)
    turned = costs if costs.shape[0] == small else costs.T
    least = min(
        sum(turned[i, j] for i, j in enumerate(chosen)) for chosen in permutations(range(large), small)
    )
    assert sum(costs[pair] for pair in pairs) == pytest.approx(least)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == small


def test_many_rows_are_as_scipy_pairs_them():
    costs = np.random.default_rng(1).random((60, 80))
    rows, columns = linear_sum_assignment(costs)
    assert cheapest_pairs(costs) == list(zip(rows.tolist(), columns.tolist(), strict=True))


def test_nothing_to_pair():
    assert cheapest_pairs(np.empty((0, 3))) == []
    assert cheapest_pairs(np.empty((3, 0))) == []

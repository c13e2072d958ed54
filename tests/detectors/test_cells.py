from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import betabinom

from detectors.cells import tabulate
from detectors.pair import CategoricalPair


def test_the_table_of_a_rare_group_is_scipys_beta_binomial_law():
    cells = tabulate(CategoricalPair(np.array([20, 480]), np.array([3, 97])))
    law = betabinom(100, 20.5, 480.5)
    row = int(np.argmin(cells.reference))
    assert cells.step[row] == 1
    assert cells.weights[row] == pytest.approx(law.pmf(cells.nodes[row]), abs=1e-9)


def test_the_moments_of_a_common_group_are_those_of_scipy():
    cells = tabulate(CategoricalPair(np.array([4000, 6000]), np.array([40_000, 60_000])))
    law = betabinom(100_000, 4000.5, 6000.5)
    row = int(np.argmin(cells.reference))
    mean = cells.weights[row] @ cells.nodes[row]
    assert mean == pytest.approx(law.mean())
    assert cells.weights[row] @ (cells.nodes[row] - mean) ** 2 == pytest.approx(law.var(), rel=1e-6)


def test_the_polynomials_are_orthonormal_under_the_law():
    cells = tabulate(CategoricalPair(np.array([20, 80, 400]), np.array([10, 20, 70])))
    first = cells.first / np.maximum(cells.weights, 1e-300)
    second = cells.second / np.maximum(cells.weights, 1e-300)
    for left, right, truth in ((first, cells.first, 1), (second, cells.second, 1), (first, cells.second, 0)):
        assert (left * right).sum(axis=1) == pytest.approx([truth] * 3, abs=0.01)

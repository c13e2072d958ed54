from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import betabinom

from detectors.cells import cells_of, group
from detectors.pair import CategoricalPair
from detectors.tables import node_steps, tabulate


def _tables(reference, current):
    return tabulate(group(CategoricalPair(np.array(reference), np.array(current))))


def test_the_table_of_a_rare_group_is_scipys_beta_binomial_law():
    tables = _tables([20, 480], [3, 97])
    law = betabinom(100, 20.5, 480.5)
    row = int(np.argmin(tables.cells.reference))
    assert node_steps(tables.cells)[row] == 1
    assert tables.weights[row] == pytest.approx(law.pmf(tables.nodes[row]), abs=1e-9)


def test_the_moments_of_a_common_group_are_those_of_scipy():
    tables = _tables([4000, 6000], [40_000, 60_000])
    law = betabinom(100_000, 4000.5, 6000.5)
    row = int(np.argmin(tables.cells.reference))
    mean = tables.weights[row] @ tables.nodes[row]
    assert mean == pytest.approx(law.mean())
    assert tables.weights[row] @ (tables.nodes[row] - mean) ** 2 == pytest.approx(law.var(), rel=1e-6)


def test_the_polynomials_are_orthonormal_under_the_law():
    tables = _tables([20, 80, 400], [10, 20, 70])
    first = tables.first / np.maximum(tables.weights, 1e-300)
    second = tables.second / np.maximum(tables.weights, 1e-300)
    for left, right, truth in (
        (first, tables.first, 1),
        (second, tables.second, 1),
        (first, tables.second, 0),
    ):
        assert (left * right).sum(axis=1) == pytest.approx([truth] * 3, abs=0.01)


@pytest.mark.parametrize("n", [700, 3000, 20_000])
def test_the_mean_distance_of_a_table_with_gaps_is_that_of_all_counts_in_scipy(n):
    """A kink between nodes would cost up to 0.5 %."""
    cells = cells_of(np.array([3000.0, 3000, 4000]), np.array([0.3, 0.3, 0.4]) * n, np.array([0]))
    tables = tabulate(cells)
    assert node_steps(cells).min() > 1
    counts = np.arange(n + 1)
    truth = betabinom(n, 3000.5, 7001).pmf(counts) @ np.abs(counts - 0.3 * n)
    assert tables.weights[0] @ np.abs(tables.nodes[0] - 0.3 * n) == pytest.approx(truth, rel=1e-3)


def test_columns_are_tabulated_side_by_side_as_they_are_one_by_one():
    reference, current = np.array([20.0, 480, 300, 700, 1000]), np.array([4.0, 96, 40, 60, 100])
    both = tabulate(cells_of(reference, current, np.array([0, 2])))
    one = tabulate(cells_of(reference[:2], current[:2], np.array([0])))
    other = tabulate(cells_of(reference[2:], current[2:], np.array([0])))
    for name in ("nodes", "weights", "first", "second", "odds"):
        apart = np.concatenate([getattr(one, name), getattr(other, name)])
        assert (getattr(both, name) == apart).all()

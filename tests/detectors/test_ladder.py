from __future__ import annotations

import numpy as np
import pytest

from detectors import ladder as module
from detectors.catalogue import DIVERGENCES
from detectors.cells import Cells, cells_of, group
from detectors.divergence import ExactPairs
from detectors.ladder import Ladder
from detectors.tables import tabulate

LAWS = ("normal", "lognormal", "cauchy", "few integers", "mostly zero", "sparse categories")


def _at_size(cells: Cells, n: float) -> Cells:
    return cells.at_size(np.full(cells.starts.size, float(n)))


def _fitted(null_pair, law, random, n, m) -> Cells | None:
    """Groups whose null is fitted; two groups are enumerated and their ladder is not asked."""
    cells = group(null_pair(law, random, n, m))
    return None if cells.columns.groups[0] <= 2 or ExactPairs(cells).columns[0] else cells


@pytest.mark.parametrize("m", [1000, 10_000])
@pytest.mark.parametrize("n", [33, 71, 174, 650, 1500, 9300, 70_000])
def test_limits_between_rungs_are_within_one_percent_and_p_values_within_a_third_down_to_1e_8(
    null_pair, n, m
):
    random = np.random.default_rng(70)
    ladder = Ladder(DIVERGENCES)
    for cells in filter(None, (_fitted(null_pair, law, random, n, m) for law in LAWS)):
        nulls, tables = ladder.cumulants(cells), tabulate(cells)
        for name, divergence in DIVERGENCES.items():
            truth = divergence.cumulants(tables)
            for alpha, near in ((1e-2, 0.06), (1e-8, 0.33)):
                limit = truth.limit(alpha)
                assert nulls[name].limit(alpha) == pytest.approx(limit, rel=0.01)
                assert nulls[name].tail(limit) == pytest.approx(truth.tail(limit), rel=near)


def test_on_a_rung_nothing_is_interpolated():
    cells = cells_of(np.array([300.0, 300, 400]), np.array([300.0, 300, 424]), np.array([0]))
    ladder = Ladder(DIVERGENCES)
    assert cells.columns.n[0] in module.RUNGS
    for name, null in ladder.cumulants(cells).items():
        truth = DIVERGENCES[name].cumulants(tabulate(cells))
        for moment in ("mean", "sd", "skew"):
            assert getattr(null, moment) == pytest.approx(getattr(truth, moment), rel=1e-12)


def test_every_small_size_is_a_rung():
    assert module.RUNGS[:63].tolist() == list(range(1, 64))
    assert (np.diff(module.RUNGS) > 0).all()


def test_columns_with_other_counts_or_another_size_have_nulls_of_their_own():
    one = cells_of(np.array([300.0, 700]), np.array([30.0, 70]), np.array([0]))
    both = cells_of(np.array([300.0, 700, 500, 500]), np.array([30.0, 70, 50, 50]), np.array([0, 2]))
    ladder = Ladder(DIVERGENCES)
    ladder.cumulants(_at_size(one, 5000))
    for cells, column in ((one, 0), (both, 0)):
        assert ladder.cumulants(cells)["tv"].mean[column] == Ladder(DIVERGENCES).cumulants(one)["tv"].mean[0]
    means = ladder.cumulants(both)["tv"].mean
    assert means[0] != means[1]


def test_what_is_known_is_not_tabulated_again(monkeypatch):
    cells = cells_of(np.array([300.0, 700]), np.array([30.0, 70]), np.array([0]))
    ladder = Ladder(DIVERGENCES)
    first = ladder.cumulants(cells)
    monkeypatch.setattr(module, "tabulate", None)
    assert ladder.cumulants(cells)["psi"].mean == first["psi"].mean


def test_it_forgets_rather_than_grow_without_bound(monkeypatch):
    monkeypatch.setattr(module, "MOST", 20)
    ladder = Ladder(DIVERGENCES)
    one = cells_of(np.array([300.0, 700]), np.array([30.0, 70]), np.array([0]))
    for n in range(100, 4000, 50):
        known = ladder.cumulants(_at_size(one, n))["tv"].mean
        assert known == Ladder(DIVERGENCES).cumulants(_at_size(one, n))["tv"].mean
        assert ladder.size <= 22

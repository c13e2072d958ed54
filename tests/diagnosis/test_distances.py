"""Distances between columns are those of their values, whatever grids they were counted on."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp

from service.diagnosis.distances import best_fit, fit, sample_distance
from tests.diagnosis.slices import column, drawn, grid_of, normal, one_of, pair_of, slice_of


@pytest.mark.parametrize("shift", [0.0, 0.2, 1.0])
def test_the_distance_of_numbers_is_that_of_kolmogorov_and_smirnov(shift: float):
    usual, now = normal(4_000, 1), normal(800, 2, shift)
    reference, current = pair_of(usual, now)
    found = fit(current, reference)
    assert found is not None
    assert found.distance == pytest.approx(ks_2samp(usual, now).statistic, abs=0.015)


def test_numbers_on_the_coarse_grid_of_new_fields_are_compared_where_the_grids_agree():
    usual, now = normal(4_000, 1, 3.0, 2.0), normal(800, 2, 3.0, 2.0)
    grid = grid_of({"old": usual})
    extra = slice_of({"fresh": now}, grid).columns[column("fresh")]
    found = fit(extra, one_of(usual, grid, "old"))
    assert found is not None
    assert found.agrees
    assert found.distance <= ks_2samp(usual, now).statistic + 1e-9


def test_the_distance_of_texts_is_their_total_variation():
    reference, current = pair_of(["a"] * 60 + ["b"] * 40, ["a"] * 40 + ["b"] * 40 + ["c"] * 20)
    found = fit(current, reference)
    assert found is not None
    assert found.distance == pytest.approx(0.2)
    assert found.strange == pytest.approx(0.2)


def test_samples_of_one_distribution_agree_nearly_always():
    reference = normal(5_000, 1)
    shares = {"a": 0.5, "b": 0.3, "c": 0.2}
    texts = drawn(shares, 5_000, 1)
    for n in (30, 300):
        fits = [fit(*reversed(pair_of(reference, normal(n, seed)))) for seed in range(2, 60)]
        fits += [fit(*reversed(pair_of(texts, drawn(shares, n, seed)))) for seed in range(2, 60)]
        assert sum(one is not None and one.agrees for one in fits) >= 114


def test_values_that_never_occurred_are_strange():
    lattice = np.random.default_rng(1).choice([0.1, 0.2, 0.4], 3_000).tolist()
    reference, current = pair_of(lattice, [0.1] * 50 + [0.3] * 50)
    found = fit(current, reference)
    assert found is not None
    assert found.strange == pytest.approx(0.5)


def test_an_end_off_the_lattice_costs():
    lattice = np.random.default_rng(1).choice([0.02, 0.04, 0.06, 0.08], 3_000).tolist()
    grid = grid_of({"old": lattice})
    old = one_of(lattice, grid, "old")
    on = fit(slice_of({"fresh": lattice[:500]}, grid).columns[column("fresh")], old)
    moved = [x + 0.001 for x in lattice[:500]]
    off = fit(slice_of({"fresh": moved}, grid).columns[column("fresh")], old)
    assert on is not None
    assert off is not None
    assert off.nats > on.nats + 10


def test_numbers_and_texts_are_not_compared():
    grid = grid_of({"old": normal(500, 1)})
    assert (
        fit(
            slice_of({"fresh": ["a"] * 9}, grid).columns[column("fresh")], one_of(normal(500, 1), grid, "old")
        )
        is None
    )


def test_the_better_of_two_is_taken():
    usual = normal(3_000, 1)
    grid = grid_of({"value": usual})
    now, before = one_of(normal(500, 2, 2.0), grid), one_of(normal(500, 3, 2.0), grid)
    found = best_fit(now, before, one_of(usual, grid))
    assert found is not None
    assert found.agrees


def test_exact_values_are_held_against_bins():
    usual = normal(4_000, 1)
    numbers = pair_of(usual, usual)[0].numbers
    assert numbers is not None
    values = np.array(normal(500, 2, 0.5))
    assert sample_distance(values, numbers) == pytest.approx(ks_2samp(usual, values).statistic, abs=0.02)
    assert sample_distance(np.empty(0), numbers) == 1.0

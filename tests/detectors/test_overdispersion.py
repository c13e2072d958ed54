"""Overdispersion: 1 of independent draws, what it is of clustered ones, carried to windows of other lengths."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.overdispersion import FEWEST_BLOCKS, dispersion, overdispersion

FloatArray = NDArray[np.float64]
P = np.array([[0.2, 0.3, 0.1, 0.4]])
SEEDS = range(20)


def iid(rows: int, blocks: int, seed: int) -> FloatArray:
    """(B, 1, 4) counts of independent draws."""
    return np.random.default_rng(seed).multinomial(rows, P[0], size=(blocks, 1)).astype(float)


def clustered(cluster: int, rows: int, blocks: int, seed: int) -> FloatArray:
    """Draws that come in clusters of one value: windows of whole clusters vary `cluster` times as much."""
    return cluster * iid(rows // cluster, blocks, seed)


@pytest.mark.parametrize(
    ("rows", "blocks", "n"), [(100, 60, 100.0), (500, 16, 500.0), (100, 60, 10_000.0), (1_000, 8, 50.0)]
)
def test_independent_draws_have_an_overdispersion_of_one(rows: int, blocks: int, n: float) -> None:
    found = [overdispersion(iid(rows, blocks, seed), P, n)[0] for seed in SEEDS]
    assert found.count(1.0) >= 19


def test_dispersion_of_independent_draws_is_one_on_average() -> None:
    found = dispersion(iid(200, 4_000, 1), P)
    assert found.mean() == pytest.approx(1.0, abs=0.05)
    assert found.var() == pytest.approx(2 / 3, abs=0.1)


@pytest.mark.parametrize("cluster", [4, 10, 25])
def test_clusters_of_equal_rows_are_overdispersed_by_their_size(cluster: int) -> None:
    found = np.array([overdispersion(clustered(cluster, 1_000, 60, seed), P, 1_000)[0] for seed in SEEDS])
    assert np.median(found) == pytest.approx(cluster, rel=0.25)
    assert (np.abs(found / cluster - 1) < 0.6).all()


def test_short_clusters_do_not_grow_with_the_window() -> None:
    """The clusters are far shorter than blocks: a window of many more of them varies no more beyond chance."""
    found = [overdispersion(clustered(10, 500, 64, seed), P, 8_000)[0] for seed in SEEDS]
    assert np.median(found) < 3 * 10


def wandering(rows: int, blocks: int, per_level: int, seed: int) -> FloatArray:
    """A share that stays at one level for so many blocks."""
    rng = np.random.default_rng(seed)
    shares = np.repeat(rng.dirichlet(P[0] * 50, size=blocks // per_level), per_level, axis=0)
    return np.array([rng.multinomial(rows, share) for share in shares])[:, None].astype(float)


def test_levels_that_last_for_many_blocks_grow_with_the_length_of_the_window() -> None:
    # Dirichlet(50 p): a window of n rows within one level has 1 + (n - 1) / 51
    for n, truth in ((200.0, 4.9), (800.0, 16.7)):
        found = np.array([overdispersion(wandering(200, 64, 8, seed), P, n)[0] for seed in SEEDS])
        assert truth / 2 < np.median(found) < truth * 2


def test_each_column_has_its_own() -> None:
    calm, wild = iid(500, 32, 1), clustered(20, 500, 32, 2)
    together = np.concatenate([calm, wild], axis=1)
    found = overdispersion(together, np.repeat(P, 2, axis=0), 500)
    assert found[0] == 1.0
    assert found[1] > 8


def test_too_few_blocks_say_nothing() -> None:
    assert overdispersion(clustered(20, 500, FEWEST_BLOCKS - 1, 1), P, 500).tolist() == [1.0]
    assert overdispersion(clustered(20, 500, FEWEST_BLOCKS, 1), P, 500)[0] > 3
    assert overdispersion(np.empty((0, 1, 4)), P, 500).tolist() == [1.0]


def test_groups_that_are_hardly_expected_do_not_count() -> None:
    p = np.array([[0.5, 0.499, 0.001]])
    counts = np.array([[50.0, 49.0, 1.0]])
    assert dispersion(counts, p)[0] < 0.1
    assert dispersion(10 * counts, p)[0] > 10


def test_columns_without_values_are_not_overdispersed() -> None:
    assert overdispersion(np.zeros((16, 1, 4)), P, 500).tolist() == [1.0]

"""Second moments are numpy's within their resolution, and the same bits however the rows came."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from service.messages import LABEL, LATENCY, SCORE, Column, Role
from service.sketches.grids import Grid, NumberGrid
from service.sketches.moments import LIMIT, MAX_COLUMNS, CrossMoments
from service.sketches.numbers import EXACT_ROWS, STEPS, NumberSketch

exhaustively = settings(max_examples=80, deadline=None, derandomize=True)
CELLS = st.one_of(
    st.floats(-40.0, 40.0), st.sampled_from([0.0, -0.0, 1e308, -1e308, 5e-324, np.nan, 7.0, 7.5])
)
TABLES = st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=40)


def feature(place: int, centre: float = 0.0, scale: float = 1.0) -> NumberGrid:
    return NumberGrid(Column(Role.FEATURE, f"f{place:03d}"), np.array([0.0]), centre, scale)


GRID = Grid((feature(0, 7.0, 0.5), feature(1, -3.0, 20.0), feature(2)))


def moments_of(*tables: NDArray[np.float64], grid: Grid = GRID) -> CrossMoments:
    """The moments of tables of (columns, rows)."""
    numbers, moments = NumberSketch(grid.numbers), CrossMoments(grid)
    for table in tables:
        numbers.add(table, 0, moments)
    return moments


def state(moments: CrossMoments) -> tuple[object, ...]:
    return moments.rows, *(a.tolist() for a in (moments.present, moments.sums, moments.products))


def truth(table: NDArray[np.float64]) -> tuple[object, ...]:
    """The same in Python's integers."""
    steps: list[list[int]] = []
    for grid, row in zip(GRID.numbers, table.tolist(), strict=True):
        scaled = [(x - grid.centre) * (STEPS / grid.scale) for x in row]
        steps.append([0 if np.isnan(x) else round(max(-LIMIT, min(LIMIT, x))) for x in scaled])
    products = [[sum(a * b for a, b in zip(p, q, strict=True)) for q in steps] for p in steps]
    present = [int(np.count_nonzero(~np.isnan(row))) for row in table]
    return table.shape[1], present, [sum(row) for row in steps], products


def merged(parts: list[CrossMoments]) -> CrossMoments:
    together = CrossMoments(GRID)
    for part in parts:
        together.merge(part)
    return together


@exhaustively
@given(TABLES, st.lists(st.integers(0, 40), max_size=4), st.randoms(use_true_random=False))
def test_any_batches_and_parts_in_any_order_come_to_the_sums_of_integers(
    rows: list[tuple[float, ...]], cuts: list[int], chance: random.Random
) -> None:
    expected = truth(np.array(rows).T)
    chance.shuffle(rows)
    ends = sorted({0, *(min(cut, len(rows)) for cut in cuts), len(rows)})
    tables = [np.array(rows[a:b]).T for a, b in pairwise(ends)]
    assert state(moments_of(*tables)) == expected
    assert state(merged([moments_of(table) for table in tables])) == expected


@exhaustively
@given(TABLES, TABLES, TABLES)
def test_merging_is_associative_and_commutative(
    first: list[tuple[float, ...]], second: list[tuple[float, ...]], third: list[tuple[float, ...]]
) -> None:
    a, b, c = (moments_of(np.array(rows).T) for rows in (first, second, third))
    left, right, turned = (
        merged([merged([a, b]), c]),
        merged([a, merged([b, c])]),
        merged([merged([c, a]), b]),
    )
    assert state(left) == state(right) == state(turned)


def related(n: int) -> NDArray[np.float64]:
    """Three columns: the second follows the first, the third follows neither."""
    chance = np.random.default_rng(4)
    first, second, third = chance.normal(size=(3, n))
    return np.array([7 + first / 2, -3 + 20 * (0.8 * first + 0.6 * second), third])


def test_means_covariances_and_correlations_are_those_of_numpy() -> None:
    table = related(5_000)
    moments = moments_of(table)
    standard = (table - [[7.0], [-3.0], [0.0]]) / [[0.5], [20.0], [1.0]]
    assert moments.mean() == pytest.approx(standard.mean(axis=1), abs=1e-4)
    assert moments.covariance() == pytest.approx(np.cov(standard, ddof=0), abs=1e-4)
    assert moments.correlation() == pytest.approx(np.corrcoef(table), abs=1e-4)
    assert moments.rows == 5_000


def test_missing_cells_do_not_weaken_a_correlation() -> None:
    table = related(20_000)
    whole = np.corrcoef(table)
    table[np.random.default_rng(5).random(table.shape) < [[0.3], [0.5], [0.1]]] = np.nan
    moments = moments_of(table)
    assert moments.correlation() == pytest.approx(whole, abs=0.03)
    assert moments.mean() == pytest.approx([0.0, 0.0, 0.0], abs=0.03)
    assert moments.present.tolist() == np.count_nonzero(~np.isnan(table), axis=1).tolist()


def test_one_absurd_value_is_clipped_and_does_not_carry_the_correlation() -> None:
    table = related(5_000)
    usual = moments_of(table).correlation()
    table[:, 17] = [1e308, -1e308, 5.0]
    assert moments_of(table).correlation() == pytest.approx(usual, abs=0.05)


@pytest.mark.parametrize("steps", [-6900, -3, 0, 1, 8090])
def test_columns_that_do_not_vary_or_have_no_value_are_related_to_nothing(steps: int) -> None:
    """Of 85 present rows in 4,992, a constant of -6900 steps has a variance of 7e-15 in doubles."""
    table = related(4_992)
    table[0], table[1], table[1, 85:] = np.nan, -3 + 20 * steps / STEPS, np.nan
    moments = moments_of(table)
    assert moments.correlation().tolist() == np.eye(3).tolist()
    assert moments.mean()[0] == 0.0
    assert moments.covariance()[1, 1] == pytest.approx(0.0, abs=1e-9)


def test_without_rows_everything_is_nothing() -> None:
    moments = moments_of()
    assert moments.mean().tolist() == [0.0, 0.0, 0.0]
    assert moments.covariance().tolist() == np.zeros((3, 3)).tolist()
    assert moments.correlation().tolist() == np.eye(3).tolist()


def test_only_columns_of_inferences_that_have_a_scale_are_kept() -> None:
    score, latency, label = (
        NumberGrid(column, np.array([0.0]), 0.0, 2.0) for column in (SCORE, LATENCY, LABEL)
    )
    grid = Grid((feature(0), feature(1, scale=0.0), feature(2), score, latency, label))
    table = np.arange(15.0).reshape(5, 3) ** 2 / 50
    moments = moments_of(table, grid=grid)
    assert moments.columns == (grid.numbers[0].column, grid.numbers[2].column, SCORE, LATENCY)
    kept = table[[0, 2, 3, 4]] / [[1.0], [1.0], [2.0], [2.0]]
    assert moments.covariance() == pytest.approx(np.cov(kept, ddof=0), abs=1e-2)
    assert moments.present.tolist() == [3, 3, 3, 3]


def test_of_many_columns_the_first_are_kept() -> None:
    grid = Grid(tuple(feature(place) for place in range(MAX_COLUMNS + 30)))
    table = np.random.default_rng(1).normal(size=(MAX_COLUMNS + 30, 40))
    moments = moments_of(table, grid=grid)
    assert moments.columns == tuple(number.column for number in grid.numbers[:MAX_COLUMNS])
    assert moments.covariance() == pytest.approx(np.cov(table[:MAX_COLUMNS], ddof=0), abs=1e-2)


def test_the_products_of_as_many_rows_as_are_added_at_once_are_exact() -> None:
    grid, n = Grid((feature(0), feature(1))), EXACT_ROWS + 5
    moments = moments_of(np.array([np.full(n, 100.0), np.full(n, 2047 / 256)]), grid=grid)
    big, odd = LIMIT, 2047 * 4
    assert moments.sums.tolist() == [n * big, n * odd]
    assert moments.products.tolist() == [[n * big**2, n * big * odd], [n * big * odd, n * odd**2]]

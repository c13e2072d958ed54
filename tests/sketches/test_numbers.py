"""Counts are numpy's histogram on the same edges; moments and extremes hold within their resolution."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.messages import SCORE
from service.sketches.grids import Grid, NumberGrid, default_number_grid, number_grid
from service.sketches.numbers import EXACT_ROWS, NumberSketch

exhaustively = settings(max_examples=100, deadline=None, derandomize=True)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
BIGGEST = float(np.finfo(float).max)
ODD_REFERENCES = (
    [0.0],
    [-0.0, 0.0],
    [7.0] * 9,
    [5e-324, 1e-310],
    [1e308, -1e308],
    [BIGGEST, -BIGGEST],
    [1e308] * 9,
    [273.15, 273.16],
)


def counted(grid: NumberGrid, values: list[float]) -> NumberSketch:
    sketch = NumberSketch((grid,))
    sketch.add(np.array([values]))
    return sketch


def histogram(grid: NumberGrid, values: list[float]) -> list[int]:
    """Counts of numpy, whose own last bin also holds its right edge: so the outer edges are infinite."""
    inner = np.concatenate([[-np.inf], grid.edges, [np.inf]])
    return [int(n) for n in np.histogram(values, inner)[0]]


@exhaustively
@given(st.lists(FINITE, min_size=1, max_size=50), st.lists(FINITE, min_size=1, max_size=300))
def test_counts_are_those_of_numpys_histogram(reference: list[float], values: list[float]) -> None:
    grid = number_grid(SCORE, np.array(reference))
    assert counted(grid, values + reference).counts.tolist() == histogram(grid, values + reference)


@pytest.mark.parametrize("n", [10, 199, 200, 3_000])
def test_few_and_many_rows_are_counted_alike(n: int) -> None:
    values = np.random.default_rng(n).normal(size=n).round(2).tolist()
    grid = number_grid(SCORE, np.random.default_rng(0).normal(size=1_000).round(2))
    assert counted(grid, values).counts.tolist() == histogram(grid, values)


def test_every_value_of_a_short_list_has_a_bin_of_its_own() -> None:
    grid = number_grid(SCORE, np.array([1.0, 2.0, 3.0, 1e9] * 20))
    sketch = counted(grid, [1.0, 1.0, np.nextafter(1.0, 2.0), np.nextafter(1.0, 0.0), 2.0])
    at_one = int(np.searchsorted(grid.edges, 1.0, side="right"))
    assert grid.edges[at_one - 1] == 1.0
    assert sketch.counts[at_one - 1 : at_one + 2].tolist() == [1, 2, 1]


@pytest.mark.parametrize("reference", ODD_REFERENCES)
def test_any_reference_gives_finite_ascending_edges_and_counts_every_value(reference: list[float]) -> None:
    grid = number_grid(SCORE, np.array(reference))
    assert np.isfinite(grid.edges).all()
    assert (np.diff(grid.edges) > 0).all()
    sketch = counted(grid, [0.0, -0.0, 5e-324, -5e-324, 1e308, -1e308, BIGGEST, -BIGGEST, *reference])
    assert sketch.counts.sum() == 8 + len(reference)
    assert np.isfinite(sketch.mean_std(0) or (0.0, 0.0)).all()


def test_a_grid_does_not_depend_on_the_order_of_its_reference_or_the_sign_of_zero() -> None:
    values = np.random.default_rng(1).normal(size=2_000)
    ids = {
        Grid((number_grid(SCORE, np.concatenate([zeros, v])),)).id
        for v in (values, values[::-1])
        for zeros in ([0.0], [-0.0])
    }
    assert len(ids) == 1


def test_both_zeros_are_one_value() -> None:
    grid = default_number_grid(SCORE)
    assert counted(grid, [0.0, -0.0]).counts.tolist() == counted(grid, [-0.0, -0.0]).counts.tolist()
    for values in ([0.0, -0.0], [-0.0, 0.0]):
        assert np.copysign(1.0, counted(grid, values).low[0]) == 1.0
        assert np.copysign(1.0, counted(grid, values).high[0]) == 1.0


@exhaustively
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200))
def test_extremes_are_exact(values: list[float]) -> None:
    sketch = counted(default_number_grid(SCORE), values)
    assert (sketch.low[0], sketch.high[0]) == (min(values), max(values))


@exhaustively
@given(st.lists(st.floats(-100.0, 100.0), min_size=1, max_size=200))
def test_mean_and_deviation_are_right_within_a_thousandth_of_the_scale(values: list[float]) -> None:
    grid = number_grid(SCORE, np.random.default_rng(5).normal(3.0, 2.0, 1_000))
    mean, deviation = counted(grid, values).mean_std(0) or (np.nan, np.nan)
    assert mean == pytest.approx(np.mean(values), abs=grid.scale / 1_000)
    variance = np.var(values)
    assert deviation**2 == pytest.approx(
        variance, abs=grid.scale * max(1.0, float(np.abs(values).max())) / 100
    )


def test_all_equal_values_have_no_deviation() -> None:
    grid = number_grid(SCORE, np.random.default_rng(5).normal(size=1_000))
    mean, deviation = counted(grid, [0.25] * 1_000).mean_std(0) or (np.nan, np.nan)
    assert mean == pytest.approx(0.25, abs=1e-3)
    assert deviation == pytest.approx(0.0, abs=1e-3)


def test_a_column_that_was_constant_has_counts_but_no_moments() -> None:
    assert counted(number_grid(SCORE, np.full(100, 7.0)), [7.0, 8.0]).mean_std(0) is None


def test_more_rows_than_a_double_can_sum_at_once_are_summed_exactly() -> None:
    grid = NumberGrid(SCORE, np.array([0.0]), centre=0.0, scale=1.0)
    n = EXACT_ROWS + 5
    sketch = counted(grid, np.full(n, 127.99).tolist())
    step = round(Fraction(127.99) * 1024)
    assert sketch.sums[:, 0].tolist() == [n * step, n * step**2]
    assert sketch.counts.tolist() == [0, n]

"""Counts moved to another grid keep their total, and are exact wherever both grids have an edge."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.messages import LABEL, Missing
from service.reference.regrid import regrid_counts, regrid_sketch
from service.sketches.codec import pane_from_bytes, pane_to_bytes
from service.sketches.grids import CategoryGrid, Grid, category_grid, exact_edges, log_edges, number_grid
from service.sketches.pane import PaneSketch
from tests.reference.tables import OUTPUTS, built, feature, mixed_columns, write_csv

numbers = st.floats(-1e12, 1e12, allow_nan=False).map(lambda x: round(x, 6) + 0.0)
edge_lists = st.lists(numbers, min_size=1, max_size=30, unique=True).map(lambda e: np.array(sorted(e)))
value_lists = st.lists(numbers, min_size=1, max_size=60).map(np.array)


def counted(values, edges):
    return np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)


@given(value_lists, edge_lists, edge_lists, edge_lists)
def test_totals_stay_and_counts_between_shared_edges_are_exact(values, old, new, shared) -> None:
    old, new = np.unique(np.concatenate([old, shared])), np.unique(np.concatenate([new, shared]))
    moved = regrid_counts(old, counted(values, old), values.min(), values.max(), new)
    assert (moved >= 0).all()
    assert moved.sum() == len(values)
    below = np.cumsum(moved)[np.searchsorted(new, shared)]
    assert below.tolist() == [int((values < edge).sum()) for edge in shared]


@given(value_lists, edge_lists, edge_lists)
def test_a_cumulative_count_is_off_by_at_most_the_bin_of_its_edge(values, old, new) -> None:
    counts = counted(values, old)
    moved = np.cumsum(regrid_counts(old, counts, values.min(), values.max(), new))[:-1]
    truth = np.array([(values < edge).sum() for edge in new])
    assert (np.abs(moved - truth) <= counts[np.searchsorted(old, new, side="right")]).all()


@given(st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=60).map(np.array))
def test_exact_values_stay_exact_on_log_edges_with_zero(values) -> None:
    edges = np.unique(np.concatenate([exact_edges(np.unique(values)), log_edges()]))
    moved = regrid_counts(edges, counted(values, edges), values.min(), values.max(), log_edges())
    assert moved.tolist() == counted(values, log_edges()).tolist()


def test_nothing_counted_is_nothing_moved() -> None:
    moved = regrid_counts(np.array([1.0]), np.zeros(2, np.int64), np.inf, -np.inf, np.array([1.0, 2.0]))
    assert moved.tolist() == [0, 0, 0]


@pytest.fixture
def bank(tmp_path):
    return built(write_csv(tmp_path / "bank.csv", mixed_columns(3_000)), **OUTPUTS)


def test_a_sketch_moved_there_and_back_is_within_one_bin(bank) -> None:
    log_grid = Grid(tuple(number_grid(g.column, np.empty(0)) for g in bank.grid.numbers), bank.grid.texts)
    back = regrid_sketch(regrid_sketch(bank.sketch, log_grid), bank.grid)
    assert back.categories.counts.tolist() == bank.sketch.categories.counts.tolist()
    assert back.numbers.low.tolist() == bank.sketch.numbers.low.tolist()
    for place in range(len(bank.grid.numbers)):
        mine, theirs = (s.numbers.column_counts(place) for s in (back, bank.sketch))
        on_log = regrid_sketch(bank.sketch, log_grid).numbers.column_counts(place)
        assert mine.sum() == theirs.sum()
        assert np.abs(np.cumsum(mine) - np.cumsum(theirs)).max() <= on_log.max()


def test_moments_move_along(bank) -> None:
    column = feature("age")
    other = number_grid(column, np.random.default_rng(0).normal(40, 30, 500))
    moved = regrid_sketch(bank.sketch, Grid((other,)))
    mean, std = moved.numbers.mean_std(0) or (0.0, 0.0)
    was = bank.sketch.numbers.mean_std(bank.grid.number_at[column]) or (0.0, 0.0)
    assert (mean, std) == pytest.approx(was, rel=1e-4)


def test_the_same_grid_gives_the_same_sketch(bank) -> None:
    assert regrid_sketch(bank.sketch, bank.grid) is bank.sketch


def test_columns_that_the_new_grid_does_not_know_become_extras_and_come_back(bank) -> None:
    nothing = regrid_sketch(bank.sketch, Grid())
    assert set(nothing.extras) == {one.column for one in bank.columns}
    assert nothing.extras[feature("housing")].texts.total == 3_000
    back = regrid_sketch(nothing, bank.grid)
    assert back.extras == {}
    assert back.categories.counts.tolist() == bank.sketch.categories.counts.tolist()
    assert back.numbers.counts.sum() == bank.sketch.numbers.counts.sum()


def test_a_column_of_which_nothing_was_counted_is_absent_in_all_rows(bank) -> None:
    grid = Grid((number_grid(feature("new"), np.arange(5.0)),), (category_grid(feature("kind"), {"a": 1}),))
    moved = regrid_sketch(bank.sketch, grid)
    assert moved.numbers.missing[0, Missing.ABSENT] == 3_000
    assert moved.categories.missing[0, Missing.ABSENT] == 3_000


def test_categories_that_the_new_grid_does_not_know_are_unseen(bank) -> None:
    grid = Grid(texts=(CategoryGrid(feature("job"), ("admin.", "pilot")), CategoryGrid(LABEL, ("0", "1"))))
    moved = regrid_sketch(bank.sketch, grid)
    assert moved.categories.column_counts(0)[1] == 0
    assert set(moved.categories.unseen[0].counts) == {"blue-collar", "retired; gone"}
    assert moved.categories.column_counts(0).sum() + moved.categories.unseen[0].total == 3_000
    assert moved.categories.column_counts(1).sum() == 3_000


def test_a_column_whose_kind_contradicts_the_new_grid_is_of_the_wrong_type(bank) -> None:
    grid = Grid((number_grid(feature("job"), np.arange(5.0)),), (category_grid(feature("age"), {"18": 1}),))
    moved = regrid_sketch(bank.sketch, grid)
    assert moved.numbers.missing[0, Missing.WRONG_TYPE] == 3_000
    assert moved.categories.missing[0, Missing.WRONG_TYPE] == 3_000


def test_a_moved_sketch_can_be_saved(bank) -> None:
    moved = regrid_sketch(bank.sketch, Grid())
    assert pane_to_bytes(pane_from_bytes(pane_to_bytes(moved), moved.grid)) == pane_to_bytes(moved)
    assert isinstance(moved, PaneSketch)

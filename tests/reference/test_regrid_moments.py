"""Second moments moved to another grid are those that the rows would have had there."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from service.messages import SCORE, Batch, Stream, TextColumn
from service.monitor import Task
from service.reference.learning import profile_from_sketch
from service.reference.regrid import regrid_sketch
from service.reference.regrid_moments import regrid_moments
from service.sketches.codec import pane_from_bytes, pane_to_bytes
from service.sketches.grids import Grid, NumberGrid, log_edges
from service.sketches.moments import CrossMoments
from service.sketches.pane import PaneSketch
from tests.reference.tables import feature

EDGES = log_edges()


def number(name: str, centre: float, scale: float) -> NumberGrid:
    return NumberGrid(feature(name), EDGES, centre, scale)


OLD = Grid((number("a", 1.5, 0.5), number("b", -1.0, 10.0), number("c", 0.0, 1.0)))
NEW = Grid((number("a", 2.4, 0.8), number("b", 0.0, 6.0), number("c", 0.5, 2.0)))


def counted(table: NDArray[np.float64], grid: Grid) -> PaneSketch:
    n = table.shape[1]
    sketch = PaneSketch(grid)
    none = TextColumn(np.zeros(n, np.int32), ("",))
    batch = Batch(
        "m", 1, Stream.INFERENCE, np.arange(n), np.arange(n), np.zeros(n, np.uint64), none, table, ()
    )
    sketch.add(batch, slice(None))
    return sketch


def table_of(n: int = 4_000) -> NDArray[np.float64]:
    first, second, third = np.random.default_rng(2).normal(size=(3, n))
    return np.array([2 + first / 2, -1 + 6 * first + 8 * second, third])


def assert_alike(moved: CrossMoments, direct: CrossMoments, tolerance: float) -> None:
    assert (moved.rows, moved.present.tolist()) == (direct.rows, direct.present.tolist())
    assert moved.mean() == pytest.approx(direct.mean(), abs=tolerance)
    assert moved.covariance() == pytest.approx(direct.covariance(), abs=tolerance)


def test_moved_moments_are_those_of_the_rows_counted_there() -> None:
    table = table_of()
    moved = regrid_sketch(counted(table, OLD), NEW).moments
    assert_alike(moved, counted(table, NEW).moments, 1e-3)
    assert moved.correlation() == pytest.approx(np.corrcoef(table), abs=1e-3)


def test_with_missing_cells_they_are_so_within_what_chance_leaves() -> None:
    table = table_of(40_000)
    table[np.random.default_rng(3).random(table.shape) < [[0.4], [0.2], [0.0]]] = np.nan
    assert_alike(regrid_sketch(counted(table, OLD), NEW).moments, counted(table, NEW).moments, 0.05)


def test_moved_moments_merge_with_others_of_the_new_grid() -> None:
    table = table_of()
    moved = regrid_sketch(counted(table[:, :3_000], OLD), NEW)
    moved.merge(counted(table[:, 3_000:], NEW))
    assert_alike(moved.moments, counted(table, NEW).moments, 1e-3)
    assert pane_to_bytes(pane_from_bytes(pane_to_bytes(moved), NEW)) == pane_to_bytes(moved)


def test_a_column_that_only_one_grid_has_has_no_rows_and_spoils_no_other() -> None:
    table = table_of()
    grid = Grid((number("c", 0.5, 2.0), number("a", 2.4, 0.8), NumberGrid(SCORE, EDGES, 0.5, 0.2)))
    moved = regrid_sketch(counted(table, OLD), grid).moments
    assert moved.columns == (feature("c"), feature("a"), SCORE)
    assert moved.present.tolist() == [4_000, 4_000, 0]
    expected = np.eye(3)
    expected[:2, :2] = np.corrcoef(table[[2, 0]])
    assert moved.correlation() == pytest.approx(expected, abs=1e-3)


def test_grids_without_a_column_in_common_have_no_moments_in_common() -> None:
    moved = regrid_moments(counted(table_of(), OLD), Grid((number("z", 0.0, 1.0),)))
    assert (moved.rows, moved.present.tolist()) == (0, [0])


@pytest.mark.parametrize(("centre", "scale"), [(1e308, 1e-280), (-1e308, 1.0), (0.0, 1e-280), (1e80, 1e300)])
def test_a_column_whose_grids_are_worlds_apart_is_left_out_or_clipped(centre: float, scale: float) -> None:
    grid = Grid((number("a", centre, scale), number("c", 0.5, 2.0)))
    moved = regrid_sketch(counted(table_of(), OLD), grid)
    assert np.isfinite(moved.moments.covariance()).all()
    assert moved.moments.present[1] == 4_000
    assert pane_to_bytes(pane_from_bytes(pane_to_bytes(moved), grid)) == pane_to_bytes(moved)


def test_a_reference_learned_of_panes_with_moments_keeps_them() -> None:
    table = table_of()
    made = profile_from_sketch("again", "m", Task.NONE, counted(table, OLD))
    assert made.sketch.moments.rows == 4_000
    assert made.sketch.moments.correlation() == pytest.approx(np.corrcoef(table), abs=1e-2)

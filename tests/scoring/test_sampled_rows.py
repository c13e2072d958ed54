"""Samples of panes become one uniform sample, and its ranks know nothing but how columns go together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from service.messages import Column, Role
from service.scoring.sampled_rows import PaneSample, SampledRows, sampled_rows
from service.sketches.grids import Grid
from service.sketches.sample import SIZE, FloatArray
from tests.judging.joint_streams import COLUMNS, GRID, counted


def pane(rows: int, level: float = 0.0, part: int = 0, offset: int = 0, grid: Grid = GRID) -> PaneSample:
    """A pane of so many rows, whose values tell which it is."""
    values = np.random.default_rng([rows, offset]).normal(level, 0.1, (len(grid.numbers), rows))
    return PaneSample(part, grid, counted(values, offset, grid).sample)


def rows_of(values: FloatArray) -> SampledRows:
    """These rows, all of one part."""
    n = values.shape[1]
    priorities = np.sort(np.random.default_rng(n).integers(1, 2**60, n)).astype(np.uint64)
    return SampledRows(COLUMNS[: len(values)], values, priorities, np.zeros(n, np.int64))


def test_rows_of_a_large_pane_are_as_many_as_its_share() -> None:
    # 3,000 rows and 1,000 rows: both samples are full, but the large one reaches only a third as far
    found = sampled_rows([pane(3_000, 0.0), pane(1_000, 5.0, offset=9_000)], COLUMNS, 512)
    assert SIZE < found.rows < 2 * SIZE
    assert np.mean(found.values[0] > 2.5) == pytest.approx(0.25, abs=0.1)


def test_all_rows_of_small_panes_are_there_and_the_first_by_priority_are_kept() -> None:
    panes = [pane(40, part=i, offset=100 * i) for i in range(5)]
    everything = sampled_rows(panes, COLUMNS, 512)
    assert (everything.rows, np.bincount(everything.parts).tolist()) == (200, [40] * 5)
    few = sampled_rows(reversed(panes), COLUMNS, 50)
    assert few.priorities.tolist() == everything.priorities[:50].tolist()
    assert np.array_equal(few.values, everything.values[:, :50])


def test_columns_are_found_by_name_on_every_grid_and_missing_where_it_lacks_them() -> None:
    other = Grid(tuple(reversed(GRID.numbers[1:])))
    found = sampled_rows([pane(30, grid=other), pane(30, 5.0, part=1, offset=100)], COLUMNS, 512)
    assert np.isnan(found.values[0][found.parts == 0]).all()
    assert np.isfinite(found.values[1:]).all()
    assert sampled_rows([], COLUMNS, 512).rows == 0
    stranger = Column(Role.FEATURE, "stranger")
    assert np.isnan(sampled_rows([pane(30)], [stranger], 512).values).all()


def test_ranks_are_uniform_in_every_part_and_missing_cells_stay_missing() -> None:
    rows = rows_of(np.random.default_rng(1).normal(0, 1, (2, 200)))
    rows.values[0, ::4] = np.inf
    rows = replace(rows, parts=np.arange(200) // 100)
    rows.values[:, 100:] += 9.0
    for part in (0, 1):
        ranks = rows.ranks()[:, rows.parts == part]
        assert np.sort(ranks[1]) == pytest.approx((np.arange(100) + 0.5) / 100)
        assert np.isnan(ranks[0]).tolist() == np.isinf(rows.values[0, rows.parts == part]).tolist()
        assert np.nanmean(ranks[0]) == pytest.approx(0.5)
        order = np.argsort(rows.values[1, rows.parts == part])
        assert np.argsort(ranks[1]).tolist() == order.tolist()


def test_ties_are_parted_in_each_column_otherwise() -> None:
    ranks = rows_of(np.zeros((2, 500))).ranks()
    assert abs(np.corrcoef(ranks)[0, 1]) < 0.15
    assert len(np.unique(ranks[0])) == 500

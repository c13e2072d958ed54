"""Panes become consecutive blocks of about equal row count, whatever their number and size."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from service.messages import Batch, Stream, TextColumn
from service.reference.blocks import FIRST_LENGTH, MOST_BLOCKS
from service.reference.stretches import Stretches, length_of
from service.sketches.grids import Grid, default_number_grid, number_grid
from service.sketches.pane import PaneSketch
from tests.reference.tables import feature

MINUTE_MS = 60_000
GRID = Grid((default_number_grid(feature("x")),))


def pane_of(minute: int, rows: int, grid: Grid = GRID) -> PaneSketch:
    sketch, offsets = PaneSketch(grid), np.arange(rows) + 10_000 * minute
    ids, ts = offsets.astype(np.uint64) + 1, np.full(rows, minute * MINUTE_MS)
    versions = TextColumn(np.zeros(rows, np.int32), ("",))
    values = np.full((1, rows), float(minute))
    sketch.add(Batch("m", 1, Stream.INFERENCE, offsets, ts, ids, versions, values, ()), slice(None))
    return sketch


def stretched(sizes: Iterable[int]) -> tuple[PaneSketch, tuple[PaneSketch, ...]]:
    sizes = list(sizes)
    made = Stretches(GRID, length_of(sum(sizes)))
    for minute, rows in enumerate(sizes):
        made.add(minute * MINUTE_MS, pane_of(minute, rows))
    return made.finish()


@pytest.mark.parametrize("panes", [1, 10, 64, 65, 500, 3_000])
def test_blocks_are_consecutive_and_of_about_equal_size(panes: int) -> None:
    whole, blocks = stretched([10] * panes)
    rows = [block.inferences for block in blocks]
    assert whole.inferences == 10 * panes
    assert len(set(rows)) <= 1
    assert len(rows) <= MOST_BLOCKS
    assert 0 <= whole.inferences - sum(rows) < max(FIRST_LENGTH, rows[0] if rows else 0)
    assert [block.first_ms for block in blocks[1:]] == [block.last_ms + MINUTE_MS for block in blocks[:-1]]
    if panes >= 500:
        assert len(blocks) > MOST_BLOCKS * 0.9


def test_a_block_is_longer_than_asked_for_by_less_than_a_pane() -> None:
    sizes = np.random.default_rng(1).integers(1, 30, 60)
    _, blocks = stretched(sizes.tolist())
    assert all(FIRST_LENGTH <= block.inferences < FIRST_LENGTH + 30 for block in blocks)


def test_panes_larger_than_a_block_are_one_each() -> None:
    _, blocks = stretched([100, 200, 0, 300])
    assert [block.inferences for block in blocks] == [100, 200, 300]


def test_panes_of_several_partitions_at_one_time_are_not_torn_apart() -> None:
    made = Stretches(GRID, FIRST_LENGTH)
    for minute in (0, 0, 0, 1, 1):
        made.add(minute * MINUTE_MS, pane_of(minute, 40))
    assert [block.inferences for block in made.finish()[1]] == [120, 80]


def test_panes_of_another_grid_are_counted_on_the_first_ones() -> None:
    other = Grid((number_grid(feature("x"), np.arange(9.0)),))
    made = Stretches(GRID, FIRST_LENGTH)
    made.add(0, pane_of(0, 40))
    made.add(MINUTE_MS, pane_of(1, 40, other))
    whole, blocks = made.finish()
    assert (whole.grid, whole.inferences, len(blocks)) == (GRID, 80, 2)
    assert whole.numbers.column_counts(0).sum() == 80

"""Rows in their order, in at most 64 consecutive blocks of equal row count, before their number is known.

A block starts with 32 rows; beyond 64 full blocks, neighbours are merged and a block is twice as long:
between 32 and 64 blocks remain of a longer table. The rows after the last full block are in the whole only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from service.sketches.pane import PaneSketch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from service.messages import Batch
    from service.sketches.grids import Grid

MOST_BLOCKS = 64
FIRST_LENGTH = 32
_MOST_ROWS = 2**15


class Blocks:
    """The blocks so far, and the one being filled."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._full: list[PaneSketch] = []
        self._open = PaneSketch(grid)
        self._length = FIRST_LENGTH
        self._filled = 0

    def add(self, inferences: Batch, labels: Batch, labelled: NDArray[np.bool_]) -> None:
        """Count rows; `labels` has the same rows, of which those that are `labelled` count."""
        start, rows = 0, len(inferences)
        while start < rows:
            end = min(rows, start + min(self._length - self._filled, _MOST_ROWS))
            self._open.add(inferences, slice(start, end))
            with_label = start + np.flatnonzero(labelled[start:end])
            if len(with_label):
                self._open.add(labels, with_label)
            self._filled += end - start
            start = end
            if self._filled == self._length:
                self._close()

    def _close(self) -> None:
        self._full.append(self._open)
        self._open, self._filled = PaneSketch(self._grid), 0
        if len(self._full) > MOST_BLOCKS:
            last = self._full.pop()
            self._full = [_merged(self._grid, self._full[i : i + 2]) for i in range(0, MOST_BLOCKS, 2)]
            self._open, self._filled = last, self._length
            self._length *= 2

    def finish(self) -> tuple[PaneSketch, tuple[PaneSketch, ...]]:
        """The sketch of all rows, and the full blocks."""
        return _merged(self._grid, [*self._full, self._open]), tuple(self._full)


def _merged(grid: Grid, sketches: list[PaneSketch]) -> PaneSketch:
    whole = PaneSketch(grid)
    for sketch in sketches:
        whole.merge(sketch)
    return whole

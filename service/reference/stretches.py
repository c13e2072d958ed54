"""Panes in the order of time, as consecutive stretches of about equal row count: the blocks of a learned reference.

A stretch ends with the pane in which it becomes long enough: it is longer than asked for by less than a pane.
What follows the last full one is in the whole only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.reference.blocks import FIRST_LENGTH, MOST_BLOCKS
from service.reference.regrid import regrid_sketch
from service.sketches.pane import PaneSketch

if TYPE_CHECKING:
    from service.sketches.grids import Grid


def length_of(rows: int) -> int:
    """How long stretches of so many rows in all are: 64 of them at the most, and none too short to say anything."""
    return max(FIRST_LENGTH, -(-rows // MOST_BLOCKS))


class Stretches:
    """The stretches so far and the one being filled, all on one grid."""

    def __init__(self, grid: Grid, length: int) -> None:
        self._grid = grid
        self._length = length
        self._full: list[PaneSketch] = []
        self._open = PaneSketch(grid)
        self._start_ms = -(2**62)

    def add(self, start_ms: int, sketch: PaneSketch) -> None:
        """Count a pane; they come in the order of their starts, those of one start from several partitions together."""
        if start_ms > self._start_ms:
            self._close_if_full()
        self._start_ms = start_ms
        self._open.merge(sketch if sketch.grid.id == self._grid.id else regrid_sketch(sketch, self._grid))

    def _close_if_full(self) -> None:
        if self._open.inferences >= self._length:
            self._full.append(self._open)
            self._open = PaneSketch(self._grid)

    def finish(self) -> tuple[PaneSketch, tuple[PaneSketch, ...]]:
        """The sketch of all rows, and the full stretches."""
        self._close_if_full()
        whole = PaneSketch(self._grid)
        for one in (*self._full, self._open):
            whole.merge(one)
        return whole, tuple(self._full)

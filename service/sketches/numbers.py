"""The summary of the number columns of some rows: counts in bins, kinds of missing, moments, extremes.

All state is integers (moments are sums of values quantised to 1/1024 of the grid's scale and clipped at 128
scales), so that adding rows in any batches, and merging in any order, gives the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from service.sketches.cells import KINDS, count_missing

if TYPE_CHECKING:
    from service.sketches.grids import NumberGrid
    from service.sketches.moments import CrossMoments

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

STEPS = 1024.0
"""A standardised value is counted in so many steps a scale."""
MOST_SCALES = 128.0
"""Sums count a value that is farther from the centre as if it were this far."""
_CLIP = MOST_SCALES * STEPS
_SORTING_PAYS = 200
EXACT_ROWS = 2**19
"""So many rows are summed at once: the moments of more could overflow the 53 bits of a double."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Where each column's bins lie in the flat array of counts, and the columns' centres and scales."""

    grids: tuple[NumberGrid, ...]
    starts: IntArray
    centres: FloatArray
    factors: FloatArray

    @property
    def size(self) -> int:
        """Bins of all columns."""
        return int(self.starts[-1])

    def slice(self, column: int) -> slice:
        """The bins of one column."""
        return slice(int(self.starts[column]), int(self.starts[column + 1]))


@lru_cache(maxsize=64)
def layout_of(grids: tuple[NumberGrid, ...]) -> Layout:
    """The layout of these columns (cached: grids are compared by identity)."""
    starts = np.concatenate([[0], np.cumsum([g.bins for g in grids])]).astype(np.int64)
    centres = np.array([g.centre for g in grids])[:, None]
    factors = np.array([STEPS / g.scale if g.scale > 0 else 0.0 for g in grids])[:, None]
    return Layout(grids, starts, centres, factors)


class NumberSketch:
    """Integer state of all number columns of a grid; see the module."""

    __slots__ = ("counts", "high", "layout", "low", "missing", "sums")

    def __init__(self, grids: tuple[NumberGrid, ...]) -> None:
        columns = len(grids)
        self.layout = layout_of(grids)
        self.counts: IntArray = np.zeros(self.layout.size, np.int64)
        self.missing: IntArray = np.zeros((columns, KINDS), np.int64)
        self.sums: IntArray = np.zeros((2, columns), np.int64)
        self.low: FloatArray = np.full(columns, np.inf)
        self.high: FloatArray = np.full(columns, -np.inf)

    def add(self, numbers: FloatArray, first: int = 0, cross: CrossMoments | None = None) -> None:
        """Count a (k, n) matrix whose rows are the grid's columns from `first` on; `cross` counts it too."""
        if len(numbers):
            for at in range(0, numbers.shape[1], EXACT_ROWS):
                self._add_rows(numbers[:, at : at + EXACT_ROWS], first, cross)

    def _add_rows(self, numbers: FloatArray, first: int, cross: CrossMoments | None) -> None:
        columns = slice(first, first + len(numbers))
        missing = count_missing(numbers)
        if missing is not None:
            self.missing[columns] += missing
        steps = self._add_moments(numbers, columns)
        if cross is not None:
            cross.add(steps, None if missing is None else missing.sum(axis=1))
        del steps  # its memory is what sorting takes: fresh pages would cost as much as the sort
        ordered = np.sort(numbers, axis=1)
        present = numbers.shape[1] - (
            missing.sum(axis=1) if missing is not None else np.zeros(len(numbers), np.int64)
        )
        self._add_extremes(ordered, present, columns)
        for i, (row, n) in enumerate(zip(ordered, present.tolist(), strict=True)):
            if n:
                self._add_column(row[:n], first + i)

    def _add_extremes(self, ordered: FloatArray, present: IntArray, columns: slice) -> None:
        """Missing cells are sorted to the end. Adding 0.0 makes 0.0 of -0.0."""
        highest = ordered[np.arange(len(ordered)), np.maximum(present - 1, 0)]
        self.low[columns] = np.fmin(self.low[columns], ordered[:, 0] + 0.0)
        self.high[columns] = np.fmax(self.high[columns], highest + 0.0)

    def _add_moments(self, numbers: FloatArray, columns: slice) -> FloatArray:
        """Count sums and squares; the standardised values in steps, 0 where a cell is missing."""
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = numbers - self.layout.centres[columns]
            scaled *= self.layout.factors[columns]
        np.clip(scaled, -_CLIP, _CLIP, out=scaled)
        np.rint(scaled, out=scaled)
        sums = scaled.sum(axis=1)
        if np.isnan(sums).any():
            scaled[np.isnan(scaled)] = 0.0
            sums = scaled.sum(axis=1)
        self.sums[0, columns] += sums.astype(np.int64)
        self.sums[1, columns] += np.einsum("ij,ij->i", scaled, scaled).astype(np.int64)
        return np.asarray(scaled)

    def _add_column(self, ordered: FloatArray, column: int) -> None:
        edges = self.layout.grids[column].edges
        into = self.counts[self.layout.slice(column)]
        if len(ordered) < _SORTING_PAYS:
            np.add.at(into, edges.searchsorted(ordered, side="right"), 1)
        else:
            below = ordered.searchsorted(edges, side="left")
            into[0] += below[0]
            into[1:-1] += np.diff(below)
            into[-1] += len(ordered) - below[-1]

    def merge(self, other: Self) -> None:
        """Count all that `other` has counted on the same grid."""
        self.counts += other.counts
        self.missing += other.missing
        self.sums += other.sums
        np.minimum(self.low, other.low, out=self.low)
        np.maximum(self.high, other.high, out=self.high)

    def column_counts(self, column: int) -> IntArray:
        """Counts in the bins of one column."""
        return self.counts[self.layout.slice(column)]

    def mean_std(self, column: int) -> tuple[float, float] | None:
        """Mean and standard deviation, values clipped at 128 scales; None without values or moments."""
        n = int(self.column_counts(column).sum())
        grid = self.layout.grids[column]
        if n == 0 or grid.scale <= 0:
            return None
        mean, square = (float(s) / n / STEPS for s in (self.sums[0, column], self.sums[1, column] / STEPS))
        return grid.centre + mean * grid.scale, float(np.sqrt(max(0.0, square - mean**2))) * grid.scale

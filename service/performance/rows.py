"""What a window's sketch leaves of its predictions: rows by score and decision, or by predicted value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.performance.binary_counts import UNDECIDED, BinaryPredictions
from detectors.performance.score_grid import fine_grid

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class BinnedRows:
    """Rows with a value by bin, all between `low` and just above `high`; bin i ends at `edges[i]`.

    Within a bin they are taken as spread evenly.
    """

    edges: FloatArray
    counts: IntArray
    low: float
    high: float

    def below(self, values: FloatArray) -> FloatArray:
        """How many rows are below each of these ascending values."""
        if not self.counts.any():
            return np.zeros(len(values))
        top = np.nextafter(self.high, np.inf)
        inside = (self.edges > self.low) & (self.edges < top)
        ends = np.concatenate([[self.low], self.edges[inside], [top]])
        sums = np.cumsum(self.counts)
        rows = np.concatenate([[0], sums[:-1][inside], [sums[-1]]]).astype(np.float64)
        return np.asarray(np.interp(values, ends, rows, left=0.0, right=rows[-1]))

    def between(self, edges: FloatArray) -> IntArray:
        """Rows by bin between other edges: whole numbers that sum to all rows."""
        if np.array_equal(edges, self.edges):
            return self.counts
        below = np.rint(self.below(edges)).astype(np.int64)
        return np.diff(below, prepend=0, append=int(self.counts.sum()))


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """Rows with a score by point of the fine grid, (B,).

    `lowest` and `highest`, (B,), are the points at the ends of the bin that each point's rows were counted in.
    `positive` is how many of them were decided positive, those of the highest scores; or the reason why nobody knows
    which. `n` are all rows, with or without a score.
    """

    counts: IntArray
    lowest: IntArray
    highest: IntArray
    positive: int | str
    n: int

    @property
    def predictions(self) -> BinaryPredictions:
        """By decision and point."""
        counts = np.zeros((3, fine_grid().size + 1), np.int64)
        if isinstance(self.positive, str):
            counts[UNDECIDED, :-1] = self.counts
        else:
            above = np.cumsum(self.counts[::-1])[::-1] - self.counts
            counts[1, :-1] = np.clip(self.positive - above, 0, self.counts)
            counts[0, :-1] = self.counts - counts[1, :-1]
        off_grid = int(self.counts[self.lowest < self.highest].sum())
        return BinaryPredictions(counts, off_grid)

    def left_open(self, chances: FloatArray) -> float:
        """How far a row's chance can be off, on average, since only the bin of its score is known."""
        n = int(self.counts.sum())
        open_by = np.abs(chances[self.highest] - chances[self.lowest])
        return float(self.counts @ open_by) / n if n else 0.0


WindowRows = ScoredRows | BinnedRows


def scored_rows(values: BinnedRows, positive: int | str, n: int) -> ScoredRows | None:
    """Rows by score on the fine grid; None when more than one in a hundred is no probability."""
    grid, rows = fine_grid(), int(values.counts.sum())
    outside = (
        float(values.below(np.array([0.0]))[0]) + rows - float(values.below(np.nextafter([1.0], 2.0))[0])
    )
    if outside > rows / 100:
        return None
    starts, ends = _ends(values, grid.points)
    return ScoredRows(
        values.between(grid.edges),
        np.minimum(np.searchsorted(grid.edges, starts, side="right"), np.arange(grid.size)),
        np.maximum(np.searchsorted(grid.edges, ends, side="right"), np.arange(grid.size)),
        positive,
        n,
    )


def _ends(values: BinnedRows, points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Where the bin begins that each point is in, and the last value in it."""
    top = np.nextafter(values.high, np.inf)
    edges = np.concatenate([[-np.inf], values.edges, [np.inf]])
    at = np.searchsorted(values.edges, points, side="right")
    starts = np.clip(edges[at], values.low, values.high)
    return starts, np.clip(np.nextafter(edges[at + 1], -np.inf), starts, min(top, values.high))

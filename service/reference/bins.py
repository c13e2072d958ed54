"""One column's counts in bins, read as a distribution: rows are taken as spread evenly within a bin."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from service.sketches.numbers import NumberSketch

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class BinnedColumn(NamedTuple):
    """Counts between edges (one more than there are edges), and the lowest and highest value counted."""

    edges: FloatArray
    counts: IntArray
    low: float
    high: float


def cumulative(column: BinnedColumn) -> tuple[FloatArray, FloatArray]:
    """Ascending points, and how many values are below each; from the lowest value to just above the highest.

    Needs at least one row.
    """
    edges = column.edges
    below = np.cumsum(column.counts)
    low, top = column.low, np.nextafter(column.high, np.inf)
    inside = (edges > low) & (edges < top)
    points = np.concatenate([[low], edges[inside], [top]])
    return points, np.concatenate([[0.0], below[:-1][inside], [below[-1]]])


def quantiles_of(column: BinnedColumn, shares: FloatArray) -> FloatArray:
    """The values below which these shares of the rows lie, each within its bin; needs at least one row."""
    points, below = cumulative(column)
    wanted = shares * below[-1]
    upper = np.clip(np.searchsorted(below, wanted, side="left"), 1, len(points) - 1)
    start, end = points[upper - 1], points[upper]
    inside = (wanted - below[upper - 1]) / np.maximum(1.0, below[upper] - below[upper - 1])
    single = end <= np.nextafter(start, np.inf)
    between = start + np.clip(inside, 0.0, 1.0) * (end - start)
    return np.asarray(np.clip(np.where(single, start, between), column.low, column.high))


def moments_of(column: BinnedColumn) -> tuple[float, float]:
    """Mean and standard deviation with every row in the middle of its bin; needs at least one row."""
    points, below = cumulative(column)
    rows = np.diff(below)
    middles = points[:-1] + np.diff(points) / 2
    mean = float(np.average(middles, weights=rows))
    return mean, float(np.sqrt(np.average((middles - mean) ** 2, weights=rows)))


def binned(numbers: NumberSketch, place: int) -> BinnedColumn:
    """One column of a sketch."""
    grid = numbers.layout.grids[place]
    return BinnedColumn(
        grid.edges, numbers.column_counts(place), float(numbers.low[place]), float(numbers.high[place])
    )


def mean_std(numbers: NumberSketch, place: int) -> tuple[float, float] | None:
    """From the moments where the grid has a scale, else from the bins; None without values."""
    column = binned(numbers, place)
    if not column.counts.any():
        return None
    if column.low == column.high:
        return column.low, 0.0
    return numbers.mean_std(place) or moments_of(column)

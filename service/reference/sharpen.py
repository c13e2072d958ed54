"""Finer bins than those that a column was counted on, where its kept rows say where in a bin the values lie.

On a log-spaced grid the rows of a bin are known only to lie in it. A column of integers lies on its integers,
and a value that at least three of the kept rows of a bin share is one value. All else is spread evenly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.reference.bins import BinnedColumn, cumulative
from service.reference.regrid import regrid_counts
from service.sketches.grids import exact_edges

if TYPE_CHECKING:
    from collections.abc import Iterator

FloatArray = NDArray[np.float64]

_MOST_INTEGERS = 64
_ENOUGH_VALUES = 16
_FREQUENT = 3


def sharpened(column: BinnedColumn, sample: FloatArray) -> BinnedColumn:
    """The column on more edges, with the same total; `sample` holds finite values of some of its rows."""
    if not column.counts.any():
        return column
    whole = are_integers(column, sample)
    values, counts = [], []
    for start, end, rows in _bins(column):
        inside = sample[(sample >= start) & (sample < end)]
        for value, n in _integers(start, end, rows) if whole else _repeated(inside, rows):
            values.append(value)
            counts.append(n)
    if not values:
        return column
    points, weights = np.array(values), np.array(counts, np.int64)
    rest = column.counts.copy()
    np.subtract.at(rest, np.searchsorted(column.edges, points, side="right"), weights)
    edges = np.unique(np.concatenate([column.edges, exact_edges(points)]))
    fine = regrid_counts(column.edges, rest, column.low, column.high, edges)
    np.add.at(fine, np.searchsorted(edges, points, side="right"), weights)
    return BinnedColumn(edges, fine, column.low, column.high)


def are_integers(column: BinnedColumn, sample: FloatArray) -> bool:
    """Whether enough kept values, and the extremes, say that all values are integers."""
    known = np.concatenate([sample, [column.low, column.high]])
    return len(sample) >= _ENOUGH_VALUES and bool((known == np.rint(known)).all())


def _bins(column: BinnedColumn) -> Iterator[tuple[float, float, int]]:
    points, below = cumulative(column)
    rows = np.diff(below).astype(np.int64)
    for i in np.flatnonzero(rows).tolist():
        yield float(points[i]), float(points[i + 1]), int(rows[i])


def _integers(start: float, end: float, rows: int) -> list[tuple[float, int]]:
    """The integers in [start, end), the rows shared out among them; none when there are too many to tell."""
    first, last = int(np.ceil(start)), int(np.ceil(end)) - 1
    n = last - first + 1
    if not 1 <= n <= _MOST_INTEGERS:
        return []
    shares = np.diff(np.rint(np.linspace(0, rows, n + 1))).astype(np.int64).tolist()
    return [(float(first + i), share) for i, share in enumerate(shares) if share]


def _repeated(inside: FloatArray, rows: int) -> list[tuple[float, int]]:
    values, times = np.unique(inside, return_counts=True)
    often = [(v, t) for v, t in zip(values.tolist(), times.tolist(), strict=True) if t >= _FREQUENT]
    return [(value, rows * n // len(inside)) for value, n in often]

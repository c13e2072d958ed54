"""Second moments of the number columns of inferences: which columns move together.

All state is integers: values in steps of 1/1024 of the grid's scale from its centre, clipped at 8 scales, so that
adding rows in any batches, and merging in any order, gives the same bits. A product of two such values has at most
26 bits, so a matrix product in doubles is exact for the rows that `NumberSketch` adds at once.

A missing cell counts as the centre. The estimates take missing cells as independent of the values and of each
other's columns: columns that are missing in the same rows, a share q of them, look 1/(1-q) times as correlated.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from service.messages import Role
from service.sketches.numbers import STEPS

if TYPE_CHECKING:
    from service.messages import Column
    from service.sketches.grids import Grid, NumberGrid

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MAX_COLUMNS = 48
LIMIT = 8 * int(STEPS)
"""The largest standardised value, in steps."""
_LEAST_VARIANCE = 1e-9
"""Of standardised values: less is what rounding leaves of a column that does not vary."""


@lru_cache(maxsize=64)
def _grids_with_moments(
    numbers: tuple[NumberGrid, ...],
) -> tuple[tuple[Column, ...], slice | NDArray[np.intp]]:
    """The columns, and their places: a slice where they can be read without a copy."""
    places = [i for i, g in enumerate(numbers) if g.scale > 0 and g.column.role is not Role.LABEL][
        :MAX_COLUMNS
    ]
    columns = tuple(numbers[place].column for place in places)
    if places == list(range(len(places))):
        return columns, slice(len(places))
    return columns, np.array(places)


class CrossMoments:
    """Sums and sums of products of the first `MAX_COLUMNS` number columns of inferences that have a scale.

    `rows` were counted, `present` of them had a value, (d,). `sums`, (d,), and `products`, (d, d), are in steps.
    """

    __slots__ = ("_places", "columns", "present", "products", "rows", "sums")

    def __init__(self, grid: Grid) -> None:
        self.columns, self._places = _grids_with_moments(grid.numbers)
        d = len(self.columns)
        self.rows = 0
        self.present: IntArray = np.zeros(d, np.int64)
        self.sums: IntArray = np.zeros(d, np.int64)
        self.products: IntArray = np.zeros((d, d), np.int64)

    def add(self, steps: FloatArray, missing: IntArray | None) -> None:
        """Count n rows of all number columns of inferences: `steps` is (columns, n), 0 where a cell is missing.

        `missing` is how many these are by column, None for none. `steps` is overwritten.
        """
        self.rows += steps.shape[1]
        if not self.columns:
            return
        taken = steps[self._places]
        np.clip(taken, -LIMIT, LIMIT, out=taken)
        self.present += steps.shape[1] - (0 if missing is None else missing[self._places])
        # not a product with ones: that one BLAS spreads over threads, which on busy cores costs a hundredfold
        self.sums += taken.sum(axis=1).astype(np.int64)
        self.products += (taken @ taken.T).astype(np.int64)

    def merge(self, other: Self) -> None:
        """Count all that `other` has counted on the same grid."""
        self.rows += other.rows
        self.present += other.present
        self.sums += other.sums
        self.products += other.products

    def mean(self) -> FloatArray:
        """The mean of each column, (d,), in scales from the centre; 0 where there is no value."""
        return np.asarray(self.sums / np.maximum(self.present, 1) / STEPS)

    def covariance(self) -> FloatArray:
        """Covariances of the standardised values, (d, d), dividing by the rows; 0 where there is no value."""
        share = self.present / max(self.rows, 1)
        together = np.outer(share, share)
        np.fill_diagonal(together, share)
        together *= self.rows
        mean = self.mean()
        moments = self.products / np.where(together > 0, together, np.inf) / STEPS**2
        made = moments - np.outer(mean, mean) * (together > 0)
        np.fill_diagonal(made, np.maximum(made.diagonal(), 0.0))
        return np.asarray(made)

    def correlation(self) -> FloatArray:
        """Correlations, (d, d); 0 where a column does not vary, 1 of each column with itself."""
        covariance = self.covariance()
        variance = covariance.diagonal()
        inverse = np.where(
            variance > _LEAST_VARIANCE, 1 / np.sqrt(np.maximum(variance, _LEAST_VARIANCE)), 0.0
        )
        made = np.clip(covariance * np.outer(inverse, inverse), -1.0, 1.0)
        np.fill_diagonal(made, 1.0)
        return np.asarray(made)

"""The summary of the category columns of some rows: counts by category, kinds of missing, unseen texts."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from service.sketches.bottom_k import BottomK
from service.sketches.cells import KINDS

if TYPE_CHECKING:
    from service.messages import TextColumn
    from service.sketches.grids import CategoryGrid

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class CategorySketch:
    """Integer state of all category columns of a grid."""

    __slots__ = ("_starts", "counts", "grids", "missing", "unseen")

    def __init__(self, grids: tuple[CategoryGrid, ...]) -> None:
        self.grids = grids
        self._starts = list(accumulate((len(g.categories) for g in grids), initial=0))
        self.counts: IntArray = np.zeros(self._starts[-1], np.int64)
        self.missing: IntArray = np.zeros((len(grids), KINDS), np.int64)
        self.unseen = [BottomK() for _ in grids]

    def add(self, texts: TextColumn, rows: NDArray[np.intp] | slice, column: int) -> None:
        """Count the chosen rows of a dictionary-encoded column."""
        counts = np.bincount(texts.codes[rows], minlength=len(texts.values))
        index, into = self.grids[column].index, self.column_counts(column)
        for code in np.flatnonzero(counts).tolist():
            value, count = texts.values[code], int(counts[code])
            if isinstance(value, int):
                self.missing[column, value] += count
            elif (place := index.get(value)) is not None:
                into[place] += count
            else:
                self.unseen[column].add(value, count)

    def merge(self, other: Self) -> None:
        """Count all that `other` has counted on the same grid."""
        self.counts += other.counts
        self.missing += other.missing
        for mine, theirs in zip(self.unseen, other.unseen, strict=True):
            mine.merge(theirs)

    def column_counts(self, column: int) -> IntArray:
        """Counts by category of one column."""
        return self.counts[self._starts[column] : self._starts[column + 1]]


def places_in(grid: CategoryGrid, texts: TextColumn, codes: NDArray[np.int32]) -> FloatArray:
    """The places of these cells' categories in a grid; NaN where they are missing or unseen."""
    values = (texts.values[code] for code in codes.tolist())
    return np.array([grid.index.get(v, np.nan) if isinstance(v, str) else np.nan for v in values])


def moved_places(places: FloatArray, old: tuple[str, ...], new: tuple[str, ...]) -> FloatArray:
    """Places in one list of categories as places in another; NaN where a category is not in that one."""
    index = {text: float(i) for i, text in enumerate(new)}
    to = np.array([*(index.get(text, np.nan) for text in old), np.nan])
    return np.asarray(to[np.where(np.isnan(places), len(old), places).astype(np.intp)])

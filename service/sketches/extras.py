"""The summary of a column that the grid does not describe: a new field, or text instead of numbers."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Self

import numpy as np

from service.messages import NOT_APPLICABLE, PREDICTION
from service.sketches.bottom_k import BottomK
from service.sketches.grids import NumberGrid, default_number_grid
from service.sketches.numbers import NumberSketch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from service.messages import ExtraColumn, TextColumn


@lru_cache(maxsize=1)
def default_grids() -> tuple[NumberGrid, ...]:
    """The one log-spaced grid that every column without a grid is counted on."""
    return (default_number_grid(PREDICTION),)


class ExtraSketch:
    """Numbers on the default grid, and texts in bounded memory."""

    __slots__ = ("numbers", "texts")

    def __init__(self) -> None:
        self.numbers = NumberSketch(default_grids())
        self.texts = BottomK()

    def add(self, column: ExtraColumn, rows: NDArray[np.intp] | slice) -> None:
        """Count the chosen rows that speak of this column (how many do not depends on the batch)."""
        if column.numbers is not None:
            self.numbers.add(column.numbers[rows][None, :])
        if column.texts is not None:
            self._add_texts(column.texts, rows)
        self.numbers.missing[0, NOT_APPLICABLE] = 0

    @property
    def cells(self) -> int:
        """Rows counted: numbers, texts and missing ones."""
        return int(self.numbers.counts.sum() + self.numbers.missing.sum()) + self.texts.total

    def _add_texts(self, texts: TextColumn, rows: NDArray[np.intp] | slice) -> None:
        counts = np.bincount(texts.codes[rows], minlength=len(texts.values))
        for code in np.flatnonzero(counts).tolist():
            value = texts.values[code]
            if isinstance(value, str):
                self.texts.add(value, int(counts[code]))
            else:
                self.numbers.missing[0, value] += int(counts[code])

    def merge(self, other: Self) -> None:
        """Count all that `other` has counted."""
        self.numbers.merge(other.numbers)
        self.texts.merge(other.texts)

"""One column of some rows, ready to be compared: as numbers or as categories, the same way on all sides."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from service.messages import NOT_APPLICABLE, Column, Missing
from service.reference.bins import BinnedColumn, binned, mean_std, moments_of, quantiles_of
from service.reference.regrid import parts_of, regrid_sketch
from service.sketches.bottom_k import BottomK
from service.sketches.grids import CategoryGrid, Grid, NumberGrid, default_number_grid
from service.sketches.numbers import MOST_SCALES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.sketches.pane import PaneSketch

SHARES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


class Kind(StrEnum):
    """What a column is taken to hold."""

    NUMBER = "number"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True, eq=False)
class ColumnCounts:
    """Numbers in bins, or counts by category; what was missing, by kind; and texts that no category knows.

    `rows` are those that the column may have a value in. `bins` are empty where it holds categories.
    """

    kind: Kind
    rows: int
    missing: tuple[int, ...]
    bins: BinnedColumn
    moments: tuple[float, float] | None
    categories: Mapping[str, int]
    unseen: BottomK

    @property
    def values(self) -> int:
        """Rows that have a value."""
        return self.rows - sum(self.missing)

    def others(self, named: Sequence[str]) -> int:
        """Rows of a category that is none of these."""
        return sum(self.categories.values()) - sum(self.categories.get(name, 0) for name in named)

    def quantiles(self) -> tuple[float, ...] | None:
        """Those at `SHARES`; None without a number."""
        if not self.bins.counts.any():
            return None
        return tuple(map(float, quantiles_of(self.bins, np.array(SHARES))))


NO_BINS = BinnedColumn(np.empty(0), np.zeros(1, np.int64), np.inf, -np.inf)


def same_kind(column: Column, sides: Sequence[PaneSketch | None]) -> Grid | None:
    """The grid that all sides are to be read on: what one of them knows, the first one before the others.

    Where none knows the column: numbers, if most cells are, or else the texts that were kept. None: nothing came.
    """
    there = [side for side in sides if side is not None]
    for side in there:
        if (at := side.grid.number_at.get(column)) is not None:
            return Grid((side.grid.numbers[at],))
        if (at := side.grid.text_at.get(column)) is not None:
            return Grid(texts=(side.grid.texts[at],))
    parts = [part for side in there if (part := parts_of(side).get(column)) is not None]
    if not parts:
        return None
    if sum(part.numbers_total for part in parts) >= sum(part.texts.total for part in parts):
        return Grid((default_number_grid(column),))
    return Grid(
        texts=(CategoryGrid(column, tuple(sorted({text for part in parts for text in part.texts.counts}))),)
    )


def counts_of(column: Column, sketch: PaneSketch, grid: Grid) -> ColumnCounts:
    """The column as numbers or categories, whichever `grid` says; numbers stay in the bins of their sketch."""
    if grid.number_at:
        on = grid if column not in sketch.grid.number_at else Grid((_number_grid(sketch, column),))
        return _numbers(regrid_sketch(sketch, on), column)
    return _categories(regrid_sketch(sketch, grid), column)


def wrong_texts(column: Column, sketch: PaneSketch) -> BottomK:
    """The texts that came where the column holds numbers."""
    part = parts_of(sketch).get(column)
    return BottomK() if part is None or column in sketch.grid.text_at else part.texts


def _number_grid(sketch: PaneSketch, column: Column) -> NumberGrid:
    return sketch.grid.numbers[sketch.grid.number_at[column]]


def _missing(row: Sequence[int]) -> tuple[int, ...]:
    return tuple(int(one) for one in row[:NOT_APPLICABLE])


def _numbers(sketch: PaneSketch, column: Column) -> ColumnCounts:
    at = sketch.grid.number_at[column]
    bins, missing = binned(sketch.numbers, at), _missing(sketch.numbers.missing[at].tolist())
    rows = int(bins.counts.sum()) + sum(missing)
    return ColumnCounts(Kind.NUMBER, rows, missing, bins, _moments(sketch, at), {}, BottomK())


def _are_clipped(sketch: PaneSketch, at: int) -> bool:
    """Whether values lie so far off that sums count them as nearer: then bins know their mean better."""
    numbers, grid = sketch.numbers, sketch.grid.numbers[at]
    far = max(grid.centre - numbers.low[at], numbers.high[at] - grid.centre)
    return bool(np.isfinite(far) and far > MOST_SCALES * grid.scale)


def _moments(sketch: PaneSketch, at: int) -> tuple[float, float] | None:
    """Mean and standard deviation; None without values, and of values too large to be squared."""
    with np.errstate(over="ignore", invalid="ignore"):
        found = (
            moments_of(binned(sketch.numbers, at))
            if _are_clipped(sketch, at)
            else mean_std(sketch.numbers, at)
        )
    return found if found is not None and np.isfinite(found).all() else None


def _categories(sketch: PaneSketch, column: Column) -> ColumnCounts:
    at, counted = sketch.grid.text_at[column], sketch.categories
    missing = _missing(counted.missing[at].tolist())
    found = dict(zip(sketch.grid.texts[at].categories, counted.column_counts(at).tolist(), strict=True))
    rows = sum(found.values()) + counted.unseen[at].total + sum(missing)
    return ColumnCounts(Kind.CATEGORY, rows, missing, NO_BINS, None, found, counted.unseen[at])


def missing_by_name(counts: ColumnCounts) -> dict[str, int]:
    """The six kinds, by their names in lower case."""
    return {kind.name.lower(): n for kind, n in zip(Missing, counts.missing, strict=True)}

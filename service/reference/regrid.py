"""Counts on one grid, as they would be on another: interpolation of cumulative counts.

How many rows lie below an edge is known exactly at the old edges; between two of them the rows are taken as
spread evenly. So a new cumulative count is wrong by at most the rows of the one old bin in which the new edge
lies, and is exact at an edge that both grids have: every grid has the log-spaced ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.messages import NOT_APPLICABLE, Column, Missing, Role
from service.reference.bins import BinnedColumn, binned, cumulative, mean_std
from service.reference.regrid_moments import regrid_moments
from service.reference.regrid_samples import regrid_labels, regrid_rows
from service.sketches.bottom_k import BottomK
from service.sketches.extras import ExtraSketch
from service.sketches.numbers import MOST_SCALES, STEPS
from service.sketches.pane import PaneSketch

if TYPE_CHECKING:
    from service.sketches.grids import Grid, NumberGrid
    from service.sketches.numbers import NumberSketch

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def regrid_counts(
    edges_from: FloatArray, counts: IntArray, low: float, high: float, edges_to: FloatArray
) -> IntArray:
    """The counts between other edges, of values that lie from `low` to `high`.

    The cumulative counts are rounded, not the bins: no bin is off by more than one row from its share,
    the total stays, and the counts between shared edges are exact (largest remainders would not keep those).
    """
    n = int(counts.sum())
    if n == 0:
        return np.zeros(len(edges_to) + 1, np.int64)
    points, below = cumulative(BinnedColumn(edges_from, counts, low, high))
    at = np.rint(np.interp(edges_to, points, below, left=0.0, right=float(n))).astype(np.int64)
    return np.diff(at, prepend=0, append=n)


def regrid_sketch(sketch: PaneSketch, grid: Grid) -> PaneSketch:
    """The same rows on `grid`: columns matched by name, categories by text, numbers by `regrid_counts`.

    A column that the new grid does not know becomes an extra, an extra that it knows becomes a column.
    A column of which nothing was counted is absent in all rows. Texts where the new grid wants numbers, and
    numbers where it wants categories (bins do not tell their text), are WRONG_TYPE.
    """
    if sketch.grid.id == grid.id:
        return sketch
    made = PaneSketch(grid)
    made.inferences, made.labels = sketch.inferences, sketch.labels
    made.first_ms, made.last_ms = sketch.first_ms, sketch.last_ms
    made.extras_dropped = sketch.extras_dropped
    found = parts_of(sketch)
    for place, number in enumerate(grid.numbers):
        missing = made.numbers.missing[place]
        if (part := found.pop(number.column, None)) is not None:
            _fill_numbers(made.numbers, place, part)
            missing += part.missing
            missing[Missing.WRONG_TYPE] += part.texts.total
        missing[Missing.ABSENT] += _rows_without(part, made, number.column)
    for place, text in enumerate(grid.texts):
        missing = made.categories.missing[place]
        if (part := found.pop(text.column, None)) is not None:
            _fill_texts(made, place, part.texts)
            missing += part.missing
            missing[Missing.WRONG_TYPE] += part.numbers_total
        missing[Missing.ABSENT] += _rows_without(part, made, text.column)
    made.extras = {column: _extra(part) for column, part in sorted(found.items())}
    made.moments = regrid_moments(sketch, grid)
    made.sample, made.label_sample = regrid_rows(sketch, grid), regrid_labels(sketch, grid)
    return made


class Part:
    """All that a sketch has counted of one column, be it in its grid, an extra, or both."""

    def __init__(self) -> None:
        self.numbers: tuple[NumberSketch, int] | None = None
        self.texts = BottomK()
        self.missing = np.zeros(NOT_APPLICABLE + 1, np.int64)

    @property
    def numbers_total(self) -> int:
        """Rows with a number."""
        return 0 if self.numbers is None else int(self.numbers[0].column_counts(self.numbers[1]).sum())

    @property
    def rows(self) -> int:
        """Rows counted, also those that have no value."""
        return self.numbers_total + self.texts.total + int(self.missing.sum())


def parts_of(sketch: PaneSketch) -> dict[Column, Part]:
    """The columns of a sketch, those of its grid and its extras alike."""
    parts: dict[Column, Part] = {}
    for place, number in enumerate(sketch.grid.numbers):
        part = parts[number.column] = Part()
        part.numbers = (sketch.numbers, place)
        part.missing += sketch.numbers.missing[place]
    for place, text in enumerate(sketch.grid.texts):
        part = parts[text.column] = Part()
        part.missing += sketch.categories.missing[place]
        part.texts = _known_and_unseen(sketch, place)
    for column, extra in sketch.extras.items():
        _add_extra(parts, column, extra)
    return parts


def _known_and_unseen(sketch: PaneSketch, place: int) -> BottomK:
    counts = zip(
        sketch.grid.texts[place].categories, sketch.categories.column_counts(place).tolist(), strict=True
    )
    unseen = sketch.categories.unseen[place]
    return BottomK({text: n for text, n in counts if n} | unseen.counts, unseen.other)


def _add_extra(parts: dict[Column, Part], column: Column, extra: ExtraSketch) -> None:
    known = parts.get(column)
    if known is None:
        part = parts[column] = Part()
        part.numbers, part.texts = (extra.numbers, 0), extra.texts.copy()
        part.missing += extra.numbers.missing[0]
        part.missing[NOT_APPLICABLE] = 0
    else:  # the texts of cells that the grid's column has counted as WRONG_TYPE
        known.texts.merge(extra.texts)
        known.missing[Missing.WRONG_TYPE] = max(0, int(known.missing[Missing.WRONG_TYPE]) - extra.texts.total)


def _rows_without(part: Part | None, made: PaneSketch, column: Column) -> int:
    rows = made.labels if column.role is Role.LABEL else made.inferences
    return max(0, rows - part.rows) if part is not None else rows


def _fill_numbers(into: NumberSketch, place: int, part: Part) -> None:
    if part.numbers is None or not part.numbers_total:
        return
    column, grid = binned(*part.numbers), into.layout.grids[place]
    into.column_counts(place)[:] = regrid_counts(*column, grid.edges)
    into.low[place], into.high[place] = column.low, column.high
    if (moments := mean_std(*part.numbers)) is not None:
        into.sums[:, place] = sums_of(part.numbers_total, *moments, grid)


def sums_of(n: int, mean: float, std: float, grid: NumberGrid) -> IntArray:
    """The quantised sums that n values of this mean and standard deviation have on a grid."""
    if grid.scale <= 0:
        return np.zeros(2, np.int64)
    centre = float(np.clip((mean - grid.centre) / grid.scale, -MOST_SCALES, MOST_SCALES))
    square = min(min(std / grid.scale, MOST_SCALES) ** 2 + centre**2, MOST_SCALES**2)
    return np.array([round(n * centre * STEPS), round(n * square * STEPS**2)], np.int64)


def _fill_texts(made: PaneSketch, place: int, texts: BottomK) -> None:
    index, into = made.grid.texts[place].index, made.categories.column_counts(place)
    for text, n in texts.counts.items():
        if text in index:
            into[index[text]] += n
    made.categories.unseen[place] = BottomK(
        {t: n for t, n in texts.counts.items() if t not in index}, texts.other
    )


def _extra(part: Part) -> ExtraSketch:
    extra = ExtraSketch()
    _fill_numbers(extra.numbers, 0, part)
    extra.texts = part.texts
    extra.texts.shrink()
    extra.numbers.missing[0] += part.missing
    return extra

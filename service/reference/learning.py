"""Makes a reference profile of live panes, for a model that has no training table.

Error: the quantile edges are interpolated, off by at most the bin of the panes' grid in which each lies;
so are the counts between edges that the panes' grid does not have. `sharpen` says which columns escape that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.messages import LABEL, PREDICTION, Column, Missing, Role
from service.monitor import Task
from service.reference.bins import BinnedColumn, binned, moments_of, quantiles_of
from service.reference.column_summary import NumberFacts, summarize
from service.reference.profile import ReferenceProfile
from service.reference.regrid import Part, parts_of, regrid_counts, sums_of
from service.reference.regrid_moments import regrid_moments
from service.reference.sharpen import are_integers, sharpened
from service.sketches.bottom_k import BottomK
from service.sketches.grids import (
    MAX_ATOMS,
    QUANTILE_EDGES,
    Grid,
    NumberGrid,
    category_grid,
    default_number_grid,
    exact_edges,
    log_edges,
)  # fmt: skip
from service.sketches.pane import PaneSketch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
_FREQUENT_SHARE = 0.01


class _Numbers(NamedTuple):
    """A column of numbers: its bins, sharpened; what was missing; whether its values are integers; its extremes."""

    bins: BinnedColumn
    missing: IntArray
    integer: bool
    low: float
    high: float


class _Texts(NamedTuple):
    """A column of categories."""

    texts: BottomK
    missing: IntArray


class _Kind(Enum):
    """What a column is taken to hold."""

    NUMBERS = "numbers"
    CATEGORIES = "categories"
    CLASSES = "classes"


class _Read(NamedTuple):
    """The columns of a sketch, as what they are taken to hold."""

    numbers: Mapping[Column, _Numbers]
    texts: Mapping[Column, _Texts]


@dataclass(frozen=True, slots=True)
class Parts:
    """Some of the same rows apart, on the same grid: consecutive `blocks` in the order of time, and `segments`."""

    blocks: Sequence[PaneSketch] = ()
    segments: Mapping[str, PaneSketch] = field(default_factory=dict)


def profile_from_sketch(
    name: str, model: str, task: Task, sketch: PaneSketch, parts: Parts | None = None
) -> ReferenceProfile:
    """The profile of merged panes, counted on any grid, with a grid of its own.

    A column that the panes' grid did not know holds numbers when more than half of its values are numbers.
    Labels and predictions of a classification are categories; where only bins of their numbers are known,
    they are the integers in those bins, shared out evenly where a bin holds several; others are WRONG_TYPE.
    Parts are read as the whole is, by the rows that the whole has kept: else they would seem to differ from it.
    """
    parts, kinds = parts or Parts(), _kinds(sketch, task)
    read = _read(sketch, kinds, sketch)
    grid = Grid(
        tuple(_number_grid(column, one) for column, one in read.numbers.items()),
        tuple(category_grid(column, one.texts.counts) for column, one in read.texts.items()),
    )
    made = _filled(PaneSketch(grid), sketch, read)
    blocks = tuple(_filled(PaneSketch(grid), part, _read(part, kinds, sketch)) for part in parts.blocks)
    segments = {
        segment: _filled(PaneSketch(grid), part, _read(part, kinds, sketch))
        for segment, part in sorted(parts.segments.items())
    }
    facts = {column: _facts(one) for column, one in read.numbers.items()}
    first_ms, last_ms = (made.first_ms, made.last_ms) if made.events else (None, None)
    return ReferenceProfile(
        name, model, task, grid, made, blocks, bool(blocks), max(made.inferences, made.labels), first_ms, last_ms,
        summarize(made, facts), segments=segments,
    )  # fmt: skip


def _kinds(sketch: PaneSketch, task: Task) -> dict[Column, _Kind]:
    """What each column holds; the columns of a contract's rules are the monitor's, and not learned."""
    found = sorted(parts_of(sketch).items())
    return {column: _kind(column, part, task) for column, part in found if column.role is not Role.RULE}


def _kind(column: Column, part: Part, task: Task) -> _Kind:
    if column in {LABEL, PREDICTION} and task in {Task.BINARY, Task.MULTICLASS}:
        return _Kind.CLASSES
    mostly = 2 * part.numbers_total > part.numbers_total + part.texts.total
    return _Kind.NUMBERS if mostly or (not part.texts.total and part.numbers) else _Kind.CATEGORIES


def _read(sketch: PaneSketch, kinds: Mapping[Column, _Kind], whole: PaneSketch) -> _Read:
    found, of_whole = parts_of(sketch), parts_of(whole)
    numbers: dict[Column, _Numbers] = {}
    texts: dict[Column, _Texts] = {}
    for column, kind in kinds.items():
        part = found.get(column) or Part()
        if kind is _Kind.NUMBERS:
            numbers[column] = _numbers(part, of_whole[column], _kept(whole, column))
        else:
            texts[column] = _classes(part) if kind is _Kind.CLASSES else _categories(part)
    return _Read(numbers, texts)


def _kept(sketch: PaneSketch, column: Column) -> FloatArray:
    """The finite values of this column in the rows that a sketch has kept."""
    place = sketch.grid.number_at.get(column, -1)
    values = sketch.sample.values[place] if 0 <= place < len(sketch.sample.values) else np.empty(0)
    return values[np.isfinite(values)]


def _numbers(part: Part, whole: Part, kept: FloatArray) -> _Numbers:
    """The outermost bins reach to the extremes of the whole, in a part of it too, so that both are read alike."""
    missing = part.missing.copy()
    missing[Missing.WRONG_TYPE] += part.texts.total
    if part.numbers is None or whole.numbers is None:
        nothing = np.zeros(len(log_edges()) + 1, np.int64)
        return _Numbers(
            BinnedColumn(log_edges(), nothing, 0.0, 0.0), missing, integer=False, low=0.0, high=0.0
        )
    own, all_rows = binned(*part.numbers), binned(*whole.numbers)
    counted = own._replace(low=all_rows.low, high=all_rows.high)
    return _Numbers(
        sharpened(counted, kept), missing, are_integers(counted, kept), low=own.low, high=own.high
    )


def _categories(part: Part) -> _Texts:
    missing = part.missing.copy()
    missing[Missing.WRONG_TYPE] += part.numbers_total
    return _Texts(part.texts, missing)


def _classes(part: Part) -> _Texts:
    texts, missing = part.texts.copy(), part.missing.copy()
    if part.numbers is not None and part.numbers_total:
        counted = binned(*part.numbers)
        fine = sharpened(counted, np.resize([counted.low, counted.high], MAX_ATOMS))
        values, rows = _single_values(fine)
        for value, n in zip(values.tolist(), rows.tolist(), strict=True):
            texts.add(str(int(value)) if value.is_integer() else repr(value), n)
        missing[Missing.WRONG_TYPE] += part.numbers_total - int(rows.sum())
    return _Texts(texts, missing)


def _single_values(bins: BinnedColumn) -> tuple[FloatArray, IntArray]:
    """The values that have a bin of their own, and rows."""
    starts, counts = bins.edges[:-1], bins.counts[1:-1]
    single = (bins.edges[1:] <= np.nextafter(starts, np.inf)) & (counts > 0)
    return starts[single], counts[single]


def _number_grid(column: Column, one: _Numbers) -> NumberGrid:
    bins = one.bins
    if not bins.counts.any():
        return default_number_grid(column)
    quantiles = quantiles_of(bins, np.arange(1, QUANTILE_EDGES + 1) / (QUANTILE_EDGES + 1))
    ends = np.array([bins.low, np.nextafter(bins.high, np.inf)])
    edges = np.unique(np.concatenate([quantiles, ends, exact_edges(_atoms(bins)), log_edges()]))
    mean, std = moments_of(bins)
    return NumberGrid(column, edges, mean, std)


def _atoms(bins: BinnedColumn) -> FloatArray:
    """The values that deserve a bin of their own: all of a short list, else those of a percent or more."""
    values, rows = _single_values(bins)
    n = int(bins.counts.sum())
    if len(values) > MAX_ATOMS or int(rows.sum()) < n:
        values = values[rows >= max(2.0, _FREQUENT_SHARE * n)]
    return values[:MAX_ATOMS]


def _facts(one: _Numbers) -> NumberFacts:
    """At least as many distinct values as there are bins with rows."""
    return NumberFacts(int(np.count_nonzero(one.bins.counts)), distinct_exact=False, integer=one.integer)


def _filled(made: PaneSketch, old: PaneSketch, read: _Read) -> PaneSketch:
    made.inferences, made.labels, made.first_ms, made.last_ms = (
        old.inferences,
        old.labels,
        old.first_ms,
        old.last_ms,
    )
    for place, grid in enumerate(made.grid.numbers):
        one = read.numbers[grid.column]
        bins = one.bins
        made.numbers.missing[place] = one.missing
        if bins.counts.any():
            made.numbers.column_counts(place)[:] = regrid_counts(*bins, grid.edges)
            made.numbers.low[place], made.numbers.high[place] = one.low, one.high
            made.numbers.sums[:, place] = sums_of(int(bins.counts.sum()), *moments_of(bins), grid)
    for place, text in enumerate(made.grid.texts):
        known, index = read.texts[text.column].texts, text.index
        made.categories.missing[place] = read.texts[text.column].missing
        made.categories.column_counts(place)[:] = [known.counts.get(c, 0) for c in text.categories]
        unseen = {t: n for t, n in known.counts.items() if t not in index}
        made.categories.unseen[place] = BottomK(unseen, known.other)
    _count_absent(made)
    made.moments = regrid_moments(old, made.grid)
    return made


def _count_absent(made: PaneSketch) -> None:
    """Rows that nothing was counted of, in columns that the panes' grid did not know, are absent."""
    labels_from = made.grid.count_of(labels=False)
    counted = [made.numbers.column_counts(p).sum() for p in range(len(made.grid.numbers))]
    for place, n in enumerate(counted):
        rows = made.labels if place >= labels_from[0] else made.inferences
        missing = made.numbers.missing[place]
        missing[Missing.ABSENT] += max(0, rows - int(n) - int(missing.sum()))
    for place in range(len(made.grid.texts)):
        rows = made.labels if place >= labels_from[1] else made.inferences
        missing = made.categories.missing[place]
        n = made.categories.column_counts(place).sum() + made.categories.unseen[place].total
        missing[Missing.ABSENT] += max(0, rows - int(n) - int(missing.sum()))

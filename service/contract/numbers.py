"""Counts the numbers of a column that break a promise, from their bins, their extremes and the sampled rows.

A bound that is an edge of the grid is counted exactly, and every contract in force has its bounds as edges
(`grid_for`). Of rows that were counted on another grid the one bin with the bound in it is spread evenly.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.allowed_share import breach_p_value
from service.contract.clauses import Code, Count
from service.contract.grids import numbers_of
from service.reference.bins import cumulative

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.diagnosis.view import ColumnView
    from service.promises import Promise
    from service.reference.bins import BinnedColumn

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def number_counts(view: ColumnView, promise: Promise) -> Iterator[Count]:
    """Every clause about numbers, for a column that is counted as numbers."""
    whole = promise.integer
    if promise.low is not None:
        code = Code.SMALL_INTEGER if whole else Code.SMALL
        yield _below(view.numbers, promise.low, code, promise.outside)
    if promise.high is not None:
        code = Code.BIG_INTEGER if whole else Code.BIG
        yield _above(view.numbers, promise.high, code, promise.outside)
    if promise.integer:
        yield _fractional(view, promise.fractional)
    if promise.categories is not None or promise.constant is not None:
        code = Code.NOT_CONSTANT if promise.categories is None else Code.UNEXPECTED_NUMBER
        yield _others(view.numbers, numbers_of(promise), code, promise.other)
    if promise.unique is not None:
        yield _repeated(view, 1 - promise.unique)


class _Bins(NamedTuple):
    """The bins that hold rows: [starts, ends), cut off at the extremes."""

    starts: FloatArray
    ends: FloatArray
    rows: IntArray

    @property
    def single(self) -> NDArray[np.bool_]:
        """Those that hold one value only."""
        return np.asarray(self.ends == np.nextafter(self.starts, np.inf))


def _bins(column: BinnedColumn | None) -> _Bins:
    if column is None:
        return _Bins(np.empty(0), np.empty(0), np.empty(0, np.int64))
    points, below = cumulative(column)
    rows = np.rint(np.diff(below)).astype(np.int64)
    held = rows > 0
    return _Bins(points[:-1][held], points[1:][held], rows[held])


def _below(column: BinnedColumn | None, bound: float, code: Code, allowed: float) -> Count:
    """Values less than the bound."""
    bins = _bins(column)
    inside = _shares(bound - bins.starts, bins)
    return _beyond(bins, inside, code, allowed, reached=column is not None and column.low < bound)


def _above(column: BinnedColumn | None, bound: float, code: Code, allowed: float) -> Count:
    """Values greater than the bound: from the next number after it on."""
    bins, first = _bins(column), np.nextafter(bound, np.inf)
    inside = _shares(bins.ends - first, bins)
    return _beyond(bins, inside, code, allowed, reached=column is not None and column.high > bound)


def _shares(lengths: FloatArray, bins: _Bins) -> FloatArray:
    """Lengths as shares of their bins, of which those of one value are as narrow as numbers can be."""
    with np.errstate(over="ignore"):
        return np.clip(lengths / (bins.ends - bins.starts), 0.0, 1.0)


def _beyond(bins: _Bins, inside: FloatArray, code: Code, allowed: float, *, reached: bool) -> Count:
    """`inside` is the share of each bin that lies beyond a bound, `reached` whether an extreme does."""
    n, split = int(bins.rows.sum()), (inside > 0) & (inside < 1)
    certain = max(int(bins.rows[inside == 1].sum()), int(reached))
    hits = max(float(bins.rows @ inside), certain) if reached else 0.0
    resolution = float(bins.rows[split].sum()) / n if n and reached else 0.0
    return Count(code, hits, n, allowed, certain, resolution)


def _fractional(view: ColumnView, allowed: float) -> Count:
    """Values that are no integers: all rows of a bin without an integer, none of one that is an integer."""
    bins = _bins(view.numbers)
    without = np.ceil(bins.starts) >= bins.ends
    open_rows = int(bins.rows[~without & ~bins.single].sum())
    extremes = () if view.numbers is None else {view.numbers.low, view.numbers.high}
    known = max(int(bins.rows[without].sum()), sum(not end.is_integer() for end in extremes))
    in_sample = int((view.sample != np.rint(view.sample)).sum())
    return _sampled(Count(Code.NOT_INTEGER, 0, view.n_numbers, allowed, known), open_rows, view, in_sample)


def _repeated(view: ColumnView, allowed: float) -> Count:
    """Rows whose value another row has had: all but one of a bin of one value; of others only the sample tells.

    Among s sampled rows there are at most as many repeats as s rows have violations that come one by one.
    """
    bins = _bins(view.numbers)
    open_rows = int(bins.rows[~bins.single].sum())
    known = int((bins.rows[bins.single] - 1).sum())
    in_sample = len(view.sample) - len(np.unique(view.sample))
    return _sampled(Count(Code.LOW_UNIQUE, 0, view.n_numbers, allowed, known), open_rows, view, in_sample)


def _sampled(count: Count, open_rows: int, view: ColumnView, in_sample: int) -> Count:
    """The count with what the sampled rows say of those that its bins leave open."""
    certain, rows = max(count.certain, in_sample), len(view.sample)
    if not open_rows or not rows:
        return replace(
            count, hits=certain, certain=certain, resolution=open_rows / count.n if count.n else 0.0
        )
    return replace(
        count,
        hits=max(float(certain), in_sample / rows * count.n),
        certain=certain,
        resolution=min(open_rows / count.n, rows**-0.5),
        open_p_value=breach_p_value(in_sample, rows, count.allowed),
    )


def _others(column: BinnedColumn | None, values: FloatArray, code: Code, allowed: float) -> Count:
    """Values that are none of these: all rows of a bin without any, none of one that is a value."""
    bins = _bins(column)
    n = int(bins.rows.sum())
    has = np.searchsorted(values, bins.starts, "left") < np.searchsorted(values, bins.ends, "left")
    certain = int(bins.rows[~has].sum())
    open_rows = int(bins.rows[has & ~bins.single].sum())
    return Count(code, certain, n, allowed, certain, open_rows / n if n else 0.0)

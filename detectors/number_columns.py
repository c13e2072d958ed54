"""Counts of many number columns side by side, padded to the one with the most bins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detectors.pair import FloatArray, IntArray, NumericPair

AT_ONCE: Final = 24
HEAVY: Final = 16  # a bin with this fraction of all events is heavy

Columns: TypeAlias = NDArray[np.bool_] | slice


@dataclass(frozen=True, slots=True, eq=False)
class NumberReference:
    """The reference's part of C number columns, with at most B bins; padded with empty bins.

    Parameters
    ----------
    edges : (C, B-1) float array
        Inner edges, ascending; infinite where a column has fewer.
    counts, upto : (C, B) int64 array
        Counts per bin, and their sums up to each bin.
    mass, shares : (C, B) float array
        The same in shares of all.
    filled : (C, B) int64 array
        How many bins up to each bin hold anything.
    stacked : (C, B) int64 array
        `upto` plus `base`: each column's sums above those of the column before, one sorted array to search in.
    base : (C,) int64 array
        What is added to each column's sums.
    bins : (C,) int64 array
        How many bins each column has.
    std : (C,) float array
        Standard deviation in each column's unit; 0 when it is constant.
    light : (C,) int64 array
        How many events lie outside bins that hold a sixteenth of all.
    """

    edges: FloatArray
    counts: IntArray
    upto: IntArray
    mass: FloatArray
    shares: FloatArray
    filled: IntArray
    stacked: IntArray
    base: IntArray
    bins: IntArray
    std: FloatArray
    light: IntArray

    @property
    def m(self) -> FloatArray:
        """Sizes of the reference samples, (C,)."""
        return self.upto[:, -1].astype(np.float64)

    def padded(self, flat: IntArray) -> IntArray:
        """Return counts of all columns, one column after the other, as rows.

        Parameters
        ----------
        flat : (sum of bins,) int64 array
            Counts per bin.

        Returns
        -------
        (C, B) int64 array
            0 where padded.
        """
        if flat.size == self.counts.size:
            return flat.reshape(self.counts.shape)
        rows = np.zeros(self.counts.shape, np.int64)
        rows[np.arange(self.counts.shape[1]) < self.bins[:, None]] = flat
        return rows

    def of(self, columns: Columns) -> NumberReference:
        """Return some of the columns.

        Parameters
        ----------
        columns : (C,) bool array or slice
            Which.

        Returns
        -------
        NumberReference
            Padded as before.
        """
        return NumberReference(*(getattr(self, field.name)[columns] for field in fields(self)))

    def find(
        self, events: IntArray, columns: IntArray | slice = slice(None), *, beyond: bool = False
    ) -> IntArray:
        """Return the first bins up to which there are so many events.

        Parameters
        ----------
        events : (D,) int64 array
            At least 1, or 0 with `beyond`.
        columns : (D,) int64 array or slice
            In which columns; all when absent.
        beyond : bool
            Whether more events than that are wanted.

        Returns
        -------
        (D,) int64 array
            Bins; 0 for fewer events than none, B where a column does not have so many.
        """
        most = self.counts.shape[1]
        wanted = self.base[columns] + events
        found = np.searchsorted(self.stacked.ravel(), wanted, side="right" if beyond else "left")
        found -= np.arange(0, self.counts.size, most)[columns]
        return np.minimum(np.maximum(found, 0), most)

    def before(self, bins: IntArray, columns: IntArray | slice = slice(None)) -> IntArray:
        """Return how many events lie before bins.

        Parameters
        ----------
        bins : (D,) int64 array
            In 0 .. B-1.
        columns : (D,) int64 array or slice
            Of which columns; all when absent.

        Returns
        -------
        (D,) int64 array
            Counts.
        """
        rows = np.arange(len(self.counts))[columns]
        return self.upto[rows, bins] - self.counts[rows, bins]


@dataclass(frozen=True, slots=True, eq=False)
class NumberColumns:
    """C number columns of one window beside their reference.

    Parameters
    ----------
    reference : NumberReference
        Of the same columns.
    current : (C, B) int64 array
        Counts per bin.
    rise : (C, B) float array
        F_current - F_reference at the upper end of each bin.
    n, low, high : (C,) float array
        Sizes of the current samples; smallest and largest value seen on either side.

    Examples
    --------
    >>> pair = NumericPair(np.array([0.0]), np.array([50, 50]), np.array([20, 30]), -2.0, 2.0, 1.0)
    >>> columns_of(pair).n.tolist(), columns_of(pair).rise.round(3).tolist()
    ([50.0], [[-0.1, 0.0]])
    """

    reference: NumberReference
    current: IntArray
    rise: FloatArray
    n: FloatArray
    low: FloatArray
    high: FloatArray

    @classmethod
    def beside(
        cls, reference: NumberReference, current: IntArray, low: FloatArray, high: FloatArray
    ) -> NumberColumns:
        """Return columns with what follows from their counts.

        Parameters
        ----------
        reference : NumberReference
            Of C columns.
        current : (C, B) int64 array
            Counts per bin.
        low, high : (C,) float array
            Smallest and largest value seen on either side.

        Returns
        -------
        NumberColumns
            Of C columns.
        """
        rise = np.cumsum(current, axis=1, dtype=np.float64)
        n = rise[:, -1].copy()
        rise /= np.maximum(n, 1)[:, None]
        rise -= reference.shares
        return cls(reference, current, rise, n, low, high)

    def of(self, columns: Columns) -> NumberColumns:
        """Return some of the columns.

        Parameters
        ----------
        columns : (C,) bool array or slice
            Which.

        Returns
        -------
        NumberColumns
            Padded as before.
        """
        return NumberColumns(
            self.reference.of(columns),
            self.current[columns],
            self.rise[columns],
            self.n[columns],
            self.low[columns],
            self.high[columns],
        )

    def blocks(self) -> Iterator[NumberColumns]:
        """Yield all columns, some at a time.

        Yields
        ------
        NumberColumns
            So few that what is computed of them stays in the processor's cache.
        """
        for start in range(0, self.n.size, AT_ONCE):
            yield self.of(slice(start, start + AT_ONCE))


def number_reference(
    edges: Sequence[FloatArray], counts: Sequence[IntArray], std: Sequence[float]
) -> NumberReference:
    """Put the references of columns side by side.

    Parameters
    ----------
    edges, counts : sequence of C arrays
        Each column's inner edges, and the counts of its bins, one more.
    std : sequence of C floats
        Standard deviations.

    Returns
    -------
    NumberReference
        Padded to the column with the most bins.

    Examples
    --------
    >>> one, two = np.array([0.0]), np.array([1.0, 2.0])
    >>> number_reference([one, two], [np.array([5, 5]), np.array([1, 2, 3])], [1.0, 1.0]).upto.tolist()
    [[5, 10, 10], [1, 3, 6]]
    """
    bins = np.array([c.size for c in counts], np.int64)
    most = int(bins.max(initial=1))
    all_edges = np.full((bins.size, most - 1), np.inf)
    all_counts = np.zeros((bins.size, most), np.int64)
    for row, (inner, count) in enumerate(zip(edges, counts, strict=True)):
        all_edges[row, : inner.size] = inner
        all_counts[row, : count.size] = count
    upto = np.cumsum(all_counts, axis=1)
    m = upto[:, -1:]
    base = np.arange(bins.size) * (int(m.max(initial=0)) + 1)
    filled = np.cumsum(all_counts > 0, axis=1, dtype=np.int64)
    light = np.where(all_counts * HEAVY > m, 0, all_counts).sum(axis=1)
    mass, shares = (each / np.maximum(m, 1) for each in (all_counts, upto))
    deviations = np.array(std, np.float64)
    return NumberReference(
        all_edges, all_counts, upto, mass, shares, filled, upto + base[:, None], base, bins, deviations, light
    )


def columns_of(pair: NumericPair) -> NumberColumns:
    """Return one pair as the only column.

    Parameters
    ----------
    pair : NumericPair
        Counts of both sides.

    Returns
    -------
    NumberColumns
        With one row.
    """
    reference = number_reference([pair.edges], [pair.reference], [pair.reference_std])
    low, high = (np.array([end], np.float64) for end in (pair.low, pair.high))
    return NumberColumns.beside(reference, pair.current[None], low, high)

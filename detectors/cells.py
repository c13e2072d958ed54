"""Counts of the groups of many columns, one column after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detectors.binning import group_labels
from detectors.pair import FloatArray, IntArray, Pair, sizes


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the samples behind some counts are; each is broadcast against the counts.

    Parameters
    ----------
    n, m : float array
        Sizes of the current and of the reference sample.
    groups : float array
        How many groups share them.
    """

    n: FloatArray
    m: FloatArray
    groups: FloatArray

    def per_node(self) -> Sizes:
        """Return the same for counts with one axis more.

        Returns
        -------
        Sizes
            Each array with an axis of length 1 at its end.
        """
        return Sizes(self.n[..., None], self.m[..., None], self.groups[..., None])


@dataclass(frozen=True, slots=True)
class Cells:
    """The groups of C columns, G in all, on one axis.

    Parameters
    ----------
    reference, current : (G,) float array
        Counts per group.
    starts : (C,) int64 array
        First group of each column, ascending from 0; each column has at least one group.
    sizes : Sizes
        Of the column that each group belongs to, (G,) arrays.

    Examples
    --------
    >>> cells = cells_of(np.array([70.0, 30, 5, 5]), np.array([7.0, 3, 2, 1]), np.array([0, 2]))
    >>> cells.sizes.n.tolist(), cells.total(cells.reference).tolist()
    ([10.0, 10.0, 3.0, 3.0], [100.0, 10.0])
    """

    reference: FloatArray
    current: FloatArray
    starts: IntArray
    sizes: Sizes

    @property
    def columns(self) -> Sizes:
        """Sizes of the columns, (C,) arrays."""
        return Sizes(self.sizes.n[self.starts], self.sizes.m[self.starts], self.sizes.groups[self.starts])

    def total(self, each: FloatArray) -> FloatArray:
        """Return sums over the groups of each column.

        Parameters
        ----------
        each : (..., G) float array
            One number a group.

        Returns
        -------
        (..., C) float array
            Sums.
        """
        return np.add.reduceat(each, self.starts, axis=-1)

    def largest(self, each: FloatArray) -> FloatArray:
        """Return the largest of each column's groups.

        Parameters
        ----------
        each : (..., G) float array
            One number a group.

        Returns
        -------
        (..., C) float array
            Maxima.
        """
        return np.asarray(np.maximum.reduceat(each, self.starts, axis=-1))

    def per_group(self, column: FloatArray) -> FloatArray:
        """Return a number of each column once for each of its groups.

        Parameters
        ----------
        column : (C,) float array
            One number a column.

        Returns
        -------
        (G,) float array
            Repeated.
        """
        return np.repeat(column, np.diff(self.starts, append=self.reference.size))

    def of(self, columns: NDArray[np.bool_]) -> Cells:
        """Return some of the columns.

        Parameters
        ----------
        columns : (C,) bool array
            Which; at least one.

        Returns
        -------
        Cells
            Their groups.
        """
        lengths = np.diff(self.starts, append=self.reference.size)
        groups = np.repeat(columns, lengths)
        starts = np.concatenate([[0], np.cumsum(lengths[columns])[:-1]])
        s = self.sizes
        return Cells(
            self.reference[groups],
            self.current[groups],
            starts,
            Sizes(s.n[groups], s.m[groups], s.groups[groups]),
        )

    def at_size(self, n: FloatArray) -> Cells:
        """Return the same groups beside windows of another size, whose counts are not known.

        Parameters
        ----------
        n : (C,) float array
            Sizes of the current samples.

        Returns
        -------
        Cells
            With 0 for each current count.
        """
        sizes_then = replace(self.sizes, n=self.per_group(n))
        return replace(self, current=np.zeros_like(self.current), sizes=sizes_then)


def cells_of(reference: FloatArray, current: FloatArray, starts: IntArray) -> Cells:
    """Return the cells of counts that are grouped already.

    Parameters
    ----------
    reference, current : (G,) float array
        Counts per group, whole numbers.
    starts : (C,) int64 array
        First group of each column, ascending from 0.

    Returns
    -------
    Cells
        With the columns' sizes.
    """
    lengths = np.diff(starts, append=reference.size)
    n, m = (np.repeat(np.add.reduceat(counts, starts), lengths) for counts in (current, reference))
    return Cells(reference, current, starts, Sizes(n, m, np.repeat(lengths.astype(np.float64), lengths)))


def group(pair: Pair) -> Cells:
    """Group the counts of one pair.

    Parameters
    ----------
    pair : NumericPair or CategoricalPair
        Counts of both sides, at least 1 each.

    Returns
    -------
    Cells
        One column.

    Examples
    --------
    >>> from detectors.pair import CategoricalPair
    >>> group(CategoricalPair(np.array([700, 290, 4, 6]), np.array([60, 35, 5, 0]))).current.tolist()
    [5.0, 60.0, 35.0]
    """
    labels = group_labels(pair, sizes(pair)[0])
    reference = np.bincount(labels, weights=pair.reference).astype(np.float64)
    current = np.bincount(labels, weights=pair.current).astype(np.float64)
    return cells_of(reference, current, np.zeros(1, np.int64))

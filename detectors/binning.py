"""Merge a fine grid, or rare categories, into groups whose counts have a known null."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detectors.number_columns import HEAVY, NumberReference, columns_of
from detectors.pair import IntArray, NumericPair, Pair

MIN_EXPECTED: Final = 5  # current events expected in the smallest group
MIN_REFERENCE: Final = 8  # reference events in the smallest group: its own noise matters when n > m
MIN_CATEGORY: Final = 16  # the same for a category: it is chosen by its count, which biases a small one
GROUPS: Final = HEAVY  # inner groups of a number column
CATEGORIES: Final = 48  # categories that keep a group of their own

BoolArray: TypeAlias = NDArray[np.bool_]


def group_labels(pair: Pair, n: int) -> IntArray:
    """Return the group that each bin, or category, belongs to.

    Parameters
    ----------
    pair : NumericPair or CategoricalPair
        Only its reference counts are read: a grouping that saw the current counts would bend the null.
    n : int
        Size of the current sample.

    Returns
    -------
    (B,) int64 array
        Labels 0 .. G-1, neighbouring bins in one group.

    Notes
    -----
    Number columns get about 16 groups of equal reference mass, of at least 10 expected current events and 16
    reference events; heavy bins (95 % zeros) stay alone and do not count for that mass.
    The group at each end is half as large: it takes what lies beyond the reference's range, where a few
    strays must stay visible.
    Categories with at least 5 expected current and 16 reference events keep a group each, 48 at the most;
    the rare and the unseen share group 0, however many they are: splitting them by size would sort them by
    luck (the rarest seen are commoner than they look), and that alone rang 37 % of quiet windows at 1 %.
    When all this leaves one group, the heaviest bin stands against all others.
    Cost: O(B), about 20 us at 556 bins.

    Examples
    --------
    >>> from detectors.pair import CategoricalPair
    >>> counts = np.array([500, 400, 90, 6, 4, 0])
    >>> group_labels(CategoricalPair(counts, counts), n=1000).tolist()
    [1, 2, 3, 0, 0, 0]
    """
    size = np.array([n], np.int64)
    if isinstance(pair, NumericPair):
        starts = number_starts(columns_of(pair).reference, size)
        labels = np.cumsum(starts[0]) - 1
    else:
        one = np.zeros(1, np.int64)
        labels = category_labels(pair.reference, one, size, crowd_limits(pair.reference, one))
    return labels if labels.max() > 0 else _heaviest_against_rest(pair.reference)


def number_starts(reference: NumberReference, n: IntArray) -> BoolArray:
    """Return the bins that begin a group, for many number columns at once.

    Parameters
    ----------
    reference : NumberReference
        C columns of at most B bins.
    n : (C,) int64 array
        Sizes of the current samples, at least 1.

    Returns
    -------
    (C, B) bool array
        True at the first bin of each group; all False elsewhere.

    Notes
    -----
    The first group is closed at its least mass, inner ones at their share; the last starts as late as it can.
    Cost: O(C log(C B)) for each of the 20 groups or so.

    Examples
    --------
    >>> from detectors.number_columns import number_reference
    >>> counts = np.array([10, 490, 0, 490, 10])
    >>> number_starts(number_reference([np.arange(4.0)], [counts], [1.0]), np.array([1000])).tolist()
    [[True, True, True, False, True]]
    """
    m = reference.upto[:, -1]
    least = np.maximum(-(-MIN_EXPECTED * m // n), MIN_REFERENCE)
    shared = -(-reference.light // GROUPS)
    target = np.maximum(shared, np.maximum(-(-2 * MIN_EXPECTED * m // n), 2 * MIN_REFERENCE))
    last = reference.find(m - least, beyond=True)
    marks = np.zeros(reference.counts.shape, np.bool_)
    marks[:, 0] = True
    start, wanted, active = np.zeros_like(m), least, np.arange(m.size)
    while active.size:
        end = _close(reference, active, start[active], wanted[active], least[active])
        active, end = active[end <= last[active]], end[end <= last[active]]
        marks[active, end] = True
        start[active], wanted = end, target
    final = (last > start) & (reference.before(last) - reference.before(start) >= least)
    marks[final, last[final]] = True
    return marks


def _close(
    reference: NumberReference, columns: IntArray, start: IntArray, wanted: IntArray, least: IntArray
) -> IntArray:
    """Return the ends of groups that begin at `start`; a heavy bin is left to its own group."""
    before = reference.before(start, columns)
    found = reference.find(before + wanted, columns)
    bins = reference.counts.shape[1]
    last = np.minimum(found, bins - 1)
    heavy = reference.counts[columns, last] >= wanted
    end = np.where(heavy & (reference.before(last, columns) - before >= least), last, last + 1)
    return np.asarray(np.where(found == bins, bins + 1, end), np.int64)


def category_labels(counts: IntArray, starts: IntArray, n: IntArray, crowd: IntArray) -> IntArray:
    """Return the group of each category, for many columns at once.

    Parameters
    ----------
    counts : (K,) int64 array
        Reference counts of all columns' categories, one column after the other.
    starts : (C,) int64 array
        First category of each column, ascending from 0.
    n : (C,) int64 array
        Sizes of the current samples, at least 1.
    crowd : (C,) int64 array
        What `crowd_limits` returns.

    Returns
    -------
    (K,) int64 array
        Labels 0 .. G-1 within each column.

    Notes
    -----
    Cost: O(K).

    Examples
    --------
    >>> counts = np.array([500, 490, 6, 4, 700, 300])
    >>> category_labels(counts, np.array([0, 4]), np.array([1000, 1000]), np.array([0, 0])).tolist()
    [1, 2, 0, 0, 0, 1]
    """
    lengths = np.diff(starts, append=counts.size)
    m = np.add.reduceat(counts, starts)
    least = np.maximum(np.maximum(-(-MIN_EXPECTED * m // n), MIN_CATEGORY), crowd)
    common = counts >= np.repeat(least, lengths)
    rank: IntArray = np.cumsum(common, dtype=np.int64)
    rank -= np.repeat(rank[starts] - common[starts], lengths)
    is_all = np.logical_and.reduceat(common, starts)
    labels: IntArray = np.where(common, rank, 0) - np.repeat(is_all, lengths)
    return labels


def crowd_limits(counts: IntArray, starts: IntArray) -> IntArray:
    """Return the count that a category needs to be among the 48 commonest of its column.

    Parameters
    ----------
    counts : (K,) int64 array
        Reference counts of all columns' categories, one column after the other.
    starts : (C,) int64 array
        First category of each column, ascending from 0.

    Returns
    -------
    (C,) int64 array
        0 where there are no more than 48.

    Examples
    --------
    >>> crowd_limits(np.arange(50), np.array([0])).tolist()
    [2]
    """
    columns = np.split(counts, starts[1:])
    limits = (int(np.partition(c, -CATEGORIES)[-CATEGORIES]) if c.size > CATEGORIES else 0 for c in columns)
    return np.fromiter(limits, np.int64, len(columns))


def _heaviest_against_rest(counts: IntArray) -> IntArray:
    labels = np.ones(counts.size, dtype=np.int64)
    labels[int(np.argmax(counts))] = 0
    return labels

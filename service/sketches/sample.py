"""A bounded, uniform sample of inferences that merges exactly: the rows with the smallest priorities.

A row's priority is the hash of its inference id (or of its coordinates in the log), so the sample does not
depend on batches or order. It answers what bins cannot: which exact value is frequent, which decimals the values
keep, which values and answers come together.
Rows of two partitions may have the same priority; the hashes of their values decide then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
import xxhash
from numpy.typing import NDArray

SIZE = 64

FloatArray = NDArray[np.float64]
PriorityArray = NDArray[np.uint64]
Places = NDArray[np.intp]


class RowSample:
    """At most `SIZE` rows of the number columns of inferences, with their priorities, smallest first.

    `predictions` are the rows' answers as places in the prediction's `CategoryGrid`; NaN where an answer is missing
    or unseen, and where the grid has no such column (an answer that is a number stands in `values`).
    """

    __slots__ = ("predictions", "priorities", "values")

    def __init__(self, columns: int) -> None:
        self.priorities: PriorityArray = np.empty(0, np.uint64)
        self.values: FloatArray = np.empty((columns, 0))
        self.predictions: FloatArray = np.empty(0)

    def chosen(self, priorities: PriorityArray) -> Places:
        """Which rows of these priorities may be among the smallest: those to `take`."""
        return may_be_kept(self.priorities, priorities, SIZE)

    def take(self, priorities: PriorityArray, values: FloatArray, predictions: FloatArray) -> None:
        """Offer n rows: `values` is (columns, n), `predictions` is (n,)."""
        priorities = np.concatenate([self.priorities, priorities])
        values = np.concatenate([self.values, values], axis=1)
        predictions = np.concatenate([self.predictions, predictions])
        kept = smallest(priorities, (values, predictions), SIZE)
        self.priorities, self.values, self.predictions = priorities[kept], values[:, kept], predictions[kept]

    def merge(self, other: Self) -> None:
        """Offer another sample's rows."""
        if len(other.priorities):
            self.take(other.priorities, other.values, other.predictions)


def may_be_kept(kept: PriorityArray, offered: PriorityArray, size: int) -> Places:
    """Which of the offered may be among the `size` smallest of all; `kept` ascends."""
    limit = kept[-1] if len(kept) == size else offered.max(initial=0)
    if len(offered) > size:
        limit = min(limit, np.partition(offered, size - 1)[size - 1])
    return np.flatnonzero(offered <= limit)


def smallest(priorities: PriorityArray, values: Sequence[FloatArray], size: int) -> Places:
    """The places of the `size` smallest of n priorities, ascending; the values, (..., n), decide between equals."""
    order = np.argsort(priorities, kind="stable")
    if (np.diff(priorities[order]) == 0).any():
        order = np.lexsort((_row_hashes(np.vstack(values)), priorities))
    return order[:size]


def _row_hashes(values: FloatArray) -> PriorityArray:
    rows = np.ascontiguousarray(values.T)
    return np.array([xxhash.xxh3_64_intdigest(row) for row in rows], np.uint64)

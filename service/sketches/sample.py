"""A bounded, uniform sample of rows that merges exactly: the rows with the smallest priorities.

A row's priority is the hash of its inference id (or of its coordinates in the log), so the sample does not
depend on
batches or order. It answers what bins cannot: which exact value is frequent, which decimals the values keep.
Rows of two partitions may have the same priority; the hashes of their values decide then.
"""

from __future__ import annotations

from typing import Self

import numpy as np
import xxhash
from numpy.typing import NDArray

SIZE = 64

FloatArray = NDArray[np.float64]
PriorityArray = NDArray[np.uint64]


class RowSample:
    """At most `SIZE` rows of the number columns of inferences, with their priorities, smallest first."""

    __slots__ = ("priorities", "values")

    def __init__(self, columns: int) -> None:
        self.priorities: PriorityArray = np.empty(0, np.uint64)
        self.values: FloatArray = np.empty((columns, 0))

    def add(self, priorities: PriorityArray, numbers: FloatArray) -> None:
        """Offer n rows: `numbers` is (columns, n)."""
        limit = self.priorities[-1] if len(self.priorities) == SIZE else priorities.max(initial=0)
        if len(priorities) > SIZE:
            limit = min(limit, np.partition(priorities, SIZE - 1)[SIZE - 1])
        chosen = np.flatnonzero(priorities <= limit)
        if len(chosen):
            self._take(priorities[chosen], numbers[:, chosen])

    def merge(self, other: Self) -> None:
        """Offer another sample's rows."""
        if len(other.priorities):
            self._take(other.priorities, other.values)

    def _take(self, priorities: PriorityArray, values: FloatArray) -> None:
        priorities = np.concatenate([self.priorities, priorities])
        values = np.concatenate([self.values, values], axis=1)
        order = np.argsort(priorities, kind="stable")
        if (np.diff(priorities[order]) == 0).any():
            order = np.lexsort((_row_hashes(values), priorities))
        self.priorities = priorities[order[:SIZE]]
        self.values = values[:, order[:SIZE]]


def _row_hashes(values: FloatArray) -> PriorityArray:
    rows = np.ascontiguousarray(values.T)
    return np.array([xxhash.xxh3_64_intdigest(row) for row in rows], np.uint64)

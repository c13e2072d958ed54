"""A bounded, uniform sample of rows that merges exactly: the rows with the smallest priorities.

A row's priority is the hash of its inference id (or of its coordinates in the log), so the sample does not depend on
batches or order. It answers what bins cannot: which exact value is frequent, which decimals the values keep.
"""

from __future__ import annotations

from typing import Self

import numpy as np
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
        if len(self.priorities) == SIZE:
            chosen = np.flatnonzero(priorities < self.priorities[-1])
        else:
            chosen = np.arange(len(priorities))
        if len(chosen) > 2 * SIZE:
            chosen = chosen[np.argpartition(priorities[chosen], SIZE)[:SIZE]]
        if len(chosen):
            self._take(priorities[chosen], numbers[:, chosen])

    def merge(self, other: Self) -> None:
        """Offer another sample's rows."""
        if len(other.priorities):
            self._take(other.priorities, other.values)

    def _take(self, priorities: PriorityArray, values: FloatArray) -> None:
        together = np.concatenate([self.priorities, priorities])
        order = np.argsort(together, kind="stable")[:SIZE]
        self.priorities = together[order]
        self.values = np.concatenate([self.values, values], axis=1)[:, order]

"""A bounded, uniform sample of labels that merges exactly, chosen by the same hash as the rows they belong to.

Both samples keep the smallest hashes of inference ids (bottom-k, Cohen and Kaplan 2007, coordinated by one hash
function), so what is in both is again a uniform sample, of the rows that have a label. See `join`.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from service.sketches.sample import FloatArray, Places, PriorityArray, may_be_kept, smallest

SIZE = 512
LABEL_SALT = np.uint64(0x9E37_79B9_7F4A_7C15)
"""What the ids of label events are XORed with in a `Batch`, so that a label is no duplicate of its inference."""


class LabelSample:
    """At most `SIZE` labels with their priorities, smallest first.

    A priority is the hash of the inference id, the same as the inference's own. A value is a number, or a place in
    the label's `CategoryGrid`; NaN where it is missing or unseen.
    """

    __slots__ = ("priorities", "values")

    def __init__(self) -> None:
        self.priorities: PriorityArray = np.empty(0, np.uint64)
        self.values: FloatArray = np.empty(0)

    def chosen(self, priorities: PriorityArray) -> Places:
        """Which labels of these priorities may be among the smallest: those to `take`."""
        return may_be_kept(self.priorities, priorities, SIZE)

    def take(self, priorities: PriorityArray, values: FloatArray) -> None:
        """Offer n labels."""
        priorities = np.concatenate([self.priorities, priorities])
        values = np.concatenate([self.values, values])
        kept = smallest(priorities, (values,), SIZE)
        self.priorities, self.values = priorities[kept], values[kept]

    def merge(self, other: Self) -> None:
        """Offer another sample's labels."""
        if len(other.priorities):
            self.take(other.priorities, other.values)

"""Which inference ids a pane has already counted.

64-bit hashes in sorted arrays of doubling size: 8 bytes an id. Ten million ids in one pane collide with
probability about 3e-6, and a collision costs one event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable

HashArray = NDArray[np.uint64]
BoolArray = NDArray[np.bool_]


class IdFilter:
    """The ids of one model, stream and pane in one partition. `fresh` are those since the last checkpoint."""

    __slots__ = ("_levels", "fresh")

    def __init__(self, known: Iterable[HashArray] = ()) -> None:
        self._levels: list[HashArray] = []
        self.fresh: list[HashArray] = []
        for hashes in known:
            self._insert(np.sort(hashes))

    def repeated(self, hashes: HashArray) -> BoolArray:
        """Which rows' ids were counted before or stand earlier among these; 0 is no id and never repeats."""
        ordered = np.sort(hashes)
        twice = bool((ordered[1:] == ordered[:-1]).any())
        repeated: BoolArray = _later_twins(hashes) if twice else np.zeros(len(hashes), np.bool_)
        for level in self._levels:
            at = np.searchsorted(level, ordered)
            found = level[np.minimum(at, len(level) - 1)] == ordered
            if found.any():
                repeated |= np.isin(hashes, ordered[found])
        repeated &= hashes != 0
        return repeated

    def add(self, hashes: HashArray) -> None:
        """Remember ids that were just counted."""
        hashes = hashes[hashes != 0]
        if len(hashes):
            self.fresh.append(hashes)
            self._insert(np.sort(hashes))

    def _insert(self, ordered: HashArray) -> None:
        while self._levels and len(self._levels[-1]) <= 2 * len(ordered):
            ordered = np.sort(np.concatenate([self._levels.pop(), ordered]), kind="stable")
        if len(ordered):
            self._levels.append(ordered)

    def __len__(self) -> int:
        return sum(map(len, self._levels))


def _later_twins(hashes: HashArray) -> BoolArray:
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    repeated = np.zeros(len(hashes), np.bool_)
    repeated[order[1:]] = ordered[1:] == ordered[:-1]
    return repeated

"""Predictions whose label is new, as the join of labels finds them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]
    Codes = NDArray[np.int32]

Place = tuple[int, int]
"""A pane's start in milliseconds, and the number of a list of slices."""


class Changes(NamedTuple):
    """n predictions whose label is new, or newer than the one that counted before (`is_counted`).

    Classes and slices are numbers of names, 0 is none; scores and values are NaN where there is none.
    """

    start_ms: IntArray
    slices: Codes
    classes: Codes
    scores: FloatArray
    values: FloatArray
    labels: Codes
    label_values: FloatArray
    is_counted: Codes
    labels_before: Codes
    values_before: FloatArray

    def rows(self, at: NDArray[np.intp] | NDArray[np.bool_]) -> Changes:
        """Some of them."""
        return Changes(**{name: column[at] for name, column in self._asdict().items()})

    def before(self) -> Changes:
        """Those that had a label before, with that one."""
        again = self.rows(self.is_counted == 1)
        return again._replace(labels=again.labels_before, label_values=again.values_before)

    def by_place(self) -> Iterator[tuple[Place, Changes]]:
        """Those of each pane and list of slices."""
        places = np.stack([self.start_ms, self.slices.astype(np.int64)], axis=1)
        distinct, of = np.unique(places, axis=0, return_inverse=True)
        order = np.argsort(of.reshape(-1), kind="stable")
        bounds = np.searchsorted(of.reshape(-1)[order], np.arange(len(distinct) + 1))
        for i, (start_ms, slices) in enumerate(distinct.tolist()):
            yield (start_ms, slices), self.rows(order[bounds[i] : bounds[i + 1]])

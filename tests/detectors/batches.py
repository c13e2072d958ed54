"""Pairs as one batch: each pair becomes a column of one window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detectors.batch import BatchPlan, WindowCounts
from detectors.pair import CategoricalPair, NumericPair, Pair


def batch_of(pairs: Sequence[Pair]) -> tuple[BatchPlan, WindowCounts]:
    """A plan of the pairs' references, number columns first, and a window of their current counts."""
    numbers = [pair for pair in pairs if isinstance(pair, NumericPair)]
    categories = [pair for pair in pairs if isinstance(pair, CategoricalPair)]
    plan = BatchPlan(
        [pair.edges for pair in numbers],
        [pair.reference for pair in numbers],
        [pair.reference_std for pair in numbers],
        [pair.reference for pair in categories],
    )
    return plan, window_of(numbers, categories)


def window_of(numbers: Sequence[NumericPair], categories: Sequence[CategoricalPair]) -> WindowCounts:
    """The current counts of pairs."""
    nothing = np.zeros(0, np.int64)
    return WindowCounts(
        np.concatenate([nothing, *(pair.current for pair in numbers)]),
        np.array([pair.low for pair in numbers], np.float64),
        np.array([pair.high for pair in numbers], np.float64),
        np.concatenate([nothing, *(pair.current for pair in categories)]),
    )

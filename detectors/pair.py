"""What a detector compares: counts of a reference and of a current window on one shared grid."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class NumericPair:
    """Counts of one number column on one shared grid, reference and current.

    Parameters
    ----------
    edges : (B-1,) float array
        Ascending finite inner edges, in the column's unit.
        Bin 0 is ``(-inf, edges[0])``, bin i ``[edges[i-1], edges[i])``, the last ``[edges[-1], inf)``.
        May be empty: one bin holds all.
    reference, current : (B,) int64 array
        Counts of present values, at least 0.
    low, high : float
        Smallest and largest value seen on either side; they close the outer bins.
    reference_std : float
        Standard deviation of the reference in the column's unit; 0 when it is constant.

    Raises
    ------
    ValueError
        When shapes differ, a count is negative, an edge is out of order or a number is not finite.

    Examples
    --------
    >>> pair = NumericPair(np.array([0.0]), np.array([50, 50]), np.array([20, 30]), -2.0, 2.0, 1.0)
    >>> int(pair.current.sum())
    50
    """

    edges: FloatArray
    reference: IntArray
    current: IntArray
    low: float
    high: float
    reference_std: float

    def __post_init__(self) -> None:
        _check_counts(self.reference, self.current)
        if self.edges.shape != (self.reference.size - 1,):
            bins = self.reference.size
            message = f"{bins} bins need {bins - 1} edges, got {self.edges.shape}"
            raise ValueError(message)
        if not (np.isfinite(self.edges).all() and (self.edges[1:] > self.edges[:-1]).all()):
            message = "edges must be finite and ascending"
            raise ValueError(message)
        if not (isfinite(self.low) and isfinite(self.high) and self.low <= self.high):
            message = f"low and high must be finite and in order, got {self.low} and {self.high}"
            raise ValueError(message)
        if not (isfinite(self.reference_std) and self.reference_std >= 0):
            message = f"reference_std must be finite and at least 0, got {self.reference_std}"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class CategoricalPair:
    """Counts of one category column, reference and current, in one order of categories.

    Parameters
    ----------
    reference, current : (K,) int64 array
        Counts per category, at least 0; a category that the reference never saw has 0 there.

    Raises
    ------
    ValueError
        When shapes differ or a count is negative.

    Examples
    --------
    >>> pair = CategoricalPair(np.array([70, 30, 0]), np.array([30, 15, 5]))
    >>> int(pair.reference.sum())
    100
    """

    reference: IntArray
    current: IntArray

    def __post_init__(self) -> None:
        _check_counts(self.reference, self.current)


Pair: TypeAlias = NumericPair | CategoricalPair


def sizes(pair: Pair) -> tuple[int, int]:
    """Return how many values each side holds.

    Parameters
    ----------
    pair : NumericPair or CategoricalPair
        Counts of both sides.

    Returns
    -------
    n, m : int
        Sizes of the current and of the reference sample.

    Examples
    --------
    >>> sizes(CategoricalPair(np.array([70, 30, 0]), np.array([30, 15, 5])))
    (50, 100)
    """
    return int(pair.current.sum()), int(pair.reference.sum())


def _check_counts(reference: IntArray, current: IntArray) -> None:
    if reference.ndim != 1 or reference.size == 0 or reference.shape != current.shape:
        message = f"reference and current need one equal length, got {reference.shape} and {current.shape}"
        raise ValueError(message)
    if not (np.issubdtype(reference.dtype, np.integer) and np.issubdtype(current.dtype, np.integer)):
        message = f"counts must be whole numbers, got {reference.dtype} and {current.dtype}"
        raise ValueError(message)
    if reference.min() < 0 or current.min() < 0:
        message = "counts must not be negative"
        raise ValueError(message)

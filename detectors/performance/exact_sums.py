"""Sums of real numbers as whole numbers of a unit: any order and any batches give the same bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from detectors.pair import FloatArray, IntArray

_HALF: Final = 20
LARGEST: Final = 1 << (2 * _HALF)
"""Values are clipped at so many units."""
_LIMB: Final = 40


def in_units(values: FloatArray, unit: float, largest: int = LARGEST) -> IntArray:
    """Round values to whole units.

    Parameters
    ----------
    values : (n,) float array
        Finite.
    unit : float
        Above 0; a power of two makes the division exact.
    largest : int
        Values beyond so many units either way are clipped there; at most 2**40.

    Returns
    -------
    (n,) int64 array
        In units.

    Examples
    --------
    >>> in_units(np.array([0.26, -1e30]), unit=0.25).tolist() == [1, -LARGEST]
    True
    """
    return np.rint(np.clip(values / unit, -float(largest), float(largest))).astype(np.int64)


def exact_sum(values: IntArray) -> int:
    """Return the sum of whole numbers.

    Parameters
    ----------
    values : (n,) int64 array
        At most 2**40 either way, and fewer than 2**23 of them.

    Returns
    -------
    int
        Unbounded.

    Examples
    --------
    >>> exact_sum(np.array([3, -1]))
    2
    """
    return int(values.sum())


def exact_dot(left: IntArray, right: IntArray) -> int:
    """Return the sum of products of whole numbers.

    Parameters
    ----------
    left, right : (n,) int64 array
        At most 2**40 either way, and fewer than 2**22 of them.

    Returns
    -------
    int
        Unbounded: each factor is halved into 20 bits, so that no partial sum leaves 64 bits.

    Examples
    --------
    >>> exact_dot(np.array([2**40, 3]), np.array([-(2**40), 5])) == 15 - 2**80
    True
    """
    mask = (1 << _HALF) - 1
    high, low = left >> _HALF, left & mask
    upper, lower = right >> _HALF, right & mask
    middle = int(np.dot(high, lower)) + int(np.dot(low, upper))
    return (int(np.dot(high, upper)) << (2 * _HALF)) + (middle << _HALF) + int(np.dot(low, lower))


def to_limbs(sums: Sequence[int]) -> IntArray:
    """Split sums into triples of 64-bit numbers, which add up sum by sum as long as fewer than 2**23 are added.

    Parameters
    ----------
    sums : sequence of int
        Of less than 2**142 either way: 2**62 products of the largest values.

    Returns
    -------
    (S, 3) int64 array
        High part, and twice 40 lower bits.

    Examples
    --------
    >>> to_limbs([-1, 2**80 + 2**40 + 7]).tolist() == [[-1, 2**40 - 1, 2**40 - 1], [1, 1, 7]]
    True
    """
    mask = (1 << _LIMB) - 1
    limbs = [[s >> (2 * _LIMB), (s >> _LIMB) & mask, s & mask] for s in sums]
    return np.array(limbs, np.int64).reshape(-1, 3)


def from_limbs(limbs: IntArray) -> tuple[int, ...]:
    """Join what `to_limbs` has split, also after such arrays were added.

    Parameters
    ----------
    limbs : (S, 3) int64 array
        High, middle and low parts.

    Returns
    -------
    tuple of int
        S sums.

    Examples
    --------
    >>> from_limbs(to_limbs([-1]) + to_limbs([2**100])) == (2**100 - 1,)
    True
    """
    return tuple(
        (int(high) << (2 * _LIMB)) + (int(middle) << _LIMB) + int(low) for high, middle, low in limbs
    )

"""Counting rows by several indices at once."""

from __future__ import annotations

import numpy as np

from detectors.pair import IntArray


def tally(places: tuple[IntArray, ...], shape: tuple[int, ...]) -> IntArray:
    """Count how often each combination of indices occurs.

    Parameters
    ----------
    places : tuple of int array
        One for each axis, all of one shape or broadcast to it; within `shape`.
    shape : tuple of int
        Of the counts.

    Returns
    -------
    (shape) int64 array
        Counts.

    Raises
    ------
    ValueError
        When an index is outside.

    Examples
    --------
    >>> tally((np.array([0, 0, 1]), np.array([1, 1, 0])), (2, 2)).tolist()
    [[0, 2], [1, 0]]
    """
    flat = np.ravel_multi_index(tuple(np.broadcast_arrays(*places)), shape).ravel()
    return np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape).astype(np.int64)

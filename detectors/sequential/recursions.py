"""Running sums, records and fading means of a block of values, equal to the last bit for any cut into blocks."""

from __future__ import annotations

import numpy as np

from detectors.evidence import BoolArray
from detectors.pair import FloatArray


def running_sum(start: float, values: FloatArray) -> FloatArray:
    """Return the sums of a start and the values so far.

    Parameters
    ----------
    start : float
        What the sum was before.
    values : (n,) float array
        What is added, in this order.

    Returns
    -------
    (n,) float array
        Each rounded as if added one by one.

    Examples
    --------
    >>> running_sum(1.0, np.array([2.0, 3.0])).tolist()
    [3.0, 6.0]
    """
    return np.asarray(np.cumsum(np.concatenate([[start], values]))[1:])


def before(start: float, values: FloatArray) -> FloatArray:
    """Return what stood before each value: the start, then the values but for the last.

    Parameters
    ----------
    start : float
        What stood before the first.
    values : (n,) float array
        In their order.

    Returns
    -------
    (n,) float array
        Shifted by one.

    Examples
    --------
    >>> before(0.0, np.array([1.0, 2.0])).tolist()
    [0.0, 1.0]
    """
    return np.concatenate([[start], values])[: len(values)]


def at_record(record: BoolArray, start: float, values: FloatArray) -> FloatArray:
    """Return the value at the latest record so far.

    Parameters
    ----------
    record : (n,) bool array
        Where there is a new record.
    start : float
        The value at the latest record before.
    values : (n,) float array
        What is to be remembered of a record.

    Returns
    -------
    (n,) float array
        The start, until there is a record.

    Examples
    --------
    >>> at_record(np.array([False, True, False]), 9.0, np.array([1.0, 2.0, 3.0])).tolist()
    [9.0, 2.0, 2.0]
    """
    latest = np.maximum.accumulate(np.where(record, np.arange(1, len(values) + 1), 0))
    return np.concatenate([[start], values])[latest]


def faded(start: float, keep: FloatArray, add: FloatArray) -> FloatArray:
    """Return ``y = keep y + add``, one after the other.

    Parameters
    ----------
    start : float
        y before.
    keep, add : (n,) float array
        What is kept of y, and what comes to it.

    Returns
    -------
    (n,) float array
        y after each.

    Notes
    -----
    Cost: about 0.06 us each.

    Examples
    --------
    >>> faded(1.0, np.array([0.5, 0.5]), np.array([0.0, 1.0])).tolist()
    [0.5, 1.25]
    """
    y, all_of_it = start, []
    for kept, added in zip(keep.tolist(), add.tolist(), strict=True):
        y = kept * y + added
        all_of_it.append(y)
    return np.array(all_of_it)


def floored_sum(start: float, values: FloatArray) -> FloatArray:
    """Return ``s = max(0, s + value)``, one after the other.

    Parameters
    ----------
    start : float
        s before.
    values : (n,) float array
        What is added.

    Returns
    -------
    (n,) float array
        s after each, at least 0.

    Notes
    -----
    Cost: about 0.05 us each.

    Examples
    --------
    >>> floored_sum(0.0, np.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    s, all_of_it = start, []
    for value in values.tolist():
        s += value
        s = max(s, 0.0)
        all_of_it.append(s)
    return np.array(all_of_it)

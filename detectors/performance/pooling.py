"""Neighbouring bins joined until they hold enough rows."""

from __future__ import annotations

import numpy as np

from detectors.pair import IntArray


def joined(rows: IntArray, least: int) -> IntArray:
    """Return which bins belong together.

    Parameters
    ----------
    rows : (B,) int array
        Rows by bin, at least 0; B at least 1.
    least : int
        How many rows fill a group.

    Returns
    -------
    (B,) int64 array
        Numbers of groups, ascending from 0, cut wherever a group is full; what is left over joins the last full one.

    Notes
    -----
    Cost: O(B).

    Examples
    --------
    >>> joined(np.array([30, 5, 20, 1]), least=25).tolist()
    [0, 1, 1, 1]
    """
    group, current, seen = np.zeros(rows.size, np.int64), 0, 0
    for place, count in enumerate(rows.tolist()):
        group[place] = current
        seen += count
        if seen >= least:
            current, seen = current + 1, 0
    if seen < least and current > 0:
        group[group == current] = current - 1
    return group

"""Which way a mean may go to be drift."""

from __future__ import annotations

import numpy as np

from detectors.pair import FloatArray


def larger_side(mode: str, up: FloatArray, down: FloatArray) -> FloatArray:
    """Return the statistic of the sides that count.

    Parameters
    ----------
    mode : str
        "up", "down" or "both".
    up, down : (n,) float array
        How much a rise, and a fall, are spoken for.

    Returns
    -------
    (n,) float array
        That of the side, or the larger of both.

    Examples
    --------
    >>> larger_side("both", np.array([1.0]), np.array([2.0])).tolist()
    [2.0]
    """
    if mode == "both":
        return np.maximum(up, down)
    return up if mode == "up" else down

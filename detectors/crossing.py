"""Where a falling tail is alpha."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from detectors.pair import FloatArray

TINY: Final = 1e-300
STEPS: Final = 30  # more than enough: 3 or 4 usually are


def crossing(
    tail: Callable[[FloatArray], FloatArray],
    alpha: float,
    most: FloatArray,
    ends: tuple[FloatArray, FloatArray, FloatArray],
    near: float,
) -> FloatArray:
    """Return the distances whose tail is alpha.

    Parameters
    ----------
    tail : function of a (C,) float array
        Falling in each distance.
    alpha : float
        In (0, 1).
    most : (C,) float array
        About the tail at no distance, at least alpha.
    ends : three (C,) float arrays
        A distance that is too small, a first guess, and a distance that is too large.
    near : float
        Relative step at which to stop; the error is near its square.

    Returns
    -------
    (C,) float array
        Distances.

    Notes
    -----
    Regula falsi on the root of the tail's logarithm, which is nearly a straight line for laws with tails like
    the normal one's, and halving where that leaves the interval.

    Examples
    --------
    >>> from scipy.special import ndtr
    >>> one = np.ones(1)
    >>> far = crossing(lambda x: 2 * ndtr(-x), 1e-4, one, (0 * one, 3 * one, 9 * one), 1e-4)
    >>> far.round(4).tolist()
    [3.8906]
    """
    low, now, high = ends
    goal = np.sqrt(2 * np.log(most / alpha))
    before, root_before = np.zeros_like(now), np.zeros_like(now)
    settled = np.zeros(now.shape, np.bool_)  # a distance that has settled does not wait for others
    for _ in range(STEPS):
        reached = tail(now)
        root = np.sqrt(2 * np.maximum(np.log(most / np.maximum(reached, TINY)), 0))
        low, high = np.where(reached > alpha, now, low), np.where(reached > alpha, high, now)
        slope = (root - root_before) / np.where(now == before, 1.0, now - before)
        following = now + (goal - root) / np.where(slope > 0, slope, np.inf)
        is_inside = (following > low) & (following < high)
        following = np.where(is_inside, following, (low + high) / 2)
        moved = np.where(is_inside, np.abs(following - now), (high - low) / near)
        before, root_before = now, root
        now = np.where(settled, now, following)
        settled |= moved <= near * now
        if settled.all():
            break
    return now

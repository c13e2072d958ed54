"""The grids on which scores, probabilities between 0 and 1, are counted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from detectors.pair import FloatArray, IntArray

_SAME: Final = 1e-9
"""How near a score is to its point, as a share of its distance from 0 or 1, to count as the point itself."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoreGrid:
    """Points on [0, 1]; a score counts at the point that is nearest to it.

    Parameters
    ----------
    points : (B,) float array
        Ascending, the first 0, the last 1.

    Examples
    --------
    >>> fine_grid().points.size, coarse_grid().points.size
    (1255, 131)
    """

    points: FloatArray

    @property
    def size(self) -> int:
        """How many points there are."""
        return self.points.size

    @property
    def edges(self) -> FloatArray:
        """(B-1,) the scores in the middle between two points; one that lies on an edge counts above it."""
        return np.asarray((self.points[1:] + self.points[:-1]) / 2)

    @property
    def reaches(self) -> FloatArray:
        """(B,) how far a score can be from its point."""
        ends = np.concatenate([[0.0], self.edges, [1.0]])
        return np.asarray(np.maximum(self.points - ends[:-1], ends[1:] - self.points))

    def place(self, scores: FloatArray) -> tuple[IntArray, int]:
        """Find the point of each score.

        Parameters
        ----------
        scores : (n,) float array
            Probabilities; what is NaN or outside [0, 1] is no score.

        Returns
        -------
        bins : (n,) int64 array
            Indices of points, B for what is no score.
        off_grid : int
            How many scores differ from their point.

        Notes
        -----
        Cost: O(n log B), about 30 ns a score.

        Examples
        --------
        >>> bins, off_grid = fine_grid().place(np.array([0.25, 0.2501, np.nan]))
        >>> fine_grid().points[bins[:2]].tolist(), bins[2].item() == fine_grid().size, off_grid
        ([0.25, 0.25], True, 1)
        """
        usable = (scores >= 0) & (scores <= 1)
        there = np.where(usable, scores, 0.0)
        bins = np.searchsorted(self.edges, there, side="right")
        points = self.points[bins]
        off = usable & (np.abs(there - points) > _SAME * np.minimum(points, 1 - points))
        return np.where(usable, bins, self.size).astype(np.int64), int(np.count_nonzero(off))


@lru_cache(maxsize=1)
def fine_grid() -> ScoreGrid:
    """Return the grid of scores of one class: thousandths, and 16 points a decade from 0.01 down to 1e-10.

    Returns
    -------
    ScoreGrid
        Of 1,255 points, symmetric about one half: scores of up to three decimals are exact, others are within
        0.0005 of their point, and within 8 % of their distance from 0 or 1 down to 1e-10.

    Examples
    --------
    >>> grid = fine_grid()
    >>> bool(grid.reaches.max() <= 0.0005 + 1e-12), grid.points[1].item()
    (True, 1e-10)
    """
    return _grid(steps=1000, nearest=1e-2, decades=8, per_decade=16)


@lru_cache(maxsize=1)
def coarse_grid() -> ScoreGrid:
    """Return the grid of one class's scores among many: hundredths, and 4 points a decade from 0.1 down to 1e-5.

    Returns
    -------
    ScoreGrid
        Of 131 points, symmetric about one half: scores of up to two decimals are exact, others are within 0.005.

    Examples
    --------
    >>> bool(coarse_grid().reaches.max() <= 0.005 + 1e-12)
    True
    """
    return _grid(steps=100, nearest=1e-1, decades=4, per_decade=4)


def _grid(steps: int, nearest: float, decades: int, per_decade: int) -> ScoreGrid:
    even = np.arange(steps + 1) / steps
    small = nearest * 10.0 ** (-np.arange(decades * per_decade + 1) / per_decade)
    is_new = np.abs(small - np.round(small * steps) / steps) > _SAME * small
    points = np.sort(np.concatenate([even, small[is_new], 1 - small[is_new]]))
    points.setflags(write=False)  # all share it
    return ScoreGrid(points)

"""Second moments counted on one grid, as they would be on another: each column's values shifted and stretched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.sketches.moments import LIMIT, CrossMoments
from service.sketches.numbers import STEPS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.messages import Column
    from service.sketches.grids import Grid
    from service.sketches.pane import PaneSketch

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_FARTHEST = 1e60
"""Grids that are further apart, in steps or scales, have nothing to say of each other."""


def regrid_moments(sketch: PaneSketch, grid: Grid) -> CrossMoments:
    """The moments of the columns that both grids keep them of.

    A value of z steps from the old centre is a + b z steps from the new one, so that one column's sums are exact but
    for rounding; what was clipped at the old limit stays there. In how many rows two columns have a value together
    is not known: of n rows p and q it is taken as p q / n, as `CrossMoments` does.
    """
    old, made = sketch.moments, CrossMoments(grid)
    frames = _frames(sketch.grid, grid, [column for column in made.columns if column in set(old.columns)])
    places = [made.columns.index(column) for column in frames]
    was = [old.columns.index(column) for column in frames]
    if not places:
        return made
    a, b = np.array([*frames.values()]).T
    present, sums = old.present[was].astype(np.float64), old.sums[was].astype(np.float64)
    share = present / max(old.rows, 1)
    both, sums_of_both = np.outer(present, present) / max(old.rows, 1), np.outer(share, sums)
    np.fill_diagonal(both, present)
    np.fill_diagonal(sums_of_both, sums)
    cross = np.outer(a, b) * sums_of_both
    products = np.outer(b, b) * old.products[np.ix_(was, was)] + np.outer(a, a) * both + (cross + cross.T)
    made.rows, made.present[places] = old.rows, old.present[was]
    made.sums[places] = _counted(a * present + b * sums, old.rows * LIMIT)
    made.products[np.ix_(places, places)] = _counted(products, old.rows * LIMIT**2)
    return made


def _frames(old: Grid, new: Grid, columns: Sequence[Column]) -> dict[Column, tuple[float, float]]:
    """By column a and b, of those that doubles can hold."""
    frames = {}
    for column in columns:
        was, now = old.numbers[old.number_at[column]], new.numbers[new.number_at[column]]
        with np.errstate(over="ignore", invalid="ignore"):
            a = float(STEPS * (np.float64(was.centre) - now.centre) / now.scale)
            b = float(np.float64(was.scale) / now.scale)
        if abs(a) < _FARTHEST and b < _FARTHEST:
            frames[column] = (a, b)
    return frames


def _counted(sums: FloatArray, most: int) -> IntArray:
    return np.clip(np.rint(sums), -most, most).astype(np.int64)

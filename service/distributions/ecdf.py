"""How many of a column's values lie below each of some points, on both sides, and how exactly that is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.reference.bins import cumulative

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.reference.bins import BinnedColumn

FloatArray = NDArray[np.float64]

MOST_POINTS = 200
_LARGEST = float(np.finfo(np.float64).max) / 4


@dataclass(frozen=True, slots=True)
class Curve:
    """Of one side: the share of the values below each point, which is off by `resolution` at most, there and between.

    Straight lines are drawn from point to point.
    """

    below: tuple[float, ...]
    resolution: float


@dataclass(frozen=True, slots=True)
class Ecdf:
    """Ascending points, and the curve of each side."""

    points: tuple[float, ...]
    curves: tuple[Curve, ...]


def ecdf(sides: Sequence[BinnedColumn], most: int = MOST_POINTS) -> Ecdf:
    """Of columns that have at least one row each, at the borders of their bins."""
    known = [cumulative(side) for side in sides]
    points = _thinned(known, most)
    curves = tuple(_curve(points, *one) for one in known)
    return Ecdf(tuple(points.tolist()), curves)


def _thinned(known: Sequence[tuple[FloatArray, FloatArray]], most: int) -> FloatArray:
    """The borders of all sides, or as many of them as are evenly spread over the rows and over the values.

    A single value has two borders: both of them are taken, or none.
    """
    points = np.unique(np.concatenate([one for one, _ in known]).clip(-_LARGEST, _LARGEST))
    if len(points) <= most:
        return points
    pooled = np.mean([_share_below(points, *one) for one in known], axis=0)
    by_rows = np.searchsorted(pooled, np.linspace(0, 1, most // 4))
    by_value = np.searchsorted(points, np.linspace(points[0], points[-1], most // 4 - 2))
    chosen = np.minimum(np.concatenate([by_rows, by_value, [0, len(points) - 1]]), len(points) - 1)
    is_first = np.append(points[1:] <= np.nextafter(points[:-1], np.inf), False)
    partner = np.where(is_first[chosen], chosen + 1, np.where(is_first[chosen - 1], chosen - 1, chosen))
    return np.asarray(points[np.unique(np.concatenate([chosen, partner]))])


def _share_below(at: FloatArray, points: FloatArray, below: FloatArray) -> FloatArray:
    return np.asarray(np.interp(at, points, below, left=0.0, right=below[-1]) / below[-1])


def _curve(at: FloatArray, points: FloatArray, below: FloatArray) -> Curve:
    shares = _share_below(at, points, below)
    steps = np.diff(shares)[np.diff(at) > np.spacing(at[:-1]) * 1.5]
    place = np.clip(np.searchsorted(points, at, "right") - 1, 0, len(points) - 2)
    outside = (at <= points[0]) | (at >= points[-1]) | np.isin(at, points)
    inside = np.where(outside, 0.0, (np.diff(below) / below[-1])[place])
    resolution = max(float(steps.max(initial=0.0)), float(inside.max(initial=0.0)))
    return Curve(tuple(np.round(shares, 9).tolist()), resolution)

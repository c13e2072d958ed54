"""The ranges that people read a distribution in: few, with round edges, the same ones for both sides."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.distributions.wording import number_to
from service.reference.bins import cumulative, quantiles_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.reference.bins import BinnedColumn

FloatArray = NDArray[np.float64]

USUAL_RANGES, MOST_VALUES = 20, 24
_ENDS = np.array([0.005, 0.995])
_MIDDLE = np.array([0.25, 0.75])
_OUTLIERS = 1.5
"""Extremes that make the whole so many times as wide as nearly all of it lie beyond the ranges."""
_FAR_APART, _ANOTHER_SCALE = 1_000, 20
_APART = 1e4
"""Single values are told apart to five digits."""
_ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
_LARGEST = float(np.finfo(np.float64).max) / 4


class Range(NamedTuple):
    """Values from `low` to below `high`; None is without an end, and equal ones are a single value."""

    name: str
    low: float | None
    high: float | None


class Ranges(NamedTuple):
    """Ascending edges, and the range between each two of them, before the first and after the last."""

    edges: FloatArray
    ranges: tuple[Range, ...]


def ranges_for(sides: Sequence[BinnedColumn]) -> Ranges:
    """For columns that have at least one row each: single values where these are few, else ranges."""
    values = _few_values(sides)
    if values is not None:
        return values
    low, high = _span(sides)
    if np.nextafter(low, np.inf) >= high:
        return _named(np.array([low, np.nextafter(low, np.inf)]), 0.0)
    if _wants_ratios(sides, low, high):
        return _named(_ratio_edges(low, high), 0.0)
    step = _round_step((high - low) / USUAL_RANGES)
    return _named(_even_edges(low, high, step), step)


def _few_values(sides: Sequence[BinnedColumn]) -> Ranges | None:
    """A list of single values, and what lies between them; None where they are many, or one side has other bins."""
    borders: set[tuple[float, float]] = set()
    for side in sides:
        borders.update(_filled(side))
        if len(borders) > MOST_VALUES:
            return None
    if not any(all(_is_single(*one) for one in _filled(side)) for side in sides):
        return None
    return _named(np.unique(np.array(sorted(borders)).ravel()), 0.0)


def _filled(side: BinnedColumn) -> list[tuple[float, float]]:
    points, below = cumulative(side)
    filled = np.flatnonzero(np.diff(below))
    return list(zip(points[filled].tolist(), points[filled + 1].tolist(), strict=True))


def _is_single(low: float, high: float) -> bool:
    return bool(high <= np.nextafter(low, np.inf))


def _span(sides: Sequence[BinnedColumn]) -> tuple[float, float]:
    """All values, or nearly all of them where the extremes would flatten the rest."""
    ends = [quantiles_of(side, _ENDS) for side in sides]
    near = min(float(one[0]) for one in ends), max(float(one[1]) for one in ends)
    whole = min(side.low for side in sides), max(side.high for side in sides)
    wide = whole[1] / 2 - whole[0] / 2 > _OUTLIERS * (near[1] / 2 - near[0] / 2)
    low, high = near if wide and near[0] < near[1] else whole
    return max(low, -_LARGEST), min(high, _LARGEST)


def _wants_ratios(sides: Sequence[BinnedColumn], low: float, high: float) -> bool:
    """Where even ranges would put one side, or most of the values, into one of them."""
    if low <= 0:
        return False
    widths = [float(np.diff(quantiles_of(side, _MIDDLE))[0]) for side in sides]
    scales = max(widths) > _ANOTHER_SCALE * min(widths) > 0
    return high / low > _FAR_APART or (scales and high / low > _ANOTHER_SCALE)


def _round_step(width: float) -> float:
    """The least round number that is no smaller."""
    decade = 10.0 ** np.floor(np.log10(width))
    return float(decade * next(one for one in _ROUND if one * decade >= width * (1 - 1e-9)))


def _even_edges(low: float, high: float, step: float) -> FloatArray:
    places = np.arange(np.floor(low / step), np.floor(high / step) + 2)
    decimals = int(max(0, 1 - np.floor(np.log10(step))))
    return np.unique(np.round(places * step, decimals) if decimals < 300 else places * step)


def _ratio_edges(low: float, high: float) -> FloatArray:
    """1, 2 and 5 of each decade, or whole decades where these are many."""
    first, last = int(np.floor(np.log10(low))), int(np.floor(np.log10(high))) + 1
    parts = (1.0, 2.0, 5.0) if last - first <= 8 else (1.0,)
    edges = np.array([float(f"{part:g}e{decade}") for decade in range(first, last + 1) for part in parts])
    start, end = np.searchsorted(edges, low, "right") - 1, np.searchsorted(edges, high, "right") + 1
    return edges[max(0, start) : end]


def _named(edges: FloatArray, step: float) -> Ranges:
    # A round step has two digits at most, 2.5 for one: its edges are told in both.
    said = [number_to(one, step / 10 or abs(one) / _APART) for one in edges.tolist()]
    between = [
        Range(a_said, a, a) if _is_single(a, b) else Range(f"{a_said} to {b_said}", a, b)
        for (a, b), (a_said, b_said) in zip(pairwise(edges.tolist()), pairwise(said), strict=True)
    ]
    first = Range(f"below {said[0]}", None, float(edges[0]))
    last = Range(f"{said[-1]} and more", float(edges[-1]), None)
    if between and between[-1].low == between[-1].high:
        last = Range(f"above {said[-2]}", between[-1].low, None)
    return Ranges(edges, (first, *between, last))

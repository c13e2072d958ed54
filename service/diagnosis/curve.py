"""A number column's cumulative distribution as a continuous line, so that its values can be converted.

Rows are taken as spread evenly within a bin. A bin of one exact value is widened by a billionth on both sides:
then no rounding of a conversion's last digit carries the value over the edge of a bin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.reference.bins import cumulative

if TYPE_CHECKING:
    from service.reference.bins import BinnedColumn

FloatArray = NDArray[np.float64]

_WIDENED = 1e-9
_MOST_STEPS = 16


@dataclass(frozen=True, slots=True)
class Curve:
    """`points` ascend, `below` rows lie below each; the last is all rows. `low` and `high` are the extreme values."""

    points: FloatArray
    below: FloatArray
    low: float
    high: float

    @property
    def rows(self) -> float:
        """All rows."""
        return float(self.below[-1])

    def share_below(self, values: FloatArray) -> FloatArray:
        """The share of rows below each value."""
        return np.asarray(np.interp(values, self.points, self.below, left=0.0, right=self.rows) / self.rows)

    def share_of(self, values: FloatArray) -> FloatArray:
        """The share of rows with exactly this value (where it has a bin of its own, else of its near ones)."""
        below, above = around(values)
        return np.asarray(self.share_below(above) - self.share_below(below))

    def quantiles(self, shares: FloatArray) -> FloatArray:
        """The values below which these shares of the rows lie."""
        rising = np.concatenate([[True], np.diff(self.below) > 0])
        return np.asarray(np.interp(shares * self.rows, self.below[rising], self.points[rising]))

    def atoms(self) -> tuple[FloatArray, FloatArray]:
        """The exact values that have a bin of their own, and the share of rows of each."""
        middles = (self.points[1:] + self.points[:-1]) / 2
        narrow = np.diff(self.points) <= 3 * _margin(middles) + 1e-300
        shares = np.diff(self.below) / self.rows
        held = narrow & (shares > 0)
        values = middles[held]
        return np.where(np.abs(values) < 1e-12, 0.0, values), shares[held]

    def spread(self) -> float:
        """A robust standard deviation: half the distance of the 16 % and the 84 % point, or else the moments'."""
        low, high = self.quantiles(np.array([0.1587, 0.8413]))
        return float(high - low) / 2 or self.moments()[1]

    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation with every row in the middle of its bin."""
        rows, middles = np.diff(self.below), (self.points[1:] + self.points[:-1]) / 2
        mean = float(np.average(middles, weights=rows))
        return mean, float(np.sqrt(np.average((middles - mean) ** 2, weights=rows)))


def curve_of(column: BinnedColumn) -> Curve:
    """The line through a column's cumulative counts; needs at least one row.

    Zero alone is not widened: a conversion may bring anything as near to it as it likes.
    """
    points, below = cumulative(column)
    return Curve(widened(points, at_zero=0.0), below, column.low, column.high)


def widened(points: FloatArray, at_zero: float = 1e-14) -> FloatArray:
    """Ascending points, where the two of one exact value are moved apart; those of zero by this much."""
    first = np.flatnonzero(points[1:] <= np.nextafter(points[:-1], np.inf))
    made = points.copy()
    margin = np.where(points[first] == 0, at_zero, _WIDENED * np.abs(points[first]))
    made[first] -= margin
    made[first + 1] += margin
    return np.maximum.accumulate(made)


def beside(edges: FloatArray) -> FloatArray:
    """Edges moved off the values that they fall on: a value on an edge belongs above it.

    An edge that is a short decimal but for its last digits is taken for that.
    """
    first = np.flatnonzero(edges[1:] <= np.nextafter(edges[:-1], np.inf))
    short = np.array([float(f"{edge:.7g}") for edge in edges.tolist()])
    above = (edges > short) & (edges - short <= _margin(edges))
    made = edges + np.where(above, 2.0, -2.0) * _margin(edges)
    made[first], made[first + 1] = edges[first], edges[first + 1]
    return widened(made)


def around(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Just below and just above each value."""
    margin = 1e-14 + 1.01 * _WIDENED * np.abs(values)
    return values - margin, values + margin


def on_steps(curve: Curve, step: float) -> Curve:
    """The same rows, those of a bin that holds few multiples of `step` on these, evenly."""
    steps = np.ceil(curve.points / step - 1e-6)
    first, last = steps[:-1], steps[1:] - 1
    rows, held = np.diff(curve.below), last - first + 1
    wide = np.diff(curve.points) > 3 * _margin(curve.points[:-1])
    chosen = np.flatnonzero((rows > 0) & (held >= 1) & (held <= _MOST_STEPS) & wide)
    if not len(chosen):
        return curve
    times = held[chosen].astype(np.int64)
    nth = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    values = (np.repeat(first[chosen], times) + nth) * step
    share = np.repeat(rows[chosen] / times, times)
    before = np.repeat(curve.below[:-1][chosen], times) + nth * share
    points = np.concatenate([curve.points, values - _margin(values), values + _margin(values)])
    below = np.concatenate([curve.below, before, before + share])
    order = np.lexsort((below, points))
    return Curve(points[order], np.maximum.accumulate(below[order]), curve.low, curve.high)


def _margin(values: FloatArray) -> FloatArray:
    return _WIDENED * np.abs(values)

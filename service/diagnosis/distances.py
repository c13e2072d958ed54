"""How far one column's values are from another's, numbers by numbers and texts by texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.diagnosis.shares import surprise
from service.reference.bins import BinnedColumn, cumulative

if TYPE_CHECKING:
    from service.diagnosis.view import ColumnView

FloatArray = NDArray[np.float64]

_GROUP = 0.02
"""Neighbouring bins are put together until they usually hold such a share of the rows."""

_NOISE = 1.95
"""The Kolmogorov-Smirnov distance that one in a thousand pairs of samples exceeds, times sqrt(1/n + 1/m)."""

_NEVER = 1e-9
_LATTICE = 0.999
"""A column whose bins of one exact value hold such a share of it has no other values."""


class Fit(NamedTuple):
    """How well rows agree with what another column held.

    `distance` is in [0, 1]: Kolmogorov-Smirnov for numbers, total variation for texts. `noise` is the distance that
    samples of these sizes seldom exceed. `surprise` is in standard deviations of the likelihood ratio, and `nats` the
    likelihood ratio itself. `cells` is between how many values the rows are spread: of two, little can be told.
    `strange` is the share of rows whose value never occurred.
    """

    distance: float
    noise: float
    surprise: float
    nats: float
    cells: float
    strange: float

    @property
    def agrees(self) -> bool:
        """Whether nothing but noise and a trifle of drift is between them."""
        return self.distance <= self.noise + 0.03


def fit(current: ColumnView, usual: ColumnView) -> Fit | None:
    """How well the values of `current` agree with those of `usual`; None if they are of different types."""
    if not current.present or not usual.present:
        return None
    if (current.n_numbers > current.n_texts) != (usual.n_numbers > usual.n_texts):
        return None
    if current.n_numbers > current.n_texts:
        return _of_numbers(current, usual)
    texts = sorted(current.texts.keys() | usual.texts.keys())
    now = np.array([*(current.texts.get(text, 0) for text in texts), current.texts_other], np.float64)
    was = np.array([*(usual.texts.get(text, 0) for text in texts), usual.texts_other], np.float64)
    distance = 0.5 * float(np.abs(now / now.sum() - was / was.sum()).sum())
    spread = np.sqrt(was / was.sum() * (1.0 / now.sum() + 1.0 / was.sum()))
    return _fit(distance, 0.6 * float(spread.sum()), now, was)


def best_fit(current: ColumnView, *usual: ColumnView | None) -> Fit | None:
    """Against whichever of these fits better."""
    fits = [one for one in (fit(current, view) for view in usual if view is not None) if one is not None]
    return min(fits, key=lambda one: one.distance - one.noise, default=None)


def _of_numbers(current: ColumnView, usual: ColumnView) -> Fit:
    mine, theirs = current.numbers, usual.numbers
    if mine is None or theirs is None:
        raise ValueError("a column that mostly holds numbers has bins")
    now = mine.counts.astype(np.float64)
    was = counts_between(theirs, mine.edges)
    n, m = float(now.sum()), float(was.sum())
    distance = float(np.abs(np.cumsum(now) / n - np.cumsum(was) / m).max())
    grouped_now, grouped_was = _grouped(now, was)
    off = sum(8.0 for value in {mine.low, mine.high} if _is_off(value, theirs))
    beyond = sum(np.log((n + m) / n) for out in (mine.low < theirs.low, mine.high > theirs.high) if out)
    made = _fit(distance, _NOISE * float(np.sqrt(1.0 / n + 1.0 / m)), grouped_now, grouped_was)
    return made._replace(nats=made.nats + off + beyond)


def counts_between(column: BinnedColumn, edges: FloatArray) -> FloatArray:
    """The counts between other edges, rows taken as spread evenly within a bin."""
    points, below = cumulative(column)
    at = np.interp(edges, points, below, left=0.0, right=float(below[-1]))
    return np.diff(at, prepend=0.0, append=below[-1])


def _grouped(now: FloatArray, was: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Neighbours together, and all bins where nothing ever was as one."""
    never = was < _NEVER
    group = np.floor((np.cumsum(was) - 0.5 * was) / was.sum() / _GROUP).astype(np.int64)
    group[never] = group.max(initial=0) + 1
    _, index = np.unique(group, return_inverse=True)
    return np.bincount(index, now).astype(np.float64), np.bincount(index, was).astype(np.float64)


def _fit(distance: float, noise: float, now: FloatArray, was: FloatArray) -> Fit:
    n, m = float(now.sum()), float(was.sum())
    deviations, size = surprise(now, was / m, m)
    nats = 0.5 * size**2 * n * m / (n + m)
    share = np.maximum(now / n, 1e-12)
    spread = float(np.exp(-np.sum(share * np.log(share))))
    return Fit(distance, noise, deviations, nats, spread, float(now[was < _NEVER].sum()) / n)


def _is_off(value: float, usual: BinnedColumn) -> bool:
    """Whether `usual` holds exact values only, and this is none of them."""
    exact = np.nextafter(usual.edges[:-1], np.inf) >= usual.edges[1:]
    inner = usual.counts[1:-1]
    if inner[exact].sum() < _LATTICE * usual.counts.sum():
        return False
    values = usual.edges[:-1][exact & (inner > 0)]
    return bool(len(values)) and not np.isclose(values, value, rtol=1e-9, atol=0.0).any()


def sample_distance(values: FloatArray, usual: BinnedColumn) -> float:
    """The Kolmogorov-Smirnov distance of exact values from a column's bins."""
    if not len(values) or not usual.counts.any():
        return 1.0
    points, below = cumulative(usual)
    ordered = np.sort(values)
    share = np.searchsorted(ordered, points, side="left") / len(ordered)
    return float(np.abs(share - below / below[-1]).max())

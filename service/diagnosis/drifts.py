"""Changes that need no fault to explain them: nothing, a shift, growth, another mix of the same values, any other form.

They are the rivals of every named cause: what one of them explains as well is drift.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.diagnosis.affine import AffineFit, Fit, best_affine, best_scale, best_shift
from service.diagnosis.explanation import Explanation

if TYPE_CHECKING:
    from service.diagnosis.setting import Setting, Usual

FloatArray = NDArray[np.float64]

_GROWTH, _SHIFT = (0.2, 0.3), (0.7, 0.8)
"""How far columns grow (in ln) and move (in standard deviations) by themselves: one standard deviation, of columns
whose windows are steady, and how much more of those whose windows are known from a few rows only."""
_UNSTEADY = 100.0
_LOOSE = (15.0, 60.0, 240.0)
"""Any other form: shares known only as from so many rows."""
_NEW_VALUES = -4.0
"""How much less likely it is that a column drifts and begins to take values off its lattice at the same time."""
_GROWN_TO_NEW_VALUES = -9.0
_FARTHEST = 30.0
_TILTS = 8


class Drifts(NamedTuple):
    """The explanations without a cause, and the fits that they rest on."""

    explanations: list[Explanation]
    unchanged: FloatArray
    scale: Fit | None
    affine: AffineFit


def drifts_of(setting: Setting, usual: Usual) -> Drifts:
    """What needs no cause, judged against these usual rows."""
    unchanged = setting.partition.shares(usual.curve)
    on_lattice = float(setting.exact.as_is(setting.lattice).sum())
    anywhere = max(on_lattice, setting.exact.anew(setting.lattice) + _NEW_VALUES)
    grown = max(on_lattice, setting.exact.anew(setting.lattice) + _GROWN_TO_NEW_VALUES)
    scale, shift, affine = best_scale(setting, usual), best_shift(setting, usual), best_affine(setting, usual)
    tilted = _tilted(setting, unchanged)
    found = [
        Explanation(_evidence(setting, usual, unchanged) + on_lattice, usual, unchanged),
        Explanation(_evidence(setting, usual, tilted) + on_lattice - 7.0, usual, tilted),
        Explanation(_shift_weight(usual, shift) + anywhere, usual, shift.shares),
        Explanation(_loose(setting, unchanged) + anywhere - 4.0, usual, unchanged),
        Explanation(_loose(setting, affine.shares) + anywhere + _far(usual, affine), usual, affine.shares),
        Explanation(_affine_weight(usual, affine) + anywhere, usual, affine.shares),
    ]
    if scale is not None:
        found.append(Explanation(_growth_weight(usual, scale) + grown, usual, scale.shares))
    return Drifts(found, unchanged, scale, affine)


def _growth_weight(usual: Usual, scale: Fit) -> float:
    """The weight of growth by any ratio: Laplace's approximation of the integral over it."""
    return (
        scale.evidence
        + _occam(scale.error)
        + _likely(float(np.log(scale.value)), _usual_way(usual, _GROWTH))
        - 1.0
    )


def _shift_weight(usual: Usual, shift: Fit) -> float:
    spread = max(usual.curve.spread(), 1e-12)
    likely = _likely(shift.value / spread, _usual_way(usual, _SHIFT))
    return shift.evidence + _occam(shift.error / spread) + likely - 1.0


def _affine_weight(usual: Usual, affine: AffineFit) -> float:
    growth, moved = _usual_way(usual, _GROWTH), _usual_way(usual, _SHIFT)
    by_ratio = _normal(float(np.log(affine.ratio)) / growth)
    return affine.evidence - 7.0 + by_ratio + _normal(_moved(usual, affine) / moved)


def _far(usual: Usual, affine: AffineFit) -> float:
    """The weight of a move and growth so far, with tails that are heavier than those of moves in form alone."""
    return -4.0 - min(
        _FARTHEST, abs(float(np.log(affine.ratio))) / _usual_way(usual, _GROWTH) + abs(_moved(usual, affine))
    )


def _moved(usual: Usual, affine: AffineFit) -> float:
    """By how many of the usual standard deviations the median moves."""
    middle = float(usual.curve.quantiles(np.array([0.5]))[0])
    return (affine.ratio * middle + affine.offset - middle) / max(usual.curve.spread(), 1e-12)


def _loose(setting: Setting, shares: FloatArray) -> float:
    evidence = [float(setting.partition.evidence(shares, known)) for known in _LOOSE]
    return float(np.logaddexp.reduce(evidence)) - float(np.log(len(evidence)))


def _tilted(setting: Setting, unchanged: FloatArray) -> FloatArray:
    """The shares times exp(s z + t z^2), z their normal score: other odds of the same values; Newton's method."""
    upto = np.cumsum(unchanged) - unchanged / 2
    z = _score(upto)
    features = np.stack([z, z * z - 1.0])
    groups = setting.partition.by_group(unchanged)
    by_group = setting.partition.by_group(features * unchanged) / np.maximum(groups, 1e-12)
    counts, slopes = setting.partition.counts, np.zeros(2)
    for _ in range(_TILTS):
        p = groups * np.exp(np.clip(slopes @ by_group, -20.0, 20.0))
        p /= p.sum()
        mean = by_group @ p
        centred = by_group - mean[:, None]
        hessian = counts.sum() * (centred * p) @ centred.T + np.eye(2)
        step = np.linalg.solve(hessian, by_group @ counts - counts.sum() * mean - slopes)
        slopes = np.clip(slopes + np.clip(step, -1.0, 1.0), -4.0, 4.0)
    made = unchanged * np.exp(np.clip(slopes @ features, -20.0, 20.0))
    return np.asarray(made / made.sum())


def _score(shares: FloatArray) -> FloatArray:
    """The normal quantile by the logistic approximation; only an axis to tilt along."""
    held = np.clip(shares, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(held / (1 - held)) / 1.702)


def _evidence(setting: Setting, usual: Usual, shares: FloatArray) -> float:
    return float(setting.evidence(usual, shares))


def _occam(error: float) -> float:
    return float(np.log(2.507 * error))


def _usual_way(usual: Usual, way: tuple[float, float]) -> float:
    return way[0] + way[1] / (1.0 + usual.known / _UNSTEADY)


def _likely(way: float, usual_way: float) -> float:
    """The log-density of a normal law."""
    return _normal(way / usual_way) - float(np.log(usual_way))


def _normal(z: float) -> float:
    return float(-0.5 * z * z - 0.919)

"""All rows were rescaled, by a ratio that no known units have, or by the column's own statistics."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.diagnosis.affine import Fit
from service.diagnosis.conversions import Linear, linear_conversions
from service.diagnosis.explanation import Fault
from service.diagnosis.lattice import RESOLUTION
from service.diagnosis.unit_wording import tell_standardised, tell_unnamed
from service.diagnosis.units import PROOF, exact_otherwise, judge
from service.messages import Cause

if TYPE_CHECKING:
    from service.diagnosis.drifts import Drifts
    from service.diagnosis.setting import Setting, Usual

FloatArray = NDArray[np.float64]

_UNNAMED = -5.0
_STANDARDISED = -9.0
_WIDEST_LOG = 20.0
"""A ratio without a name may be anything from e^-10 to e^10; growth is near 1."""
_CLOSE, _CHANGED = 0.08, 0.3
_EXACTLY = -2.0
_STEPS_AROUND, _NEAR_LOG, _NAMED_LOG = 12, 0.15, 0.002


def rescalings(setting: Setting, usual: Usual, drifts: Drifts) -> list[Fault]:
    """Unlike growth, a rescaling may leave the lattice, and may be by any ratio."""
    return [
        *_unnamed(setting, usual, drifts),
        *_off_lattice(setting, usual, drifts),
        *_standardised(setting, usual, drifts),
    ]


def _unnamed(setting: Setting, usual: Usual, drifts: Drifts) -> list[Fault]:
    scale = drifts.scale
    if scale is None:
        return []
    weight = scale.evidence + float(np.log(2.507 * scale.error / _WIDEST_LOG)) + _UNNAMED
    weight += setting.exact.anew(setting.lattice)
    tell = partial(tell_unnamed, setting, drifts, scale)
    return [Fault(weight, usual, scale.shares, Cause.UNIT_CHANGE, tell)]


def _off_lattice(setting: Setting, usual: Usual, drifts: Drifts) -> list[Fault]:
    """By the one ratio that leads the exact values back onto the lattice."""
    ratios = _ratios_to_lattice(setting, drifts)
    if not len(ratios):
        return []
    judged = judge(setting, usual, [Linear(ratio, 0.0, ()) for ratio in ratios.tolist()], rounded=False)
    exact = judged.exact.sum(axis=-1)
    best = int(np.argmax(judged.evidence + exact))
    weight = float(judged.evidence[best] + exact[best]) + _UNNAMED + _EXACTLY - float(np.log(len(ratios)))
    fit = Fit(float(ratios[best]), RESOLUTION, judged.shares[best], float(judged.evidence[best]))
    proven = float(exact[best]) - exact_otherwise(setting) > PROOF
    tell = partial(tell_unnamed, setting, drifts, fit)
    return [Fault(weight, usual, judged.shares[best], Cause.UNIT_CHANGE, tell, proven)]


def _ratios_to_lattice(setting: Setting, drifts: Drifts) -> FloatArray:
    """Ratios without a name of some exact values to values of the lattice, near the scale that fits best."""
    lattice, values = setting.lattice, setting.exact.values
    if lattice is None or drifts.scale is None or not len(values):
        return np.empty(0)
    some = values[np.argsort(np.abs(values), kind="stable")[:: max(1, len(values) // 3)][:3]]
    listed = lattice.values[lattice.values != 0]
    if not len(listed):
        nearest = np.rint(some / drifts.scale.value / lattice.step)
        listed = np.unique(nearest[:, None] + np.arange(-_STEPS_AROUND, _STEPS_AROUND + 1)) * lattice.step
        listed = listed[listed != 0]
    ratios = np.unique((some[:, None] / listed).ravel())
    ratios = ratios[ratios > 0]
    near = np.abs(np.log(ratios / drifts.scale.value)) < _NEAR_LOG
    known = np.array([1.0, *(one.ratio for one in linear_conversions() if one.ratio > 0 and not one.offset)])
    nameless = np.abs(np.log(ratios[:, None] / known)).min(axis=1) > _NAMED_LOG
    return np.asarray(ratios[near & nameless])


def _standardised(setting: Setting, usual: Usual, drifts: Drifts) -> list[Fault]:
    """To mean 0 and deviation 1, or to [0, 1], as a column is prepared for training."""
    curve, fit = usual.curve, drifts.affine
    ways = (
        ("standardised to mean 0 and deviation 1", *curve.moments()),
        ("scaled to the range from 0 to 1", curve.low, curve.high - curve.low),
    )
    found = []
    for name, centre, size in ways:
        if size <= 0 or max(abs(np.log(size)), abs(centre / size)) < _CHANGED:
            continue
        if abs(np.log(fit.ratio * size)) < _CLOSE and abs(fit.offset + centre / size) < _CLOSE:
            weight = fit.evidence + setting.exact.anew(setting.lattice) + _STANDARDISED
            tell = partial(tell_standardised, setting, drifts, name)
            found.append(Fault(weight, usual, fit.shares, Cause.UNIT_CHANGE, tell))
    return found

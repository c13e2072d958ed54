"""Digits are lost: values are rounded or cut off to a coarser step than the column was recorded with."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.diagnosis.explanation import Fault, Told
from service.diagnosis.phrasing import named
from service.messages import Cause

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.diagnosis.drifts import Drifts
    from service.diagnosis.setting import Setting, Usual

FloatArray = NDArray[np.float64]

_LIKELY = -4.0
_DRIFTED_TOO = -4.0
_LOOSE = 60.0
_MOST_BY_STEP = 12.0
"""A column without a lattice may be rounded by whatever changed it: then the form decides what it was."""
_FEWEST_VALUES = 8


class Rounding(NamedTuple):
    """A way to lose digits: `undo(edge, step)` is the value below which a value becomes less than the edge."""

    name: str
    undo: Callable[[FloatArray, float], FloatArray]


ROUNDINGS = (
    Rounding("rounded", lambda edge, step: (np.ceil(edge / step) - 0.5) * step),
    Rounding("rounded down", lambda edge, step: np.ceil(edge / step) * step),
    Rounding("rounded up", lambda edge, step: (np.ceil(edge / step) - 1.0) * step),
    Rounding(
        "cut off after the point",
        lambda edge, step: np.where(edge > 0, np.ceil(edge / step), np.ceil(edge / step) - 1.0) * step,
    ),
)


def lost_digits(setting: Setting) -> float:
    """The step that the current values are on, if that is coarser than the usual one; else 0."""
    if len(setting.exact.values) < _FEWEST_VALUES and not _few_by_rounding(setting):
        return 0.0
    step = setting.exact.step
    usual = setting.lattice.step if setting.lattice is not None else 0.0
    known = len(setting.kept) >= _FEWEST_VALUES or setting.lattice is not None or _is_continuous(setting)
    return step if known and step > 5.0 * usual and _is_rounded(setting, step) else 0.0


def precision_losses(setting: Setting, usual: Usual, drifts: Drifts) -> list[Fault]:
    """Each way of rounding to the step that the sampled values are on."""
    step = lost_digits(setting)
    if not step:
        return []
    exact = float(setting.exact.rounded(step).sum())
    exact = exact if setting.lattice is not None else min(_MOST_BY_STEP, exact)
    found = []
    for way in ROUNDINGS:
        shares = setting.partition.shares(usual.curve, way.undo(setting.partition.edges, step))
        strict = float(setting.evidence(usual, shares))
        loose = float(setting.partition.evidence(shares, _LOOSE)) + _DRIFTED_TOO
        tell = partial(_tell, setting, drifts, way, step, shares)
        weight = float(np.logaddexp(strict, loose)) + exact + _LIKELY
        found.append(Fault(weight, usual, shares, Cause.PRECISION_LOSS, tell, proven=strict > loose))
    return found


def _few_by_rounding(setting: Setting) -> bool:
    """Many sampled rows on few values: the range is only some steps wide."""
    return len(setting.sample) >= 3 * _FEWEST_VALUES and len(setting.exact.values) >= 2


def _is_continuous(setting: Setting) -> bool:
    """Whether the usual rows have hardly any value twice."""
    return float(setting.usual[0].curve.atoms()[1].sum()) < 0.5


def _is_rounded(setting: Setting, step: float) -> bool:
    """Whether a step is coarse enough to lose something, and the rows before were not on it."""
    kept = setting.kept[setting.kept != 0]
    off = np.abs(kept - np.rint(kept / step) * step) > 1e-6 * step
    curve = setting.usual[0].curve
    ends = np.array([curve.low, curve.high])
    ends_off = np.abs(ends - np.rint(ends / step) * step) > 1e-6 * step
    return bool(off.mean() > 0.2) if len(kept) else bool(ends_off.any())


def _tell(setting: Setting, drifts: Drifts, way: Rounding, step: float, shares: FloatArray) -> Told:
    figures: dict[str, float | str] = {
        "step": step,
        "sampled values on the step": len(setting.exact.values),
        "psi before": round(setting.partition.psi(drifts.unchanged), 4),
        "psi when the usual values are rounded alike": round(setting.partition.psi(shares), 4),
    }
    to = "whole numbers" if step == 1.0 else f"multiples of {step:g}"
    return Told(f"{named(setting.column)} is {way.name} to {to}: its digits are lost", way.name, figures)

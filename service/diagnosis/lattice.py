"""The values that a column can take, when they are few or have few decimals: a conversion must lead back onto them.

Evidence is by how many nats a value is likelier than if it could be anything, at the resolution of 2e-7 of itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Callable

    from service.diagnosis.curve import Curve

FloatArray = NDArray[np.float64]

RESOLUTION = 2e-7
_ROUNDED_LESS_LIKELY = 2.0
_FEWEST_VALUES = 5
_FEWEST_KNOWN = 8
_TELLING_STEPS = 20
"""The lowest and the highest value tell the step of a column that is at least so many steps wide."""
_COARSEST, _FINEST = 3, 9
_LISTED, _STEPPED, _NEITHER = 0.8, 0.17, 0.03


@dataclass(frozen=True, slots=True)
class Lattice:
    """`values` are all that a column took (empty when too many), `step` what they are multiples of (0: nothing)."""

    values: FloatArray
    step: float

    def evidence(self, undone: FloatArray, reach: FloatArray, slack: FloatArray) -> FloatArray:
        """Of each value that was `undone`, (..., S): `reach` is the resolution there, `slack` how far off it may be."""
        likelihood = np.full(undone.shape, _NEITHER)
        usable = np.isfinite(undone) & (reach > 0)
        undone, reach = np.where(usable, undone, 0.0), np.where(usable, reach, np.inf)
        slack = np.where(usable, slack, -1.0)
        if len(self.values):
            away, gap = _nearest(self.values, undone)
            likelihood += np.where(away <= slack, _LISTED * np.maximum(gap, 2 * slack) / (2 * reach), 0.0)
        if self.step:
            away = np.abs(undone - np.rint(undone / self.step) * self.step)
            part = _STEPPED if len(self.values) else _LISTED + _STEPPED
            likelihood += np.where(away <= slack, part * np.maximum(self.step, 2 * slack) / (2 * reach), 0.0)
        return np.asarray(np.log(likelihood))


@dataclass(frozen=True, slots=True)
class Exact:
    """Distinct exact values of the current rows other than zero, and the step that they are multiples of (0: none)."""

    values: FloatArray
    step: float

    def as_is(self, lattice: Lattice | None) -> FloatArray:
        """How well the values lie on the lattice as they are, (S,)."""
        if lattice is None:
            return np.zeros(len(self.values))
        reach = RESOLUTION * np.abs(self.values)
        return lattice.evidence(self.values, reach, reach)

    def anew(self, lattice: Lattice | None) -> float:
        """The evidence of values that have left their lattice: none, or that of the step they are now recorded with."""
        return float(self.rounded(self.step).sum()) if self.step and lattice is not None else 0.0

    def evidence(
        self, lattice: Lattice | None, undo: Callable[[FloatArray], FloatArray], *, rounded: bool = True
    ) -> FloatArray:
        """How well the undone values lie on the lattice, (..., S): converted exactly, or rounded afterwards."""
        if lattice is None or not len(self.values):
            return np.zeros(len(self.values))
        with np.errstate(all="ignore"):
            undone, reach = undo(self.values), _half(undo, self.values, RESOLUTION * np.abs(self.values))
            exact = lattice.evidence(undone, reach, reach)
            if not (self.step and rounded):
                return exact
            slack = _half(undo, self.values, np.full(len(self.values), 0.4999 * self.step))
            coarse = lattice.evidence(undone, reach, np.maximum(slack, reach))
        better = coarse.sum(axis=-1, keepdims=True) - _ROUNDED_LESS_LIKELY > exact.sum(axis=-1, keepdims=True)
        return np.where(better, coarse - _ROUNDED_LESS_LIKELY / len(self.values), exact)

    def rounded(self, step: float) -> FloatArray:
        """How well the values lie on multiples of `step`."""
        if not len(self.values):
            return np.zeros(0)
        reach = RESOLUTION * np.abs(self.values)
        hit = np.abs(self.values - np.rint(self.values / step) * step) <= reach
        return np.log(_NEITHER + np.where(hit, (1 - _NEITHER) * np.maximum(1.0, step / (2 * reach)), 0.0))


def lattice_of(usual: Curve, kept: FloatArray) -> Lattice | None:
    """What the usual rows allow: their bins of one value, and `kept` exact values; None when they tell nothing."""
    atoms, shares = usual.atoms()
    if float(shares.sum()) > 0.999 and len(atoms) >= _FEWEST_VALUES:
        return Lattice(atoms, step_of(atoms))
    ends = np.array([usual.low, usual.high])
    known = np.unique(np.concatenate([kept, atoms, ends]))
    known = known[known != 0]
    step = step_of(known)
    enough = len(known) >= _FEWEST_KNOWN or (len(known) >= 2 and ends[1] - ends[0] > _TELLING_STEPS * step)
    if not step or not enough or step < 20 * RESOLUTION * float(np.median(np.abs(known))):
        return None
    return Lattice(np.empty(0), step)


def exact_of(sample: FloatArray) -> Exact:
    """The distinct values of sampled rows."""
    values = np.unique(sample)
    values = values[values != 0]
    return Exact(values, step_of(values) if len(values) >= 2 else 0.0)


def step_of(values: FloatArray) -> float:
    """The largest power of ten that all values are multiples of, from 1000 to 1e-9; 0 when there is none."""
    for digits in range(-_COARSEST, _FINEST + 1):
        step, times = 10.0**-digits, values * 10.0**digits
        close = np.abs(times - np.rint(times)) <= 1e-6 + 4e-16 * np.abs(times)
        if (
            close.all()
            and (np.abs(times) > 0.5).all()
            and step > 2 * RESOLUTION * float(np.max(np.abs(values), initial=0.0))
        ):
            return step
    return 0.0


def _half(undo: Callable[[FloatArray], FloatArray], at: FloatArray, width: FloatArray) -> FloatArray:
    return np.abs(undo(at + width) - undo(at - width)) / 2


def _nearest(values: FloatArray, at: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How far the nearest value lies, and how far its neighbours are apart."""
    upper = np.clip(np.searchsorted(values, at), 1, len(values) - 1)
    below, above = values[upper - 1], values[upper]
    return np.minimum(np.abs(at - below), np.abs(at - above)), above - below

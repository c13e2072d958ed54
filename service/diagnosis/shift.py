"""Which part of a number column's distribution moved, and how far: what there is to say of drift."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.diagnosis.curve import Curve, curve_of
from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.phrasing import named, percent
from service.diagnosis.setting import is_tractable
from service.messages import Cause

if TYPE_CHECKING:
    from service.diagnosis.view import ColumnView

FloatArray = NDArray[np.float64]

_LEVELS = np.array([0.05, 0.125, 0.25, 0.5, 0.75, 0.875, 0.95])
_MIDDLE = 3
_SURE = 0.5


def describe_shift(reference: ColumnView, current: ColumnView) -> Diagnosis:
    """Always says something: how mean, spread or one end of the column differ from the reference."""
    if (
        reference.numbers is None
        or current.numbers is None
        or not reference.n_numbers
        or not current.n_numbers
    ):
        sentence = f"{named(current.column)} has no numbers to compare"
        return Diagnosis(Cause.DATA_DRIFT, (current.column,), sentence, _SURE)
    was, now = curve_of(reference.numbers), curve_of(current.numbers)
    if not (is_tractable(reference.numbers) and is_tractable(current.numbers)):
        sentence = f"{named(current.column)} was {was.low:.4g} to {was.high:.4g}, it is {now.low:.4g} to {now.high:.4g}"
        return Diagnosis(Cause.DATA_DRIFT, (current.column,), sentence, _SURE)
    (mean, deviation), (mean_now, deviation_now) = was.moments(), now.moments()
    figures: dict[str, float | str] = {
        "mean": mean_now, "usual mean": mean, "deviation": deviation_now, "usual deviation": deviation,
    }  # fmt: skip
    old, new = was.quantiles(_LEVELS), now.quantiles(_LEVELS)
    for level, value, value_now in zip(_LEVELS.tolist(), old.tolist(), new.tolist(), strict=True):
        figures[f"{100 * level:g} % point"] = value_now
        figures[f"usual {100 * level:g} % point"] = value
    sentence = f"{named(current.column)} has moved: {_what(was, now, (new - old) / (deviation or 1.0))}"
    return Diagnosis(Cause.DATA_DRIFT, (current.column,), sentence, _SURE, figures)


def _what(was: Curve, now: Curve, moved: FloatArray) -> str:
    (mean, deviation), (mean_now, deviation_now) = was.moments(), now.moments()
    if deviation == 0:
        return f"it was always {mean:.4g}, now {now.low:.4g} to {now.high:.4g}"
    middle, low, high = float(moved[_MIDDLE]), float(moved[1]), float(moved[-2])
    if max(abs(low), abs(middle), abs(high)) < 0.05:
        return _atom(was, now) or _mean(mean, mean_now, deviation)
    one_way = low * high > 0 and min(abs(low), abs(high)) > 0.4 * max(abs(low), abs(high))
    if one_way:
        return _mean(mean, mean_now, deviation)
    if low * high < 0 and abs(np.log(max(deviation_now, 1e-300) / deviation)) > 0.1:
        wider = "wider" if deviation_now > deviation else "narrower"
        return f"it is {wider}, its standard deviation went from {deviation:.4g} to {deviation_now:.4g}"
    return _end(was, now, upper=abs(high) >= abs(low))


def _mean(mean: float, mean_now: float, deviation: float) -> str:
    by = abs(mean_now - mean) / deviation
    way = "higher" if mean_now > mean else "lower"
    return f"its mean is {by:.2g} standard deviations {way}, it went from {mean:.4g} to {mean_now:.4g}"


def _end(was: Curve, now: Curve, *, upper: bool) -> str:
    level = 0.95 if upper else 0.05
    old, new = (float(one.quantiles(np.array([level]))[0]) for one in (was, now))
    part, way = ("upper" if upper else "lower"), ("up" if new > old else "down")
    by = f" by {percent(min(abs(new / old - 1), 99.0))}" if old != 0 and new / old > 0 else ""
    return f"its {part} quarter went {way}{by}, the {100 * level:g} % point from {old:.4g} to {new:.4g}"


def _atom(was: Curve, now: Curve) -> str:
    """The exact value whose share changed the most, where that is what changed."""
    values, shares = now.atoms()
    if not len(values):
        return ""
    usual = was.share_of(values)
    most = int(np.argmax(np.abs(shares - usual)))
    if abs(shares[most] - usual[most]) < 0.01:
        return ""
    return f"{percent(float(shares[most]))} of the rows are {values[most]:.4g}, usual are {percent(float(usual[most]))}"

"""A column that stands still: one value in nearly all rows, or far fewer values than before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from detectors.dirichlet import dirichlet_evidence
from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.fills import default_kind
from service.diagnosis.phrasing import named, percent
from service.messages import Cause

if TYPE_CHECKING:
    from service.diagnosis.setting import Setting, Usual

FloatArray = NDArray[np.float64]

_NEARLY_ALL = 0.97
_SURPRISING = 15.0
_STEADY = 100.0
"""Windows that are known from fewer rows vary so much that few distinct values in one of them mean nothing."""
_STILL_BEFORE = 0.7
_FEWEST_SAMPLED, _FEWEST_DISTINCT, _FEWER = 16, 12, 0.3


def stuck(setting: Setting) -> Diagnosis | None:
    """One value in nearly all rows of a column that varied, in the reference and in the rows before."""
    value, share = _commonest(setting)
    usual = [_share_of(one, value) for one in setting.usual]
    if share < _NEARLY_ALL or max(usual) > _STILL_BEFORE or _surprise(setting, max(usual)) < _SURPRISING:
        return None
    if len(setting.kept) and _share_in(setting.kept) > _STILL_BEFORE:
        return None
    figures: dict[str, float | str] = {
        "value": value,
        "share of rows": share,
        "usual share": max(usual) if max(usual) > 2 / setting.usual[0].known else 0.0,
    }
    where = "in every row" if share == 1.0 else f"in {percent(share)} of the rows"
    kind = default_kind(value, setting)
    if kind and (value == 0 or not _in_range(setting, value)):
        sentence = f"{named(setting.column)} is {value:.6g} {where}, {kind}: nothing fills it any more"
        return Diagnosis(Cause.DEFAULT_FILL, (setting.column,), sentence, 0.75, figures, ("it is stuck",))
    sentence = f"{named(setting.column)} is stuck: {value:.6g} {where}, and it used to vary"
    return Diagnosis(Cause.STUCK_FEATURE, (setting.column,), sentence, 0.97, figures)


def stale(setting: Setting) -> Diagnosis | None:
    """Far fewer distinct values among as many sampled rows as before."""
    size = min(len(setting.sample), len(setting.kept))
    if size < _FEWEST_SAMPLED or setting.usual[0].known < _STEADY:
        return None
    now, before = (len(np.unique(one[:size])) for one in (setting.sample, setting.kept))
    if before < _FEWEST_DISTINCT or now > _FEWER * before:
        return None
    sentence = f"{named(setting.column)} hardly changes: {now} different values among {size} rows, there were {before}"
    figures: dict[str, float | str] = {
        "different values": now,
        "different values before": before,
        "rows": size,
    }
    return Diagnosis(Cause.STUCK_FEATURE, (setting.column,), sentence, 0.7, figures)


def _commonest(setting: Setting) -> tuple[float, float]:
    current = setting.current
    if current.high <= np.nextafter(current.low, np.inf):
        return current.low, 1.0
    values, shares = current.atoms()
    if len(values) and float(shares.max()) >= _NEARLY_ALL:
        return float(values[np.argmax(shares)]), float(shares.max())
    values, times = np.unique(setting.sample, return_counts=True)
    if not len(values):
        return current.low, 0.0
    return float(values[np.argmax(times)]), float(times.max() / len(setting.sample))


def _surprise(setting: Setting, usual: float) -> float:
    """By how many nats it surprises that all rows have one value, where windows vary as much as they did."""
    known = setting.usual[0].known
    alpha = known * np.array([usual, 1.0 - usual])
    return -float(dirichlet_evidence(np.array([setting.current.rows, 0.0]), alpha))


def _share_of(usual: Usual, value: float) -> float:
    return max(float(usual.curve.share_of(np.array(value))), 1.0 / (usual.known + 1.0))


def _share_in(sample: FloatArray) -> float:
    return float(np.unique(sample, return_counts=True)[1].max() / len(sample))


def _in_range(setting: Setting, value: float) -> bool:
    curve = setting.usual[0].curve
    return curve.low <= value <= curve.high

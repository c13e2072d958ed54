"""One exact value took a share of the rows, and the rest is as usual: a default stands in for what is missing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.diagnosis.explanation import Fault, Told
from service.diagnosis.mixture import likeliest_share, mixed, share_error
from service.diagnosis.phrasing import named, percent
from service.messages import Cause

if TYPE_CHECKING:
    from service.diagnosis.drifts import Drifts
    from service.diagnosis.setting import Setting, Usual

FloatArray = NDArray[np.float64]

_LIKELY, _UNLIKELY = -3.0, -8.0
"""How likely a fill by this value is before any data: by one that looks like a default, or by any other."""
_FEWEST_ROWS = 5.0
_NEARLY_ALL = 0.97
_TRIED = np.exp(np.linspace(-0.8, 0.8, 17))


def default_fills(setting: Setting, usual: Usual, drifts: Drifts) -> list[Fault]:
    """A fill by each of the values that became more frequent."""
    as_is = float(setting.exact.as_is(setting.lattice).sum())
    found = []
    for value in setting.repeated.tolist():
        one = np.zeros(drifts.unchanged.shape)
        one[int(np.searchsorted(setting.partition.edges, value, side="right"))] = 1.0
        by_group, counts = setting.partition.by_group, setting.partition.counts
        first = likeliest_share(counts, by_group(drifts.unchanged), by_group(one))
        if float(first) * setting.partition.rows < _FEWEST_ROWS or first > _NEARLY_ALL:
            continue
        tried = np.unique(np.clip(first * _TRIED, 1e-6, 1.0))
        blends = mixed(tried, drifts.unchanged, one)
        evidence = setting.evidence(usual, blends)
        best = int(np.argmax(evidence))
        error = float(share_error(counts, by_group(drifts.unchanged), by_group(one), tried[best]))
        kind = default_kind(value, setting)
        weight = (
            float(evidence[best]) + as_is + (_LIKELY if kind else _UNLIKELY) + np.log(min(1.0, 2.507 * error))
        )
        tell = partial(_tell, setting, drifts, blends[best], (value, float(tried[best]), error))
        found.append(Fault(float(weight), usual, blends[best], Cause.DEFAULT_FILL, tell))
    return found


def default_kind(value: float, setting: Setting) -> str:
    """What makes a value look like a default; empty when nothing does."""
    if value in {0.0, -1.0}:
        return f"a default of {value:g}"
    digits = str(abs(int(value))) if float(value).is_integer() else ""
    if len(digits) >= 2 and set(digits) == {"9"}:
        return f"the sentinel {value:g}"
    if (
        not min(one.curve.low for one in setting.usual)
        <= value
        <= max(one.curve.high for one in setting.usual)
    ):
        return "a value outside of the usual range"
    return "" if setting.lattice is not None and len(setting.lattice.values) else _middle(value, setting)


def _middle(value: float, setting: Setting) -> str:
    """Which middle of the column a value is; of a column with few values, each may be one."""
    curve = setting.usual[0].curve
    mean, deviation = curve.moments()
    median = float(curve.quantiles(np.array([0.5]))[0])
    near = [
        name
        for name, middle in (("mean", mean), ("median", median))
        if abs(value - middle) < 0.01 * deviation
    ]
    return f"the {near[0]} of the column" if near else ""


def _tell(setting: Setting, drifts: Drifts, shares: FloatArray, fill: tuple[float, float, float]) -> Told:
    value, share, error = fill
    at = int(np.searchsorted(setting.partition.edges, value, side="right"))
    kind = default_kind(value, setting)
    looks = f", {kind}," if kind else ""
    figures: dict[str, float | str] = {
        "value": value,
        "share of rows filled": share,
        "error of the share": error,
        "usual share of the value": float(drifts.unchanged[at]),
        "psi before taking the fill out": round(setting.partition.psi(drifts.unchanged), 4),
        "psi after taking the fill out": round(setting.partition.psi(shares), 4),
    }
    return Told(
        f"{named(setting.column)} is {value:.6g}{looks} in {percent(share)} of the rows more than usual, "
        "and the rest is as it was: a default stands in for the value",
        f"filled with {value:.6g}",
        figures,
    )

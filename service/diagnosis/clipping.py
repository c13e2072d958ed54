"""An end of the range is cut off, and its rows stand at the bound."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.diagnosis.curve import around
from service.diagnosis.explanation import Explanation, Fault, Told
from service.diagnosis.mixture import likeliest_share, mixed
from service.diagnosis.phrasing import named, percent
from service.messages import Cause

if TYPE_CHECKING:
    from service.diagnosis.drifts import Drifts
    from service.diagnosis.setting import Setting, Usual

FloatArray = NDArray[np.float64]

_LIKELY = -6.0
_LISTED = 3.0
"""So much less likely of a column with few values: the last of those that occur stands out by itself."""
_IN_PART = 6.0
_MOST_CUT = 0.6
_FEWEST_ROWS = 5.0
_CUT_ROWS_GONE = -5.0


def clippings(setting: Setting, usual: Usual, drifts: Drifts) -> list[Explanation]:
    """Cut at the lowest or highest current value, or at one that repeats; and, without a cause, rows left out."""
    bounds = np.unique(np.concatenate([setting.repeated, [setting.current.low, setting.current.high]]))
    found = []
    for bound in bounds.tolist():
        for above in (True, False):
            found += _cut_at(setting, usual, drifts, bound, above=above)
    return found


def _cut_at(
    setting: Setting, usual: Usual, drifts: Drifts, bound: float, *, above: bool
) -> list[Explanation]:
    below, upto = (float(usual.curve.share_below(one)) for one in around(np.array(bound)))
    beyond = 1.0 - below if above else upto
    if beyond * setting.partition.rows < _FEWEST_ROWS or beyond > _MOST_CUT:
        return []
    at = int(np.searchsorted(setting.partition.edges, bound, side="right"))
    cut = drifts.unchanged.copy()
    cut[at + 1 :] = 0.0 if above else cut[at + 1 :]
    cut[:at] = cut[:at] if above else 0.0
    cut[at] = 0.0
    gone = cut / max(1e-12, cut.sum())
    cut[at] = 1.0 - cut.sum()
    share = float(_part(setting, drifts.unchanged, cut))
    blend = mixed(np.array(share), drifts.unchanged, cut)
    as_is = max(setting.exact.anew(setting.lattice) - 4.0, float(setting.exact.as_is(setting.lattice).sum()))
    tell = partial(_tell, setting, drifts, blend, (bound, share, beyond), above=above)
    as_is -= _LISTED if setting.lattice is not None and len(setting.lattice.values) else 0.0
    weight = float(setting.evidence(usual, blend)) + as_is + _LIKELY - (0.0 if share > 0.98 else _IN_PART)
    left_out = float(setting.evidence(usual, gone)) + as_is + _CUT_ROWS_GONE
    return [
        Fault(weight, usual, blend, Cause.CLIPPING, tell),
        Explanation(left_out, usual, gone),
    ]


def _part(setting: Setting, unchanged: FloatArray, cut: FloatArray) -> FloatArray:
    by_group = setting.partition.by_group
    return likeliest_share(setting.partition.counts, by_group(unchanged), by_group(cut))


def _tell(
    setting: Setting, drifts: Drifts, shares: FloatArray, cut: tuple[float, float, float], *, above: bool
) -> Told:
    bound, share, beyond = cut
    figures: dict[str, float | str] = {
        "bound": bound,
        "share of rows cut off": share * beyond,
        "usual share beyond the bound": beyond,
        "psi before putting them back": round(setting.partition.psi(drifts.unchanged), 4),
        "psi after putting them back": round(setting.partition.psi(shares), 4),
    }
    end = "highest" if above else "lowest"
    part = "" if share > 0.98 else f" in {percent(share)} of the rows"
    return Told(
        f"{named(setting.column)} is cut off at {bound:.6g}{part}: the {end} {percent(beyond)} of its values "
        "stand at the bound",
        f"cut off at {bound:.6g}",
        figures,
    )

"""Values beyond anything that was seen, among others that are as usual."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.diagnosis.explanation import Fault, Told
from service.diagnosis.mixture import likeliest_share, mixed
from service.diagnosis.phrasing import named, percent
from service.messages import Cause

if TYPE_CHECKING:
    from service.diagnosis.drifts import Drifts
    from service.diagnosis.setting import Setting, Usual

FloatArray = NDArray[np.float64]

_LIKELY = -7.5
_NEW_VALUES = -4.0
_IF_MANY = 8.0
"""The more rows lie outside, the less they are strays among others: the weight falls with this power of the rest."""
_FEWEST_ROWS = 3.0


def out_of_range(setting: Setting, usual: Usual, drifts: Drifts) -> list[Fault]:
    """A share of the rows lies anywhere outside of the usual range."""
    edges = setting.partition.edges
    low, high = min(u.curve.low for u in setting.usual), max(u.curve.high for u in setting.usual)
    margin = 2e-9 * np.abs(np.array([low, high])) + 1e-13
    starts, ends = np.append(-np.inf, edges), np.append(edges, np.inf)
    outside = ((ends <= low + margin[0]) | (starts >= high - margin[1])) & (drifts.unchanged < 1e-9)
    if not outside.any():
        return []
    anywhere = outside / outside.sum()
    by_group = setting.partition.by_group
    share = likeliest_share(setting.partition.counts, by_group(drifts.unchanged), by_group(anywhere))
    if float(share) * setting.partition.rows < _FEWEST_ROWS:
        return []
    blend = mixed(share, drifts.unchanged, anywhere)
    as_is = float(setting.exact.as_is(setting.lattice).sum())
    weight = (
        float(setting.evidence(usual, blend))
        + max(as_is, setting.exact.anew(setting.lattice) + _NEW_VALUES)
        + _LIKELY
    )
    weight += _IF_MANY * float(np.log1p(-min(float(share), 0.999)))
    tell = partial(_tell, setting, float(share), low, high)
    return [Fault(weight, usual, blend, Cause.OUT_OF_RANGE, tell)]


def _tell(setting: Setting, share: float, low: float, high: float) -> Told:
    now = setting.current
    reached = [f"up to {now.high:.6g}"] if now.high > high else []
    reached += [f"down to {now.low:.6g}"] if now.low < low else []
    figures: dict[str, float | str] = {
        "share of rows outside": share,
        "usual lowest": low,
        "usual highest": high,
        "lowest now": now.low,
        "highest now": now.high,
    }
    return Told(
        f"{named(setting.column)} lies outside of {low:.6g} to {high:.6g}, all that was ever seen, in {percent(share)} "
        f"of the rows ({' and '.join(reached)}), and the rest is as it was",
        f"values outside of {low:.6g} to {high:.6g}",
        figures,
    )

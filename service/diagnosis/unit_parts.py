"""Unit changes of a share of the rows: one of several sources converts, or rescales by a ratio that is not yet told."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.diagnosis.explanation import Fault
from service.diagnosis.mixture import likeliest_share, mixed, share_error
from service.diagnosis.unit_wording import Part, tell_part, tell_rescaled_part
from service.diagnosis.units import MOST_TOLD, NAMED, PROOF, Judged, exact_otherwise
from service.messages import Cause

if TYPE_CHECKING:
    from service.diagnosis.drifts import Drifts
    from service.diagnosis.setting import Setting, Usual

FloatArray = NDArray[np.float64]

_IN_PART = -3.0
_ODD_IN_PART = 4.0
"""A part that is reflected is so much less likely than one that is scaled."""
_UNNAMED = -4.0
_IF_MANY = 6.0
"""A part that is rescaled by who knows what is one source of several: its weight falls with this power of the rest."""
_FEWEST_ROWS = 8.0
_NEARLY_ALL = 0.97
_OFF_LATTICE = -50.0
_STEPS = (
    np.linspace(-7, -1.1, 14),
    np.linspace(-1, -0.35, 14),
    np.linspace(0.35, 1, 14),
    np.linspace(1.1, 7, 14),
)


def unit_parts(setting: Setting, usual: Usual, drifts: Drifts, judged: Judged) -> list[Fault]:
    """The likeliest few named conversions of a part of the rows."""
    by_group, counts = setting.partition.by_group, setting.partition.counts
    unchanged, changed = by_group(drifts.unchanged), by_group(judged.shares)
    part = likeliest_share(counts, unchanged, changed)
    error = share_error(counts, unchanged, changed, part)
    blends = mixed(part, drifts.unchanged, judged.shares)
    exact = _exact_in_part(setting, judged, part)
    rarity = np.array([one.rarity + _ODD_IN_PART * (one.ratio < 0) for one in judged.conversions])
    weights = setting.evidence(usual, blends) + exact + NAMED + _IN_PART - rarity
    weights += np.log(np.minimum(1.0, 2.507 * error))
    weights[(part * setting.partition.rows < _FEWEST_ROWS) | (part > _NEARLY_ALL)] = -np.inf
    found = []
    for i in np.argsort(weights)[::-1][:MOST_TOLD].tolist():
        if np.isfinite(weights[i]):
            told = Part(float(part[i]), float(error[i]))
            tell = partial(tell_part, setting, usual, drifts, judged.conversions[i], blends[i], told)
            proven = float(exact[i]) - exact_otherwise(setting) > PROOF
            found.append(Fault(float(weights[i]), usual, blends[i], Cause.UNIT_CHANGE, tell, proven))
    return found


def rescaled_parts(setting: Setting, usual: Usual, drifts: Drifts) -> list[Fault]:
    """A part of the rows was rescaled by any ratio: what is said while the rows do not tell by which."""
    ratios = np.exp(np.concatenate(_STEPS))
    shares = setting.partition.shares(usual.curve, setting.partition.edges / ratios[:, None])
    by_group = setting.partition.by_group
    part = likeliest_share(setting.partition.counts, by_group(drifts.unchanged), by_group(shares))
    blends = mixed(part, drifts.unchanged, shares)
    evidence = setting.evidence(usual, blends) + _IF_MANY * np.log1p(-np.minimum(part, 0.999))
    evidence[part * setting.partition.rows < _FEWEST_ROWS] = -np.inf
    best = int(np.argmax(evidence))
    if not np.isfinite(evidence[best]):
        return []
    total = float(np.logaddexp.reduce(evidence))
    weight = total - float(np.log(len(evidence))) + _UNNAMED + _IN_PART + exact_otherwise(setting)
    odds = np.exp(evidence - total)
    tell = partial(tell_rescaled_part, setting, drifts, ratios, odds, float(odds @ part), blends[best])
    return [Fault(weight, usual, blends[best], Cause.UNIT_CHANGE, tell)]


def _exact_in_part(setting: Setting, judged: Judged, part: FloatArray) -> FloatArray:
    """The evidence of the exact values when this part of them is converted, (G,)."""
    as_is = np.maximum(setting.exact.as_is(setting.lattice), _OFF_LATTICE)
    converted = np.log(np.maximum(part, 1e-9))[:, None] + judged.exact
    others = np.log1p(-np.minimum(part, 1 - 1e-9))[:, None] + as_is
    return np.asarray(np.logaddexp(converted, others).sum(axis=-1))

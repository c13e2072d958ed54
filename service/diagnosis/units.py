"""Unit changes: all rows were converted by something that has a name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.diagnosis.conversions import Linear, curved_conversions, roundings_of
from service.diagnosis.explanation import Fault
from service.diagnosis.unit_wording import tell_curved, tell_linear
from service.messages import Cause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.diagnosis.drifts import Drifts
    from service.diagnosis.setting import Setting, Usual

FloatArray = NDArray[np.float64]

NAMED = -4.0
"""How likely a named conversion is before any data: a twentieth each, and a third of all that may have happened."""
PROOF = 15.0
"""Exact values that are likelier by so many nats under a conversion than without it prove it."""
MOST_TOLD = 4
_SHORTLIST = 7


@dataclass(frozen=True, slots=True)
class Judged:
    """Conversions against some usual rows: (G, J) shares of cells, (G,) evidence, (G, S) that of exact values."""

    conversions: Sequence[Linear]
    shares: FloatArray
    evidence: FloatArray
    exact: FloatArray


def judge(setting: Setting, usual: Usual, conversions: Sequence[Linear], *, rounded: bool = True) -> Judged:
    """How well all rows are explained by each conversion, which may have been `rounded` afterwards."""
    ratios = np.array([one.ratio for one in conversions])[:, None]
    offsets = np.array([one.offset for one in conversions])[:, None]
    shares = setting.partition.shares(usual.curve, (setting.partition.edges - offsets) / ratios)
    exact = setting.exact.evidence(setting.lattice, lambda x: (x - offsets) / ratios, rounded=rounded)
    exact = np.broadcast_to(exact, (len(conversions), len(setting.exact.values)))
    return Judged(conversions, shares, setting.evidence(usual, shares), exact)


def unit_changes(setting: Setting, usual: Usual, drifts: Drifts, judged: Judged) -> list[Fault]:
    """The likeliest few conversions of all rows, one of each name: a ratio's roundings are one."""
    by_form, by_both = judged.evidence, judged.evidence + judged.exact.sum(axis=-1)
    likely = np.unique([np.argsort(one)[-_SHORTLIST:] for one in (by_form, by_both)]).tolist()
    finer = judge(setting, usual, [v for i in likely for v in _variants(setting, judged.conversions[i])])
    totals = finer.evidence + finer.exact.sum(axis=-1)
    found: dict[tuple[str, ...], Fault] = {}
    for i in np.argsort(totals)[::-1].tolist():
        one = finer.conversions[i]
        if one.names in found or len(found) == MOST_TOLD:
            continue
        tell = partial(tell_linear, setting, usual, drifts, one, finer.shares[i])
        proven = float(finer.exact[i].sum()) - exact_otherwise(setting) > PROOF
        weight = float(totals[i]) + NAMED - one.rarity
        found[one.names] = Fault(weight, usual, finer.shares[i], Cause.UNIT_CHANGE, tell, proven)
    return [*found.values(), *_curved(setting, usual, drifts)]


def exact_otherwise(setting: Setting) -> float:
    """The evidence of the exact values if nothing was converted: as they are, or recorded anew."""
    return max(setting.exact.anew(setting.lattice), float(setting.exact.as_is(setting.lattice).sum()))


def _variants(setting: Setting, one: Linear) -> list[Linear]:
    """A conversion by the ratio as it may have been written: only a lattice tells the difference."""
    if one.offset or setting.lattice is None:
        return [one]
    ratios = np.sign(one.ratio) * roundings_of(abs(one.ratio))
    return [Linear(ratio, 0.0, one.names, one.rarity) for ratio in ratios.tolist()]


def _curved(setting: Setting, usual: Usual, drifts: Drifts) -> list[Fault]:
    found = []
    for one in curved_conversions():
        if usual.curve.low <= one.least:
            continue
        with np.errstate(all="ignore"):
            shares = setting.partition.shares(usual.curve, one.undo(setting.partition.edges))
        exact = float(setting.exact.evidence(setting.lattice, one.undo, rounded=False).sum())
        weight = float(setting.evidence(usual, shares)) + exact + NAMED - one.rarity
        tell = partial(tell_curved, setting, drifts, one, shares)
        proven = exact - exact_otherwise(setting) > PROOF
        found.append(Fault(weight, usual, shares, Cause.UNIT_CHANGE, tell, proven))
    return found

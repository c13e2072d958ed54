"""Why a number column rang: of all that may have happened to it, what is likelier than drift.

Each explanation predicts the counts of the current rows from usual ones; their Bayes factors decide, and what drift
explains as well is drift.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from service.diagnosis.clipping import clippings
from service.diagnosis.conversions import linear_conversions
from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.drifts import drifts_of
from service.diagnosis.explanation import Explanation, Fault
from service.diagnosis.fills import default_fills
from service.diagnosis.precision import precision_losses
from service.diagnosis.ranges import out_of_range
from service.diagnosis.rescaling import rescalings
from service.diagnosis.setting import setting_of
from service.diagnosis.stuck import stale, stuck
from service.diagnosis.unit_parts import rescaled_parts, unit_parts
from service.diagnosis.units import judge, unit_changes
from service.messages import Cause

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.diagnosis.setting import Setting
    from service.diagnosis.view import ColumnView

_LEAST_TOLD, _SUREST = 0.5, 0.99
_SOME_FAULT = 0.6
_FITS, _MISSES = 3.0, 8.0
_PSI_FITS, _PSI_MISSES = 0.1, 0.6
_PSI_NOISE = 20.0
"""Of ten groups, the stability index of two samples is below 20 (1/n + 1/m) nearly always."""
_RIVAL, _NEAR_RIVAL, _MOST_ALTERNATIVES = 0.02, 0.1, 4
"""Explanations with these parts of the best one's odds are alternatives, and are said in the sentence itself."""


def diagnose_number(
    reference: ColumnView, before: ColumnView | None, current: ColumnView
) -> Sequence[Diagnosis]:
    """What is likelier than drift, most convincing first; nothing when the change needs no cause.

    `before` are the rows just before the trouble, of the same season; they also tell how much windows vary.
    """
    setting = setting_of(reference, before, current)
    if setting is None:
        return []
    if (one := stuck(setting)) is not None:
        return [one]
    told = _told(setting, explanations(setting))
    if not told and (one := stale(setting)) is not None:
        return [one]
    return told


def explanations(setting: Setting) -> list[Explanation]:
    """All that is thought of, against each of the usual rows."""
    found: list[Explanation] = []
    for usual in setting.usual:
        drifts = drifts_of(setting, usual)
        judged = judge(setting, usual, linear_conversions())
        found += drifts.explanations
        found += unit_changes(setting, usual, drifts, judged)
        found += unit_parts(setting, usual, drifts, judged)
        found += rescaled_parts(setting, usual, drifts)
        found += rescalings(setting, usual, drifts)
        found += default_fills(setting, usual, drifts)
        found += clippings(setting, usual, drifts)
        found += out_of_range(setting, usual, drifts)
        found += precision_losses(setting, usual, drifts)
    return found


def _told(setting: Setting, found: Sequence[Explanation]) -> list[Diagnosis]:
    """A cause's confidence is the probability of all its explanations, less where the best one fits badly."""
    weights = np.array([one.weight for one in found])
    odds = np.exp(weights - weights.max())
    odds /= odds.sum()
    by_cause: dict[Cause, list[tuple[float, Fault]]] = {}
    for i in np.argsort(odds, kind="stable")[::-1].tolist():
        one = found[i]
        if isinstance(one, Fault):
            by_cause.setdefault(one.cause, []).append((float(odds[i]), one))
    told = []
    for ranked in by_cause.values():
        likely = sum(odds for odds, _ in ranked)
        confidence = max(likely, _LEAST_TOLD if _is_likeliest_fault(likely, by_cause) else 0.0)
        confidence *= _fit(setting, ranked[0][1])
        if confidence >= _LEAST_TOLD:
            told.append(_diagnosis(setting, ranked, min(confidence, _SUREST)))
    return sorted(told, key=lambda one: -one.confidence)


def _is_likeliest_fault(likely: float, by_cause: Mapping[Cause, list[tuple[float, Fault]]]) -> bool:
    """Whether some fault is much likelier than drift, and this the likeliest of them."""
    all_faults = [sum(odds for odds, _ in ranked) for ranked in by_cause.values()]
    return sum(all_faults) >= _SOME_FAULT and likely == max(all_faults)


def _fit(setting: Setting, one: Fault) -> float:
    """1 when what remains is noise or a trifle, down to 0.4 when it is neither."""
    if one.proven:
        return 1.0
    misfit = setting.misfit(one.usual, one.shares)
    by_noise = float(np.interp(misfit, [_FITS, _MISSES, 2 * _MISSES], [1.0, 0.7, 0.4]))
    noise = _PSI_NOISE * (1.0 / setting.partition.rows + 1.0 / one.usual.curve.rows)
    by_size = float(
        np.interp(setting.partition.psi(one.shares) - noise, [_PSI_FITS, _PSI_MISSES], [1.0, 0.5])
    )
    return min(by_noise, by_size)


def _diagnosis(setting: Setting, ranked: list[tuple[float, Fault]], confidence: float) -> Diagnosis:
    (likely, best), *others = ranked
    told = best.tell()
    rivals = [(other / likely, one.tell()) for other, one in others if other > _RIVAL * likely]
    rivals = [(odds, one) for odds, one in rivals if one.brief != told.brief]
    near = [one.brief for odds, one in rivals if odds > _NEAR_RIVAL]
    sentence = told.sentence
    if best.cause is Cause.UNIT_CHANGE and near:
        sentence = f"{sentence}; or {near[0]}"
    names = dict.fromkeys(
        [*near, *told.alternatives, *(name for _, one in rivals for name in (one.brief, *one.alternatives))]
    )
    alternatives = tuple(name for name in names if name != told.brief)[:_MOST_ALTERNATIVES]
    return Diagnosis(best.cause, (setting.column,), sentence, confidence, told.evidence, alternatives)

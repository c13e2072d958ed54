"""Why a column of texts rang."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

import numpy as np

from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.novelty import diagnose_novelty
from service.diagnosis.phrasing import named, percent, shown
from service.diagnosis.placeholders import may_be_default
from service.diagnosis.recoding import diagnose_recoding
from service.diagnosis.regrouping import diagnose_exchange, diagnose_fill, diagnose_mix, is_label, shift_of
from service.diagnosis.shares import UsualTexts, new_texts, unchanged, usual_texts
from service.messages import Cause, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.diagnosis.view import ColumnView

_NEARLY_ALL = 0.99
_SURE = 0.6
_LEAST_STUCK = 8
_CHANCE = 14.0
"""A column is stuck if that many rows of one text had a chance below exp(-14), about one in a million."""


def diagnose_text(
    reference: ColumnView, before: ColumnView | None, current: ColumnView
) -> Sequence[Diagnosis]:
    """What explains the texts of `current`, most convincing first; empty when they are as usual."""
    usual = usual_texts(reference, before, current)
    if not usual.shares or current.n_texts == 0:
        return ()
    fresh = new_texts(usual, current)
    stable = _agree(reference, before) if before is not None and before.n_texts else None
    recoded = diagnose_recoding(usual, fresh, current, stable=stable)
    stuck = diagnose_stuck(usual, current, stable=stable) if recoded is None else None
    if stuck is not None and stuck.confidence >= _SURE:
        return (stuck,)
    explained = recoded[1] if recoded is not None else frozenset()
    left = {text: n for text, n in fresh.items() if text not in explained}
    shift = shift_of(usual, current)
    found = [recoded[0] if recoded is not None else None, diagnose_novelty(usual, left, current)]
    if recoded is None:
        exchange = diagnose_exchange(shift, current, stable=stable)
        fill = diagnose_fill(shift, current, stable=stable)
        found += [stuck, exchange or fill, diagnose_mix(shift, current)]
    return sorted((one for one in found if one is not None), key=attrgetter("confidence"), reverse=True)


def diagnose_stuck(usual: UsualTexts, current: ColumnView, *, stable: bool | None) -> Diagnosis | None:
    """One text in (nearly) every row, where several were. A month or a season stays the same for long as well.

    `stable`: the rows just before were as the reference, so that no season moves the texts (None: not known).
    """
    text, n = max(current.texts.items(), key=lambda item: (item[1], item[0]), default=("", 0))
    share = usual.shares.get(text, 0.0)
    chance = -n * np.log((share * usual.rows + 0.5) / (usual.rows + 1.0))
    if n < _LEAST_STUCK or n < _NEARLY_ALL * current.n_texts or chance < _CHANCE or len(usual.shares) < 2:
        return None
    usually = f"usual is {percent(share)}" if share else "which was never seen before"
    sure = 0.95 if share < 0.8 else 0.8 if share < 0.95 else 0.6
    if current.column.role is Role.FEATURE and not stable:
        sure = min(sure, 0.8 if stable is None else 0.55)
    evidence = {"share": round(n / current.n_texts, 4), "share_usual": round(share, 4), "rows": float(n)}
    every = "every row" if n == current.n_texts else f"{percent(n / current.n_texts)} of the rows"
    sentence = f"{named(current.column)} is {shown(text)} in {every}, {usually}"
    return Diagnosis(_stuck_cause(text, current), (current.column,), sentence, sure, evidence)


def _stuck_cause(text: str, current: ColumnView) -> Cause:
    if current.column.role is Role.PREDICTION:
        return Cause.STUCK_PREDICTION
    if is_label(current):
        return Cause.DATA_DRIFT
    return Cause.DEFAULT_FILL if may_be_default(text) else Cause.STUCK_FEATURE


def _agree(reference: ColumnView, before: ColumnView) -> bool:
    """Whether the rows just before were as the reference."""
    texts = sorted(reference.texts.keys() | before.texts.keys())
    known = np.array([reference.texts.get(text, 0) for text in texts], np.float64)
    now = np.array([before.texts.get(text, 0) for text in texts], np.float64)
    return bool(known.sum()) and unchanged(now, known / known.sum(), float(known.sum()))

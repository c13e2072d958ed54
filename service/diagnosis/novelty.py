"""Texts that the reference never saw: a new category, or a placeholder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.phrasing import listed, named, of_rows, percent, shown
from service.diagnosis.placeholders import says_nothing
from service.diagnosis.shares import UsualTexts, beyond
from service.messages import Cause

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.diagnosis.view import ColumnView

_LEAST_ROWS = 2
_SIGMAS = 4.0
_COUNTLESS = 0.2
"""Where so many rows hold a text that is not known one by one, such as a name or an id, a new one is no news."""


def diagnose_novelty(usual: UsualTexts, fresh: Mapping[str, int], current: ColumnView) -> Diagnosis | None:
    """New texts in more rows than the reference's own rare texts explain; None when there are none."""
    known = sum(current.texts.get(text, 0) for text in usual.shares)
    unknown = current.n_texts - known if usual.unkept else sum(fresh.values())
    if not fresh or unknown < _LEAST_ROWS or usual.unkept > _COUNTLESS:
        return None
    rows = max(usual.rows, 1.0)
    if usual.unkept and beyond(unknown, current.n_texts, usual.unkept, rows) < _SIGMAS:
        return None
    share = unknown / current.n_texts
    if (text := _placeholder(fresh)) is not None:
        return _filled(text, fresh[text] / current.n_texts, current)
    most = [f"{shown(text)} {of_rows(n / current.n_texts)}" for text, n in fresh.items()]
    told = (
        most[0]
        if len(most) == 1
        else f"{len(most):,} new texts {of_rows(share)}, most often {listed(most, 3)}"
    )
    never = "never seen in the reference" if not usual.unkept else f"usual is {percent(usual.unkept)}"
    evidence: dict[str, float | str] = {"rows_share": round(share, 4), "new_texts": len(fresh)}
    evidence |= {shown(text): round(n / current.n_texts, 4) for text, n in list(fresh.items())[:5]}
    sentence = f"{named(current.column)} has {told}, {never}"
    sure = 0.95 if not usual.unkept else float(np.clip(0.6 + share, 0.6, 0.9))
    return Diagnosis(Cause.NEW_CATEGORY, (current.column,), sentence, sure, evidence)


def _placeholder(fresh: Mapping[str, int]) -> str | None:
    """The most frequent new text, if it can only mean that there is no value."""
    most = next(iter(fresh))
    return most if says_nothing(most) and fresh[most] >= 0.8 * sum(fresh.values()) else None


def _filled(text: str, share: float, current: ColumnView) -> Diagnosis:
    sentence = (
        f"{named(current.column)} is {shown(text)} {of_rows(share)}, a placeholder that was never seen before"
    )
    return Diagnosis(
        Cause.DEFAULT_FILL, (current.column,), sentence, 0.85, {"filled_share": round(share, 4)},
        (f"{shown(text)} is a new category",),
    )  # fmt: skip

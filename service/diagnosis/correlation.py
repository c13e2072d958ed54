"""Which column lost its relations to the others while its own values stayed as they were."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.phrasing import shown
from service.messages import Cause, Column

FloatArray = NDArray[np.float64]

_LEAST_ROWS = 10
_STRONG = 0.3
"""A relation that was weaker is not missed."""
_CHANGED, _MUCH_CHANGED = 0.25, 0.4
"""Correlations of columns with heavy tails vary more than those of normal ones: less of a change says nothing, and only
one that leaves no correlation at all, within this many standard errors, or a larger one does."""
_NONE = 4.0
_SIGMAS = 6.0
_VANISHED = 0.1
"""A column has lost its relations if such a part of their squares is left."""
_INTERVAL = 1.96
_CLOSEST = 0.999999


class Break(NamedTuple):
    """A column and its closest partner: their correlation before and now, and what part of all relations is left."""

    column: int
    partner: int
    was: float
    now: float
    left: float
    sigmas: float
    certain: bool


def diagnose_correlation(
    reference_corr: FloatArray, current_corr: FloatArray, columns: Sequence[Column], n_reference: int, n_current: int,
    rung_columns: Collection[Column],
) -> Diagnosis | None:  # fmt: skip
    """The column whose correlations broke, and its strongest former partner; None when none did.

    Both matrices are (d, d); NaN is where nothing is known. Columns whose own values changed (`rung_columns`) are left
    out: their correlations change with them. Differences are judged by Fisher's z, atanh(r), of variance 1 / (n - 3).
    """
    if min(n_reference, n_current) < _LEAST_ROWS or len(columns) < 2:
        return None
    found = find_break(
        reference_corr, current_corr, n_reference, n_current, [c in rung_columns for c in columns]
    )
    return _told(found, columns, n_current) if found is not None else None


def find_break(
    was: FloatArray, now: FloatArray, n_reference: int, n_current: int, left_out: Sequence[bool]
) -> Break | None:
    """The column with the largest part of all broken relations."""
    error = float(np.sqrt(1.0 / (n_reference - 3) + 1.0 / (n_current - 3)))
    usable = np.isfinite(was) & np.isfinite(now) & ~np.eye(len(was), dtype=bool)
    out = np.array(left_out, np.bool_)
    usable &= ~(out[:, None] | out[None, :])
    r0, r1 = (np.where(usable, np.clip(r, -_CLOSEST, _CLOSEST), 0.0) for r in (was, now))
    sigmas = np.abs(np.arctanh(r0) - np.arctanh(r1)) / error
    gone = (np.abs(r1) <= _NONE / np.sqrt(n_current)) & (np.abs(r0) - np.abs(r1) >= _CHANGED)
    weaker = (np.abs(r0 - r1) >= _MUCH_CHANGED) & (r1 * np.sign(r0) < np.abs(r0))
    broken = usable & (np.abs(r0) >= _STRONG) & (gone | weaker) & (sigmas >= _SIGMAS)
    if not broken.any():
        return None
    broken_of = broken.sum(axis=1)
    column = int(np.argmax(broken_of))
    partner = int(np.argmax(np.where(broken[column], np.abs(r0[column]), 0.0)))
    kept = [_kept(r0, r1, error, usable, pair) for pair in ((column, partner), (partner, column))]
    if broken_of[partner] == broken_of[column] and kept[1] < kept[0]:
        column, partner = partner, column
    certain = broken_of[partner] < broken_of[column] or abs(kept[0] - kept[1]) >= _SIGMAS
    return Break(
        column, partner, float(r0[column, partner]), float(r1[column, partner]), _left(r0[column], r1[column]),
        float(sigmas[column, partner]), bool(certain),
    )  # fmt: skip


def _kept(
    r0: FloatArray, r1: FloatArray, error: float, usable: NDArray[np.bool_], pair: tuple[int, int]
) -> float:
    """How much likelier it is that the first of two kept its relations to all others, weak ones too, than lost them."""
    column, partner = pair
    others = usable[column].copy()
    others[partner] = False
    was, now = (np.arctanh(r[column, others]) / error for r in (r0, r1))
    return float(np.sum(now**2 - (now - was) ** 2)) / 2.0


def _left(was: FloatArray, now: FloatArray) -> float:
    """The part of the squared correlations that is left, of those that were strong."""
    strong = np.abs(was) >= _STRONG
    before = float(np.sum(was[strong] ** 2))
    return min(1.0, float(np.sum(now[strong] ** 2)) / before) if before else 1.0


def _told(found: Break, columns: Sequence[Column], n: int) -> Diagnosis:
    column, partner = columns[found.column], columns[found.partner]
    z, half = np.arctanh(np.clip(found.now, -_CLOSEST, _CLOSEST)), _INTERVAL / np.sqrt(n - 3)
    low, high = float(np.tanh(z - half)), float(np.tanh(z + half))
    all_gone = found.left <= _VANISHED
    lost = "its values stand in the wrong rows" if all_gone else "the relation itself changed"
    why = lost if found.certain else f"{lost}, or it is {shown(partner.name)} that did"
    sentence = (
        f"feature {column.name} lost its relation to {shown(partner.name)}: their correlation went from "
        f"{found.was:.2f} to {found.now:.2f} ({low:.2f} to {high:.2f}) while both look as usual: {why}"
    )
    evidence: dict[str, float | str] = {
        "correlation_usual": round(found.was, 4), "correlation": round(found.now, 4),
        "correlation_low": round(low, 4), "correlation_high": round(high, 4),
        "standard_errors": round(found.sigmas, 1), "share_of_relations_left": round(found.left, 3),
    }  # fmt: skip
    return Diagnosis(
        Cause.CORRELATION_BREAK, (column, partner), sentence, 0.93 if all_gone else 0.75, evidence,
        () if found.certain else (f"{shown(partner.name)} lost its relations instead",),
    )  # fmt: skip

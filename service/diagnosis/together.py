"""Whether the inputs moved together, as with a season or a new market, and no single one broke."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.distances import best_fit
from service.diagnosis.phrasing import listed, shown
from service.messages import Cause, Column, Role

if TYPE_CHECKING:
    from collections.abc import Collection

    from service.diagnosis.view import SliceView

_LEAST = 3
_MOST_OF_THEM = 0.5
_MODERATE = 0.7
"""A column that moved further than this did not drift, it broke."""


def diagnose_together(
    reference: SliceView, current: SliceView, ringing: Collection[Column]
) -> Diagnosis | None:
    """Half of the inputs or more, three at least, are beyond noise and none is out of all proportion."""
    moved: list[tuple[float, Column]] = []
    inputs = [c for c in reference.columns if c.role is Role.FEATURE and reference.columns[c].present]
    for column in inputs:
        now = current.columns.get(column)
        found = best_fit(now, reference.columns[column]) if now is not None else None
        if found is not None and column in ringing and found.distance > found.noise:
            moved.append((found.distance, column))
    moved.sort(key=lambda one: (-one[0], one[1]))
    if len(moved) < max(_LEAST, _MOST_OF_THEM * len(inputs)) or moved[0][0] > _MODERATE:
        return None
    furthest = [f"{shown(column.name)} ({distance:.2g})" for distance, column in moved]
    sentence = (
        f"{len(moved)} of {len(inputs)} inputs moved together, furthest {listed(furthest)} (distance of distributions)"
        ": a season, a new market or another kind of traffic rather than one broken field"
    )
    evidence: dict[str, float | str] = {"columns_moved": len(moved), "columns": len(inputs)}
    evidence |= {column.name: round(distance, 4) for distance, column in moved[:10]}
    return Diagnosis(Cause.DATA_DRIFT, tuple(column for _, column in moved), sentence, 0.6, evidence)

"""Which columns hold each other's values: two that changed places, or several shifted by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.distances import Fit, best_fit, fit
from service.diagnosis.matching import cheapest_pairs
from service.diagnosis.phrasing import listed, shown
from service.messages import Cause, Column, Role

if TYPE_CHECKING:
    from collections.abc import Collection

    from service.diagnosis.view import ColumnView, SliceView

_MOST = 40
_TIMES_NEARER = 2.0
_TOLERANCE = 0.08
"""A column fits in another's place if it is within noise and so much drift of what that one held."""
_LEAST_ROWS = 20
_CLEARLY = 0.05
_STEADY = 0.15
_TELLING = 2.2
_STRANGE = 10.0
_DRIFTED = 0.35
_PROOF, _TRIFLE = 0.5, 0.02
"""Values that never occurred in the column's own place, but do in the other's, prove it whatever drifted."""


def find_cycles(
    reference: SliceView, before: SliceView | None, current: SliceView, ringing: Collection[Column]
) -> list[tuple[tuple[Column, ...], float]]:
    """Columns that hold each other's values in a circle (a holds b's, b holds c's, ...), and the worst distance."""
    usable = [c for c in sorted(ringing) if _usable(c, reference, current)]
    own = {c: best_fit(current.columns[c], *_usual(c, reference, before)) for c in usable}
    columns = [c for c in usable if _changed(own[c])][:_MOST]
    fits = {
        (a, b): own[a] if a == b else best_fit(current.columns[a], *_usual(b, reference, before))
        for a in columns
        for b in columns
    }
    costs = np.array([[_cost(fits[a, b]) for b in columns] for a in columns]).reshape(
        len(columns), len(columns)
    )
    holds = dict(cheapest_pairs(costs))
    return [
        (
            tuple(columns[i] for i in circle),
            max(_distance(fits[columns[i], columns[holds[i]]]) for i in circle),
        )
        for circle in _circles(holds)
        if all(_moved(fits[columns[i], columns[i]], fits[columns[i], columns[holds[i]]]) for i in circle)
    ]


def diagnose_swaps(
    reference: SliceView, before: SliceView | None, current: SliceView, ringing: Collection[Column]
) -> list[Diagnosis]:
    """In words. Of columns that move by themselves, or that know two values only, one is less sure."""
    return [
        _told(circle, worst, sure=all(_tells(column, reference, before) for column in circle))
        for circle, worst in find_cycles(reference, before, current, ringing)
    ]


def _tells(column: Column, reference: SliceView, before: SliceView | None) -> bool:
    """Whether the column stayed as it was before, and is spread over more than two values."""
    just_before = before.columns.get(column) if before is not None else None
    if just_before is None or not just_before.present:
        return True
    found = fit(just_before, reference.columns[column])
    return found is not None and found.distance <= found.noise + _STEADY and found.cells >= _TELLING


def _usable(column: Column, reference: SliceView, current: SliceView) -> bool:
    known, now = reference.columns.get(column), current.columns.get(column)
    return (
        column.role is Role.FEATURE
        and known is not None
        and now is not None
        and known.present > 0
        and now.present >= _LEAST_ROWS
    )


def _usual(column: Column, reference: SliceView, before: SliceView | None) -> tuple[ColumnView | None, ...]:
    return before.columns.get(column) if before is not None else None, reference.columns[column]


def _changed(own: Fit | None) -> bool:
    """Whether a column's values are no longer its own."""
    return (
        own is None or own.distance > own.noise + _CLEARLY or own.surprise > _STRANGE or own.strange >= _PROOF
    )


def _cost(fit: Fit | None) -> float:
    return fit.nats if fit is not None else 1e9


def _distance(fit: Fit | None) -> float:
    return fit.distance if fit is not None else 1.0


def _moved(own: Fit | None, other: Fit | None) -> bool:
    """Whether the values fit the other column's place and by far not their own."""
    if other is None:
        return False
    near = other.distance <= other.noise + _TOLERANCE
    if own is None:
        return near
    if own.strange >= other.strange + _PROOF and other.strange <= _TRIFLE:
        return True
    drifted = other.distance <= _DRIFTED and own.distance >= _TIMES_NEARER * other.distance + _DRIFTED / 2.0
    far = own.distance > own.noise + _CLEARLY and own.distance > _TIMES_NEARER * other.distance
    unlikely = own.surprise > _STRANGE and own.nats > 4.0 * max(other.nats, other.cells)
    return drifted or (near and (far or unlikely))


def _circles(holds: dict[int, int]) -> list[list[int]]:
    """The circles of a permutation that have two members or more."""
    found: list[list[int]] = []
    seen: set[int] = set()
    for start in sorted(holds):
        circle, at = [], start
        while at not in seen:
            seen.add(at)
            circle.append(at)
            at = holds[at]
        if len(circle) > 1:
            found.append(circle)
    return found


def _told(circle: tuple[Column, ...], worst: float, *, sure: bool) -> Diagnosis:
    names = [shown(column.name) for column in circle]
    evidence: dict[str, float | str] = {"largest_distance_of_values": round(worst, 4), "columns": len(circle)}
    if len(circle) == 2:
        sentence = f"features {names[0]} and {names[1]} have changed places: each holds the other's values"
        return Diagnosis(Cause.SWAP, circle, sentence, 0.95 if sure else 0.6, evidence)
    arrows = [f"{a} holds {b}" for a, b in zip(names, [*names[1:], names[0]], strict=True)]
    sentence = (
        f"{len(circle)} features hold each other's values: {listed(arrows, 4)}; their order was mixed up"
    )
    return Diagnosis(Cause.SWAP, circle, sentence, 0.93 if sure else 0.6, evidence)

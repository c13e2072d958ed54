"""Which kind of missing grew in a column, by how much, and in which part of the traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.phrasing import named, of_rows, percent
from service.diagnosis.places import nowhere, place_of
from service.diagnosis.shares import grew
from service.messages import Cause, Missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.diagnosis.places import Places, PlacesOf, Where
    from service.diagnosis.view import ColumnView

_ALL = 0.9995
_OR_RENAMED = 0.74
"""Of a field that is gone, a look at all fields says more: it may stand under another name."""

_WORDS = {
    Missing.NULL: ("null", ""),
    Missing.ABSENT: ("absent", ""),
    Missing.NAN: ("NaN", ", as a failed join or 0/0 gives"),
    Missing.INFINITE: ("infinite", ", as a division by zero gives"),
    Missing.EMPTY: ("an empty text", ""),
}
"""WRONG_TYPE is a change of type, which is said elsewhere."""


def diagnose_missing(
    reference: ColumnView, before: ColumnView | None, current: ColumnView, places: PlacesOf = nowhere
) -> Sequence[Diagnosis]:
    """One diagnosis for each kind of missing that grew, the largest first. `places` are asked where it is."""
    usual = before if before is not None and before.rows else reference
    grown = [kind for kind in _WORDS if _grew(kind, reference, before, current)]
    found = [_told(kind, usual, current, _where(kind, usual, places(current.column))) for kind in grown]
    return sorted(found, key=lambda one: -float(one.evidence["missing_share"]))


def _grew(kind: Missing, reference: ColumnView, before: ColumnView | None, current: ColumnView) -> bool:
    known = [(view.missing_ratio(kind), view.rows) for view in (before, reference) if view is not None]
    return grew(int(current.missing[kind]), current.rows, *known)


def _where(kind: Missing, usual: ColumnView, places: Places) -> Where | None:
    return place_of(lambda view: int(view.missing[kind]), usual, places)


def _told(kind: Missing, usual: ColumnView, current: ColumnView, where: Where | None) -> Diagnosis:
    share, usually = current.missing_ratio(kind), usual.missing_ratio(kind)
    word, why = _WORDS[kind]
    gone = kind is Missing.ABSENT and share >= _ALL
    reason = ": the field is gone" if gone else why
    only = ""
    evidence: dict[str, float | str] = {
        "kind": kind.name.lower(), "missing_share": round(share, 5), "missing_share_usual": round(usually, 5),
        "rows": float(current.missing[kind]),
    }  # fmt: skip
    if where is not None:
        of_them = "all its rows" if where.bad_share >= _ALL else f"{percent(where.bad_share)} of its rows"
        only = f", only {where.said} ({of_them})"
        evidence |= {where.kind: where.name, f"{where.kind}_missing_share": round(where.bad_share, 5)}
    never = f"usual is {percent(usually)}" if usually else "it never was before"
    sentence = f"{named(current.column)} is {word} {of_rows(share)}{only}, {never}{reason}"
    return Diagnosis(Cause.MISSING, (current.column,), sentence, _OR_RENAMED if gone else 0.97, evidence)

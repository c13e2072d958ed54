"""Which kind of missing grew in a column, by how much, and in which slice of the traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.phrasing import named, of_rows, percent
from service.diagnosis.shares import beyond, grew
from service.messages import Cause, Missing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from service.diagnosis.view import ColumnView

_SIGMAS = 4.0
_NEARLY_ALL = 0.95
_MOST_OF_TRAFFIC = 0.9
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


class Where(NamedTuple):
    """The slice that explains nearly all of it, its share of the rows and the share of its rows that are missing."""

    name: str
    rows_share: float
    missing_share: float


def diagnose_missing(
    reference: ColumnView, before: ColumnView | None, current: ColumnView, parts: Mapping[str, ColumnView]
) -> Sequence[Diagnosis]:
    """One diagnosis for each kind of missing that grew, the largest first.

    `parts` are the same column's rows by slice: 'version 7', 'country=DE', 'partition 3'. They may overlap.
    """
    usual = before if before is not None and before.rows else reference
    grown = [kind for kind in _WORDS if _grew(kind, reference, before, current)]
    found = [_told(kind, usual, current, _where(kind, usual, current, parts)) for kind in grown]
    return sorted(found, key=lambda one: -float(one.evidence["missing_share"]))


def _grew(kind: Missing, reference: ColumnView, before: ColumnView | None, current: ColumnView) -> bool:
    known = [(view.missing_ratio(kind), view.rows) for view in (before, reference) if view is not None]
    return grew(int(current.missing[kind]), current.rows, *known)


def _where(
    kind: Missing, usual: ColumnView, current: ColumnView, parts: Mapping[str, ColumnView]
) -> Where | None:
    """The smallest slice that holds nearly all of what is missing too much, if it is not all of the traffic."""
    share = usual.missing_ratio(kind)
    excess = int(current.missing[kind]) - share * current.rows
    holding = [
        (part.rows, name)
        for name, part in parts.items()
        if 0 < part.rows <= _MOST_OF_TRAFFIC * current.rows
        and int(part.missing[kind]) - share * part.rows >= _NEARLY_ALL * excess
    ]
    if not holding:
        return None
    rows, name = min(holding)
    told_apart = beyond(int(parts[name].missing[kind]), rows, current.missing_ratio(kind), current.rows)
    if told_apart < _SIGMAS / 2.0:
        return None
    return Where(name, rows / current.rows, parts[name].missing_ratio(kind))


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
        of_them = (
            "all its rows" if where.missing_share >= _ALL else f"{percent(where.missing_share)} of its rows"
        )
        only = f", only for {where.name} ({of_them})"
        evidence |= {"slice": where.name, "slice_missing_share": round(where.missing_share, 5)}
    never = f"usual is {percent(usually)}" if usually else "it never was before"
    sentence = f"{named(current.column)} is {word} {of_rows(share)}{only}, {never}{reason}"
    return Diagnosis(Cause.MISSING, (current.column,), sentence, _OR_RENAMED if gone else 0.97, evidence)

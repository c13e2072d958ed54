"""What happened to the fields of the rows: renamed, swapped, merged, new, gone, or all moved together."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.fields import Appeared, Vanished, appeared_fields, vanished_fields
from service.diagnosis.merged import diagnose_merges, find_merges, find_splits
from service.diagnosis.phrasing import of_rows, shown
from service.diagnosis.rename import diagnose_renames, find_renames
from service.diagnosis.schema import schema_difference, schema_fingerprint
from service.diagnosis.swap import diagnose_swaps
from service.diagnosis.together import diagnose_together
from service.messages import Cause, Column

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from service.diagnosis.view import SliceView

__all__ = ["diagnose_structure", "schema_difference", "schema_fingerprint"]

F = TypeVar("F", Vanished, Appeared)

_GONE = 0.01
_SURE = 0.9


def diagnose_structure(
    reference: SliceView, before: SliceView | None, current: SliceView, ringing: Collection[Column]
) -> Sequence[Diagnosis]:
    """What explains several columns at once, most convincing first. `ringing` are the columns that rang.

    A field that is new from the first row on that is known (no `before`) is no news, unless it explains one that
    vanished.
    """
    if not current.rows:
        return ()
    gone, new = vanished_fields(reference, before, current), appeared_fields(reference, before, current)
    found = _fields(gone, new, before, current.rows)
    found += diagnose_swaps(reference, before, current, _without(ringing, found))
    if not found and (together := diagnose_together(reference, current, ringing)) is not None:
        found.append(together)
    return sorted(found, key=lambda one: -one.confidence)


def _fields(
    gone: Sequence[Vanished], new: Sequence[Appeared], before: SliceView | None, rows: int
) -> list[Diagnosis]:
    """Sure renames first, then merges and splits, then likely renames; the rest is new or gone."""
    renamed = find_renames(gone, new)
    sure = [pair for pair in renamed if pair.confidence >= _SURE]
    found = diagnose_renames(sure, rows)
    open_gone, open_new = _left(gone, found), _left(new, found)
    found += diagnose_merges(
        [*find_merges(open_gone, open_new, before), *find_splits(open_gone, open_new)], rows
    )
    found += diagnose_renames(find_renames(_left(gone, found), _left(new, found)), rows)
    found += [_gone(one) for one in _left(gone, found) if one.share_left <= _GONE]
    return found + ([_new(one, rows) for one in _left(new, found)] if before is not None else [])


def _left(fields: Sequence[F], found: Sequence[Diagnosis]) -> list[F]:
    explained = {column for one in found for column in one.columns}
    return [field for field in fields if field.column not in explained]


def _without(ringing: Collection[Column], found: Sequence[Diagnosis]) -> list[Column]:
    explained = {column for one in found for column in one.columns}
    return [column for column in ringing if column not in explained]


def _gone(field: Vanished) -> Diagnosis:
    sentence = (
        f"feature {field.column.name} is gone: no row holds a value of it, and no new field holds its values"
    )
    return Diagnosis(Cause.MISSING, (field.column,), sentence, 0.9, {"rows_lost": round(field.rows)})


def _new(field: Appeared, rows: int) -> Diagnosis:
    share = field.rows / rows
    sentence = (
        f"there is a new field, {shown(field.column.name)}, {of_rows(share)}; the reference does not know it"
    )
    return Diagnosis(Cause.SCHEMA_CHANGE, (field.column,), sentence, 0.85, {"rows_share": round(share, 4)})

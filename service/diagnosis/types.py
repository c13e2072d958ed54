"""Whether a column holds another type than it did: text instead of numbers, or numbers instead of words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from service.diagnosis.diagnosis import Diagnosis
from service.diagnosis.distances import sample_distance
from service.diagnosis.phrasing import named, of_rows, shown
from service.diagnosis.shares import grew
from service.diagnosis.text_shapes import Shaped, numeric_share, shape_of, unit_in
from service.messages import Cause, Missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.diagnosis.view import ColumnView

_WAS_WORDS, _NOW_NUMBERS = 0.5, 0.05
"""A column of texts has changed its type when so few of them were numbers and so many more rows are now."""
_FITS = 0.15


def diagnose_type(
    reference: ColumnView, before: ColumnView | None, current: ColumnView
) -> Sequence[Diagnosis]:
    """What type stands where another was; empty when none does."""
    usual = before if before is not None and before.rows and before.present else reference
    found = _in_numbers(reference, usual, current) if reference.n_numbers > reference.n_texts else []
    if reference.n_texts >= reference.n_numbers and reference.n_texts:
        found = _in_texts(reference, usual, current)
    return [*found, *_structures(reference, usual, current)]


def _in_numbers(reference: ColumnView, usual: ColumnView, current: ColumnView) -> list[Diagnosis]:
    share = _ratio(current.n_texts, current)
    known = [(_ratio(view.n_texts, view), view.rows) for view in (usual, reference)]
    if not grew(current.n_texts, current.rows, *known):
        return []
    shaped = shape_of(current.texts) if current.texts else Shaped("texts", 1.0, "", {})
    what = shaped.says
    if what == "numbers with a unit" and (unit := unit_in(current.texts)) is not None:
        what = f"numbers with the unit {shown(unit)}"
    example = f", such as {shown(shaped.example)}" if shaped.example else ""
    evidence: dict[str, float | str] = {"rows_share": round(share, 4), "kind": shaped.says}
    fit = _fit(shaped.numbers, reference, usual)
    evidence |= {"distance_once_read": round(fit, 3)} if fit is not None else {}
    undone = "; read as numbers they fit the reference" if fit is not None and fit <= _FITS else ""
    sentence = (
        f"{named(current.column)} is text where numbers were, {of_rows(share)}: {what}{example}{undone}"
    )
    sure = 0.97 if shaped.share >= 0.9 else 0.9
    return [Diagnosis(Cause.TYPE_CHANGE, (current.column,), sentence, sure, evidence)]


def _in_texts(reference: ColumnView, usual: ColumnView, current: ColumnView) -> list[Diagnosis]:
    """Numbers (counted as such, or spelled) in a column of words. Few of them may be codes, which is said elsewhere."""
    if numeric_share(reference.texts) > _WAS_WORDS:
        return []
    fresh = {text: n for text, n in current.texts.items() if text not in reference.texts}
    rows = current.n_numbers + round(numeric_share(fresh) * sum(fresh.values()))
    before = usual.n_numbers + round(numeric_share(usual.texts) * sum(usual.texts.values()))
    share, usually = _ratio(rows, current), _ratio(before, usual)
    if share - usually < _NOW_NUMBERS or not grew(rows, current.rows, (usually, usual.rows)):
        return []
    most = max(fresh, key=lambda text: (fresh[text], text), default="")
    example = f", such as {shown(most)}" if most else ""
    codes = 0 < len(fresh) <= len(reference.texts) and not current.n_numbers
    sentence = f"{named(current.column)} holds numbers where words were, {of_rows(share)}{example}"
    evidence = {"rows_share": round(share, 4), "distinct_numbers": float(len(fresh))}
    alternatives = ("the words were given codes",) if codes else ()
    return [
        Diagnosis(
            Cause.TYPE_CHANGE, (current.column,), sentence, 0.6 if codes else 0.93, evidence, alternatives
        )
    ]


def _structures(reference: ColumnView, usual: ColumnView, current: ColumnView) -> list[Diagnosis]:
    """Lists and objects, of which only the count is kept."""
    rows = int(current.missing[Missing.WRONG_TYPE])
    known = [(view.missing_ratio(Missing.WRONG_TYPE), view.rows) for view in (usual, reference)]
    if not grew(rows, current.rows, *known):
        return []
    share = _ratio(rows, current)
    sentence = (
        f"{named(current.column)} is neither number nor text {of_rows(share)}, as a list or an object is"
    )
    return [Diagnosis(Cause.TYPE_CHANGE, (current.column,), sentence, 0.93, {"rows_share": round(share, 4)})]


def _ratio(rows: int, view: ColumnView) -> float:
    return rows / view.rows if view.rows else 0.0


def _fit(numbers: Mapping[float, int], *views: ColumnView) -> float | None:
    """How far the numbers that were read are from those of the column, at best; None without any."""
    values = np.repeat(np.array(list(numbers), np.float64), np.array(list(numbers.values()), np.int64))
    near = [sample_distance(values, view.numbers) for view in views if view.numbers is not None]
    return min(near) if near and len(values) else None

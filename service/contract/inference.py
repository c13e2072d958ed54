"""A contract inferred from a reference, with the slack that its number of rows asks for.

A share that is 0 of m reference rows is promised as the highest that still makes that likely (about 7/m), a range is
widened by what rows to come will likely reach, and a list of categories is closed only when each was seen often.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from detectors.allowed_share import highest_likely_share
from service.expressions.columns import spelled
from service.messages import Missing, Role
from service.promises import Contract, Promise

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from service.messages import Column
    from service.reference.column_summary import ColumnSummary
    from service.reference.profile import ReferenceProfile
    from service.sketches.pane import PaneSketch

ALPHA = 0.001
"""How likely the true share may be above a promised one."""
ROWS_TO_COME = 1_000
"""A range is widened to what so many times the reference's rows will likely reach."""
MOST_CATEGORIES = 50
_SEEN_OFTEN = 20
_RARELY_NEW = 0.001
_LEAST_UNIQUE_ROWS = 100
_RARELY_MISSING = 0.01
_TAIL = 0.01
_FINEST = 15


def infer_contract(profile: ReferenceProfile, features: Collection[str] = ()) -> Contract:
    """What holds of every feature of a reference, or of these."""
    wanted = [
        one
        for one in profile.columns
        if one.column.role is Role.FEATURE and (not features or one.column.name in features)
    ]
    promises = {one.column.name: _promise(one, profile.sketch) for one in wanted}
    return Contract(promises, unknown_features=None if features else _bound(0, profile.rows))


def _promise(summary: ColumnSummary, sketch: PaneSketch) -> Promise:
    present = summary.rows - sum(summary.missing)
    if not present:
        return Promise()
    said = _of_missing(summary) | {"type": "number" if summary.numeric else "category"}
    if summary.constant:
        value = spelled(summary.low or 0.0) if summary.numeric else summary.top[0][0]
        said |= {"constant": value, "other": _bound(0, present)}
    elif summary.numeric:
        said |= _of_numbers(summary, present, sketch)
    else:
        said |= _of_texts(summary, present, sketch)
    return Promise(**said)


def _of_missing(summary: ColumnSummary) -> dict[str, Any]:
    """All kinds together, and each that occurs. Where many are missing, those that do not occur are said, too.

    A table cannot tell a null from a field that is not there: no separate bound is inferred for the latter.
    """
    rows, missing = summary.rows, sum(summary.missing)
    often = summary.missing_ratio > _RARELY_MISSING
    said: dict[str, Any] = {"present": _shortened(1 - _bound(missing, rows))}
    for kind in (Missing.NULL, Missing.NAN, Missing.INFINITE, Missing.EMPTY):
        hits = summary.missing[kind]
        if hits or (often and kind is not Missing.NULL):
            said[kind.name.lower()] = _bound(hits, rows)
    return said | {"wrong_type": _bound(summary.missing[Missing.WRONG_TYPE], rows)}


def _bound(hits: int, rows: int) -> float:
    """The highest likely share, rounded up to two digits."""
    share = highest_likely_share(hits, rows, ALPHA)
    digits = 1 - math.floor(math.log10(share))
    return min(1.0, round(math.ceil(share * 10.0**digits) / 10.0**digits, digits))


def _shortened(share: float) -> float:
    """Without the digits that subtraction has added."""
    return round(share, 12)


# ---------------------------------------------------------------- numbers
def _of_numbers(summary: ColumnSummary, present: int, sketch: PaneSketch) -> dict[str, Any]:
    low, high = _range(summary, present, sketch)
    said: dict[str, Any] = {"low": low, "high": high, "outside": _bound(0, present)}
    if summary.integer:
        said |= {"integer": True, "fractional": _bound(0, present)}
        if present >= _LEAST_UNIQUE_ROWS and summary.distinct >= 0.95 * present:
            said["unique"] = 0.9
    return said


def _range(summary: ColumnSummary, present: int, sketch: PaneSketch) -> tuple[float, float]:
    """The extremes as they are where rows pile up on them, else widened as far as a tail like the reference's goes."""
    low, high = summary.low or 0.0, summary.high or 0.0
    first, *_, last = summary.quantiles
    at_ends = _rows_at(summary.column, sketch, (low, high))
    down = 0.0 if at_ends[0] >= _SEEN_OFTEN else _reach(low - first, low - high, present)
    up = 0.0 if at_ends[1] >= _SEEN_OFTEN else _reach(high - last, high - low, present)
    return _widened(low, down, whole=summary.integer), _widened(high, up, whole=summary.integer)


def _reach(tail: float, span: float, present: int) -> float:
    """How much farther the extreme of `ROWS_TO_COME` times as many rows lies, for a tail that falls exponentially."""
    rows_in_tail = _TAIL * present
    if rows_in_tail > math.e:
        return tail * math.log(ROWS_TO_COME) / math.log(rows_in_tail)
    return span * math.log(ROWS_TO_COME) / math.log(max(present, 3))


def _rows_at(column: Column, sketch: PaneSketch, values: tuple[float, float]) -> list[int]:
    """The rows of each value that is a bin of its own."""
    place = sketch.grid.number_at[column]
    edges, counts = sketch.grid.numbers[place].edges, sketch.numbers.column_counts(place)
    at = np.searchsorted(edges, np.array(values), side="left")
    return [
        int(counts[i + 1])
        if i + 1 < len(edges) and edges[i] == v and edges[i + 1] == np.nextafter(v, np.inf)
        else 0
        for i, v in zip(at.tolist(), values, strict=True)
    ]


def _widened(end: float, by: float, *, whole: bool) -> float:
    """Away from the middle, to two digits of the distance, and not across zero: what was never negative stays so."""
    if by == 0 or end == 0 or not math.isfinite(end + by):
        return end
    digits = 0 if whole else min(1 - math.floor(math.log10(abs(by))), _FINEST)
    outward = math.ceil if by > 0 else math.floor
    reached = round(outward((end + by) * 10.0**digits) / 10.0**digits, max(digits, 0))
    return reached if reached * end > 0 else 0.0


# ---------------------------------------------------------------- texts
def _of_texts(summary: ColumnSummary, present: int, sketch: PaneSketch) -> dict[str, Any]:
    counts = _counts(summary.column, sketch)
    # Good and Turing: the texts seen once weigh as much as all that were never seen.
    singles = sum(n == 1 for n in counts.values())
    is_closed = (
        summary.distinct_exact
        and len(counts) == summary.distinct <= MOST_CATEGORIES
        and summary.distinct * _SEEN_OFTEN <= present
        and singles <= _RARELY_NEW * present
    )
    if is_closed:
        return {"categories": tuple(sorted(counts)), "other": _bound(singles, present)}
    likeness = 0.95 if summary.distinct_exact else 0.85
    if present >= _LEAST_UNIQUE_ROWS and summary.distinct >= likeness * present:
        return {"unique": 0.9 if summary.distinct_exact else 0.8}
    return {}


def _counts(column: Column, sketch: PaneSketch) -> Mapping[str, int]:
    place = sketch.grid.text_at[column]
    counts = zip(
        sketch.grid.texts[place].categories, sketch.categories.column_counts(place).tolist(), strict=True
    )
    return {text: n for text, n in counts if n} | sketch.categories.unseen[place].counts

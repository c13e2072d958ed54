"""Fields that vanished and fields that are new, in rows: what renames, merges and splits are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from service.diagnosis.shares import beyond
from service.messages import Column, Missing, Role

if TYPE_CHECKING:
    from service.diagnosis.view import ColumnView, SliceView

_LEAST_ROWS = 5
_LEAST_SHARE = 0.005
_SIGMAS = 4.0
_STILL_NEW = 0.2
_MOST = 100
"""Of so many vanished and so many new fields, the fullest ones, explanations are looked for."""

_GONE_AS = (Missing.ABSENT, Missing.NULL, Missing.EMPTY, Missing.NAN)


class Vanished(NamedTuple):
    """A field that lost `rows` rows; `usual` are the views of it before (just before, reference)."""

    column: Column
    rows: float
    share_left: float
    usual: tuple[ColumnView, ...]


class Appeared(NamedTuple):
    """A field that the reference does not know and that was not there just before, in `rows` rows."""

    column: Column
    rows: float
    view: ColumnView


def vanished_fields(reference: SliceView, before: SliceView | None, current: SliceView) -> list[Vanished]:
    """Features that are missing in more rows than usual, those that lost most first."""
    found = []
    for column, known in reference.columns.items():
        if column.role is not Role.FEATURE or not known.present:
            continue
        just_before = before.columns.get(column) if before is not None else None
        usual = just_before if just_before is not None and just_before.rows else known
        if (lost := _lost(usual, current.columns.get(column), current.rows)) is not None:
            views = tuple(view for view in (just_before, known) if view is not None and view.present)
            found.append(Vanished(column, lost[0], lost[1], views))
    return sorted(found, key=lambda one: (-one.rows, one.column))[:_MOST]


def appeared_fields(reference: SliceView, before: SliceView | None, current: SliceView) -> list[Appeared]:
    """Features that are new, the fullest first."""
    found = [
        Appeared(column, float(view.present), view)
        for column, view in current.columns.items()
        if column.role is Role.FEATURE
        and view.present >= max(_LEAST_ROWS, _LEAST_SHARE * current.rows)
        and not _was_there(column, reference)
        and _share(before, column) <= _STILL_NEW * view.present / max(1, current.rows)
    ]
    return sorted(found, key=lambda one: (-one.rows, one.column))[:_MOST]


def as_many(lost: float, gained: float) -> bool:
    """Whether a new field has as many rows as an old one lost, but for noise and a tenth."""
    most = max(lost, gained)
    return bool(abs(lost - gained) <= _SIGMAS * np.sqrt(most) + 0.1 * most)


def _lost(usual: ColumnView, now: ColumnView | None, rows: int) -> tuple[float, float] | None:
    """Rows that are missing beyond what is usual, and the share of the usual rows that is left."""
    usually = usual.missing_ratio(*_GONE_AS)
    missing = float(now.missing[list(_GONE_AS)].sum()) if now is not None and now.rows else float(rows)
    lost = missing - usually * rows
    if lost < max(_LEAST_ROWS, _LEAST_SHARE * rows) or beyond(missing, rows, usually, usual.rows) < _SIGMAS:
        return None
    return lost, 1.0 - lost / max(1.0, (1.0 - usually) * rows)


def _was_there(column: Column, reference: SliceView) -> bool:
    known = reference.columns.get(column)
    return known is not None and known.present > 0


def _share(view: SliceView | None, column: Column) -> float:
    one = view.columns.get(column) if view is not None else None
    return one.present / one.rows if one is not None and one.rows else 0.0

"""Which fields rows have and of which kind, as a short text that changes when the schema does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xxhash

from service.messages import Column

if TYPE_CHECKING:
    from service.diagnosis.view import ColumnView, SliceView

_LEAST_SHARE = 0.01
"""A field that is in fewer rows comes and goes by chance."""


def schema_fingerprint(view: SliceView) -> str:
    """Sixteen hexadecimal digits of the names and kinds of the fields that are present."""
    lines = [f"{column.role.value}\0{column.name}\0{kind}" for column, kind in sorted(_schema(view).items())]
    return xxhash.xxh3_64_hexdigest("\n".join(lines).encode("utf-8", "surrogatepass"))


def schema_difference(
    before: SliceView, after: SliceView
) -> tuple[tuple[Column, ...], tuple[Column, ...], tuple[Column, ...]]:
    """Fields that were added, that are gone, and that are of another kind now."""
    old, new = _schema(before), _schema(after)
    added = tuple(sorted(new.keys() - old.keys()))
    removed = tuple(sorted(old.keys() - new.keys()))
    return added, removed, tuple(sorted(c for c in old.keys() & new.keys() if old[c] != new[c]))


def _schema(view: SliceView) -> dict[Column, str]:
    return {
        column: _kind(one)
        for column, one in view.columns.items()
        if one.present and one.present >= _LEAST_SHARE * one.rows
    }


def _kind(view: ColumnView) -> str:
    return "number" if view.n_numbers >= view.n_texts else "text"

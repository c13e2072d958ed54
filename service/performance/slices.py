"""The lists of slices that predictions belong to, as they are written down."""

from __future__ import annotations

import json

_MARK = "\x01"
"""No class begins so: names are cleaned of control characters."""


def said(slices: tuple[str, ...]) -> str:
    """A version and its segments as one name."""
    return _MARK + json.dumps(slices, ensure_ascii=False)


def slices_of(name: str) -> tuple[str, ...] | None:
    """The version and the segments again; None for the name of a class."""
    return tuple(json.loads(name.removeprefix(_MARK))) if name.startswith(_MARK) else None

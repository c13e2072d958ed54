"""Python values as they were decoded, to typed columns."""

from __future__ import annotations

from collections import defaultdict
from itertools import count
from math import inf, isfinite, isnan
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash
from msgspec import UNSET, UnsetType
from numpy.typing import NDArray

from service.messages import NOT_APPLICABLE, ExtraColumn, Missing, TextColumn
from service.sketches.cells import ABSENT, NOTHING, NULL, WRONG_TYPE, cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FloatArray = NDArray[np.float64]

_TEXTUAL = {str, type(None), UnsetType}
_NUMERIC = {float, int}
_NUMERIC_OR_UNSET = {float, int, UnsetType}
_NAN, _INFINITE, _EMPTY = cell(Missing.NAN), cell(Missing.INFINITE), cell(Missing.EMPTY)


def text_column(values: Sequence[Any], absent: int = Missing.ABSENT, most: int = 200) -> TextColumn:
    """Dictionary-encode a column; numbers and truth values become their text, UNSET becomes `absent`."""
    if not set(map(type, values)) <= _TEXTUAL:
        values = [_as_text(v) for v in values]
    codes: defaultdict[Any, int] = defaultdict(count().__next__)
    column = np.fromiter(map(codes.__getitem__, values), np.int32, len(values))
    return TextColumn(column, tuple(_category(v, absent, most) for v in codes))


def _as_text(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) < 2**63 else _as_text(_from_integer(value))
    if isinstance(value, float):
        if not isfinite(value):
            return Missing.NAN if isnan(value) else Missing.INFINITE
        return str(int(value)) if value.is_integer() and abs(value) < 2**63 else repr(value)
    return value if isinstance(value, str | UnsetType) or value is None else Missing.WRONG_TYPE


def _category(value: object, absent: int, most: int) -> str | int:
    if isinstance(value, str):
        if not value:
            return int(Missing.EMPTY)
        value = value.replace("\0", "\ufffd")  # which no text of Postgres may hold
        return (
            value
            if len(value) <= most
            else f"{value[: most - 17]}~{xxhash.xxh3_64_hexdigest(value.encode())}"
        )
    if isinstance(value, int):
        return int(value)
    return int(Missing.NULL) if value is None else absent


def number_cell(value: object) -> float:
    """One cell of a number column; what is no number becomes the NaN that says why."""
    kind = type(value)
    if kind is float:
        return _finite(value)  # type: ignore[arg-type]
    if kind is int:
        return _finite(_from_integer(value))  # type: ignore[arg-type]
    if value is None:
        return NULL
    if kind is UnsetType:
        return ABSENT
    return _EMPTY if value == "" else WRONG_TYPE


def _finite(value: float) -> float:
    if isfinite(value):
        return value
    return _NAN if isnan(value) else _INFINITE


def _from_integer(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return inf


def plain_numbers(values: Sequence[Any]) -> FloatArray | None:
    """The column when every value is a finite number, at once; None otherwise."""
    if not set(map(type, values)) <= _NUMERIC:
        return None
    try:
        numbers = np.fromiter(values, np.float64, len(values))
    except OverflowError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def number_column(values: Iterable[object], n: int) -> FloatArray:
    """A number column from any decoded values."""
    return np.fromiter(map(number_cell, values), np.float64, n)


def odd_texts(values: Sequence[Any], most: int = 200) -> ExtraColumn | None:
    """The texts that stand where numbers are expected; None when there are none."""
    odd = [_odd(v) for v in values]
    if all(v is UNSET for v in odd):
        return None
    return ExtraColumn(None, text_column(odd, NOT_APPLICABLE, most))


def _odd(value: object) -> object:
    return value if isinstance(value, str | bool) and value != "" else UNSET


def extra_column(values: Sequence[Any], most: int = 200) -> ExtraColumn:
    """A column of unknown kind: each row's number, or else its text. UNSET is no row of this column."""
    kinds = set(map(type, values))
    if kinds <= _TEXTUAL:
        return ExtraColumn(None, text_column(values, NOT_APPLICABLE, most))
    numbers = np.fromiter(
        (number_cell(v) if type(v) in _NUMERIC else NOTHING for v in values), np.float64, len(values)
    )
    if kinds <= _NUMERIC_OR_UNSET:
        return ExtraColumn(numbers, None)
    return ExtraColumn(
        numbers, text_column([UNSET if type(v) in _NUMERIC else v for v in values], NOT_APPLICABLE, most)
    )

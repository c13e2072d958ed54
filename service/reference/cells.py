"""What the columns of a table are, and their cells as the columns of a batch.

A column of texts (CSV) holds numbers when every present cell is a finite number: `-1`, `2.50`, `+1e-3`,
not `0123`, which is a code. NaN and infinities, and the words for missing in quotes, are no contradiction.
A column that holds only true and false, in any case, holds the categories "true" and "false", as events do.
A typed column (Parquet) is what its type says: a text of digits stays a text.
"""

from __future__ import annotations

import math
import re
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from service.intake.cells import text_column
from service.intake.timestamps import BAD, parse_timestamps
from service.messages import Missing, TextColumn
from service.reference.csv_file import MISSING_WORDS
from service.sketches.cells import NULL, WRONG_TYPE, cell

if TYPE_CHECKING:
    from collections.abc import Iterable

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_ZERO_LED = r"^\s*[+-]?0[0-9]"
_NAN, _INFINITE, _EMPTY = cell(Missing.NAN), cell(Missing.INFINITE), cell(Missing.EMPTY)
_TRUTH = {"true", "false"}


class Kind(Enum):
    """How a column's cells are read. The numbers of a CLASS, a label or prediction, are texts: 1.0 is "1"."""

    NUMBER = "number"
    TEXT = "text"
    TRUTH = "truth"
    CLASS = "class"
    UNUSABLE = "unusable"


def kind_of(column: pa.ChunkedArray) -> Kind:
    """What the cells that are there say that the column is; a column without any is one of numbers."""
    if _is_text(column.type):
        return Kind.TEXT
    if pa.types.is_boolean(column.type):
        return Kind.TRUTH
    if (
        pa.types.is_integer(column.type)
        or pa.types.is_floating(column.type)
        or pa.types.is_decimal(column.type)
    ):
        return Kind.NUMBER
    if pa.types.is_dictionary(column.type):
        return kind_of(pa.chunked_array([pa.array([], column.type.value_type)]))
    if pa.types.is_null(column.type):
        return Kind.NUMBER
    return Kind.TEXT if pa.types.is_temporal(column.type) else Kind.UNUSABLE


def kind_of_texts(column: pa.ChunkedArray) -> Kind:
    """The same for a column whose cells are all texts."""
    if column.null_count == len(column):
        return Kind.NUMBER
    numbers = _all_numbers(column)
    if numbers is not None and np.isfinite(numbers).any():
        return Kind.TEXT if pc.any(pc.match_substring_regex(column, _ZERO_LED)).as_py() else Kind.NUMBER
    return Kind.TRUTH if _are_truth(column) else Kind.TEXT


def _all_numbers(column: pa.ChunkedArray) -> FloatArray | None:
    """All cells as numbers; None once one contradicts."""
    parsed = []
    for chunk in column.chunks:
        numbers = numbers_of(chunk)
        missing = numbers[np.isnan(numbers)]
        if (missing.view(np.uint64) == _bits(WRONG_TYPE)).any():
            return None
        parsed.append(numbers)
    return np.concatenate(parsed)


def _bits(number: float) -> np.uint64:
    return np.uint64(np.array([number]).view(np.uint64)[0])


def _are_truth(column: pa.ChunkedArray) -> bool:
    for chunk in column.chunks:
        if not all(value is None or value.lower() in _TRUTH for value in chunk.unique().to_pylist()):
            return False
    return True


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def numbers_of(column: pa.Array) -> FloatArray:
    """The cells as numbers; NaN that names the kind of missing where there is none."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        cast = column.cast(pa.float64(), safe=False)
    except pa.ArrowInvalid:
        return _numbers_of_texts(column)
    numbers = np.array(cast.fill_null(0.0).to_numpy(zero_copy_only=False))
    odd = ~np.isfinite(numbers)
    if odd.any():
        numbers[odd] = np.where(np.isnan(numbers[odd]), _NAN, _INFINITE)
    if cast.null_count:
        numbers[cast.is_null().to_numpy(zero_copy_only=False)] = NULL
    return numbers


def _numbers_of_texts(column: pa.Array) -> FloatArray:
    codes, distinct = _encoded(column)
    numbers = np.array([*(_number_in(text) for text in distinct), NULL])
    return numbers[codes]


def _number_in(text: str) -> float:
    text = text.strip()
    if text in MISSING_WORDS or not text:
        return NULL if text else _EMPTY
    try:
        number = float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        number = None
    if number is None:
        return WRONG_TYPE
    return number if math.isfinite(number) else _NAN if math.isnan(number) else _INFINITE


def _encoded(column: pa.Array) -> tuple[NDArray[np.intp], list[Any]]:
    """Codes and distinct values; a null's code is one past them."""
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    codes = encoded.indices.cast(pa.int64()).fill_null(len(distinct)).to_numpy(zero_copy_only=False)
    return codes, distinct


def texts_of(column: pa.Array, kind: Kind) -> TextColumn:
    """The cells as categories, spelled as the intake spells those of events."""
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.string())
    codes, distinct = _encoded(column)
    if kind is Kind.TRUTH:
        distinct = [v.lower() if isinstance(v, str) else v for v in distinct]
    elif kind is Kind.CLASS:
        distinct = [_native(v) for v in distinct]
    spelled = text_column([*distinct, None])
    return TextColumn(spelled.codes[codes], spelled.values)


def _native(value: object) -> object:
    """The number or truth value that a text of a CSV file stands for, else the text."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.lower() in _TRUTH:
        return text.lower() == "true"
    number = _number_in(text)
    if re.match(_ZERO_LED, text) or not math.isfinite(number):
        return value
    return int(text) if text.lstrip("+-").isdigit() else number


def times_of(column: pa.Array) -> IntArray:
    """Milliseconds since 1970 UTC of each cell; `BAD` where there is none that can be read."""
    if pa.types.is_temporal(column.type):
        stamps = column.cast(pa.timestamp("ms", getattr(column.type, "tz", None)), safe=False).cast(
            pa.int64()
        )
        return np.asarray(stamps.fill_null(BAD).to_numpy(zero_copy_only=False))
    none_ms = np.full(len(column), BAD, np.int64)
    for epoch in (pa.int64(), pa.float64()):
        try:
            values = column.cast(epoch).to_pylist()
        except pa.ArrowInvalid:
            continue
        return parse_timestamps(values, "auto", none_ms)
    return parse_timestamps(column.to_pylist(), "auto", none_ms)


def distinct_texts(columns: Iterable[TextColumn]) -> set[str]:
    """The categories that occur."""
    return {value for column in columns for value in column.values if isinstance(value, str)}

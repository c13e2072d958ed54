"""How a number column says that a cell is missing: NaN whose payload is the kind.

IEEE 754 leaves 51 bits of a quiet NaN free, and copies keep them. So a column stays one float64 array,
and the kinds of missing are read from its bits only where there is a NaN at all.
Sorting does not keep payloads: count the kinds before.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from service.messages import NOT_APPLICABLE, Missing

_QUIET_NAN = 0x7FF8_0000_0000_0000
KINDS = NOT_APPLICABLE + 1

FloatArray = NDArray[np.float64]


def cell(kind: int) -> float:
    """The NaN that stands for this kind of missing."""
    return float(struct.unpack("<d", struct.pack("<Q", _QUIET_NAN | kind))[0])


NULL = cell(Missing.NULL)
ABSENT = cell(Missing.ABSENT)
WRONG_TYPE = cell(Missing.WRONG_TYPE)
NOTHING = cell(NOT_APPLICABLE)


def kinds_of(nans: FloatArray) -> NDArray[np.int64]:
    """The kind of each NaN in an array of NaN."""
    return (nans.view(np.uint64) & np.uint64(0x7)).astype(np.int64)


def count_missing(numbers: FloatArray) -> NDArray[np.int64] | None:
    """Cells by kind, (columns, KINDS), of a (columns, n) matrix; None when nothing is missing."""
    nan = np.isnan(numbers)
    if not nan.any():
        return None
    column, _ = np.nonzero(nan)
    flat = column * KINDS + kinds_of(numbers[nan])
    return np.bincount(flat, minlength=len(numbers) * KINDS).reshape(-1, KINDS)

"""Rows that wait to be joined come back from their bytes as they were, or not at all."""

from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pytest

from service.errors import FormatError
from service.messages import JoinRows, Stream
from service.sketches.inbox_codec import rows_from_bytes, rows_to_bytes

ROWS = JoinRows(
    "churn", Stream.INFERENCE, np.array([1, 2**64 - 1], np.uint64), np.array([-60_000, 2**40]),
    np.array([-1, 1], np.int32), ("no", "ja\u00a0"), np.array([np.nan, 2.5]), np.array([0.25, np.nan]),
    np.array([1, 0], np.int32), (("7", "country=DE"), ("8", "country=FR")),
)  # fmt: skip


def test_rows_come_back_as_they_were() -> None:
    found = rows_from_bytes(rows_to_bytes(ROWS))
    for field in dataclasses.fields(JoinRows):
        np.testing.assert_array_equal(getattr(found, field.name), getattr(ROWS, field.name))
    assert (found.ids.dtype, found.class_codes.dtype, found.times_ms.dtype) == (np.uint64, np.int32, np.int64)


@pytest.mark.parametrize(
    "broken",
    [
        dataclasses.replace(ROWS, class_codes=np.array([0, 2], np.int32)),
        dataclasses.replace(ROWS, slice_codes=np.array([0, 2], np.int32)),
        dataclasses.replace(ROWS, times_ms=np.array([1])),
    ],
    ids=["class", "slice", "length"],
)
def test_rows_that_fit_together_nowhere_are_refused(broken: JoinRows) -> None:
    with pytest.raises(FormatError):
        rows_from_bytes(rows_to_bytes(broken))


@pytest.mark.parametrize("place", [0, 10, 30, -1])
def test_a_byte_that_was_changed_is_noticed(place: int) -> None:
    data = bytearray(rows_to_bytes(ROWS))
    data[place] ^= 1
    with pytest.raises((FormatError, msgspec.DecodeError)):
        rows_from_bytes(bytes(data))

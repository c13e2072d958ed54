"""The bytes of rows that wait to be joined, as a collector leaves them for the joiner."""

from __future__ import annotations

import msgspec
import numpy as np

from service.errors import FormatError
from service.messages import JoinRows, Stream
from service.sketches.format import floats_from_bytes, floats_to_bytes, seal, unseal

_MAGIC, _VERSION = b"DBjr", 1


class _Body(msgspec.Struct, array_like=True, frozen=True):
    model: str
    stream: str
    n: int
    ids: bytes
    times_ms: bytes
    class_codes: bytes
    classes: tuple[str, ...]
    values: bytes
    scores: bytes
    slice_codes: bytes
    slices: tuple[tuple[str, ...], ...]


def rows_to_bytes(rows: JoinRows) -> bytes:
    """The columns as they are, little endian, with a checksum."""
    body = _Body(
        rows.model, rows.stream.value, len(rows), rows.ids.astype("<u8").tobytes(),
        rows.times_ms.astype("<i8").tobytes(), rows.class_codes.astype("<i4").tobytes(), rows.classes,
        floats_to_bytes(rows.values), floats_to_bytes(rows.scores), rows.slice_codes.astype("<i4").tobytes(),
        rows.slices,
    )  # fmt: skip
    return seal(_MAGIC, _VERSION, body)


def rows_from_bytes(data: bytes) -> JoinRows:
    """The rows again; raises FormatError when the bytes are not what was written."""
    body = unseal(data, _MAGIC, _VERSION, _Body)
    codes, slices = _integers(body.class_codes, "<i4", body.n), _integers(body.slice_codes, "<i4", body.n)
    if not (codes.min(initial=0) >= -1 and codes.max(initial=-1) < len(body.classes)):
        raise FormatError("a row has a class that is not among the classes")
    if not (slices.min(initial=0) >= 0 and slices.max(initial=0) < max(1, len(body.slices))):
        raise FormatError("a row is in a slice that is not among the slices")
    return JoinRows(
        body.model, Stream(body.stream), _integers(body.ids, "<u8", body.n).astype(np.uint64),
        _integers(body.times_ms, "<i8", body.n).astype(np.int64), codes.astype(np.int32), body.classes,
        floats_from_bytes(body.values, body.n), floats_from_bytes(body.scores, body.n), slices.astype(np.int32),
        body.slices,
    )  # fmt: skip


def _integers(data: bytes, kind: str, n: int) -> np.ndarray:
    if len(data) != n * np.dtype(kind).itemsize:
        msg = f"{len(data)} bytes where {n} integers are expected"
        raise FormatError(msg)
    return np.frombuffer(data, kind)

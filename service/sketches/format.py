"""The bytes of sketches, grids and profiles: magic, version, checksum, then MessagePack with packed arrays.

    offset  0  4  magic: b"DBps" a pane's sketch, b"DBgr" a grid, b"DBrf" a reference profile
            4  2  version, little endian
            6  8  length of the payload
           14  4  CRC-32 of the payload
           18     payload

Equal state gives equal bytes. Nothing here can run code, and no declared size is trusted before the bytes
are there.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from service.errors import FormatError

_HEADER = struct.Struct("<4sHQI")
_WIDTHS: dict[int, np.dtype[Any]] = {
    1: np.dtype("<u1"),
    2: np.dtype("<u2"),
    4: np.dtype("<u4"),
    8: np.dtype("<u8"),
}
_SPARSE_BELOW = 0.25
_MOST_CELLS = 50_000_000

T = TypeVar("T")
IntArray = NDArray[np.int64]
Kinds = Mapping[int, type[T]]
"""What the payload of each version is."""


class Packed(msgspec.Struct, array_like=True, frozen=True):
    """Non-negative integers in the narrowest width; with `places`, only those that are not zero."""

    size: int
    width: int
    values: bytes
    place_width: int = 0
    places: bytes = b""


def pack(array: IntArray) -> Packed:
    """Pack a flat array of non-negative counts."""
    places = np.flatnonzero(array)
    if len(places) < _SPARSE_BELOW * array.size:
        width, place_width = _width(array), _width(places)
        return Packed(
            array.size, width, array[places].astype(_WIDTHS[width]).tobytes(), place_width,
            places.astype(_WIDTHS[place_width]).tobytes(),
        )  # fmt: skip
    width = _width(array)
    return Packed(array.size, width, array.astype(_WIDTHS[width]).tobytes())


def _width(array: NDArray[np.integer]) -> int:
    most = int(array.max()) if array.size else 0
    return next(width for width in _WIDTHS if most < 2 ** (8 * width))


def unpack(packed: Packed, size: int) -> IntArray:
    """The counts again; raises FormatError unless there are exactly `size`."""
    if packed.size != size or size > _MOST_CELLS:
        msg = f"{packed.size} counts where the grid has {size}"
        raise FormatError(msg)
    values = _integers(packed.values, packed.width)
    if not packed.place_width:
        return _exactly(values, size)
    places = _exactly(_integers(packed.places, packed.place_width), len(values))
    if len(places) and places.max() >= size:
        msg = f"a count for place {places.max()} of {size}"
        raise FormatError(msg)
    array = np.zeros(size, np.int64)
    array[places] = values
    return array


def unpack_part(packed: Packed, size: int, part: slice) -> IntArray:
    """Some of the counts, without making an array of them all; raises FormatError unless there are exactly `size`."""
    if not packed.place_width:
        return unpack(packed, size)[part]
    if packed.size != size:
        msg = f"{packed.size} counts where the grid has {size}"
        raise FormatError(msg)
    values = _integers(packed.values, packed.width)
    places = _exactly(_integers(packed.places, packed.place_width), len(values))
    mine = (places >= part.start) & (places < part.stop)
    array = np.zeros(part.stop - part.start, np.int64)
    array[places[mine] - part.start] = values[mine]
    return array


def pack_signed(array: IntArray) -> Packed:
    """Pack a flat array of integers below 2^62 either way: 0, -1, 1, -2 are 0, 1, 2, 3."""
    return pack((array << 1) ^ (array >> 63))


def unpack_signed(packed: Packed, size: int) -> IntArray:
    """The integers again; raises FormatError unless there are exactly `size`."""
    folded = unpack(packed, size)
    return (folded >> 1) ^ -(folded & 1)


def _integers(data: bytes, width: int) -> IntArray:
    if width not in _WIDTHS or len(data) % width:
        msg = f"{len(data)} bytes are no integers of {width} bytes"
        raise FormatError(msg)
    integers: IntArray = np.frombuffer(data, _WIDTHS[width]).astype(np.int64)
    if len(integers) and integers.min() < 0:
        raise FormatError("a count does not fit in 63 bits")
    return integers


def _exactly(integers: IntArray, size: int) -> IntArray:
    if len(integers) != size:
        msg = f"{len(integers)} integers where there must be {size}"
        raise FormatError(msg)
    return integers


def floats_to_bytes(array: NDArray[np.float64]) -> bytes:
    """Little-endian doubles, NaN payloads kept."""
    return np.ascontiguousarray(array, "<f8").tobytes()


def floats_from_bytes(data: bytes, size: int) -> NDArray[np.float64]:
    """The doubles again; raises FormatError unless there are exactly `size`."""
    if len(data) != 8 * size:
        msg = f"{len(data)} bytes where {size} doubles are expected"
        raise FormatError(msg)
    return np.frombuffer(data, "<f8").astype(np.float64)


def seal(magic: bytes, version: int, body: object) -> bytes:
    """The framed bytes of a msgspec structure."""
    payload = msgspec.msgpack.encode(body)
    return _HEADER.pack(magic, version, len(payload), zlib.crc32(payload)) + payload


def unseal(data: bytes, magic: bytes, version: int, kind: type[T]) -> T:
    """The structure again; raises FormatError that says which part does not fit."""
    return unseal_any(data, magic, {version: kind})


def unseal_any(data: bytes, magic: bytes, kinds: Kinds[T]) -> T:
    """The structure of whichever version it is; raises FormatError."""
    if len(data) < _HEADER.size:
        raise FormatError(f"{len(data)} bytes are too few for {magic.decode()}")
    found, at, length, checksum = _HEADER.unpack_from(data)
    payload = data[_HEADER.size :]
    for fits, what in (
        (found == magic, f"magic is {found!r}, not {magic!r}"),
        (at in kinds, f"version {at}; this driftbell reads {' and '.join(map(str, kinds))}"),
        (length == len(payload), f"{len(payload)} bytes of payload where {length} are declared"),
        (zlib.crc32(payload) == checksum, "the checksum does not match: the bytes were changed or cut"),
    ):
        if not fits:
            raise FormatError(what)
    try:
        return msgspec.msgpack.decode(payload, type=kinds[at])
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        msg = f"payload of {magic.decode()} does not fit: {error}"
        raise FormatError(msg) from error

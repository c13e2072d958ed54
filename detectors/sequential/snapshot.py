"""The bytes of a detector's state: magic, version, fingerprint, checksum, then its numbers.

    offset  0  4  magic: b"DBsq"
            4  2  version, little endian
            6  4  CRC-32 of the method's name and its configuration
           10  4  CRC-32 of the payload
           14     payload: for each field its length as u32 (all ones: a single number), and its float64 values

Equal state gives equal bytes, and nothing here can run code.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, Final, TypeVar

import numpy as np

MAGIC: Final = b"DBsq"
VERSION: Final = 1
_HEADER: Final = struct.Struct("<4sHII")
_LENGTH: Final = struct.Struct("<I")
_SINGLE: Final = 0xFFFFFFFF

S = TypeVar("S", bound=tuple[Any, ...])


def state_to_bytes(state: tuple[Any, ...], configuration: str) -> bytes:
    """Return the bytes of a state.

    Parameters
    ----------
    state : named tuple of floats and of one-dimensional float arrays
        What a detector keeps.
    configuration : str
        The detector's name and parameters, for the fingerprint.

    Returns
    -------
    bytes
        14, and 4 for each field and 8 for each of its numbers.

    Examples
    --------
    >>> len(state_to_bytes((1.0, np.zeros(3)), "adwin"))
    54
    """
    payload = b"".join(_field_out(field) for field in state)
    return _HEADER.pack(MAGIC, VERSION, zlib.crc32(configuration.encode()), zlib.crc32(payload)) + payload


def _field_out(field: Any) -> bytes:
    length = len(field) if isinstance(field, np.ndarray) else _SINGLE
    return _LENGTH.pack(length) + np.asarray(field, dtype="<f8").tobytes()


def state_from_bytes(data: bytes, like: S, configuration: str) -> S:
    """Return the state that bytes hold.

    Parameters
    ----------
    data : bytes
        Of `state_to_bytes`.
    like : named tuple
        A state of the same method, for its fields.
    configuration : str
        The name and parameters of the detector that asks.

    Returns
    -------
    named tuple
        A state like `like`.

    Raises
    ------
    ValueError
        When the bytes are of another version, damaged, or those of another method or configuration.

    Examples
    --------
    >>> state_from_bytes(state_to_bytes((1.5, np.array([2.0])), "adwin"), (0.0, np.zeros(0)), "adwin")
    (1.5, array([2.]))
    """
    if len(data) < _HEADER.size:
        raise ValueError("no state: too few bytes")
    magic, version, fingerprint, checksum = _HEADER.unpack_from(data)
    payload = data[_HEADER.size :]
    if (magic, version) != (MAGIC, VERSION):
        raise ValueError(f"no state of version {VERSION}: {magic!r}, version {version}")
    if checksum != zlib.crc32(payload):
        raise ValueError("a damaged state: its checksum is another")
    if fingerprint != zlib.crc32(configuration.encode()):
        raise ValueError(f"the state of another detector than {configuration}")
    fields = _fields_in(payload)
    if [isinstance(field, float) for field in fields] != [isinstance(field, float) for field in like]:
        raise ValueError("a state with other fields")
    return like._make(fields) if hasattr(like, "_make") else type(like)(fields)


def _fields_in(payload: bytes) -> list[Any]:
    fields: list[Any] = []
    place = 0
    while place < len(payload):
        if len(payload) - place < _LENGTH.size:
            raise ValueError("a damaged state: a field without its length")
        (length,) = _LENGTH.unpack_from(payload, place)
        count = 1 if length == _SINGLE else length
        start, place = place + _LENGTH.size, place + _LENGTH.size + 8 * count
        if place > len(payload):
            raise ValueError("a damaged state: a field longer than the bytes")
        values = np.frombuffer(payload, dtype="<f8", count=count, offset=start).astype(np.float64)
        fields.append(float(values[0]) if length == _SINGLE else values)
    return fields

"""Broken bytes raise FormatError, at once and without allocating what they claim to hold."""

from __future__ import annotations

import resource
import struct
import zlib
from typing import Any

import msgspec
import numpy as np
import pytest

from service.errors import FormatError
from service.messages import SCORE
from service.sketches.codec import grid_from_bytes, grid_to_bytes, pane_from_bytes, pane_to_bytes
from service.sketches.grids import Grid, NumberGrid, number_grid
from tests.sketches.rows import AMOUNT, GRID, batch_of, sketch_of

ROWS = [
    {"ts": 1_000 + i, "offset": i, "amount": i / 7, "score": None, "country": "US", "x1": "odd", "x2": i}
    for i in range(12)
]
PANE = pane_to_bytes(sketch_of(batch_of(ROWS)))
GRID_BYTES = grid_to_bytes(GRID)
HEADER = struct.Struct("<4sHQI")


def read(data: bytes) -> None:
    """Read it as what its first bytes say."""
    if data[:4] == b"DBgr":
        grid_from_bytes(data)
    else:
        pane_from_bytes(data, GRID)


def resealed(data: bytes, change: Any) -> bytes:
    """The same bytes with a changed body, and a header that fits it."""
    magic, version, _, _ = HEADER.unpack_from(data)
    body = msgspec.msgpack.decode(data[HEADER.size :])
    payload = change(body) if callable(change) else change
    payload = payload if isinstance(payload, bytes) else msgspec.msgpack.encode(payload)
    return HEADER.pack(magic, version, len(payload), zlib.crc32(payload)) + payload


def replaced(*path: int, value: Any) -> Any:
    """A change that puts another value somewhere in the body."""

    def change(body: Any) -> Any:
        inner = body
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value
        return body

    return change


def test_a_grid_comes_back_with_the_same_id() -> None:
    again = grid_from_bytes(GRID_BYTES)
    assert again.id == GRID.id
    assert grid_to_bytes(again) == GRID_BYTES


@pytest.mark.parametrize("data", [PANE, GRID_BYTES], ids=["pane", "grid"])
def test_every_flipped_byte_is_noticed(data: bytes) -> None:
    for at in range(0, len(data), 1 + len(data) // 3_000):
        broken = bytearray(data)
        broken[at] ^= 0x41
        with pytest.raises(FormatError):
            read(bytes(broken))


@pytest.mark.parametrize("data", [PANE, GRID_BYTES], ids=["pane", "grid"])
def test_every_cut_is_noticed(data: bytes) -> None:
    for length in range(0, len(data), 1 + len(data) // 3_000):
        with pytest.raises(FormatError):
            pane_from_bytes(data[:length], GRID) if data is PANE else grid_from_bytes(data[:length])


@pytest.mark.parametrize("data", [PANE, GRID_BYTES], ids=["pane", "grid"])
def test_a_body_with_a_right_checksum_and_wrong_bytes_is_a_format_error_or_is_read(data: bytes) -> None:
    payload = data[HEADER.size :]
    for at in range(0, len(payload), 1 + len(payload) // 2_000):
        broken = bytearray(payload)
        broken[at] = (broken[at] + 0x5B) % 256
        try:
            read(resealed(data, bytes(broken)))
        except FormatError:
            continue


HOSTILE = {
    "an array of 4 G": b"\xdd\xff\xff\xff\xff",
    "an array of 2 G and a few": b"\xdd\x7f\xff\xff\xff" + b"\x01" * 50,
    "a map of 4 G": b"\xdf\xff\xff\xff\xff",
    "bytes of 4 G": b"\xc6\xff\xff\xff\xff",
    "a text of 4 G": b"\xdb\xff\xff\xff\xff",
    "nested 100,000 deep": b"\x91" * 100_000,
    "nothing": b"",
    "more counts than the grid": replaced(5, 0, value=[10**12, 1, b"", 0, b""]),
    "a negative size": replaced(5, 0, value=[-1, 1, b"", 0, b""]),
    "an unknown width": replaced(5, 0, value=[len(GRID.numbers), 3, b"abc", 0, b""]),
    "places outside the grid": replaced(7, value=[28, 1, b"\1", 1, b"\xff"]),
    "negative places": replaced(7, value=[28, 1, b"\1", 8, b"\xff" * 8]),
    "more places than counts": replaced(7, value=[28, 1, b"\1", 1, b"\1\2"]),
    "half an integer": replaced(7, value=[28, 2, b"\1", 1, b"\1"]),
    "a count over 63 bits": replaced(7, value=[28, 8, b"\xff" * 8, 1, b"\1"]),
    "a negative count": replaced(1, value=-1),
    "a moment over 64 bits": replaced(5, 2, value=[[2**64 - 1, 0], [0, 0]]),
    "moments of another grid": replaced(5, 2, value=[[0], [0]]),
    "a negative text count": replaced(8, value=[[{"a": -1}, 0], [{}, 0]]),
    "other texts after none": replaced(8, value=[[{}, 5], [{}, 0]]),
    "more texts than are kept": replaced(8, value=[[dict.fromkeys(map(str, range(257)), 1), 0], [{}, 0]]),
    "texts of another grid": replaced(8, value=[[{}, 0]]),
    "half a priority": replaced(9, value=b"1234567"),
    "values without priorities": replaced(9, value=b""),
    "too many extras": lambda body: [*body[:11], body[11] * 400, 0],
    "an unknown role": lambda body: [*body[:11], [["soul", *body[11][0][1:]]], 0],
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bodies_are_format_errors_and_cost_no_memory(change: Any) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FormatError):
        pane_from_bytes(resealed(PANE, change), GRID)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_a_sketch_of_another_grid_is_refused() -> None:
    with pytest.raises(FormatError, match="counted on grid"):
        pane_from_bytes(PANE, Grid())


@pytest.mark.parametrize(
    "grid",
    [
        NumberGrid(AMOUNT, np.array([1.0, 1.0])), NumberGrid(AMOUNT, np.array([2.0, 1.0])),
        NumberGrid(AMOUNT, np.array([np.nan])),
        NumberGrid(AMOUNT, np.array([np.inf])), NumberGrid(AMOUNT, np.array([1.0]), np.nan, 1.0),
        NumberGrid(AMOUNT, np.array([1.0]), 0.0, -1.0),
        NumberGrid(AMOUNT, np.array([1.0]), 0.0, np.inf),
    ],
)  # fmt: skip
def test_a_grid_without_sense_is_refused(grid: NumberGrid) -> None:
    with pytest.raises(FormatError):
        grid_from_bytes(grid_to_bytes(Grid((grid,))))


def test_grids_of_extreme_references_come_back() -> None:
    for values in ([1e308, -1e308], [5e-324, 0.0], [7.0]):
        grid = Grid((number_grid(SCORE, np.array(values)),))
        assert grid_from_bytes(grid_to_bytes(grid)).id == grid.id

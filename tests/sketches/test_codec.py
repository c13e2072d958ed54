"""Broken bytes raise FormatError, at once and without allocating what they claim to hold."""

from __future__ import annotations

import math
import resource
import struct
import zlib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from service.errors import FormatError
from service.messages import LABEL, SCORE, Batch, Stream, TextColumn
from service.sketches.cells import KINDS
from service.sketches.codec import grid_from_bytes, grid_to_bytes, pane_from_bytes, pane_to_bytes
from service.sketches.grids import Grid, NumberGrid, number_grid
from tests.sketches.rows import AMOUNT, GRID, LABELLED, batch_of, labels_of, sketch_of

ROWS = [
    {"ts": 1_000 + i, "offset": i, "id": f"p-{i}", "amount": i / 7, "score": None, "country": "US",
     "answer": "yes", "truth": "no", "x1": "odd", "x2": i}
    for i in range(12)
]  # fmt: skip
PANE = pane_to_bytes(sketch_of(batch_of(ROWS), labels_of(ROWS), grid=LABELLED))
GRID_BYTES = grid_to_bytes(LABELLED)
MISSING = len(LABELLED.texts) * KINDS
COUNTS = sum(grid.bins for grid in LABELLED.numbers)
JOINT = 13
"""Where the moments and joined samples are in the body."""
HEADER = struct.Struct("<4sHQI")


def read(data: bytes) -> None:
    """Read it as what its first bytes say."""
    if data[:4] == b"DBgr":
        grid_from_bytes(data)
    else:
        pane_from_bytes(data, LABELLED)


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
    assert again.id == LABELLED.id
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
            pane_from_bytes(data[:length], LABELLED) if data is PANE else grid_from_bytes(data[:length])


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
    "an array of 4 G": (b"\xdd\xff\xff\xff\xff", "payload"),
    "an array of 2 G and a few": (b"\xdd\x7f\xff\xff\xff" + b"\x01" * 50, "payload"),
    "a map of 4 G": (b"\xdf\xff\xff\xff\xff", "payload"),
    "bytes of 4 G": (b"\xc6\xff\xff\xff\xff", "payload"),
    "a text of 4 G": (b"\xdb\xff\xff\xff\xff", "payload"),
    "nested 100,000 deep": (b"\x91" * 100_000, "payload"),
    "nothing": (b"", "payload"),
    "more counts than the grid": (replaced(5, 0, value=[10**12, 1, b"", 0, b""]), "where the grid has"),
    "a negative size": (replaced(5, 0, value=[-1, 1, b"", 0, b""]), "where the grid has"),
    "an unknown width": (replaced(5, 0, value=[COUNTS, 3, b"abc", 0, b""]), "no integers of 3"),
    "places outside the grid": (replaced(7, value=[MISSING, 1, b"\1", 1, b"\xff"]), "place 255 of"),
    "negative places": (replaced(7, value=[MISSING, 1, b"\1", 8, b"\xff" * 8]), "63 bits"),
    "more places than counts": (replaced(7, value=[MISSING, 1, b"\1", 1, b"\1\2"]), "2 integers where"),
    "half an integer": (replaced(7, value=[MISSING, 2, b"\1", 1, b"\1"]), "no integers of 2"),
    "a count over 63 bits": (replaced(7, value=[MISSING, 8, b"\xff" * 8, 1, b"\1"]), "63 bits"),
    "a negative count": (replaced(1, value=-1), ">= 0"),
    "a moment over 64 bits": (replaced(5, 2, value=[[2**64 - 1, 0], [0, 0]]), "64 bits"),
    "moments of another grid": (replaced(5, 2, value=[[0], [0]]), "moments of 1 columns"),
    "a negative text count": (replaced(8, 0, value=[{"a": -1}, 0]), ">= 0"),
    "other texts after none": (replaced(8, 0, value=[{}, 5]), "5 cells of others"),
    "more texts than are kept": (replaced(8, 0, value=[dict.fromkeys(map(str, range(257)), 1), 0]), "257 texts"),
    "texts of another grid": (replaced(8, value=[[{}, 0]]), "unseen texts"),
    "half a priority": (replaced(9, value=b"1234567"), "7 bytes of priorities"),
    "more rows than are kept": (replaced(9, value=b"1234567\0" * 65), "520 bytes of priorities"),
    "priorities that fall": (replaced(9, value=b"\2" * 8 + b"\1" * 8), "do not ascend"),
    "values without priorities": (replaced(9, value=b""), "doubles are expected"),
    "too many extras": (lambda body: [*body[:11], body[11] * 400, *body[12:]], "columns that the grid"),
    "an unknown role": (replaced(11, 0, 0, value="soul"), "soul"),
    "no joint part": (lambda body: body[:JOINT], "payload"),
    "a class that there is not": (replaced(JOINT, 0, value=[12, 1, b"\3" * 12, 0, b""]), "class 3 of 2"),
    "predictions of other rows": (replaced(JOINT, 0, value=[11, 1, b"\1" * 11, 0, b""]), "where the grid has 12"),
    "more labels than are kept": (replaced(JOINT, 1, value=b"\1" * 8 * 513), "4104 bytes of priorities"),
    "half a label": (replaced(JOINT, 1, value=b"\1" * 9), "9 bytes of priorities"),
    "labels that fall": (replaced(JOINT, 1, value=b"\2" * 8 + b"\1" * 8), "do not ascend"),
    "a label that there is not": (replaced(JOINT, 2, value=[12, 1, b"\4" * 12, 0, b""]), "class 4 of 3"),
    "moments of more rows than there are": (replaced(JOINT, 4, value=13), "13 rows where there are 12"),
    "negative rows": (replaced(JOINT, 4, value=-1), ">= 0"),
    "moments of fewer rows than are present": (replaced(JOINT, 4, value=3), "than so many rows"),
    "sums too large for their rows": (replaced(JOINT, 6, value=[2, 4, b"\xff" * 8, 0, b""]), "than so many rows"),
    "products of another grid": (replaced(JOINT, 7, value=[4, 1, b"\1" * 4, 0, b""]), "where the grid has 3"),
    "products too large for their rows": (
        replaced(JOINT, 7, value=[3, 8, (b"\xff" * 7 + b"\x7f") * 3, 0, b""]), "than so many rows",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "said"), HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bodies_are_format_errors_and_cost_no_memory(change: Any, said: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FormatError, match=said):
        pane_from_bytes(resealed(PANE, change), LABELLED)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_a_number_that_cannot_be_a_label_is_refused() -> None:
    grid = Grid((number_grid(LABEL, np.arange(9.0)),))
    labels = Batch(
        "m", 1, Stream.LABEL, np.arange(2), np.arange(2), np.array([7, 8], np.uint64),
        TextColumn(np.zeros(2, np.int32), ("",)), np.array([[1.0, 2.0]]), (),
    )  # fmt: skip
    data = pane_to_bytes(sketch_of(labels, grid=grid))
    assert pane_from_bytes(data, grid).label_sample.values.tolist() in ([1.0, 2.0], [2.0, 1.0])
    with pytest.raises(FormatError, match="infinite"):
        pane_from_bytes(resealed(data, replaced(JOINT, 3, value=struct.pack("<2d", 1.0, math.inf))), grid)


def test_labels_of_a_grid_without_labels_are_refused() -> None:
    with pytest.raises(FormatError, match="without labels"):
        pane_from_bytes(
            resealed(pane_to_bytes(sketch_of(batch_of(ROWS))), replaced(JOINT, 1, value=b"\1" * 8)), GRID
        )


def test_a_sketch_that_version_1_wrote_is_read_and_counted_on() -> None:
    """The file was written by the code of version 1, of these rows."""
    rows = [
        {"ts": 1_000 + i, "offset": i, "id": f"p-{i}", "amount": None if i % 10 == 9 else (i % 13) / 4 - 1.5,
         "score": i / 100, "country": ["DE", "FR", "US"][i % 3], "answer": ["yes", "no", "perhaps", None][i % 4],
         "x1": i}
        for i in range(100)
    ]  # fmt: skip
    data = Path(__file__).with_name("pane-of-version-1.bin").read_bytes()
    old, now = pane_from_bytes(data, GRID), sketch_of(batch_of(rows))
    assert (old.moments.rows, old.moments.products.any()) == (0, False)
    assert np.isnan(old.sample.predictions).all()
    assert len(old.label_sample.priorities) == 0
    assert body_of(pane_to_bytes(old))[:JOINT] == body_of(data) == body_of(pane_to_bytes(now))[:JOINT]
    old.merge(now)
    assert (old.inferences, old.moments.rows) == (200, 100)
    assert old.moments.correlation().tolist() == now.moments.correlation().tolist()
    assert pane_to_bytes(pane_from_bytes(pane_to_bytes(old), GRID)) == pane_to_bytes(old)


def body_of(data: bytes) -> list[Any]:
    """The fields of a sketch's bytes."""
    body: list[Any] = msgspec.msgpack.decode(data[HEADER.size :])
    return body


def test_a_version_that_is_not_known_is_refused() -> None:
    with pytest.raises(FormatError, match="version 3; this driftbell reads 1 and 2"):
        pane_from_bytes(PANE[:4] + b"\3" + PANE[5:], LABELLED)


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

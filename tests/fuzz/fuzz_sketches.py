"""Any payload behind a right checksum, as a pane, a grid or a profile: read, or a FormatError, in little memory."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress

from service.errors import FormatError
from service.reference.profile import profile_from_bytes, profile_to_bytes
from service.sketches.codec import grid_from_bytes, grid_to_bytes, pane_from_bytes, pane_to_bytes
from service.sketches.pane import PaneSketch
from tests.sketches.rows import GRID

HEADER = struct.Struct("<4sHQI")
MAGICS = {b"p": b"DBps", b"g": b"DBgr", b"r": b"DBrf"}


def one_input(data: bytes) -> None:
    """The first byte says what it is to be; any other byte leaves the header to the fuzzer."""
    sealed = reseal(data)
    with suppress(FormatError):
        sketch = pane_from_bytes(sealed, GRID)
        written = pane_to_bytes(sketch)
        assert pane_to_bytes(pane_from_bytes(written, GRID)) == written
        use(sketch)
    with suppress(FormatError):
        grid = grid_from_bytes(sealed)
        assert grid_from_bytes(grid_to_bytes(grid)).id == grid.id
        PaneSketch(grid)
    with suppress(FormatError):
        profile = profile_from_bytes(sealed)
        profile_from_bytes(profile_to_bytes(profile))
        use(profile.sketch)


def use(sketch: PaneSketch) -> None:
    """What is read can be merged and described as any other."""
    together = PaneSketch(sketch.grid)
    with suppress(OverflowError):
        together.merge(sketch)
        together.merge(sketch)
    for column in range(len(sketch.grid.numbers)):
        together.numbers.mean_std(column)
    for texts in together.categories.unseen:
        assert texts.distinct >= 0


def reseal(data: bytes) -> bytes:
    """The payload behind a header that fits."""
    magic = MAGICS.get(data[:1])
    if magic is None:
        return data
    return HEADER.pack(magic, 1, len(data) - 1, zlib.crc32(data[1:])) + data[1:]


def body_of(sealed: bytes) -> bytes:
    """The input that `reseal` makes these bytes of."""
    kind = next(short for short, magic in MAGICS.items() if magic == sealed[:4])
    return kind + sealed[HEADER.size :]

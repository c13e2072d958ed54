"""Any payload behind a right checksum, as a pane, a grid or a profile: read, or a FormatError, in little memory."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress

import numpy as np

from service.errors import FormatError
from service.reference.profile import profile_from_bytes, profile_to_bytes
from service.sketches.codec import grid_from_bytes, grid_to_bytes, pane_from_bytes, pane_to_bytes
from service.sketches.join import join
from service.sketches.pane import PaneSketch
from tests.sketches.rows import GRID, LABELLED

HEADER = struct.Struct("<4sHQI")
MAGICS = {b"p": (b"DBps", 2), b"o": (b"DBps", 1), b"g": (b"DBgr", 1), b"r": (b"DBrf", 1)}


def one_input(data: bytes) -> None:
    """The first byte says what it is to be; any other byte leaves the header to the fuzzer."""
    sealed = reseal(data)
    for grid in (GRID, LABELLED):
        with suppress(FormatError):
            sketch = pane_from_bytes(sealed, grid)
            written = pane_to_bytes(sketch)
            assert pane_to_bytes(pane_from_bytes(written, grid)) == written
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
    assert np.isfinite(together.moments.correlation()).all()
    join(sketch.grid, [together.sample], [together.label_sample])
    for texts in together.categories.unseen:
        assert texts.distinct >= 0


def reseal(data: bytes) -> bytes:
    """The payload behind a header that fits."""
    if data[:1] not in MAGICS:
        return data
    magic, version = MAGICS[data[:1]]
    return HEADER.pack(magic, version, len(data) - 1, zlib.crc32(data[1:])) + data[1:]


def body_of(sealed: bytes) -> bytes:
    """The input that `reseal` makes these bytes of."""
    magic, version, _, _ = HEADER.unpack_from(sealed)
    kind = next(short for short, named in MAGICS.items() if named == (magic, version))
    return kind + sealed[HEADER.size :]

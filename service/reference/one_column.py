"""One column out of a reference profile's bytes, without making anything of the others, or of its blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from service.errors import FormatError
from service.reference.profile import MAGIC, VERSION
from service.sketches.codec import grid_from_bytes
from service.sketches.column_codec import ColumnReader
from service.sketches.format import unseal

if TYPE_CHECKING:
    from service.messages import Column
    from service.sketches.pane import PaneSketch


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceColumn:
    """The column in all rows of a reference, or in those of a segment; `sketch`: None where it knows none of these."""

    first_ms: int | None
    last_ms: int | None
    sketch: PaneSketch | None


class _Profile(msgspec.Struct, array_like=True):
    """The first fields of a profile; what is `Raw` is not read before it is asked for."""

    name: str
    model: str
    task: msgspec.Raw
    grid: bytes
    sketch: bytes
    blocks: msgspec.Raw
    ordered: bool
    rows: int
    first_ms: int | None
    last_ms: int | None
    columns: msgspec.Raw
    warnings: msgspec.Raw
    segments: dict[str, msgspec.Raw] = {}


def reference_column(data: bytes, column: Column, segment: str = "") -> ReferenceColumn:
    """Of the bytes of a profile. Raises FormatError."""
    body = unseal(data, MAGIC, VERSION, _Profile)
    reader = ColumnReader(grid_from_bytes(body.grid), column)
    rows = body.sketch if not segment else _bytes(body.segments.get(segment))
    sketch = None if rows is None else reader.read(rows)
    return ReferenceColumn(body.first_ms, body.last_ms, sketch)


def _bytes(rows: msgspec.Raw | None) -> bytes | None:
    try:
        return None if rows is None else msgspec.msgpack.decode(rows, type=bytes)
    except msgspec.DecodeError as error:
        raise FormatError("the rows of a segment are no bytes") from error

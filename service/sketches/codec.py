"""Pane sketches and grids to bytes and back."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Annotated

import msgspec
import numpy as np

from service.errors import FormatError
from service.messages import Column, Role
from service.sketches.bottom_k import SIZE, BottomK
from service.sketches.cells import KINDS
from service.sketches.extras import ExtraSketch
from service.sketches.format import (
    Packed,
    floats_from_bytes,
    floats_to_bytes,
    pack,
    seal,
    unpack,
    unseal,
    unseal_any,
)
from service.sketches.grids import CategoryGrid, Grid, NumberGrid
from service.sketches.joint_codec import Joint, joint_in, joint_out, priorities_in
from service.sketches.numbers import NumberSketch
from service.sketches.pane import MAX_EXTRAS, PaneSketch
from service.sketches.sample import SIZE as ROWS

PANE, PANE_VERSION = b"DBps", 2
"""Version 1 has no `Joint`: no moments, and samples without predictions and labels."""
_GRID, _GRID_VERSION = b"DBgr", 1


_Count = Annotated[int, msgspec.Meta(ge=0)]


class Texts(msgspec.Struct, array_like=True):
    """Texts with their counts, and the cells of the others together."""

    counts: dict[str, _Count]
    other: _Count


class Numbers(msgspec.Struct, array_like=True):
    """The number columns together, or the numbers of one column."""

    counts: Packed
    missing: Packed
    sums: tuple[list[int], list[int]]
    low: bytes
    high: bytes


class Extra(msgspec.Struct, array_like=True):
    """A column that the grid does not know."""

    role: Role
    name: str
    numbers: Numbers
    texts: Texts


class _FirstPane(msgspec.Struct, array_like=True):
    grid_id: str
    inferences: _Count
    labels: _Count
    first_ms: int
    last_ms: int
    numbers: Numbers
    category_counts: Packed
    category_missing: Packed
    unseen: list[Texts]
    sample_priorities: bytes
    sample_values: bytes
    extras: list[Extra]
    extras_dropped: _Count


class _Pane(_FirstPane):
    joint: Joint


_PANES: Mapping[int, type[_FirstPane]] = {1: _FirstPane, PANE_VERSION: _Pane}


class _NumberGrid(msgspec.Struct, array_like=True):
    role: Role
    name: str
    centre: float
    scale: float
    edges: bytes


class _CategoryGrid(msgspec.Struct, array_like=True):
    role: Role
    name: str
    categories: tuple[str, ...]


class _Grid(msgspec.Struct, array_like=True):
    numbers: list[_NumberGrid]
    texts: list[_CategoryGrid]


def pane_to_bytes(sketch: PaneSketch) -> bytes:
    """The canonical bytes of a sketch: equal state gives equal bytes."""
    extras = sorted(sketch.extras.items())
    body = _Pane(
        sketch.grid.id, sketch.inferences, sketch.labels, sketch.first_ms, sketch.last_ms,
        _numbers_out(sketch.numbers), pack(sketch.categories.counts), pack(sketch.categories.missing.ravel()),
        [_texts_out(unseen) for unseen in sketch.categories.unseen],
        np.ascontiguousarray(sketch.sample.priorities, "<u8").tobytes(),
        floats_to_bytes(sketch.sample.values),
        [Extra(c.role, c.name, _numbers_out(e.numbers), _texts_out(e.texts)) for c, e in extras],
        sketch.extras_dropped, joint_out(sketch),
    )  # fmt: skip
    return seal(PANE, PANE_VERSION, body)


def pane_from_bytes(data: bytes, grid: Grid) -> PaneSketch:
    """The sketch again. Raises FormatError if the bytes are broken or were counted on another grid."""
    body = unseal_any(data, PANE, _PANES)
    if body.grid_id != grid.id:
        msg = f"counted on grid {body.grid_id}, read with grid {grid.id}"
        raise FormatError(msg)
    sketch = PaneSketch(grid)
    sketch.inferences, sketch.labels = body.inferences, body.labels
    sketch.first_ms, sketch.last_ms = body.first_ms, body.last_ms
    _numbers_in(sketch.numbers, body.numbers)
    sketch.categories.counts = unpack(body.category_counts, sketch.categories.counts.size)
    sketch.categories.missing = _missing_in(body.category_missing, len(grid.texts))
    sketch.categories.unseen = [texts_in(unseen) for unseen in body.unseen]
    _sample_in(sketch, body)
    if isinstance(body, _Pane):
        joint_in(sketch, body.joint)
    if len(body.extras) > MAX_EXTRAS + len(grid.numbers) + len(Role):
        msg = f"{len(body.extras)} columns that the grid does not know; at most {MAX_EXTRAS} are kept"
        raise FormatError(msg)
    for extra in body.extras:
        sketch.extras[Column(extra.role, extra.name)] = extra_in(extra)
    sketch.extras_dropped = body.extras_dropped
    return sketch


def _numbers_out(numbers: NumberSketch) -> Numbers:
    return Numbers(
        pack(numbers.counts), pack(numbers.missing.ravel()),
        (numbers.sums[0].tolist(), numbers.sums[1].tolist()),
        floats_to_bytes(numbers.low), floats_to_bytes(numbers.high),
    )  # fmt: skip


def _numbers_in(numbers: NumberSketch, body: Numbers) -> None:
    columns = len(numbers.layout.grids)
    numbers.counts = unpack(body.counts, numbers.layout.size)
    numbers.missing = _missing_in(body.missing, columns)
    if not len(body.sums[0]) == len(body.sums[1]) == columns:
        msg = f"moments of {len(body.sums[0])} columns where the grid has {columns}"
        raise FormatError(msg)
    try:
        numbers.sums = np.array(body.sums, np.int64).reshape(2, columns)
    except OverflowError as error:
        msg = "a moment does not fit in 64 bits"
        raise FormatError(msg) from error
    numbers.low, numbers.high = floats_from_bytes(body.low, columns), floats_from_bytes(body.high, columns)


def _missing_in(packed: Packed, columns: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    return unpack(packed, columns * KINDS).reshape(columns, KINDS)


def _texts_out(texts: BottomK) -> Texts:
    texts.shrink()
    return Texts(dict(sorted(texts.counts.items())), texts.other)


def extra_in(body: Extra) -> ExtraSketch:
    """The sketch of a column that the grid does not know. Raises FormatError."""
    made = ExtraSketch()
    _numbers_in(made.numbers, body.numbers)
    made.texts = texts_in(body.texts)
    return made


def texts_in(body: Texts) -> BottomK:
    """The texts again. Raises FormatError."""
    if len(body.counts) > SIZE or (body.other and len(body.counts) < SIZE):
        msg = f"{len(body.counts)} texts and {body.other} cells of others, where others begin after {SIZE} texts"
        raise FormatError(msg)
    return BottomK(body.counts, body.other)


def _sample_in(sketch: PaneSketch, body: _FirstPane) -> None:
    columns = len(sketch.sample.values)
    if len(body.unseen) != len(sketch.grid.texts):
        raise FormatError("the unseen texts do not fit the grid")
    sketch.sample.priorities = priorities_in(body.sample_priorities, ROWS)
    rows = len(sketch.sample.priorities)
    sketch.sample.values = floats_from_bytes(body.sample_values, columns * rows).reshape(columns, rows)
    sketch.sample.predictions = np.full(rows, np.nan)


def grid_to_bytes(grid: Grid) -> bytes:
    """The bytes of a grid."""
    numbers = [_NumberGrid(*n.column, n.centre, n.scale, floats_to_bytes(n.edges)) for n in grid.numbers]
    texts = [_CategoryGrid(*t.column, t.categories) for t in grid.texts]
    return seal(_GRID, _GRID_VERSION, _Grid(numbers, texts))


def grid_from_bytes(data: bytes) -> Grid:
    """The grid again, with the same id. Raises FormatError."""
    body = unseal(data, _GRID, _GRID_VERSION, _Grid)
    numbers = tuple(
        NumberGrid(Column(n.role, n.name), floats_from_bytes(n.edges, len(n.edges) // 8), n.centre, n.scale)
        for n in body.numbers
    )
    for number in numbers:
        if not (np.isfinite(number.edges).all() and (np.diff(number.edges) > 0).all()):
            msg = f"the edges of {number.column.name!r} do not ascend"
            raise FormatError(msg)
        if not (isfinite(number.centre) and isfinite(number.scale) and number.scale >= 0):
            msg = f"the centre or scale of {number.column.name!r} is no finite number"
            raise FormatError(msg)
    return Grid(numbers, tuple(CategoryGrid(Column(t.role, t.name), t.categories) for t in body.texts))

"""The bytes of what joins columns and streams: second moments, and the predictions and labels of sampled rows."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from service.errors import FormatError
from service.messages import LABEL, PREDICTION, Column
from service.sketches.format import (
    Packed,
    floats_from_bytes,
    floats_to_bytes,
    pack,
    pack_signed,
    unpack,
    unpack_signed,
)
from service.sketches.label_sample import SIZE
from service.sketches.moments import LIMIT
from service.sketches.sample import PriorityArray

if TYPE_CHECKING:
    from service.sketches.grids import Grid
    from service.sketches.moments import CrossMoments
    from service.sketches.pane import PaneSketch

FloatArray = NDArray[np.float64]

MOST_ROWS = 2**34
"""The products of so many rows leave room for sketches to be merged in 64 bits."""


class Joint(msgspec.Struct, array_like=True):
    """Classes are places in their grid and 1, and 0 where there is none; labels are classes, or else numbers.

    Of the symmetric products the upper triangle is kept.
    """

    predictions: Packed
    label_priorities: bytes
    label_classes: Packed
    label_numbers: bytes
    rows: Annotated[int, msgspec.Meta(ge=0)]
    present: Packed
    sums: Packed
    products: Packed


def joint_out(sketch: PaneSketch) -> Joint:
    """The body of a sketch's moments and joined samples."""
    moments, labels = sketch.moments, sketch.label_sample
    split = 0 if _classes(sketch.grid, LABEL) is None else len(labels.values)
    return Joint(
        _classes_out(sketch.sample.predictions), np.ascontiguousarray(labels.priorities, "<u8").tobytes(),
        _classes_out(labels.values[:split]), floats_to_bytes(labels.values[split:]),
        moments.rows, pack(moments.present), pack_signed(moments.sums),
        pack_signed(moments.products.ravel()[_triangle(len(moments.columns))[0]]),
    )  # fmt: skip


def joint_in(sketch: PaneSketch, body: Joint) -> None:
    """Fill them in again; `sketch` has its sampled rows already. Raises FormatError."""
    _moments_in(sketch.moments, body, sketch.inferences)
    grid, rows, labels = sketch.grid, sketch.sample, sketch.label_sample
    rows.predictions = _classes_in(body.predictions, len(rows.priorities), _classes(grid, PREDICTION) or 0)
    labels.priorities = priorities_in(body.label_priorities, SIZE)
    classes, n = _classes(grid, LABEL), len(labels.priorities)
    if classes is not None:
        labels.values = _classes_in(body.label_classes, n, classes)
    elif LABEL in grid.number_at:
        labels.values = _numbers_in(body.label_numbers, n)
    elif n:
        raise FormatError("labels of a grid without labels")


def priorities_in(data: bytes, size: int) -> PriorityArray:
    """The priorities of a sample of at most so many rows. Raises FormatError."""
    if len(data) % 8 or len(data) > 8 * size:
        raise FormatError(f"{len(data)} bytes of priorities where {size} rows are kept")
    priorities = np.frombuffer(data, "<u8").astype(np.uint64)
    if (priorities[1:] < priorities[:-1]).any():
        raise FormatError("the priorities of a sample do not ascend")
    return priorities


def _classes(grid: Grid, column: Column) -> int | None:
    """How many classes predictions or labels have; None where they are no column of categories."""
    place = grid.text_at.get(column)
    return None if place is None else len(grid.texts[place].categories)


def _classes_out(places: FloatArray) -> Packed:
    return pack(np.where(np.isnan(places), 0.0, places + 1).astype(np.int64))


def _classes_in(packed: Packed, rows: int, classes: int) -> FloatArray:
    numbers = unpack(packed, rows)
    if numbers.max(initial=0) > classes:
        raise FormatError(f"class {numbers.max()} of {classes}")
    return np.where(numbers == 0, np.nan, numbers - 1.0)


def _numbers_in(data: bytes, rows: int) -> FloatArray:
    """Why a number is missing is not told apart here."""
    numbers = floats_from_bytes(data, rows)
    if np.isinf(numbers).any():
        raise FormatError("a label is infinite")
    return np.where(np.isnan(numbers), np.nan, numbers)


def _moments_in(moments: CrossMoments, body: Joint, inferences: int) -> None:
    d = len(moments.columns)
    upper, places = _triangle(d)
    if body.rows > min(inferences, MOST_ROWS):
        raise FormatError(f"moments of {body.rows} rows where there are {inferences}")
    moments.rows = body.rows
    moments.present, moments.sums = unpack(body.present, d), unpack_signed(body.sums, d)
    products = unpack_signed(body.products, len(upper))
    moments.products = products[places]
    for most, numbers in ((1, moments.present), (LIMIT, moments.sums), (LIMIT**2, products)):
        if np.abs(numbers).max(initial=0) > most * body.rows:
            raise FormatError(f"moments of {body.rows} rows are larger than so many rows can have")


@lru_cache(maxsize=64)
def _triangle(d: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The flat places of the upper triangle of a (d, d) matrix, and where each cell of the matrix is in it."""
    rows, columns = np.triu_indices(d)
    places = np.zeros((d, d), np.intp)
    places[rows, columns] = places[columns, rows] = np.arange(len(rows))
    return rows * d + columns, places

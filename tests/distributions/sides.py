"""Sketches of one column of known values, for comparing with numpy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.distributions.distribution import Origin, Rows
from service.messages import Batch, Column, Role, Stream, TextColumn
from service.sketches.grids import CategoryGrid, Grid, number_grid
from service.sketches.pane import PaneSketch

AMOUNT, COUNTRY = Column(Role.FEATURE, "amount"), Column(Role.FEATURE, "country")
FloatArray = NDArray[np.float64]


def grid_for(values: FloatArray) -> Grid:
    """The grid that a reference of these values has."""
    return Grid((number_grid(AMOUNT, values),))


def numbers(grid: Grid, values: FloatArray) -> PaneSketch:
    """These values counted on a grid."""
    return counted(grid, values[None, :], (), len(values))


def texts(categories: Sequence[str], values: Sequence[str | int]) -> PaneSketch:
    """These texts (or kinds of missing) counted beside these categories."""
    known = tuple(dict.fromkeys(values))
    codes = np.array([known.index(one) for one in values], np.int32)
    grid = Grid(texts=(CategoryGrid(COUNTRY, tuple(sorted(categories))),))
    return counted(grid, np.empty((0, len(values))), (TextColumn(codes, known),), len(values))


def counted(grid: Grid, values: FloatArray, text: Sequence[TextColumn], n: int) -> PaneSketch:
    """Rows of inferences on a grid."""
    made = PaneSketch(grid)
    batch = Batch(
        "churn", 1, Stream.INFERENCE, np.arange(n), np.arange(n), np.arange(n).astype(np.uint64),
        TextColumn(np.zeros(n, np.int32), ("7",)), values.copy(), text,
    )  # fmt: skip
    made.add(batch, slice(None))
    return made


def rows(sketch: PaneSketch | None, **origin: object) -> Rows:
    """A side of a comparison."""
    return Rows(sketch, Origin(**origin))  # type: ignore[arg-type]

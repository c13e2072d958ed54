"""Small sketches of two columns, made of plain lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from service.intake.cells import number_column, text_column
from service.messages import Batch, Column, Role, Stream, TextColumn
from service.sketches.grids import Grid, category_grid, number_grid
from service.sketches.pane import PaneSketch

if TYPE_CHECKING:
    from collections.abc import Sequence

AMOUNT, COUNTRY = Column(Role.FEATURE, "amount"), Column(Role.FEATURE, "country")
COUNTRIES = {"DE": 60, "FR": 30, "IT": 10}


def amounts(n: int, seed: int, shift: float = 0.0) -> list[Any]:
    """Normal numbers."""
    return np.random.default_rng(seed).normal(shift, 1.0, n).tolist()


def countries(n: int, seed: int) -> list[Any]:
    """Texts in the shares of `COUNTRIES`."""
    shares = np.array(list(COUNTRIES.values())) / 100
    return np.random.default_rng(seed).choice(list(COUNTRIES), n, p=shares).tolist()


GRID = Grid((number_grid(AMOUNT, np.array(amounts(5_000, 1))),), (category_grid(COUNTRY, COUNTRIES),))


def sketch_of(amount: Sequence[Any], country: Sequence[Any], grid: Grid = GRID) -> PaneSketch:
    """These rows, counted."""
    n = len(amount)
    batch = Batch(
        "churn", 1, Stream.INFERENCE, np.arange(n), np.zeros(n, np.int64), np.zeros(n, np.uint64),
        TextColumn(np.zeros(n, np.int32), ("7",)), np.array([number_column(list(amount), n)]),
        [text_column(list(country))],
    )  # fmt: skip
    sketch = PaneSketch(grid)
    sketch.add(batch, slice(None))
    return sketch


def usual(n: int, seed: int) -> PaneSketch:
    """Rows as they always are."""
    return sketch_of(amounts(n, seed), countries(n, seed + 1))


REFERENCE = usual(5_000, 1)


def missing_cell() -> float:
    """A number cell that is null."""
    return float(number_column([None], 1)[0])


def drawn(
    n: int, rng: np.random.Generator, shift: float = 0.0, *, null: float = 0.0, scaled: float = 0.0,
    shares: Sequence[float] = (0.6, 0.3, 0.1, 0.0), grid: Grid = GRID,
) -> PaneSketch:  # fmt: skip
    """So many rows: amounts normal about `shift`, of which shares are null or 2.2046 times as large; country shares."""
    amount = rng.normal(shift, 1.0, n)
    amount[rng.random(n) < scaled] *= 2.2046
    amount[rng.random(n) < null] = missing_cell()
    codes = rng.choice(4, n, p=shares).astype(np.int32)
    batch = Batch(
        "churn", 1, Stream.INFERENCE, np.arange(n), np.zeros(n, np.int64), np.zeros(n, np.uint64),
        TextColumn(np.zeros(n, np.int32), ("7",)), amount[None], [TextColumn(codes, (*COUNTRIES, "XX"))],
    )  # fmt: skip
    sketch = PaneSketch(grid)
    sketch.add(batch, slice(None))
    return sketch


def merged(sketches: Sequence[PaneSketch]) -> PaneSketch:
    """All rows of these."""
    whole = PaneSketch(sketches[0].grid)
    for one in sketches:
        whole.merge(one)
    return whole

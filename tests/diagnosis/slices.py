"""Slices for diagnosis, counted by the real sketches from plain lists; a value that is UNSET is absent from its row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import UNSET

from service.diagnosis.view import ColumnView, SliceView, view_of
from service.intake.cells import extra_column, number_column, odd_texts, text_column
from service.messages import Batch, Column, ExtraColumn, Role, Stream, TextColumn
from service.sketches.grids import Grid, category_grid, number_grid
from service.sketches.pane import PaneSketch

Table = Mapping[str, Sequence[Any]]

_OUTPUTS = {"prediction": Role.PREDICTION, "score": Role.SCORE}


def column(name: str) -> Column:
    """A feature, or the prediction or score of that name."""
    return Column(_OUTPUTS.get(name, Role.FEATURE), name)


def grid_of(table: Table) -> Grid:
    """The grid of a reference: columns of texts, and of numbers."""
    texts = {name: [v for v in values if isinstance(v, str)] for name, values in table.items()}
    return Grid(
        tuple(
            number_grid(column(name), np.array([float(v) for v in values if isinstance(v, int | float)]))
            for name, values in table.items()
            if not texts[name]
        ),
        tuple(category_grid(column(name), dict(Counter(values))) for name, values in texts.items() if values),
    )


def slice_of(table: Table, grid: Grid | None = None) -> SliceView:
    """These rows, on the grid of their reference (its own by default). Fields the grid does not name are extras."""
    grid = grid or grid_of(table)
    n = len(next(iter(table.values())))
    absent = [UNSET] * n
    known = {one.column.name for one in (*grid.numbers, *grid.texts)}
    extras = {column(name): extra_column(list(values)) for name, values in table.items() if name not in known}
    extras |= _odd(table, grid)
    numbers = [number_column(list(table.get(one.column.name, absent)), n) for one in grid.numbers]
    batch = Batch(
        "churn", 1, Stream.INFERENCE, np.arange(n), np.zeros(n, np.int64), np.zeros(n, np.uint64),
        TextColumn(np.zeros(n, np.int32), ("7",)), np.array(numbers).reshape(len(numbers), n),
        [text_column(list(table.get(one.column.name, absent))) for one in grid.texts], extras,
    )  # fmt: skip
    sketch = PaneSketch(grid)
    sketch.add(batch, slice(None))
    return view_of(sketch)


def _odd(table: Table, grid: Grid) -> dict[Column, ExtraColumn]:
    found = {one.column: odd_texts(list(table.get(one.column.name, ()))) for one in grid.numbers}
    return {name: texts for name, texts in found.items() if texts is not None}


def pair_of(
    reference: Sequence[Any], current: Sequence[Any], name: str = "value"
) -> tuple[ColumnView, ColumnView]:
    """One column before and now."""
    grid = grid_of({name: reference})
    return one_of(reference, grid, name), one_of(current, grid, name)


def one_of(values: Sequence[Any], grid: Grid, name: str = "value") -> ColumnView:
    """One column's rows."""
    return slice_of({name: values}, grid).columns[column(name)]


def drawn(shares: Mapping[str, float], n: int, seed: int) -> list[str]:
    """Texts in these shares."""
    return np.random.default_rng(seed).choice(list(shares), n, p=list(shares.values())).tolist()


def normal(n: int, seed: int, mean: float = 0.0, std: float = 1.0) -> list[float]:
    """Normal numbers."""
    return np.random.default_rng(seed).normal(mean, std, n).tolist()

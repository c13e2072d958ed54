"""Batches of rows for the tests of sketches, and the sketches of any split of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import UNSET

from service.intake.assembly import hash_ids, version_column
from service.intake.cells import extra_column, number_column, text_column
from service.messages import LABEL, PREDICTION, SCORE, Batch, Column, Role, Stream
from service.sketches.grids import Grid, category_grid, number_grid
from service.sketches.pane import PaneSketch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

AMOUNT, COUNTRY = Column(Role.FEATURE, "amount"), Column(Role.FEATURE, "country")
GRID = Grid(
    (number_grid(AMOUNT, np.linspace(-3, 3, 400)), number_grid(SCORE, np.linspace(0, 1, 400))),
    (category_grid(COUNTRY, {"DE": 2, "FR": 1}), category_grid(PREDICTION, {"yes": 1, "no": 1})),
)
LABELLED = Grid(GRID.numbers, (*GRID.texts, category_grid(LABEL, {"maybe": 1, "no": 1, "yes": 1})))

Row = dict[str, Any]


def batch_of(rows: Sequence[Row]) -> Batch:
    """Rows with offset, ts, id, amount, score, country, answer; names with an x are unknown to the grid."""

    def column(name: str, absent: object = UNSET) -> list[Any]:
        return [row.get(name, absent) for row in rows]

    n = len(rows)
    unknown = sorted({name for row in rows for name in row if name.startswith("x")})
    return Batch(
        "churn", 1, Stream.INFERENCE, np.array(column("offset", 0), np.int64),
        np.array(column("ts", 0), np.int64),
        hash_ids(column("id", None), Stream.INFERENCE), version_column(column("version", None)),
        np.array([number_column(column("amount"), n), number_column(column("score"), n)]).reshape(2, n),
        [text_column(column("country")), text_column(column("answer"))],
        {Column(Role.FEATURE, name): extra_column(column(name)) for name in unknown},
    )  # fmt: skip


def labels_of(rows: Sequence[Row]) -> Batch:
    """The label events of rows with offset, ts, id and truth, for the grid `LABELLED`."""
    n = len(rows)
    return Batch(
        "churn", 1, Stream.LABEL, np.array([row.get("offset", 0) for row in rows], np.int64),
        np.array([row.get("ts", 0) for row in rows], np.int64),
        hash_ids([row.get("id") for row in rows], Stream.LABEL), version_column([None] * n),
        np.empty((0, n)), [text_column([row.get("truth", UNSET) for row in rows])],
    )  # fmt: skip


def sketch_of(*batches: Batch, grid: Grid = GRID) -> PaneSketch:
    """All rows of these batches in one sketch."""
    sketch = PaneSketch(grid)
    for batch in batches:
        sketch.add(batch, slice(None))
    return sketch


def merged(sketches: Iterable[PaneSketch], grid: Grid = GRID) -> PaneSketch:
    """One sketch of all."""
    together = PaneSketch(grid)
    for sketch in sketches:
        together.merge(sketch)
    return together

"""The reference's rows of each segment: of every category of a feature that has few of them.

A segment is scored against its own rows, since against all rows it always looks drifted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.messages import Role
from service.names import clean_name
from service.sketches.pane import PaneSketch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.messages import Batch
    from service.sketches.grids import Grid

MOST_CATEGORIES = 20
FEWEST_ROWS = 30
"""A segment with fewer rows is not kept: no detector compares with so few."""

Places = NDArray[np.intp]


class Segments:
    """The rows of each segment so far, by its name ('country=DE')."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._sketches: dict[str, PaneSketch] = {}
        self._columns = [
            place
            for place, text in enumerate(grid.texts)
            if text.column.role is Role.FEATURE and len(text.categories) <= MOST_CATEGORIES
        ]

    def add(self, inferences: Batch, labels: Batch, labelled: NDArray[np.bool_]) -> None:
        """Count rows; `labels` has the same rows, of which those that are `labelled` count."""
        for name, rows in self.rows_of(inferences):
            sketch = self._sketches.setdefault(name, PaneSketch(self._grid))
            sketch.add(inferences, rows)
            sketch.add(labels, rows[labelled[rows]])

    def rows_of(self, batch: Batch) -> Iterator[tuple[str, Places]]:
        """The rows of each segment, by its name."""
        for place in self._columns:
            yield from self._rows_of(batch, place)

    def _rows_of(self, batch: Batch, place: int) -> Iterator[tuple[str, Places]]:
        grid, texts = self._grid.texts[place], batch.texts[place]
        for code, value in enumerate(texts.values):
            name = clean_name(value) if isinstance(value, str) and value in grid.index else None
            if name is not None:
                yield f"{grid.column.name}={name}", np.flatnonzero(texts.codes == code)

    def finish(self) -> dict[str, PaneSketch]:
        """The segments with enough rows, in the order of their names."""
        return {
            name: sketch
            for name, sketch in sorted(self._sketches.items())
            if sketch.inferences >= FEWEST_ROWS
        }

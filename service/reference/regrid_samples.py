"""Sampled rows and labels of one grid, as they would be on another: columns by name, classes by text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from service.messages import LABEL, PREDICTION
from service.sketches.categories import moved_places
from service.sketches.cells import ABSENT
from service.sketches.label_sample import LabelSample
from service.sketches.sample import RowSample

if TYPE_CHECKING:
    from service.sketches.grids import Grid
    from service.sketches.pane import PaneSketch


def regrid_rows(sketch: PaneSketch, grid: Grid) -> RowSample:
    """The same rows; a column that they were not kept of is absent, a class that `grid` does not know is unseen."""
    kept, at = sketch.sample, sketch.grid.number_at
    made = RowSample(grid.count_of(labels=False)[0])
    rows = len(kept.priorities)
    made.priorities = kept.priorities
    made.values = np.full((len(made.values), rows), ABSENT)
    for place, number in enumerate(grid.numbers[: len(made.values)]):
        if (old := at.get(number.column)) is not None:
            made.values[place] = kept.values[old]
    made.predictions = np.full(rows, np.nan)
    was, now = sketch.grid.text_at.get(PREDICTION), grid.text_at.get(PREDICTION)
    if was is not None and now is not None:
        old_classes, classes = sketch.grid.texts[was].categories, grid.texts[now].categories
        made.predictions = moved_places(kept.predictions, old_classes, classes)
    return made


def regrid_labels(sketch: PaneSketch, grid: Grid) -> LabelSample:
    """The same labels; none when `grid` has no labels, or labels of another kind."""
    made, kept = LabelSample(), sketch.label_sample
    was, now = sketch.grid.text_at.get(LABEL), grid.text_at.get(LABEL)
    if was is not None and now is not None:
        old_classes, classes = sketch.grid.texts[was].categories, grid.texts[now].categories
        made.priorities, made.values = (
            kept.priorities,
            moved_places(kept.values, old_classes, classes),
        )
    elif was is None and now is None and LABEL in grid.number_at:
        made.priorities, made.values = kept.priorities, kept.values
    return made

"""Rows with their predictions and their labels, out of samples: what concept drift is seen in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.messages import LABEL, PREDICTION, Column
from service.sketches.categories import moved_places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.sketches.grids import Grid
    from service.sketches.label_sample import LabelSample
    from service.sketches.sample import PriorityArray, RowSample

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class JoinedRows:
    """r rows that have a label, in the order of their `priorities`, (r,).

    `values` are the number columns of inferences, (columns, r), as `columns` names them. `predictions` and `labels`,
    (r,), are numbers, or places in `classes` when that is not empty; NaN where one is missing, or has a class that
    the grid does not know. Predictions are NaN throughout where they are of another kind than the labels.
    """

    columns: tuple[Column, ...]
    values: FloatArray
    predictions: FloatArray
    labels: FloatArray
    classes: tuple[str, ...]
    priorities: PriorityArray


def join(grid: Grid, rows: Sequence[RowSample], labels: Sequence[LabelSample]) -> JoinedRows:
    """The rows and labels, sampled on `grid`, that have the same inference id; cost r log r.

    Of one sample each (several panes merged), the joined rows are a uniform sample of the rows with a label.
    Samples of several panes side by side join more rows; these are uniform within each pair of panes, so that a
    row of a small pane counts more than one of a large pane. An id that comes twice on either side joins nothing:
    which of its rows and labels belong together is not known.
    """
    inferences, _ = grid.count_of(labels=False)
    hashes = np.concatenate([np.empty(0, np.uint64), *(one.priorities for one in rows)])
    values = np.concatenate([np.empty((inferences, 0)), *(one.values for one in rows)], axis=1)
    answers = np.concatenate([np.empty(0), *(one.predictions for one in rows)])
    label_hashes = np.concatenate([np.empty(0, np.uint64), *(one.priorities for one in labels)])
    label_values = np.concatenate([np.empty(0), *(one.values for one in labels)])
    at, label_at = _once(hashes), _once(label_hashes)
    matched, mine, theirs = np.intersect1d(
        hashes[at], label_hashes[label_at], assume_unique=True, return_indices=True
    )
    values = values[:, at[mine]]
    predictions, truths, classes = _comparable(
        grid, values, answers[at[mine]], label_values[label_at[theirs]]
    )
    columns = tuple(number.column for number in grid.numbers[:inferences])
    return JoinedRows(columns, values, predictions, truths, classes, matched)


def _once(hashes: PriorityArray) -> NDArray[np.intp]:
    """The places of those that occur once."""
    _, first, counts = np.unique(hashes, return_index=True, return_counts=True)
    return np.asarray(first[counts == 1])


def _comparable(
    grid: Grid, values: FloatArray, answers: FloatArray, labels: FloatArray
) -> tuple[FloatArray, FloatArray, tuple[str, ...]]:
    """Predictions and labels as numbers, or as places in one list of classes."""
    nothing = np.full(len(labels), np.nan)
    if LABEL not in grid.text_at:
        number = grid.number_at.get(PREDICTION)
        predictions = (
            nothing if number is None else np.where(np.isnan(values[number]), np.nan, values[number])
        )
        return predictions, labels, ()
    known = grid.texts[grid.text_at[LABEL]].categories
    place = grid.text_at.get(PREDICTION)
    answered = () if place is None else grid.texts[place].categories
    classes = tuple(sorted({*known, *answered}))
    predictions = nothing if place is None else moved_places(answers, answered, classes)
    return predictions, moved_places(labels, known, classes), classes

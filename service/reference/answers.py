"""Counts how a table's own predictions turned out, as outcomes of live predictions are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from detectors.performance.estimated_regression import ErrorsByCell
from service.configuration import ModelVersion
from service.messages import LABEL, PREDICTION, SCORE, Batch, Column, TextColumn
from service.monitor import LabelPolicy, Monitor, Task
from service.performance.answers import Answers, Cells
from service.performance.changes import Changes
from service.performance.counting import (
    MOST_CLASSES,
    Counting,
    RegressionCounting,
    added,
    counting_of,
)
from service.performance.outcome_codec import outcomes_to_bytes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from service.performance.counting import Arrays
    from service.sketches.grids import Grid

FloatArray = NDArray[np.float64]
Codes = NDArray[np.int32]
Places = NDArray[np.intp]


class AnswerCounts:
    """Outcomes of the rows so far, overall ('') and by segment, in each way that a monitor may ask for."""

    def __init__(self, grid: Grid, task: Task) -> None:
        self._grid = grid
        self._countings = _countings_of(grid, task)
        self._numbers: dict[str, int] = {}
        self._outcomes: dict[tuple[str, Counting], Arrays] = {}
        self._errors: dict[str, ErrorsByCell] = {}

    def add(self, inferences: Batch, labels: Batch, segments: Iterable[tuple[str, Places]]) -> None:
        """Count rows; `labels` has the same rows, `segments` names some of them."""
        if not self._countings:
            return
        changes = self._changes(inferences, labels)
        answered = (changes.classes > 0) | np.isfinite(changes.scores) | np.isfinite(changes.values)
        known = answered & ((changes.labels > 0) | np.isfinite(changes.label_values))
        self._count("", changes.rows(known))
        for name, rows in segments:
            self._count(name, changes.rows(rows[known[rows]]))

    def _count(self, segment: str, rows: Changes) -> None:
        if not len(rows.labels):
            return
        names = {number: name for name, number in self._numbers.items()}
        for counting in self._countings:
            counted = counting.count(rows, names)
            before = self._outcomes.get((segment, counting))
            self._outcomes[segment, counting] = counted if before is None else added(before, counted)
            if isinstance(counting, RegressionCounting):
                self._count_errors(segment, rows, counting.scales.error)

    def _count_errors(self, segment: str, rows: Changes, scale: float) -> None:
        edges = self._edges
        before = self._errors.get(segment) or ErrorsByCell.zeros(len(edges) + 1, 1, scale)
        bins = np.searchsorted(edges, rows.values, side="right")
        self._errors[segment] = before.add(bins, np.zeros_like(bins), rows.values - rows.label_values)

    @property
    def _edges(self) -> FloatArray:
        place = self._grid.number_at.get(PREDICTION)
        return np.empty(0) if place is None else self._grid.numbers[place].edges

    def finish(self, kept: Collection[str]) -> Answers | None:
        """The answers, of all rows and of the segments that are `kept`; None when no row has answer and label."""
        outcomes: dict[str, tuple[bytes, ...]] = {}
        for (segment, counting), arrays in self._outcomes.items():
            if not segment or segment in kept:
                outcomes[segment] = (*outcomes.get(segment, ()), outcomes_to_bytes(counting, arrays))
        if not outcomes:
            return None
        errors = {name: one for name, one in self._errors.items() if name in outcomes}
        return Answers(outcomes, Cells(self._edges, errors) if errors else None)

    def _changes(self, inferences: Batch, labels: Batch) -> Changes:
        n = len(inferences)
        nothing, never = np.zeros(n, np.int32), np.full(n, np.nan)
        return Changes(
            start_ms=np.zeros(n, np.int64),
            slices=nothing,
            classes=self._classes(inferences, PREDICTION, 0),
            scores=self._values(inferences, SCORE, 0),
            values=self._values(inferences, PREDICTION, 0),
            labels=self._classes(labels, LABEL, self._grid.count_of(labels=False)[1]),
            label_values=self._values(labels, LABEL, self._grid.count_of(labels=False)[0]),
            is_counted=nothing,
            labels_before=nothing,
            values_before=never,
        )

    def _classes(self, batch: Batch, column: Column, first: int) -> Codes:
        """The number of each row's class, from 1 on; 0 where it has none."""
        place = self._grid.text_at.get(column)
        if place is None:
            return np.zeros(len(batch), np.int32)
        texts: TextColumn = batch.texts[place - first]
        numbers = [
            self._numbers.setdefault(value, len(self._numbers) + 1) if isinstance(value, str) else 0
            for value in texts.values
        ]
        return np.asarray(np.array(numbers, np.int32)[texts.codes])

    def _values(self, batch: Batch, column: Column, first: int) -> FloatArray:
        place = self._grid.number_at.get(column)
        if place is None:
            return np.full(len(batch), np.nan)
        numbers = batch.numbers[place - first]
        return np.where(np.isfinite(numbers), numbers, np.nan)


def _countings_of(grid: Grid, task: Task) -> tuple[Counting, ...]:
    """As `counting_of` says for a monitor that leaves the positive class open, and for one that names any class."""
    positives: list[str | None] = [None]
    if task is Task.BINARY:
        places = [place for column in (LABEL, PREDICTION) if (place := grid.text_at.get(column)) is not None]
        positives += sorted({name for place in places for name in grid.texts[place].categories})[
            :MOST_CLASSES
        ]
    monitors = (Monitor("", task=task, labels=LabelPolicy(positive=one)) for one in positives)
    made = (counting_of(ModelVersion(monitor, grid)) for monitor in monitors)
    return tuple(dict.fromkeys(one for one in made if one is not None))

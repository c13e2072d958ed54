"""Counts the rows of a table as the collector counts events: through the same batches and sketches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.intake.timestamps import BAD
from service.messages import Batch, Column, Missing, Stream, TextColumn
from service.reference.answers import AnswerCounts
from service.reference.blocks import Blocks
from service.reference.cells import numbers_of, texts_of, times_of
from service.reference.column_summary import NumberFacts
from service.reference.distinct import DistinctCount
from service.reference.errors import Errors
from service.reference.segments import Segments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa

    from service.performance.answers import Answers
    from service.reference.plan import Plan
    from service.sketches.pane import PaneSketch

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Counting:
    """The rows counted so far."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._blocks = Blocks(plan.grid)
        self._segments = Segments(plan.grid)
        self._errors = Errors(plan.grid)
        self._answers = AnswerCounts(plan.grid, plan.task)
        self._distinct = {grid.column: DistinctCount() for grid in plan.grid.numbers}
        self._whole = {grid.column: True for grid in plan.grid.numbers}
        self._wrong = dict.fromkeys(self._distinct, 0)
        self._last_ms = BAD
        self.rows = 0
        self.bad_times = 0
        self.times_ascend = True

    def add(self, cells: pa.RecordBatch) -> None:
        """Count rows, in their order."""
        n = cells.num_rows
        if n == 0:
            return
        numbers = [self._numbers(cells, grid.column) for grid in self._plan.grid.numbers]
        texts = [self._texts(cells, grid.column) for grid in self._plan.grid.texts]
        ts_ms = self._times(cells)
        inference_numbers, inference_texts = self._plan.grid.count_of(labels=False)
        inferences, labels = (
            _batch(self._plan, stream, ts_ms, some_numbers, some_texts, self.rows)
            for stream, some_numbers, some_texts in (
                (Stream.INFERENCE, numbers[:inference_numbers], texts[:inference_texts]),
                (Stream.LABEL, numbers[inference_numbers:], texts[inference_texts:]),
            )
        )
        labelled = _labelled(labels)
        self._blocks.add(inferences, labels, labelled)
        self._segments.add(inferences, labels, labelled)
        self._errors.add(inferences, labels, self._segments.rows_of(inferences))
        self._answers.add(inferences, labels, self._segments.rows_of(inferences))
        self.rows += n

    def _numbers(self, cells: pa.RecordBatch, column: Column) -> FloatArray:
        numbers = numbers_of(cells.column(f"c{self._plan.places[column]}"))
        missing = np.isnan(numbers)
        present = numbers[~missing] if missing.any() else numbers
        self._distinct[column].add(present)
        if self._whole[column]:
            self._whole[column] = bool((present == np.rint(present)).all())
        if missing.any():
            self._wrong[column] += int(
                (numbers[missing].view(np.uint64) & np.uint64(7) == Missing.WRONG_TYPE).sum()
            )
        return numbers

    def _texts(self, cells: pa.RecordBatch, column: Column) -> TextColumn:
        return texts_of(cells.column(f"c{self._plan.places[column]}"), self._plan.kinds[column])

    def _times(self, cells: pa.RecordBatch) -> IntArray:
        """The rows' times; one that cannot be read is that of the row before, so that it moves nothing."""
        if self._plan.time is None:
            return np.zeros(cells.num_rows, np.int64)
        ts_ms = times_of(cells.column(f"c{self._plan.time}"))
        bad = ts_ms == BAD
        if bad.any():
            self.bad_times += int(bad.sum())
            before = np.maximum.accumulate(np.where(bad, -1, np.arange(len(ts_ms))))
            first = self._last_ms if self._last_ms != BAD else int(ts_ms[~bad][0]) if (~bad).any() else 0
            ts_ms = np.where(before >= 0, ts_ms[before], first)
        self.times_ascend &= bool((np.diff(ts_ms, prepend=self._last_ms) >= 0).all())
        self._last_ms = int(ts_ms[-1])
        return ts_ms

    def facts(self) -> Mapping[Column, NumberFacts]:
        """What the bins cannot tell."""
        return {
            column: NumberFacts(count.estimate, count.exact, self._whole[column] and count.estimate > 0)
            for column, count in self._distinct.items()
        }

    def wrong_types(self) -> Mapping[Column, int]:
        """The columns of numbers that hold texts, with their number."""
        return {column: n for column, n in self._wrong.items() if n}

    def segments(self) -> Mapping[str, PaneSketch]:
        """The rows of each segment that has enough of them."""
        return self._segments.finish()

    def errors(self) -> Mapping[str, tuple[int, int]]:
        """Wrong and all labelled rows by segment; empty without predictions or labels that are classes."""
        kept = self._segments.finish().keys()
        return {
            name: n for name, n in sorted(self._errors.counts.items()) if n[1] and (not name or name in kept)
        }

    def answers(self) -> Answers | None:
        """How the rows' own predictions turned out; None where no row has prediction and label."""
        return self._answers.finish(self._segments.finish().keys())

    def finish(self) -> tuple[PaneSketch, tuple[PaneSketch, ...]]:
        """The sketch of all rows, and the blocks."""
        return self._blocks.finish()


def _batch(
    plan: Plan,
    stream: Stream,
    ts_ms: IntArray,
    numbers: Sequence[FloatArray],
    texts: Sequence[TextColumn],
    first: int,
) -> Batch:
    n = len(ts_ms)
    places = np.arange(first, first + n)
    return Batch(
        plan.model, 0, stream, places, ts_ms,
        places.astype(np.uint64) + np.uint64(1), TextColumn(np.zeros(n, np.int32), ("",)),
        np.array(numbers).reshape(len(numbers), n), texts,
    )  # fmt: skip


def _labelled(labels: Batch) -> NDArray[np.bool_]:
    """The rows that have a label: a missing one is an event that never came."""
    if len(labels.numbers):
        return np.asarray(~np.isnan(labels.numbers[0]))
    if not labels.texts:
        return np.zeros(len(labels), np.bool_)
    column = labels.texts[0]
    return np.array([isinstance(value, str) for value in column.values])[column.codes]

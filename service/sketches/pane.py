"""The sketch of one slice of a model's rows in one pane, and of several panes once merged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
import xxhash
from numpy.typing import NDArray

from service.messages import LABEL, PREDICTION, Column, Role, Stream
from service.sketches.categories import CategorySketch, places_in
from service.sketches.extras import ExtraSketch
from service.sketches.label_sample import LABEL_SALT, LabelSample
from service.sketches.moments import CrossMoments
from service.sketches.numbers import NumberSketch
from service.sketches.sample import RowSample

if TYPE_CHECKING:
    from service.messages import Batch, ExtraColumn
    from service.sketches.grids import Grid

MAX_EXTRAS = 512
"""Features without a place in the grid that are kept: those whose names have the smallest hashes."""

FloatArray = NDArray[np.float64]
Rows = NDArray[np.intp] | slice


class PaneSketch:
    """All that driftbell keeps of some rows of one model. Adding and merging are exact and order-free."""

    __slots__ = (
        "categories", "extras", "extras_dropped", "first_ms", "grid", "inferences", "label_sample", "labels",
        "last_ms", "moments", "numbers", "sample",
    )  # fmt: skip

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.inferences = 0
        self.labels = 0
        self.first_ms = 2**62
        self.last_ms = -(2**62)
        self.numbers = NumberSketch(grid.numbers)
        self.categories = CategorySketch(grid.texts)
        self.moments = CrossMoments(grid)
        self.sample = RowSample(grid.count_of(labels=False)[0])
        self.label_sample = LabelSample()
        self.extras: dict[Column, ExtraSketch] = {}
        self.extras_dropped = 0

    @property
    def events(self) -> int:
        """Accepted events of both streams."""
        return self.inferences + self.labels

    def add(self, batch: Batch, rows: Rows) -> None:
        """Count the chosen rows of a batch that was decoded for this grid."""
        ts = batch.ts_ms[rows]
        if not len(ts):
            return
        self.first_ms = min(self.first_ms, int(ts.min()))
        self.last_ms = max(self.last_ms, int(ts.max()))
        numbers = batch.numbers if _is_all(rows) else batch.numbers[:, rows]
        if batch.stream is Stream.LABEL:
            self.labels += len(ts)
            first_number, first_text = self.grid.count_of(labels=False)
            self._sample_labels(batch, rows)
            self.numbers.add(numbers, first_number)
        else:
            self.inferences += len(ts)
            first_text = 0
            self._sample_rows(batch, rows, numbers)
            self.numbers.add(numbers, 0, self.moments)
        for i, texts in enumerate(batch.texts):
            self.categories.add(texts, rows, first_text + i)
        for column, values in batch.extras.items():
            self._add_extra(column, values, rows)
        self._drop_extras()

    def _sample_rows(self, batch: Batch, rows: Rows, numbers: FloatArray) -> None:
        priorities = _priorities(batch, rows)
        chosen = self.sample.chosen(priorities)
        if not len(chosen):
            return
        predictions = np.full(len(chosen), np.nan)
        if (at := self.grid.text_at.get(PREDICTION)) is not None:
            texts = batch.texts[at]
            predictions = places_in(self.grid.texts[at], texts, texts.codes[rows][chosen])
        self.sample.take(priorities[chosen], numbers[:, chosen], predictions)

    def _sample_labels(self, batch: Batch, rows: Rows) -> None:
        """A label without an id belongs to no row."""
        ids = batch.ids[rows]
        with_id = np.flatnonzero(ids)
        priorities = ids[with_id] ^ LABEL_SALT
        chosen = self.label_sample.chosen(priorities)
        values = self._label_values(batch, rows, with_id[chosen])
        if len(values):
            self.label_sample.take(priorities[chosen], values)

    def _label_values(self, batch: Batch, rows: Rows, chosen: NDArray[np.intp]) -> FloatArray:
        """The labels of the chosen of these rows; none when the grid has no column of labels."""
        first_number, first_text = self.grid.count_of(labels=False)
        if (at := self.grid.text_at.get(LABEL)) is not None:
            texts = batch.texts[at - first_text]
            return places_in(self.grid.texts[at], texts, texts.codes[rows][chosen])
        if (at := self.grid.number_at.get(LABEL)) is not None:
            numbers = batch.numbers[at - first_number, rows][chosen]
            return np.where(np.isnan(numbers), np.nan, numbers)
        return np.empty(0)

    def forget_rows(self) -> None:
        """Empty the samples of rows and labels; all counts and moments stay."""
        self.sample = RowSample(len(self.sample.values))
        self.label_sample = LabelSample()

    def _add_extra(self, column: Column, values: ExtraColumn, rows: Rows) -> None:
        known = self.extras.get(column)
        sketch = known or ExtraSketch()
        sketch.add(values, rows)
        if known is None and sketch.cells:
            self.extras[column] = sketch

    def _drop_extras(self) -> None:
        """Keep the same columns in whatever order they came; `extras_dropped` counts the others' cells."""
        if len(self.extras) <= MAX_EXTRAS:
            return
        unknown = [c for c in self.extras if c.role is Role.FEATURE and c not in self.grid.number_at]
        for column in sorted(unknown, key=_rank)[MAX_EXTRAS:]:
            self.extras_dropped += self.extras.pop(column).cells

    def merge(self, other: Self) -> None:
        """Count all that `other` has counted on the same grid."""
        self.inferences += other.inferences
        self.labels += other.labels
        self.first_ms = min(self.first_ms, other.first_ms)
        self.last_ms = max(self.last_ms, other.last_ms)
        self.numbers.merge(other.numbers)
        self.categories.merge(other.categories)
        self.moments.merge(other.moments)
        self.sample.merge(other.sample)
        self.label_sample.merge(other.label_sample)
        for column, theirs in other.extras.items():
            self.extras.setdefault(column, ExtraSketch()).merge(theirs)
        self.extras_dropped += other.extras_dropped
        self._drop_extras()


def _rank(column: Column) -> int:
    return xxhash.xxh3_64_intdigest(column.name.encode())


def _is_all(rows: Rows) -> bool:
    return isinstance(rows, slice) and rows == slice(None)


def _priorities(batch: Batch, rows: Rows) -> NDArray[np.uint64]:
    """The hash of the inference id, or else of the offset (SplitMix64, Steele et al. 2014)."""
    ids = batch.ids[rows]
    if ids.all():
        return ids
    x = batch.offsets[rows].astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.where(ids == 0, x ^ (x >> np.uint64(31)), ids)

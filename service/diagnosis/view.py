"""A sketch, read column by column for diagnosis: numbers in bins, texts, what is missing, exact values of some rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.messages import NOT_APPLICABLE, Column, Missing, Role
from service.reference.bins import BinnedColumn, binned
from service.reference.regrid import parts_of

if TYPE_CHECKING:
    from service.reference.regrid import Part
    from service.sketches.pane import PaneSketch

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ColumnView:
    """One column of some rows.

    `rows` could have had it. `numbers` are its counts on its bins (None: no number was counted). `texts` counts texts,
    exactly for those kept, `texts_other` the rest. `missing` is by `messages.Missing`, (6,). `sample` are exact finite
    values of a uniform sample of rows (empty for references, which keep no rows).
    """

    column: Column
    rows: int
    numbers: BinnedColumn | None
    texts: Mapping[str, int]
    texts_other: int
    missing: IntArray
    sample: FloatArray

    @property
    def n_numbers(self) -> int:
        """Rows with a number."""
        return 0 if self.numbers is None else int(self.numbers.counts.sum())

    @property
    def n_texts(self) -> int:
        """Rows with a text."""
        return sum(self.texts.values()) + self.texts_other

    @property
    def present(self) -> int:
        """Rows with a value."""
        return self.n_numbers + self.n_texts

    def missing_ratio(self, *kinds: Missing) -> float:
        """The share of rows that are missing in these ways (in any way when none is named)."""
        counted = self.missing[list(kinds)].sum() if kinds else self.missing.sum()
        return float(counted) / self.rows if self.rows else 0.0


@dataclass(frozen=True, slots=True)
class SliceView:
    """All columns of some rows. `joint` holds exact values of sampled rows, (columns in `joint_columns`, rows)."""

    rows: int
    columns: Mapping[Column, ColumnView]
    joint_columns: tuple[Column, ...] = ()
    joint: FloatArray = field(default_factory=lambda: np.empty((0, 0)))


def view_of(sketch: PaneSketch) -> SliceView:
    """Every column that a sketch knows, those of its grid and its extras alike."""
    inference_numbers = sketch.grid.numbers[: len(sketch.sample.values)]
    samples = {
        grid.column: row[np.isfinite(row)]
        for grid, row in zip(inference_numbers, sketch.sample.values, strict=True)
    }
    columns = {
        column: _column(column, part, sketch, samples.get(column, np.empty(0)))
        for column, part in sorted(parts_of(sketch).items())
    }
    joint_columns = tuple(grid.column for grid in inference_numbers)
    return SliceView(sketch.inferences, columns, joint_columns, sketch.sample.values)


def _column(column: Column, part: Part, sketch: PaneSketch, sample: FloatArray) -> ColumnView:
    rows = sketch.labels if column.role is Role.LABEL else sketch.inferences
    missing = part.missing[:NOT_APPLICABLE].copy()
    missing[Missing.ABSENT] += max(0, rows - part.rows)
    numbers = binned(*part.numbers) if part.numbers is not None and part.numbers_total else None
    return ColumnView(column, rows, numbers, dict(part.texts.counts), part.texts.other, missing, sample)

"""Counts a table as events with the same values would be counted, to hold a contract against it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from service.contract.grids import grid_for
from service.errors import ConfigurationError
from service.intake.rules import RowFields, put_rules
from service.messages import (
    LABEL,
    NOT_APPLICABLE,
    Batch,
    Column,
    ExtraColumn,
    Missing,
    Role,
    Stream,
    TextColumn,
)
from service.monitor import Monitor
from service.reference.cells import Kind, kind_of, kind_of_texts, numbers_of, texts_of
from service.reference.specification import choose_columns
from service.reference.table_reader import open_table
from service.sketches.cells import ABSENT, NOTHING
from service.sketches.grids import CategoryGrid, Grid, default_number_grid
from service.sketches.pane import PaneSketch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from service.promises import Contract
    from service.reference.specification import ReferenceSpec
    from service.reference.table_reader import TableFile


def sketch_of_table(path: Path, spec: ReferenceSpec, contract: Contract, base: Grid) -> PaneSketch:
    """All rows of a CSV or Parquet file, on the grid that the contract makes of `base`.

    Raises ConfigurationError with sentences that say what to mend.
    """
    with closing(open_table(path)) as file:
        choice = choose_columns(spec, file.names)
        places = {column: place for column, place in choice.columns.items() if column != LABEL}
        made: _Table | None = None
        for cells in file.batches(sorted(set(places.values()))):
            if cells.num_rows:
                made = made or _Table(contract, base, places, _kinds(file, cells, places))
                made.add(cells)
    if made is None:
        raise ConfigurationError(f"{path} has no rows")
    return made.sketch


def _kinds(file: TableFile, cells: pa.RecordBatch, places: Mapping[Column, int]) -> dict[Column, Kind]:
    """How each column is read, as far as its first rows tell."""
    judge = kind_of_texts if file.texts_only else kind_of
    return {c: judge(pa.chunked_array([cells.column(f"c{place}")])) for c, place in places.items()}


class _Table:
    """The rows counted so far."""

    def __init__(
        self, contract: Contract, base: Grid, places: Mapping[Column, int], kinds: Mapping[Column, Kind]
    ) -> None:
        self._places, self._kinds = places, kinds
        self._rules = contract.rules
        base = _with_promised(base, contract, kinds)
        self._grid = grid_for(Monitor("", contract=contract), base)
        self._extras = [c for c in places if c not in self._grid.number_at and c not in self._grid.text_at]
        self._rows = 0
        self.sketch = PaneSketch(self._grid)

    def add(self, cells: pa.RecordBatch) -> None:
        """Count rows."""
        n, (number_count, text_count) = cells.num_rows, self._grid.count_of(labels=False)
        numbers = np.array([self._numbers(cells, g.column) for g in self._grid.numbers[:number_count]])
        numbers = numbers.reshape(number_count, n)
        texts = [self._texts(cells, g.column) for g in self._grid.texts[:text_count]]
        extras = {column: self._extra(cells, column) for column in self._extras}
        put_rules(self._rules, self._grid, numbers, RowFields(self._grid, numbers, texts, extras))
        offsets = np.arange(self._rows, self._rows + n)
        self.sketch.add(
            Batch(
                "", 0, Stream.INFERENCE, offsets, np.zeros(n, np.int64), np.zeros(n, np.uint64),
                TextColumn(np.zeros(n, np.int32), ("",)), numbers, texts, extras,
            ),
            slice(None),
        )  # fmt: skip
        self._rows += n

    def _numbers(self, cells: pa.RecordBatch, column: Column) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        if column in self._places:
            return numbers_of(cells.column(f"c{self._places[column]}"))
        return np.full(cells.num_rows, ABSENT if column.role is Role.FEATURE else NOTHING)

    def _texts(self, cells: pa.RecordBatch, column: Column) -> TextColumn:
        if column in self._places:
            return texts_of(cells.column(f"c{self._places[column]}"), self._text_kind(column))
        absent = int(Missing.ABSENT) if column.role is Role.FEATURE else NOT_APPLICABLE
        return TextColumn(np.zeros(cells.num_rows, np.int32), (absent,))

    def _text_kind(self, column: Column) -> Kind:
        if column.role is not Role.FEATURE:
            return Kind.CLASS
        return Kind.TRUTH if self._kinds[column] is Kind.TRUTH else Kind.TEXT

    def _extra(self, cells: pa.RecordBatch, column: Column) -> ExtraColumn:
        values = cells.column(f"c{self._places[column]}")
        if self._kinds[column] is Kind.NUMBER:
            return ExtraColumn(numbers_of(values), None)
        if self._kinds[column] is Kind.UNUSABLE:
            values = pa.nulls(len(values), pa.string())
        return ExtraColumn(None, texts_of(values, self._text_kind(column)))


def _with_promised(base: Grid, contract: Contract, kinds: Mapping[Column, Kind]) -> Grid:
    """A base that also knows the promised columns of which neither it nor the contract says what they are."""
    unknown = [
        column
        for column in kinds
        if column.role is Role.FEATURE
        and column not in base.number_at
        and column not in base.text_at
        and (promise := contract.features.get(column.name)) is not None
        and promise.kind is None
    ]
    numbers = [default_number_grid(c) for c in unknown if kinds[c] is Kind.NUMBER]
    texts = [CategoryGrid(c, ()) for c in unknown if kinds[c] in {Kind.TEXT, Kind.TRUTH}]
    return Grid((*base.numbers, *numbers), (*base.texts, *texts))

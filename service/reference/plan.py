"""How a table is counted: the kind, grid and source of each column, decided from the table's first rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from service.messages import LABEL, PREDICTION, SCORE, Column
from service.monitor import Task
from service.reference.cells import Kind, kind_of, kind_of_texts, numbers_of, texts_of
from service.reference.task import Output, infer_task, kinds_for
from service.sketches.grids import MAX_CATEGORIES, CategoryGrid, Grid, NumberGrid, category_grid, number_grid

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from service.reference.specification import ColumnChoice, ReferenceSpec


@dataclass(frozen=True, eq=False)
class Plan:
    """`places` are the columns' places in the table, `kinds` how their cells are read."""

    model: str
    task: Task
    grid: Grid
    places: Mapping[Column, int]
    kinds: Mapping[Column, Kind]
    time: int | None
    warnings: tuple[str, ...]


def plan_columns(spec: ReferenceSpec, choice: ColumnChoice, head: pa.Table, *, texts_only: bool) -> Plan:
    """Decide from the rows of `head`, of which there is at least one. Raises ConfigurationError."""
    cells = {column: head.column(f"c{place}") for column, place in choice.columns.items()}
    kinds = {column: (kind_of_texts if texts_only else kind_of)(one) for column, one in cells.items()}
    unusable = [column for column, kind in kinds.items() if kind is Kind.UNUSABLE]
    for column in unusable:
        del kinds[column], cells[column]
    task = spec.task or infer_task({c: Output(kinds[c], cells[c]) for c in (LABEL, PREDICTION) if c in kinds})
    kinds = kinds_for(task, kinds)
    grid, warnings = _grid(kinds, cells)
    warnings = [
        f"{_said(column)} holds neither numbers nor texts: it is left out" for column in unusable
    ] + warnings
    if task is Task.BINARY and SCORE in kinds:
        warnings += _odd_score(grid)
    places = {column: choice.columns[column] for column in kinds}
    return Plan(spec.model, task, grid, places, kinds, choice.time, (*choice.warnings, *warnings))


def _grid(kinds: Mapping[Column, Kind], cells: Mapping[Column, pa.ChunkedArray]) -> tuple[Grid, list[str]]:
    numbers: list[NumberGrid] = []
    texts: list[CategoryGrid] = []
    warnings: list[str] = []
    for column, kind in kinds.items():
        if cells[column].null_count == len(cells[column]):
            warnings.append(f"{_said(column)} is empty in every row that was looked at")
        if kind is Kind.NUMBER:
            numbers.append(_number_grid(column, cells[column]))
        else:
            made, distinct = _category_grid(column, cells[column], kind)
            texts.append(made)
            warnings += _odd_categories(column, distinct, len(cells[column]))
    return Grid(tuple(numbers), tuple(texts)), warnings


def _number_grid(column: Column, cells: pa.ChunkedArray) -> NumberGrid:
    numbers = np.concatenate([numbers_of(chunk) for chunk in cells.chunks])
    made = number_grid(column, numbers[np.isfinite(numbers)])
    return (
        made
        if np.isfinite(made.centre) and np.isfinite(made.edges).all()
        else replace(made, centre=0.0, scale=0.0)
    )


def _category_grid(column: Column, cells: pa.ChunkedArray, kind: Kind) -> tuple[CategoryGrid, int]:
    counts: Counter[str] = Counter()
    for chunk in cells.chunks:
        texts = texts_of(chunk, kind)
        rows = np.bincount(texts.codes, minlength=len(texts.values)).tolist()
        for value, n in zip(texts.values, rows, strict=True):
            if n and isinstance(value, str):
                counts[value] += n
    return category_grid(column, counts), len(counts)


def _odd_categories(column: Column, distinct: int, rows: int) -> list[str]:
    if column == LABEL and distinct == 1:
        return ["the label has one class only: performance cannot be told from a constant answer"]
    if distinct > MAX_CATEGORIES and 2 * distinct > rows:
        return [f"{_said(column)} has {distinct} texts in {rows} rows: if it is an id or a time, exclude it"]
    return []


def _odd_score(grid: Grid) -> list[str]:
    edges = grid.numbers[grid.number_at[SCORE]]
    return [] if 0.0 <= edges.centre <= 1.0 else ["the score's mean is not in 0 to 1: is it a probability?"]


def _said(column: Column) -> str:
    return (
        f"the {column.name} column" if column in {LABEL, PREDICTION, SCORE} else f"the column {column.name!r}"
    )

"""The rows of a batch that are joined by their inference id: predictions, and labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from service.messages import (
    LABEL,
    PREDICTION,
    SCORE,
    Batch,
    Column,
    ExtraColumn,
    JoinRows,
    Stream,
    TextColumn,
)
from service.monitor import Task
from service.sketches.label_sample import LABEL_SALT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from service.monitor import Monitor
    from service.sketches.grids import Grid

    BoolArray = NDArray[np.bool_]
    Codes = NDArray[np.int32]
    FloatArray = NDArray[np.float64]
    HashArray = NDArray[np.uint64]
    Places = NDArray[np.intp]

_HASHES = 2.0**64


class SliceNames:
    """The slices that each of n rows was counted in: its version, and one for each segment's name."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._codes: dict[str, Codes] = {}
        self._names: dict[str, list[str]] = {}

    def put(self, name: str, value: str, rows: Places) -> None:
        """These rows are in the slice `value`, of all that `name` makes."""
        names = self._names.setdefault(name, [])
        names.append(value)
        self._codes.setdefault(name, np.zeros(self._n, np.int32))[rows] = len(names) - 1

    def of(self, rows: Places) -> tuple[Codes, tuple[tuple[str, ...], ...]]:
        """The combination of each row's slices as a code, and what the codes stand for."""
        table = np.stack([codes[rows] for codes in self._codes.values()], axis=1)
        distinct, places = np.unique(table, axis=0, return_inverse=True)
        lists = list(self._names.values())
        named = tuple(
            tuple(names[code] for code, names in zip(row, lists, strict=True)) for row in distinct.tolist()
        )
        return places.reshape(-1).astype(np.int32), named


def is_joined(ids: HashArray, monitor: Monitor) -> BoolArray:
    """Which rows of these ids a monitor joins: those with an id, whose hash is in its sample."""
    if monitor.task is Task.NONE:
        return np.zeros(len(ids), np.bool_)
    wanted = ids != 0
    if monitor.labels.sample < 1:
        wanted &= ids < np.uint64(monitor.labels.sample * _HASHES)
    return np.asarray(wanted)


def joined_predictions(
    batch: Batch, grid: Grid, monitor: Monitor, start_ms: int, rows: Places, named: SliceNames
) -> JoinRows | None:
    """The predictions among these rows of one pane."""
    chosen = rows[is_joined(batch.ids[rows], monitor)]
    numbers, texts = _cells(batch, grid, PREDICTION, chosen)
    scores, _ = _cells(batch, grid, SCORE, chosen)
    if monitor.task is Task.BINARY:  # a bare probability says how sure, not what
        scores = np.where(np.isnan(scores) & (numbers > 0) & (numbers < 1), numbers, scores)
    told = _told(numbers, texts, monitor.task) | ~np.isnan(scores)
    chosen = chosen[told]
    if not len(chosen):
        return None
    codes, classes, values = _answers(numbers[told], _rows_of(texts, told), monitor.task)
    return JoinRows(
        batch.model, Stream.INFERENCE, batch.ids[chosen], np.full(len(chosen), start_ms), codes, classes, values,
        scores[told], *named.of(chosen),
    )  # fmt: skip


def joined_labels(batch: Batch, grid: Grid, monitor: Monitor, rows: Places) -> JoinRows | None:
    """The labels among these rows."""
    ids = np.where(batch.ids == 0, np.uint64(0), batch.ids ^ LABEL_SALT)
    chosen = rows[is_joined(ids[rows], monitor)]
    numbers, texts = _cells(batch, grid, LABEL, chosen)
    told = _told(numbers, texts, monitor.task)
    chosen = chosen[told]
    if not len(chosen):
        return None
    codes, classes, values = _answers(numbers[told], _rows_of(texts, told), monitor.task)
    nowhere = np.zeros(len(chosen), np.int32)
    return JoinRows(
        batch.model, Stream.LABEL, ids[chosen], batch.ts_ms[chosen], codes, classes, values,
        np.full(len(chosen), np.nan), nowhere, ((),),
    )  # fmt: skip


def _cells(
    batch: Batch, grid: Grid, column: Column, rows: Places
) -> tuple[FloatArray, tuple[Codes, Sequence[str | int]]]:
    """A column's numbers (NaN) and texts (-1: none), known to its grid or not."""
    numbers = np.full(len(rows), np.nan)
    codes, values = np.full(len(rows), -1, np.int32), list[str | int]()
    extra: ExtraColumn | None = batch.extras.get(column)
    first_number, first_text = grid.count_of(labels=False) if batch.stream is Stream.LABEL else (0, 0)
    if column in grid.number_at:
        numbers = batch.numbers[grid.number_at[column] - first_number][rows]
    elif extra is not None and extra.numbers is not None:
        numbers = extra.numbers[rows]
    text: TextColumn | None = None
    if column in grid.text_at:
        text = batch.texts[grid.text_at[column] - first_text]
    elif extra is not None:
        text = extra.texts
    if text is not None:
        spoken = np.array([isinstance(value, str) for value in text.values] or [False])
        found = text.codes[rows]
        known = spoken[np.clip(found, 0, len(spoken) - 1)]
        codes, values = np.where(known, found, -1).astype(np.int32), list(text.values)
    return np.where(np.isfinite(numbers), numbers, np.nan), (codes, values)


def _rows_of(texts: tuple[Codes, Sequence[str | int]], told: BoolArray) -> tuple[Codes, Sequence[str | int]]:
    return texts[0][told], texts[1]


def _told(numbers: FloatArray, texts: tuple[Codes, Sequence[str | int]], task: Task) -> BoolArray:
    """Which rows have an answer that fits the task: a number for a regression, else a class or a whole number."""
    return ~np.isnan(numbers) if task is Task.REGRESSION else _is_whole(numbers) | (texts[0] >= 0)


def _is_whole(numbers: FloatArray) -> BoolArray:
    return np.asarray(numbers == np.round(numbers))


def _answers(
    numbers: FloatArray, texts: tuple[Codes, Sequence[str | int]], task: Task
) -> tuple[Codes, tuple[str, ...], FloatArray]:
    """The classes of rows, or their numbers in a regression; 1 and 1.0 are the class '1'."""
    if task is Task.REGRESSION:
        return np.full(len(numbers), -1, np.int32), (), numbers
    codes, values = texts
    names: dict[str, int] = {}
    places = np.full(len(values) + 1, -1, np.int32)
    for code in np.unique(codes).tolist():
        if code >= 0:
            places[code] = names.setdefault(str(values[code]), len(names))
    made = np.where(codes >= 0, places[codes], -1).astype(np.int32)
    whole = (codes < 0) & _is_whole(numbers)
    distinct, of = np.unique(numbers[whole], return_inverse=True)
    numbered = [names.setdefault(str(int(number)), len(names)) for number in distinct.tolist()]
    made[whole] = np.array(numbered, np.int32)[of] if numbered else 0
    return made, tuple(names), np.full(len(numbers), np.nan)

"""Predictions put aside, with the text of their ids, so that a person may be asked to label some of them.

Of each pane the rows whose inference ids have the smallest hashes: a uniform sample that depends on no batches. A
checkpoint writes what is among the smallest by then; the smallest of all that were written are those of the whole pane,
also after a restart, which forgets how small they were.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from math import isnan
from typing import TYPE_CHECKING

import numpy as np

from service.messages import NOT_APPLICABLE, PREDICTION, SCORE, Candidate, Column, Missing, Role
from service.sketches.cells import kinds_of
from service.sketches.sample import may_be_kept

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from numpy.typing import NDArray

    from service.messages import Batch, TextColumn
    from service.sketches.grids import Grid

    Places = NDArray[np.intp]
    HashArray = NDArray[np.uint64]

SIZE = 64
"""So many predictions of a pane and partition may be asked to be labelled."""
MOST_FEATURE_BYTES = 64_000
"""Of a row whose features take more, as JSON, none is kept; it says so."""
LONGEST_ID = 400
"""A row with a longer id is never asked for: an id is of use only as a whole."""

_Cell = float | str | None
_UNSENT = {Missing.ABSENT.value, NOT_APPLICABLE}
_PaneOfModel = tuple[str, int]


@dataclass
class Candidates:
    """Those of all open panes of one partition: hashes known to be small, and rows since the last checkpoint."""

    _known: dict[_PaneOfModel, HashArray] = field(default_factory=dict)
    _fresh: dict[_PaneOfModel, list[Candidate]] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(map(len, self._fresh.values()))

    def offer(self, batch: Batch, grid: Grid, start_ms: int, rows: Places) -> None:
        """Put aside what is among the smallest of these accepted rows of one pane, where the monitor asks for it."""
        if batch.sent_ids is None:
            return
        rows = rows[batch.ids[rows] != 0]
        pane = (batch.model, start_ms)
        known = self._known.get(pane, np.empty(0, np.uint64))
        chosen = rows[may_be_kept(known, batch.ids[rows], SIZE)]
        if not len(chosen):
            return
        known = self._known[pane] = np.sort(np.concatenate([known, batch.ids[chosen]]))[:SIZE]
        made = [_candidate(batch, grid, start_ms, row) for row in chosen.tolist()]
        together = [*self._fresh.get(pane, ()), *made]
        self._fresh[pane] = [one for one in together if one.priority <= known[-1]]

    def fresh(self) -> list[Candidate]:
        """What the next checkpoint writes, in the order of the log."""
        return sorted((one for kept in self._fresh.values() for one in kept), key=lambda one: one.offset)

    def committed(self, alive: Collection[_PaneOfModel]) -> None:
        """All of it is stored; no row can reach other panes than these any more."""
        self._fresh.clear()
        if self._known:
            self._known = {pane: known for pane, known in self._known.items() if pane in alive}


def _candidate(batch: Batch, grid: Grid, start_ms: int, row: int) -> Candidate:
    """Without an answer where nobody could label it, since its id is too long, or it is no prediction.

    Such a row keeps its place among the smallest: else which others are would depend on checkpoints.
    """
    sent = batch.sent_ids[row] if batch.sent_ids is not None else None
    inference_id = "" if sent is None else str(sent)
    cells = _cells(batch, grid, row)
    answer = _answer(cells)
    if len(inference_id) > LONGEST_ID or "\0" in inference_id or not answer:
        inference_id, cells, answer = "", {}, {}
    version = batch.versions.values[batch.versions.codes[row]]
    features = {column.name: value for column, value in cells.items() if column.role is Role.FEATURE}
    too_large = len(json.dumps(features, ensure_ascii=False).encode(errors="replace")) > MOST_FEATURE_BYTES
    return Candidate(
        batch.model, str(version), start_ms, int(batch.ts_ms[row]), int(batch.offsets[row]), int(batch.ids[row]),
        inference_id, {} if too_large else features, answer, features_left_out=too_large,
    )  # fmt: skip


def _answer(cells: Mapping[Column, _Cell]) -> Mapping[str, float | str]:
    """The label or the value, and the score, as far as they were sent and can be used."""
    said, score = cells.get(PREDICTION), cells.get(SCORE)
    answer: dict[str, float | str] = {}
    if said is not None:
        answer["label" if isinstance(said, str) else "value"] = said
    if isinstance(score, float):
        answer["score"] = score
    return answer


def _cells(batch: Batch, grid: Grid, row: int) -> dict[Column, _Cell]:
    """The cells of a row that were sent: the answer, and the features that the grid knows, no others.

    Extras hold what the grid does not know, and texts in place of numbers.
    """
    made: dict[Column, _Cell] = {}
    for number, values in zip(
        grid.numbers, batch.numbers, strict=False
    ):  # labels stand last, and are not here
        _put(made, number.column, float(values[row]))
    for text, cells in zip(grid.texts, batch.texts, strict=False):
        _put(made, text.column, _text(cells, row))
    for column, extra in batch.extras.items():
        if column.role is Role.FEATURE and column not in grid.number_at and column not in grid.text_at:
            continue
        if extra.numbers is not None:
            _put(made, column, float(extra.numbers[row]))
        if extra.texts is not None:
            _put(made, column, _text(extra.texts, row))
    return made


def _text(cells: TextColumn, row: int) -> str | int:
    return cells.values[int(cells.codes[row])]


def _put(cells: dict[Column, _Cell], column: Column, value: str | float) -> None:
    """A whole number stands for a kind of missing."""
    if isinstance(value, float) and isnan(value):
        value = int(kinds_of(np.array([value]))[0])
    if not isinstance(value, int):
        cells[column] = value
    elif value not in _UNSENT:
        cells[column] = None

"""How often the model was wrong on the reference's own rows, overall and by segment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.messages import LABEL, PREDICTION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from service.messages import Batch, TextColumn
    from service.sketches.grids import Grid

Places = NDArray[np.intp]


class Errors:
    """Wrong and all labelled rows by segment ('' for all), of classifications that name a prediction and a label."""

    def __init__(self, grid: Grid) -> None:
        first = grid.count_of(labels=False)[1]
        self._prediction = grid.text_at.get(PREDICTION)
        label = grid.text_at.get(LABEL)
        self._label = None if label is None else label - first
        self.counts: dict[str, tuple[int, int]] = {}

    def add(self, inferences: Batch, labels: Batch, segments: Iterable[tuple[str, Places]]) -> None:
        """Count rows; `labels` has the same rows, `segments` names some of them."""
        if self._prediction is None or self._label is None:
            return
        said, true = _texts(inferences.texts[self._prediction]), _texts(labels.texts[self._label])
        known = (said != "") & (true != "")
        wrong = known & (said != true)
        self._count("", wrong, known)
        for name, rows in segments:
            self._count(name, wrong[rows], known[rows])

    def _count(self, name: str, wrong: NDArray[np.bool_], known: NDArray[np.bool_]) -> None:
        before = self.counts.get(name, (0, 0))
        self.counts[name] = before[0] + int(wrong.sum()), before[1] + int(known.sum())


def _texts(column: TextColumn) -> NDArray[np.str_]:
    """Each row's text, '' where there is none."""
    values = np.array([v if isinstance(v, str) else "" for v in column.values], np.str_)
    return values[column.codes]

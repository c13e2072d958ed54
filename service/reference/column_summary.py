"""What a reference's columns are, in a few numbers each: for people, and for contracts on later data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from service.messages import NOT_APPLICABLE, Column
from service.reference.bins import binned, mean_std, quantiles_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from service.sketches.pane import PaneSketch

SHARES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_TOP = 10


@dataclass(frozen=True, slots=True)
class ColumnSummary:
    """One column. `missing` counts by `messages.Missing`; `quantiles` are at `SHARES`, each within its bin.

    `distinct` is an estimate unless `distinct_exact`. What a column without numbers has not, is None.
    """

    column: Column
    numeric: bool
    rows: int
    missing: tuple[int, ...]
    distinct: int
    distinct_exact: bool
    integer: bool = False
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    std: float | None = None
    quantiles: tuple[float, ...] = ()
    top: tuple[tuple[str, int], ...] = ()

    @property
    def kind(self) -> str:
        """How people call it."""
        return "numeric" if self.numeric else "categorical"

    @property
    def constant(self) -> bool:
        """Whether all present values are one and the same."""
        return self.distinct == 1

    @property
    def missing_ratio(self) -> float:
        """The share of rows without a usable value."""
        return sum(self.missing) / self.rows if self.rows else 0.0


class NumberFacts(NamedTuple):
    """What bins cannot tell of a number column."""

    distinct: int
    distinct_exact: bool
    integer: bool


def summarize(sketch: PaneSketch, facts: Mapping[Column, NumberFacts]) -> tuple[ColumnSummary, ...]:
    """All columns: numbers first, each kind in the order of the grid."""
    numbers = [
        _of_numbers(sketch, place, facts[grid.column]) for place, grid in enumerate(sketch.grid.numbers)
    ]
    return (*numbers, *(_of_texts(sketch, place) for place in range(len(sketch.grid.texts))))


def _of_numbers(sketch: PaneSketch, place: int, facts: NumberFacts) -> ColumnSummary:
    column, missing = binned(sketch.numbers, place), _missing(sketch.numbers.missing[place])
    name, n = sketch.grid.numbers[place].column, int(column.counts.sum())
    if n == 0:
        return ColumnSummary(name, True, sum(missing), missing, 0, True)  # noqa: FBT003 - numeric, exact
    mean, std = mean_std(sketch.numbers, place) or (None, None)
    quantiles = quantiles_of(column, np.array(SHARES))
    quantiles = np.floor(quantiles) if facts.integer else quantiles
    return ColumnSummary(
        name, True, n + sum(missing), missing, *facts,  # noqa: FBT003
        column.low, column.high, mean, std, tuple(quantiles.tolist()),
    )  # fmt: skip


def _of_texts(sketch: PaneSketch, place: int) -> ColumnSummary:
    grid, counts = sketch.grid.texts[place], sketch.categories.column_counts(place)
    unseen, missing = sketch.categories.unseen[place], _missing(sketch.categories.missing[place])
    rows = int(counts.sum()) + unseen.total + sum(missing)
    most = np.argsort(-counts, kind="stable")[:_TOP]
    top = tuple((grid.categories[i], int(counts[i])) for i in most.tolist() if counts[i])
    distinct = int(np.count_nonzero(counts)) + (round(unseen.distinct) if unseen.counts else 0)
    return ColumnSummary(grid.column, False, rows, missing, distinct, not unseen.other, top=top)  # noqa: FBT003


def _missing(counts: NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(counts[:NOT_APPLICABLE].tolist())

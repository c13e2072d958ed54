"""Rows sampled in several panes, as one uniform sample of some columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import xxhash
from numpy.typing import NDArray

from service.sketches.sample import SIZE, FloatArray, PriorityArray, RowSample, smallest

if TYPE_CHECKING:
    from service.messages import Column
    from service.sketches.grids import Grid

_MIXING = np.uint64(0x9E3779B97F4A7C15)


class PaneSample(NamedTuple):
    """A pane's sample on its grid; `part` numbers the stretch of time that it is of."""

    part: int
    grid: Grid
    sample: RowSample


@dataclass(frozen=True, slots=True)
class SampledRows:
    """`values` (d, n) of some columns, NaN where a cell is missing; the smallest of the `priorities` (n,) first.

    `parts` (n,) number the stretches of time that rows are of.
    """

    columns: tuple[Column, ...]
    values: FloatArray
    priorities: PriorityArray
    parts: NDArray[np.int64]

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.priorities)

    def of(self, columns: Sequence[Column]) -> SampledRows:
        """The same rows of some of the columns."""
        places = [self.columns.index(column) for column in columns]
        return SampledRows(tuple(columns), self.values[places], self.priorities, self.parts)

    def ranks(self) -> FloatArray:
        """(d, n) each column's ranks among the rows of the same part, in (0, 1): in every part every column is uniform,
        so that only how they go together is left. Ties are parted by chance, in each column otherwise.
        """
        salts = np.array([xxhash.xxh3_64_intdigest(c.name.encode()) for c in self.columns], np.uint64)
        chances = (self.priorities[None, :] ^ salts[:, None]) * _MIXING
        made = np.empty(self.values.shape)
        for part in np.unique(self.parts):
            mine = self.parts == part
            made[:, mine] = _ranks(self.values[:, mine], chances[:, mine])
        return made


def sampled_rows(samples: Iterable[PaneSample], columns: Sequence[Column], most: int) -> SampledRows:
    """At most so many rows of these samples, every row of the panes with the same chance.

    A full sample has lost its pane's rows of larger priorities, so that no larger ones of other panes are taken.
    """
    known = list(samples)
    limit = min((s.priorities[-1] for _, _, s in known if len(s.priorities) == SIZE), default=None)
    values, priorities = [np.empty((len(columns), 0))], [np.empty(0, np.uint64)]
    parts = [np.empty(0, np.int64)]
    for part, grid, sample in known:
        kept = sample.priorities <= (sample.priorities if limit is None else limit)
        values.append(_columns_of(grid, sample.values, columns)[:, kept])
        priorities.append(sample.priorities[kept])
        parts.append(np.full(len(priorities[-1]), part))
    all_values, all_priorities = np.concatenate(values, axis=1), np.concatenate(priorities)
    chosen = smallest(all_priorities, (all_values,), most)
    return SampledRows(
        tuple(columns), all_values[:, chosen], all_priorities[chosen], np.concatenate(parts)[chosen]
    )


def _ranks(values: FloatArray, chances: PriorityArray) -> FloatArray:
    finite = np.where(np.isfinite(values), values, np.nan)
    parted = np.argsort(chances, axis=1)
    ascending = np.argsort(np.take_along_axis(finite, parted, axis=1), axis=1, kind="stable")
    order = np.take_along_axis(parted, ascending, axis=1)  # NaN come last
    present = np.isfinite(finite).sum(axis=1, keepdims=True)
    ranks = np.empty_like(finite)
    np.put_along_axis(ranks, order, (np.arange(values.shape[1]) + 0.5) / np.maximum(present, 1), axis=1)
    return np.where(np.isnan(finite), np.nan, ranks)


def _columns_of(grid: Grid, values: FloatArray, columns: Sequence[Column]) -> FloatArray:
    """(d, n) the columns' values; NaN for one that the grid does not know."""
    at = [grid.number_at.get(column, -1) for column in columns]
    padded = np.concatenate([values, np.full((1, values.shape[1]), np.nan)])
    return np.asarray(padded[at])

"""How unlike the reference a row is, feature by feature: the share of the reference that is as far out, in nats.

A number is as far out as the smaller of the shares at or below and at or above it, twice; a category as the share of
all rows whose category is as rare; what is missing as the share of missing rows. Each such share p counts -ln p (Fisher
1925: of a usual row about 1 a feature), and a row is the sum. Features count on their own: a row that is usual in each,
and unusual only in how they come together, is not found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from service.messages import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from service.messages import Candidate
    from service.reference.profile import ReferenceProfile
    from service.sketches.grids import CategoryGrid, NumberGrid

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

_NOT_SENT = object()


class Surprises(NamedTuple):
    """Of n rows and k features of the reference the nats of each, (n, k)."""

    features: tuple[str, ...]
    nats: FloatArray

    @property
    def totals(self) -> FloatArray:
        """Of each row."""
        return np.asarray(self.nats.sum(axis=1))

    def most(self, row: int, count: int) -> list[tuple[str, float]]:
        """The features that make a row surprising, and the share of the reference that is as far out."""
        order = np.argsort(-self.nats[row], kind="stable")[:count].tolist()
        return [(self.features[at], float(np.exp(-self.nats[row, at]))) for at in order]


@dataclass(frozen=True)
class Usual:
    """What the features of a reference are like."""

    profile: ReferenceProfile

    def of(self, candidates: Sequence[Candidate]) -> Surprises:
        """Each row against it; features that the reference does not know count nothing."""
        names: list[str] = []
        columns: list[FloatArray] = []
        sketch, grid = self.profile.sketch, self.profile.grid
        for i, number in enumerate(grid.numbers):
            if number.column.role is Role.FEATURE:
                names.append(number.column.name)
                missing = int(sketch.numbers.missing[i].sum())
                cells = _cells(candidates, number.column.name)
                columns.append(_numbers(cells, number, sketch.numbers.column_counts(i), missing))
        for i, text in enumerate(grid.texts):
            if text.column.role is Role.FEATURE:
                names.append(text.column.name)
                counts, unseen = sketch.categories.column_counts(i), sketch.categories.unseen[i].total
                missing = int(sketch.categories.missing[i].sum())
                cells = _cells(candidates, text.column.name)
                columns.append(_texts(cells, text, np.append(counts, [unseen, missing])))
        nats = np.stack(columns, axis=1) if columns else np.zeros((len(candidates), 0))
        return Surprises(tuple(names), nats)


def _cells(candidates: Sequence[Candidate], name: str) -> list[object]:
    return [one.features.get(name, _NOT_SENT) for one in candidates]


def _numbers(cells: Sequence[object], grid: NumberGrid, counts: IntArray, missing: int) -> FloatArray:
    known = np.array([isinstance(cell, float | int) for cell in cells], np.bool_)
    values = np.array([cell if isinstance(cell, float | int) else 0.0 for cell in cells], np.float64)
    places = grid.edges.searchsorted(values, side="right")
    below = np.cumsum(counts)
    n = int(below[-1])
    least = np.minimum(below[places], n - below[places] + counts[places])
    p = np.where(known, np.minimum(1.0, 2 * _share(least, n)), _share(np.array(missing), n + missing))
    return np.asarray(-np.log(p))


def _texts(cells: Sequence[object], grid: CategoryGrid, counts: IntArray) -> FloatArray:
    """`counts` are those of the categories, of all unseen ones together, and of missing cells."""
    unseen, missing = len(counts) - 2, len(counts) - 1
    places = [
        grid.index.get(cell, unseen) if isinstance(cell, str) else unseen if _is_number(cell) else missing
        for cell in cells
    ]
    p = [_share(counts[counts <= counts[place]].sum(), int(counts.sum())) for place in range(len(counts))]
    return np.asarray(-np.log(np.minimum(1.0, np.array(p)))[places])


def _is_number(cell: object) -> bool:
    return isinstance(cell, float | int)


def _share(rows: NDArray[np.int64], n: int) -> FloatArray:
    """Never 0: half a row is added, as if one more had been seen."""
    return np.asarray((rows + 0.5) / (n + 1))

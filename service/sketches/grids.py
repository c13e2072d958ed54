"""Grids: the bins that a model's columns are counted on.

A grid is configuration: made from a reference, or the default log-spaced one before there is a reference.
It is stored, versioned and shared by all partitions; every sketch names the grid it was counted on.

A number grid is a list of inner edges: bin 0 is (-inf, e0), bin i is [e(i-1), e(i)), the last is [e(last),
inf). A frequent exact value v is a bin of its own: both v and the next float after it are edges.
Every number grid contains the log-spaced edges, so that two grids can be compared exactly there,
and so that a value of a thousand times the usual size still falls into a bin that says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import xxhash
from numpy.typing import NDArray

from service.messages import Column, Role

if TYPE_CHECKING:
    pass

_FIRST_DECADE, _LAST_DECADE, _PER_DECADE = -6, 13, 7
QUANTILE_EDGES = 256
MAX_ATOMS = 128
MAX_CATEGORIES = 1_000
_LEAST_SCALE = 1e-290
"""A smaller standard deviation cannot be divided by; the column has no moments then."""

FloatArray = NDArray[np.float64]


def log_edges() -> FloatArray:
    """Edges at seven values a decade from 1e-6 to 1e13 on both sides of zero, and zero as an exact value."""
    steps = (_LAST_DECADE - _FIRST_DECADE) * _PER_DECADE + 1
    positive = np.logspace(_FIRST_DECADE, _LAST_DECADE, steps)
    return np.concatenate([-positive[::-1], exact_edges(np.array([0.0])), positive])


def exact_edges(values: FloatArray) -> FloatArray:
    """The pairs of edges that make each value a bin of its own."""
    return np.sort(np.concatenate([values, np.nextafter(values, np.inf)]))


@dataclass(frozen=True, eq=False)
class NumberGrid:
    """Bins of one number column, and the centre and scale (both in the column's unit) of its moments."""

    column: Column
    edges: FloatArray
    centre: float = 0.0
    scale: float = 0.0

    @property
    def bins(self) -> int:
        """How many bins there are."""
        return len(self.edges) + 1


@dataclass(frozen=True, eq=False)
class CategoryGrid:
    """The categories of one column that are counted one by one; all others are `unseen`."""

    column: Column
    categories: tuple[str, ...]

    @cached_property
    def index(self) -> dict[str, int]:
        """From a category to its place."""
        return {category: i for i, category in enumerate(self.categories)}


@dataclass(frozen=True, eq=False)
class Grid:
    """The bins of all columns of a model, in the order of their roles: features first, labels last."""

    numbers: tuple[NumberGrid, ...] = ()
    texts: tuple[CategoryGrid, ...] = ()
    id: str = field(init=False)

    def __post_init__(self) -> None:
        for name in ("numbers", "texts"):
            object.__setattr__(self, name, tuple(sorted(getattr(self, name), key=_place)))
        object.__setattr__(self, "id", _identity(self))

    @cached_property
    def number_at(self) -> dict[Column, int]:
        """The place of each number column."""
        return {grid.column: i for i, grid in enumerate(self.numbers)}

    @cached_property
    def text_at(self) -> dict[Column, int]:
        """The place of each category column."""
        return {grid.column: i for i, grid in enumerate(self.texts)}

    def count_of(self, *, labels: bool) -> tuple[int, int]:
        """How many number and category columns belong to labels (or to inferences)."""
        of = [
            sum((g.column.role is Role.LABEL) == labels for g in group)
            for group in (self.numbers, self.texts)
        ]
        return of[0], of[1]


_ROLES = tuple(Role)


def _place(grid: NumberGrid | CategoryGrid) -> int:
    return _ROLES.index(grid.column.role)


def _identity(grid: Grid) -> str:
    digest = xxhash.xxh3_128()
    for number in grid.numbers:
        digest.update(
            f"n\0{number.column.role}\0{number.column.name}\0{number.centre!r}\0{number.scale!r}\0".encode()
        )
        digest.update(np.ascontiguousarray(number.edges, "<f8").tobytes())
    for text in grid.texts:
        digest.update(f"t\0{text.column.role}\0{text.column.name}\0".encode())
        digest.update("\0".join(text.categories).encode())
    return digest.hexdigest()


EMPTY_GRID_ID = Grid().id


def number_grid(column: Column, values: FloatArray) -> NumberGrid:
    """A grid made from a reference's finite values: quantile edges, exact values, log-spaced edges.

    Values so large that their mean or variance overflows leave the column without moments.
    """
    if len(values) == 0:
        return default_number_grid(column)
    values = (
        np.sort(values) + 0.0
    )  # -0.0 and 0.0 are one value, and the order of a reference's rows means nothing
    distinct, counts = np.unique(values, return_counts=True)
    exact = _frequent(distinct, counts, len(values))
    with np.errstate(over="ignore", invalid="ignore"):
        quantiles = np.quantile(values, np.arange(1, QUANTILE_EDGES + 1) / (QUANTILE_EDGES + 1))
        ends = np.array([distinct[0], np.nextafter(distinct[-1], np.inf)])
        edges = np.unique(np.concatenate([quantiles, ends, exact_edges(exact), log_edges()]))
        centre, scale = float(np.mean(values)), float(np.std(values))
    if not (np.isfinite(centre) and _LEAST_SCALE < scale < np.inf):
        centre = scale = 0.0
    return NumberGrid(column, edges[np.isfinite(edges)], centre, scale)


def _frequent(distinct: FloatArray, counts: NDArray[np.int64], n: int) -> FloatArray:
    """The values that deserve a bin of their own: all of a short list, else those of a percent or more."""
    if len(distinct) <= MAX_ATOMS:
        return distinct
    often = counts >= max(2.0, 0.01 * n)
    return distinct[often][np.argsort(counts[often], kind="stable")[::-1][:MAX_ATOMS]]


def category_grid(column: Column, counts: dict[str, int]) -> CategoryGrid:
    """A grid of the most frequent categories, in the order of their names."""
    most = sorted(counts, key=lambda c: (-counts[c], c))[:MAX_CATEGORIES]
    return CategoryGrid(column, tuple(sorted(most)))


def default_number_grid(column: Column) -> NumberGrid:
    """The grid of a column that no reference describes: log-spaced, without moments."""
    return NumberGrid(column, log_edges())

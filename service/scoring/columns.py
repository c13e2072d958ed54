"""One column of a reference beside the same column of a window, ready for the detectors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detectors.pair import CategoricalPair, NumericPair
from service.messages import NOT_APPLICABLE, Column, Missing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from service.sketches.pane import PaneSketch


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of the rows did something, on both sides."""

    name: str
    reference_hits: int
    reference_n: int
    hits: int
    n: int

    @property
    def is_quality(self) -> bool:
        """Whether it tells of cells without a usable value, not of values."""
        return self.name.startswith("missing_")


@dataclass(frozen=True, slots=True)
class ComparedColumn:
    """A column's distribution on both sides (None where neither has a value), and its rates."""

    column: Column
    pair: NumericPair | CategoricalPair | None
    rates: tuple[Rate, ...]


def compare(reference: PaneSketch, current: PaneSketch) -> Iterator[ComparedColumn]:
    """Every column of the grid that both sketches were counted on."""
    for i, number in enumerate(reference.grid.numbers):
        yield _numbers(number.column, reference, current, i)
    for i, text in enumerate(reference.grid.texts):
        yield _categories(text.column, reference, current, i)


def _numbers(column: Column, reference: PaneSketch, current: PaneSketch, i: int) -> ComparedColumn:
    old, new = reference.numbers, current.numbers
    old_counts, new_counts = old.column_counts(i), new.column_counts(i)
    rates = _missing(old.missing[i], new.missing[i], int(old_counts.sum()), int(new_counts.sum()))
    if not old_counts.any() or not new_counts.any():
        return ComparedColumn(column, None, rates)
    low, high = float(min(old.low[i], new.low[i])), float(max(old.high[i], new.high[i]))
    moments = old.mean_std(i)
    edges = reference.grid.numbers[i].edges
    pair = NumericPair(edges, old_counts, new_counts, low, high, moments[1] if moments else 0.0)
    return ComparedColumn(column, pair, (*rates, _out_of_range(pair, float(old.low[i]), float(old.high[i]))))


def _out_of_range(pair: NumericPair, low: float, high: float) -> Rate:
    """Values beyond the reference's extremes, which are edges of a grid made from that reference.

    New values beyond either extreme follow the law of those beyond the second largest alone: hence the one hit.
    """
    below, above = (
        np.searchsorted(pair.edges, low, side="right"),
        np.searchsorted(pair.edges, high, side="right"),
    )
    hits = int(pair.current[:below].sum() + pair.current[above + 1 :].sum())
    return Rate("out_of_range", 1, int(pair.reference.sum()), hits, int(pair.current.sum()))


def _categories(column: Column, reference: PaneSketch, current: PaneSketch, i: int) -> ComparedColumn:
    old, new = reference.categories, current.categories
    old_unseen, new_unseen = old.unseen[i].total, new.unseen[i].total
    old_counts, new_counts = (
        np.append(c.column_counts(i), u) for c, u in ((old, old_unseen), (new, new_unseen))
    )
    n, m = int(new_counts.sum()), int(old_counts.sum())
    rates = _missing(old.missing[i], new.missing[i], m, n)
    if not n or not m:
        return ComparedColumn(column, None, rates)
    unseen = Rate("unseen", old_unseen, m, new_unseen, n)
    return ComparedColumn(column, CategoricalPair(old_counts, new_counts), (*rates, unseen))


def _missing(old: NDArray[np.int64], new: NDArray[np.int64], m: int, n: int) -> tuple[Rate, ...]:
    m, n = m + int(old[:NOT_APPLICABLE].sum()), n + int(new[:NOT_APPLICABLE].sum())
    return tuple(
        Rate(f"missing_{kind.name.lower()}", int(old[kind]), m, int(new[kind]), n) for kind in Missing
    )

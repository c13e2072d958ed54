"""The columns of a reference beside those of a window, ready for the detectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from detectors.batch import BatchPlan, WindowCounts
from service.messages import NOT_APPLICABLE, Column, Missing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from detectors.pair import FloatArray
    from service.sketches.pane import PaneSketch


_KINDS = tuple(f"missing_{kind.name.lower()}" for kind in Missing)


class Rate(NamedTuple):
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


class ComparedColumn(NamedTuple):
    """A column's rates on both sides; `has_values`: both sides have some, so that distributions can be compared."""

    column: Column
    is_number: bool
    has_values: bool
    rates: tuple[Rate, ...]


def plan_of(reference: PaneSketch) -> BatchPlan:
    """What the detectors need of a reference's columns, made once for its life."""
    numbers, categories = reference.numbers, reference.categories
    places = range(len(reference.grid.numbers))
    return BatchPlan(
        [grid.edges for grid in reference.grid.numbers],
        [numbers.column_counts(i) for i in places],
        [moments[1] if (moments := numbers.mean_std(i)) else 0.0 for i in places],
        [np.append(categories.column_counts(i), u.total) for i, u in enumerate(categories.unseen)],
    )


def window_counts(reference: PaneSketch, current: PaneSketch) -> WindowCounts:
    """A window's counts as the plan of its reference takes them; the extremes are those of both sides."""
    old, new = reference.numbers, current.numbers
    low, high = np.minimum(old.low, new.low), np.maximum(old.high, new.high)
    texts = [
        np.append(current.categories.column_counts(i), u.total)
        for i, u in enumerate(current.categories.unseen)
    ]
    return WindowCounts(
        new.counts,
        np.where(np.isfinite(low), low, 0.0),
        np.where(np.isfinite(high), high, 0.0),
        np.concatenate([np.empty(0, np.int64), *texts]),
    )


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
        return ComparedColumn(column, is_number=True, has_values=False, rates=rates)
    edges, extremes = reference.grid.numbers[i].edges, (float(old.low[i]), float(old.high[i]))
    beyond = _out_of_range(edges, old_counts, new_counts, extremes)
    return ComparedColumn(column, is_number=True, has_values=True, rates=(*rates, beyond))


def _out_of_range(
    edges: FloatArray, old: NDArray[np.int64], new: NDArray[np.int64], extremes: tuple[float, float]
) -> Rate:
    """Values beyond the reference's extremes, which are edges of a grid made from that reference.

    New values beyond either extreme follow the law of those beyond the second largest alone: hence the one hit.
    """
    below, above = (int(np.searchsorted(edges, value, side="right")) for value in extremes)
    hits = int(new[:below].sum() + new[above + 1 :].sum())
    return Rate("out_of_range", 1, int(old.sum()), hits, int(new.sum()))


def _categories(column: Column, reference: PaneSketch, current: PaneSketch, i: int) -> ComparedColumn:
    old, new = reference.categories, current.categories
    old_unseen, new_unseen = old.unseen[i].total, new.unseen[i].total
    old_counts, new_counts = (
        np.append(c.column_counts(i), u) for c, u in ((old, old_unseen), (new, new_unseen))
    )
    n, m = int(new_counts.sum()), int(old_counts.sum())
    rates = _missing(old.missing[i], new.missing[i], m, n)
    if not n or not m:
        return ComparedColumn(column, is_number=False, has_values=False, rates=rates)
    unseen = Rate("unseen", old_unseen, m, new_unseen, n)
    return ComparedColumn(column, is_number=False, has_values=True, rates=(*rates, unseen))


def _missing(old: NDArray[np.int64], new: NDArray[np.int64], m: int, n: int) -> tuple[Rate, ...]:
    before, now = old[:NOT_APPLICABLE].tolist(), new[:NOT_APPLICABLE].tolist()
    m, n = m + sum(before), n + sum(now)
    return tuple(
        Rate(name, hits, m, now_hits, n) for name, hits, now_hits in zip(_KINDS, before, now, strict=True)
    )

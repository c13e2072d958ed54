"""The few groups of values that evidence counts in: some twenty of equal mass a column, and the places of surprises.

Number column:   below | 1 % | of equal mass, heavy values apart | 1 % | above | off the lattice of values
Category column: up to 24 frequent categories | the rare ones | never seen
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.messages import NOT_APPLICABLE, Column

if TYPE_CHECKING:
    from service.sketches.pane import PaneSketch

GROUPS = 20
CATEGORIES = 24
FEWEST = 8
"""A category with fewer reference rows has no group of its own."""
TAIL = 0.01
RATES = NOT_APPLICABLE + 2
RANGE, UNSEEN = NOT_APPLICABLE, NOT_APPLICABLE + 1
"""The rates of a column: six kinds of missing, then values out of range, then values never seen."""

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Groups:
    """Where each bin and category of a grid is counted, for F columns of at most K groups.

    `columns` are those with enough reference values, numbers first (`numbers` of them). `surprising` (F, K) marks the
    groups that no reference row is in by the way they are made. `singles` (F,) are values that the reference saw once:
    what it has never seen is about as frequent (Good and Turing).
    """

    columns: tuple[Column, ...]
    ordered: BoolArray
    width: int
    surprising: BoolArray
    singles: IntArray
    _places: tuple[IntArray, IntArray]
    _number_labels: IntArray
    _category_labels: IntArray

    def counts(self, sketch: PaneSketch) -> FloatArray:
        """(F, K) counts of a sketch on the grid."""
        size = len(self.columns) * self.width + 1  # the last takes what no column here wants
        flat = np.bincount(self._number_labels, weights=sketch.numbers.counts, minlength=size)
        unseen = [u.total for u in sketch.categories.unseen]
        texts = np.concatenate([sketch.categories.counts, np.array(unseen, np.int64)])
        flat = flat + np.bincount(self._category_labels, weights=texts, minlength=size)
        return np.asarray(flat[:-1].reshape(len(self.columns), self.width))

    def rates(self, sketch: PaneSketch, counts: FloatArray) -> tuple[FloatArray, FloatArray]:
        """(F, RATES) hits and rows of the rates, given the counts by group."""
        numbers, texts = self._places
        missing = np.concatenate(
            [
                sketch.numbers.missing[numbers, :NOT_APPLICABLE],
                sketch.categories.missing[texts, :NOT_APPLICABLE],
            ]
        )
        present = counts.sum(axis=1)
        hits = np.zeros((len(self.columns), RATES))
        hits[:, :NOT_APPLICABLE] = missing
        odd = np.where(self.surprising, counts, 0.0)
        hits[:, UNSEEN] = odd[:, -1]
        hits[:, RANGE] = odd[:, 0] + odd[:, -2]
        rows = np.repeat((present + missing.sum(axis=1))[:, None], RATES, axis=1)
        rows[:, NOT_APPLICABLE:] = present[:, None]
        return hits, rows


def make_groups(reference: PaneSketch, fewest_rows: int) -> Groups:
    """Groups of the columns of which the reference has so many values."""
    made = [
        (n.column, i, True, *_number_labels(reference.numbers.column_counts(i), n.edges))
        for i, n in enumerate(reference.grid.numbers)
        if reference.numbers.column_counts(i).sum() >= fewest_rows
    ]
    made += [
        (t.column, i, False, *_category_labels(reference.categories.column_counts(i)))
        for i, t in enumerate(reference.grid.texts)
        if reference.categories.column_counts(i).sum() >= fewest_rows
    ]
    width = max((used for *_, used, _ in made), default=1) + 2
    nowhere = len(made) * width
    layout, starts = (
        reference.numbers.layout,
        np.cumsum([0, *(len(t.categories) for t in reference.grid.texts)]),
    )
    number_labels = np.full(layout.size, nowhere, np.int64)
    category_labels = np.full(int(starts[-1]) + len(reference.grid.texts), nowhere, np.int64)
    surprising = np.zeros((len(made), width), np.bool_)
    for place, (_, i, is_number, labels, _, _) in enumerate(made):
        into = np.where(labels < 0, width + labels, labels) + place * width
        if is_number:
            number_labels[layout.slice(i)] = into
            surprising[place, [0, -2, -1]] = True
        else:
            category_labels[starts[i] : starts[i + 1]] = into
            category_labels[starts[-1] + i] = place * width + width - 1
            surprising[place, -1] = True
    places = [np.array([i for _, i, one, *_ in made if one is kind], np.int64) for kind in (True, False)]
    return Groups(
        tuple(column for column, *_ in made), np.array([one for _, _, one, *_ in made], np.bool_), width, surprising,
        np.array([singles for *_, singles in made], np.int64), (places[0], places[1]), number_labels, category_labels,
    )  # fmt: skip


def _number_labels(counts: IntArray, edges: FloatArray) -> tuple[IntArray, int, int]:
    """The group of each bin, 0 below, -2 above; how many groups; values seen once.

    Where all values lie on a lattice (few distinct ones, each a bin of its own), those between are -1: never seen.
    """
    seen = np.flatnonzero(counts)
    m = int(counts.sum())
    heavy = counts * GROUPS > m
    target = max(1.0, float(counts[~heavy].sum()) / max(1, GROUPS - int(heavy.sum())))
    labels = np.full(len(counts), -1, np.int64)
    labels[: seen[0]], labels[seen[-1] + 1 :] = 0, -2
    group, inside, before = 0, target, 0.0
    for i in seen.tolist():
        at_tail = before <= TAIL * m < before + counts[i] or before <= (1 - TAIL) * m < before + counts[i]
        if heavy[i] or inside >= target or at_tail:
            group, inside = group + 1, 0.0
        labels[i] = group
        inside = target if heavy[i] else inside + float(counts[i])
        before += float(counts[i])
    exact = np.zeros(len(counts), np.bool_)
    exact[1:-1] = edges[1:] <= np.nextafter(edges[:-1], np.inf)
    if counts[~exact].any():
        between = labels == -1
        before_it = np.maximum.accumulate(np.where(between, 0, np.arange(len(labels))))
        return np.where(between, labels[before_it], labels), group + 1, 0
    return labels, group + 1, int((counts == 1).sum())


def _category_labels(counts: IntArray) -> tuple[IntArray, int, int]:
    """The most frequent categories each, the rare ones together."""
    frequent = np.argsort(-counts, kind="stable")[:CATEGORIES]
    frequent = frequent[counts[frequent] >= FEWEST]
    labels = np.full(len(counts), len(frequent), np.int64)
    labels[frequent] = np.arange(len(frequent))
    return labels, len(frequent) + 1, int((counts == 1).sum())

"""The answers of a time, as sketches have them: counts of all rows, and the few rows that were kept as they came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detectors.prediction_health_bins import BinnedValues
from service.messages import LATENCY, PREDICTION, SCORE, Role
from service.monitor import Task
from service.reference.bins import binned, quantiles_of
from service.reference.regrid import parts_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from service.messages import Column
    from service.sketches.pane import PaneSketch

    FloatArray = NDArray[np.float64]
    IntArray = NDArray[np.int64]

COARSE = 32
"""A number is rounded to so many quantiles of the reference."""


@dataclass(frozen=True, eq=False)
class AnsweredSpan:
    """`sketch` counts all rows on the grid that the reference has; of them r were kept, from all `panes` side by side.

    `numbers`, (columns, r), are the grid's columns of inferences, `classes`, (r,), places of the prediction's class,
    `versions`, (r,), numbers of the versions that answered. `panes` of `of_panes` were read.
    """

    sketch: PaneSketch
    numbers: FloatArray
    classes: FloatArray
    versions: IntArray
    panes: int
    of_panes: int


@dataclass(frozen=True, slots=True, eq=False)
class Twins:
    """Kept rows as inputs and answers, to be held against each other; answers within `tolerance` are alike."""

    inputs: IntArray
    answers: FloatArray
    tolerance: float


def answer_counts(sketch: PaneSketch, task: Task) -> IntArray:
    """How often each class was answered; nothing in a regression. Unseen classes beyond the kept ones are one."""
    part = parts_of(sketch).get(PREDICTION)
    if part is None or task is Task.REGRESSION:
        return np.empty(0, np.int64)
    if not part.texts.total and part.numbers is not None and task is not Task.NONE:
        counts = part.numbers[0].column_counts(part.numbers[1])
        return np.asarray(counts[counts > 0])
    counts = np.array([*part.texts.counts.values(), part.texts.other], np.int64)
    return np.asarray(counts[counts > 0])


def scores_of(sketch: PaneSketch, task: Task) -> BinnedValues:
    """How sure each answer was: its score, or, of two classes, a bare probability."""
    scores = _numbers(sketch, SCORE)
    return _numbers(sketch, PREDICTION) if task is Task.BINARY and not scores.n else scores


def latencies_of(sketch: PaneSketch) -> BinnedValues:
    """How long answers took, in milliseconds."""
    return _numbers(sketch, LATENCY)


def kept_values(span: AnsweredSpan) -> IntArray:
    """How often each number was predicted, in the rows that were kept."""
    place = span.sketch.grid.number_at.get(PREDICTION)
    if place is None:
        return np.empty(0, np.int64)
    values = span.numbers[place]
    return np.asarray(np.unique(values[np.isfinite(values)], return_counts=True)[1], np.int64)


def exact_twins(span: AnsweredSpan) -> Twins:
    """Rows that are equal in every number."""
    rows = [_ranks(span.numbers[place]) for place in _feature_places(span)]
    return Twins(_stacked(rows, span), _answers(span), 0.0)


def near_twins(span: AnsweredSpan, reference: PaneSketch) -> Twins:
    """Rows that are equal in every number once it is rounded; numbers that were answered may be one step apart."""
    rows = [
        _rounded(span.numbers[place], reference, span.sketch.grid.numbers[place].column)
        for place in _feature_places(span)
    ]
    answers, tolerance = span.classes, 0.0
    if PREDICTION not in span.sketch.grid.text_at:
        column = _answer_column(span)
        known = ~np.isnan(_answers(span))
        answers, tolerance = np.full(len(span.classes), np.nan), 1.0
        if column is not None:
            steps = _rounded(span.numbers[span.sketch.grid.number_at[column]], reference, column)
            answers = np.where(known, steps, np.nan)
    return Twins(_stacked(rows, span), answers, tolerance)


def has_number_features(span: AnsweredSpan) -> bool:
    """Whether inputs can be compared at all."""
    return bool(_feature_places(span))


def category_features(span: AnsweredSpan) -> tuple[str, ...]:
    """Features that differ between rows and that kept rows do not have: inputs that differ only there seem alike."""
    categories = span.sketch.categories
    return tuple(
        one.column.name
        for place, one in enumerate(span.sketch.grid.texts)
        if one.column.role is Role.FEATURE
        and np.count_nonzero(categories.column_counts(place)) + len(categories.unseen[place].counts) > 1
    )


def _numbers(sketch: PaneSketch, column: Column) -> BinnedValues:
    part = parts_of(sketch).get(column)
    if part is None or part.numbers is None:
        return BinnedValues(np.empty(0), np.zeros(1, np.int64), 0.0, 0.0)
    return BinnedValues(*binned(*part.numbers))


def _feature_places(span: AnsweredSpan) -> list[int]:
    grid = span.sketch.grid
    return [place for column, place in grid.number_at.items() if column.role is Role.FEATURE]


def _answer_column(span: AnsweredSpan) -> Column | None:
    at = span.sketch.grid.number_at
    return next((column for column in (PREDICTION, SCORE) if column in at), None)


def _answers(span: AnsweredSpan) -> FloatArray:
    """Classes, or numbers where there are none; NaN where a row has no answer."""
    if PREDICTION in span.sketch.grid.text_at:
        return span.classes
    column = _answer_column(span)
    if column is None:
        return np.full(len(span.classes), np.nan)
    values = span.numbers[span.sketch.grid.number_at[column]]
    return np.where(np.isfinite(values), values, np.nan)


def _stacked(rows: list[IntArray], span: AnsweredSpan) -> IntArray:
    """Inputs of different versions are never alike."""
    return np.stack([*rows, span.versions], axis=1)


def _ranks(values: FloatArray) -> IntArray:
    known = np.isfinite(values)
    ranks = np.full(len(values), -1, np.int64)
    ranks[known] = np.unique(values[known], return_inverse=True)[1].reshape(-1)
    return ranks


def _rounded(values: FloatArray, reference: PaneSketch, column: Column) -> IntArray:
    place = reference.grid.number_at.get(column)
    usual = None if place is None else binned(reference.numbers, place)
    if usual is None or not usual.counts.any():
        return _ranks(values)
    edges = np.unique(quantiles_of(usual, np.arange(1, COARSE) / COARSE))
    return np.where(np.isfinite(values), np.searchsorted(edges, values, side="right"), -1)

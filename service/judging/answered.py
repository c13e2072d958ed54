"""What a window's sketch tells of its predictions: by score and decision, or by predicted value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from service.messages import PREDICTION, SCORE
from service.performance.counting import BinaryCounting, RegressionCounting
from service.performance.expectation import (
    NO_DECISIONS,
    NO_SCORES,
    NO_VALUES,
    NOT_BY_SCORE,
    NOT_PROBABILITIES,
)
from service.performance.rows import BinnedRows, WindowRows, scored_rows
from service.reference.bins import binned

if TYPE_CHECKING:
    from service.messages import Column
    from service.performance.counting import Counting
    from service.sketches.pane import PaneSketch

_UNKNOWN_SHARE = 0.01
"""So many of the rows with a score may have no decision, and the other way about."""


def predictions_of(sketch: PaneSketch, counting: Counting) -> WindowRows | str:
    """The rows of a window; the reason where it cannot be told what they are expected to turn out as."""
    if isinstance(counting, RegressionCounting):
        return _values(sketch, PREDICTION) or NO_VALUES
    scores = _values(sketch, SCORE)
    if scores is None:
        return NO_SCORES
    positive = _positive(sketch, counting) if isinstance(counting, BinaryCounting) else NO_DECISIONS
    return scored_rows(scores, positive, sketch.inferences) or NOT_PROBABILITIES


def _values(sketch: PaneSketch, column: Column) -> BinnedRows | None:
    """The numbers of a column; None when there are none."""
    place = sketch.grid.number_at.get(column)
    if place is None or not sketch.numbers.column_counts(place).any():
        return None
    return BinnedRows(*binned(sketch.numbers, place))


def _positive(sketch: PaneSketch, counting: BinaryCounting) -> int | str:
    """How many rows were decided positive, if those are the ones with the highest scores; why it is not known, if not.

    A sketch has scores and decisions apart; the rows that it has kept as they came tell whether one follows the other.
    """
    place = sketch.grid.text_at.get(PREDICTION)
    if place is None:
        return NO_DECISIONS
    categories, counts = sketch.grid.texts[place].categories, sketch.categories.column_counts(place)
    unseen = sketch.categories.unseen[place]
    is_positive = np.array([counting.is_positive(name) for name in categories], np.bool_)
    positive = int(counts[is_positive].sum()) + sum(
        n for name, n in unseen.counts.items() if counting.is_positive(name)
    )
    decided = int(counts.sum()) + unseen.total
    scored = int(sketch.numbers.column_counts(sketch.grid.number_at[SCORE]).sum())
    if abs(decided - scored) > _UNKNOWN_SHARE * scored:
        return NO_DECISIONS
    return _unless_they_differ(sketch, is_positive) or round(positive * scored / decided)


def _unless_they_differ(sketch: PaneSketch, is_positive: NDArray[np.bool_]) -> str | None:
    """None where no kept row that is decided negative has a higher score than one that is decided positive."""
    scores = sketch.sample.values[sketch.grid.number_at[SCORE]]
    known = np.isfinite(scores) & ~np.isnan(sketch.sample.predictions)
    if not known.any():
        return NO_DECISIONS
    positive = is_positive[sketch.sample.predictions[known].astype(np.int64)]
    above, below = scores[known][positive], scores[known][~positive]
    return NOT_BY_SCORE if len(above) and len(below) and above.min() < below.max() else None

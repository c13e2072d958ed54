"""A sketch tells the predictions of a window as far as scores and decisions, which it counts apart, allow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from detectors.performance.regression_counts import RegressionScales
from service.intake.cells import text_column
from service.judging.answered import predictions_of
from service.messages import PREDICTION, SCORE, Batch, Stream, TextColumn
from service.performance.counting import BinaryCounting, MulticlassCounting, RegressionCounting
from service.performance.rows import BinnedRows, ScoredRows
from service.sketches.grids import Grid, category_grid, number_grid
from service.sketches.pane import PaneSketch

UNIFORM = np.linspace(0, 1, 1_001)
GRID = Grid((number_grid(SCORE, UNIFORM),), (category_grid(PREDICTION, {"yes": 1, "no": 1}),))
COUNTING = BinaryCounting("yes")


def sketch(
    scores: Sequence[float] | np.ndarray, said: Sequence[str | None] | np.ndarray, grid: Grid = GRID
) -> PaneSketch:
    """What a pane keeps of these predictions."""
    n = len(scores)
    ids = np.random.default_rng(1).integers(1, 2**63, n).astype(np.uint64)
    texts = [text_column([None if one is None else str(one) for one in said])] if grid.texts else []
    numbers = np.array([scores], np.float64) if grid.numbers else np.empty((0, n))
    made = PaneSketch(grid)
    made.add(
        Batch("churn", 1, Stream.INFERENCE, np.arange(n), np.zeros(n, np.int64), ids,
              TextColumn(np.zeros(n, np.int32), ("",)), numbers, texts),
        slice(None),
    )  # fmt: skip
    return made


def test_decisions_by_a_threshold_are_those_of_the_highest_scores() -> None:
    scores = np.random.default_rng(2).permutation(UNIFORM)
    found = predictions_of(sketch(scores, np.where(scores >= 0.3, "yes", "no")), COUNTING)
    assert isinstance(found, ScoredRows)
    assert (found.positive, found.n) == ((UNIFORM >= 0.3).sum(), 1_001)
    named = predictions_of(sketch(scores, np.where(scores >= 0.3, "si", "no")), BinaryCounting("si"))
    assert isinstance(named, ScoredRows)
    assert named.positive == found.positive


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        (lambda scores: np.where(scores >= 0.3, "no", "yes"), "decisions_do_not_follow_the_score"),
        (lambda scores: np.where(scores % 0.2 >= 0.1, "yes", "no"), "decisions_do_not_follow_the_score"),
        (lambda scores: [None if s < 0.1 else "yes" for s in scores], "no_decisions_beside_scores"),
    ],
)
def test_other_decisions_are_not_guessed(says: object, reason: str) -> None:
    assert callable(says)
    found = predictions_of(sketch(UNIFORM, says(UNIFORM)), COUNTING)
    assert isinstance(found, ScoredRows)
    assert found.positive == reason
    assert found.counts.sum() == 1_001


def test_a_grid_without_decisions_or_scores_tells_none() -> None:
    without = Grid(GRID.numbers, ())
    found = predictions_of(sketch(UNIFORM, UNIFORM, without), COUNTING)
    assert isinstance(found, ScoredRows)
    assert found.positive == "no_decisions_beside_scores"
    assert predictions_of(sketch(["yes"], ["yes"], Grid((), GRID.texts)), COUNTING) == "no_scores"
    assert predictions_of(sketch([np.nan], ["yes"]), COUNTING) == "no_scores"
    assert predictions_of(sketch([50.0], ["yes"]), COUNTING) == "scores_beyond_0_to_1"


def test_several_classes_need_no_decision_and_numbers_are_told_by_bin() -> None:
    several = predictions_of(sketch(UNIFORM, ["a"] * 1_001), MulticlassCounting(("a", "b")))
    assert isinstance(several, ScoredRows)
    grid = Grid((number_grid(PREDICTION, UNIFORM * 40),), ())
    counting = RegressionCounting(RegressionScales(0.0, 1.0, 1.0))
    found = predictions_of(sketch(UNIFORM * 40, UNIFORM, grid), counting)
    assert isinstance(found, BinnedRows)
    assert (found.counts.sum(), found.low, found.high) == (1_001, 0.0, 40.0)
    assert predictions_of(sketch([np.nan], [""], grid), counting) == "no_predicted_values"

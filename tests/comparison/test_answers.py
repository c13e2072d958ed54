"""Answers of two versions are compared where both have some, numbers as numbers and classes as classes."""

from __future__ import annotations

import numpy as np
import pytest

from service.comparison.answers import answers_beside
from service.messages import LATENCY, PREDICTION
from service.sketches.grids import Grid, number_grid
from service.sketches.pane import PaneSketch
from tests.sketches.rows import batch_of, sketch_of


def test_what_one_version_never_answers_is_left_out() -> None:
    scored, decided = (
        sketch_of(batch_of([{"score": 0.5}] * 40)),
        sketch_of(batch_of([{"answer": "yes"}] * 40)),
    )
    both = sketch_of(batch_of([{"score": 0.5, "answer": "yes"}] * 40))
    assert [one.column for one in answers_beside(both, both)] == ["prediction", "score"]
    assert [one.column for one in answers_beside(both, scored)] == ["score"]
    assert answers_beside(scored, decided) == ()
    assert answers_beside(PaneSketch(scored.grid), both) == ()


def test_few_rows_are_told_without_a_distance() -> None:
    few = sketch_of(batch_of([{"answer": "yes"}] * 3))
    (told,) = answers_beside(few, few)
    assert (told.version.rows, told.version.classes, told.distance, told.p_value) == (
        3,
        {"yes": 1.0},
        None,
        None,
    )


def test_classes_beyond_the_commonest_ten_and_those_that_the_grid_does_not_know_count_in_the_distance() -> (
    None
):
    def said(*counts: int) -> PaneSketch:
        events = [{"answer": f"class {place:02}"} for place, n in enumerate(counts) for _ in range(n)]
        return sketch_of(batch_of(events))

    (told,) = answers_beside(said(*[20] * 10, 0, 100), said(*[20] * 10, 100, 0))
    assert len(told.version.classes) == 10
    assert told.distance == pytest.approx(1 / 3)


def test_predicted_numbers_have_quantiles_and_a_distance() -> None:
    grid = Grid(
        (number_grid(PREDICTION, np.linspace(0, 100, 500)), number_grid(LATENCY, np.linspace(1, 50, 500)))
    )

    def predicted(shift: float) -> PaneSketch:
        sketch = PaneSketch(grid)
        values = np.linspace(0, 10, 500) + shift
        sketch.inferences = len(values)
        sketch.numbers.add(np.stack([values, np.full(500, 5.0)]))
        return sketch

    prediction, latency = answers_beside(predicted(3.0), predicted(0.0))
    assert prediction.version.quantiles["0.5"] - prediction.against.quantiles["0.5"] == pytest.approx(
        3, abs=0.2
    )
    assert (prediction.method, prediction.distance) == (
        "wasserstein",
        pytest.approx(3 / np.sqrt(100 / 12), abs=0.1),
    )
    assert latency.distance == pytest.approx(0.0)

"""Sampled predictions and labels keep their meaning on another grid."""

from __future__ import annotations

import numpy as np
import pytest

from service.messages import LABEL, PREDICTION
from service.reference.profile import without_rows
from service.reference.regrid import regrid_sketch
from service.sketches.codec import pane_from_bytes, pane_to_bytes
from service.sketches.grids import CategoryGrid, Grid, default_number_grid
from service.sketches.join import join
from service.sketches.pane import PaneSketch
from tests.sketches.rows import GRID, LABELLED, batch_of, labels_of, sketch_of

ROWS = [
    {"id": f"p-{i}", "amount": float(i), "answer": ["yes", "no", None][i % 3], "truth": ["no", "yes"][i % 2]}
    for i in range(20)
]


def sketch() -> PaneSketch:
    return sketch_of(batch_of(ROWS), labels_of(ROWS), grid=LABELLED)


def pairs(one: PaneSketch) -> list[tuple[float, str | None, str | None]]:
    """Amount, answer and truth of the joined rows."""
    found = join(one.grid, [one.sample], [one.label_sample])
    texts = [
        [None if np.isnan(p) else found.classes[int(p)] for p in places]
        for places in (found.predictions, found.labels)
    ]
    return sorted(zip(found.values[0].tolist(), *texts, strict=True))


def test_classes_that_stand_in_another_order_keep_their_text() -> None:
    texts = (CategoryGrid(PREDICTION, ("maybe", "yes", "no")), CategoryGrid(LABEL, ("yes", "no")))
    moved = regrid_sketch(sketch(), Grid(GRID.numbers, texts))
    assert pairs(moved) == [(row["amount"], row["answer"], row["truth"]) for row in ROWS]
    assert pane_to_bytes(pane_from_bytes(pane_to_bytes(moved), moved.grid)) == pane_to_bytes(moved)


def test_classes_that_the_new_grid_does_not_know_are_unseen() -> None:
    texts = (CategoryGrid(PREDICTION, ("no",)), CategoryGrid(LABEL, ("no",)))
    moved = pairs(regrid_sketch(sketch(), Grid(GRID.numbers, texts)))
    assert {answer for _, answer, _ in moved} == {truth for _, _, truth in moved} == {"no", None}
    assert len(moved) == 20


@pytest.mark.parametrize("grid", [GRID, Grid((*GRID.numbers, default_number_grid(LABEL)), GRID.texts)])
def test_labels_of_another_kind_or_of_none_are_not_kept(grid: Grid) -> None:
    moved = regrid_sketch(sketch(), grid)
    assert len(moved.label_sample.priorities) == 0
    assert moved.sample.predictions.tolist() == pytest.approx(
        sketch().sample.predictions.tolist(), nan_ok=True
    )


def test_a_reference_keeps_no_row_and_no_label_but_its_moments() -> None:
    one = without_rows(sketch())
    assert (len(one.sample.priorities), len(one.sample.predictions), len(one.label_sample.values)) == (
        0,
        0,
        0,
    )
    assert one.moments.rows == 20
    assert one.moments.correlation().tolist() == sketch().moments.correlation().tolist()

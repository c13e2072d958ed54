"""How often the model was wrong on the reference's own rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.intake.cells import text_column
from service.messages import LABEL, PREDICTION, Batch, Stream, TextColumn
from service.reference.errors import Errors
from service.sketches.grids import CategoryGrid, Grid, category_grid, number_grid
from tests.scoring.sketches import AMOUNT, COUNTRY

CLASSES = {"yes": 1, "no": 1}
GRID = Grid(
    (number_grid(AMOUNT, np.linspace(0, 1, 100)),),
    (category_grid(COUNTRY, {"DE": 1}), category_grid(PREDICTION, CLASSES), category_grid(LABEL, CLASSES)),
)
ANSWERS = st.lists(st.tuples(*[st.sampled_from(["yes", "no", "maybe", None])] * 2), max_size=40)


def batch(texts: Sequence[Sequence[str | None]], stream: Stream) -> Batch:
    """Rows of these text columns."""
    n = len(texts[0])
    return Batch(
        "churn", 1, stream, np.arange(n), np.zeros(n, np.int64), np.zeros(n, np.uint64),
        TextColumn(np.zeros(n, np.int32), ("",)), np.empty((0, n)), [text_column(list(column)) for column in texts],
    )  # fmt: skip


def counted(
    said: Sequence[str | None], true: Sequence[str | None], grid: Grid = GRID, **segments: Sequence[int]
) -> dict[str, tuple[int, int]]:
    """Wrong and labelled rows by segment."""
    errors = Errors(grid)
    add(errors, said, true, **segments)
    return errors.counts


def add(
    errors: Errors, said: Sequence[str | None], true: Sequence[str | None], **segments: Sequence[int]
) -> None:
    """Count these rows."""
    named = [(f"country={name}", np.array(rows, np.intp)) for name, rows in segments.items()]
    inferences = batch([["DE"] * len(said), said], Stream.INFERENCE)
    errors.add(inferences, batch([true], Stream.LABEL), named)


@given(ANSWERS)
def test_wrong_and_all_are_the_rows_that_have_both_an_answer_and_a_label(
    rows: list[tuple[str | None, str | None]],
) -> None:
    both = Counter(said == true for said, true in rows if said is not None and true is not None)
    found = counted([said for said, _ in rows], [true for _, true in rows])
    assert found == {"": (both[False], both[True] + both[False])}


def test_each_segment_has_its_own_and_all_rows_have_theirs_over_all_batches() -> None:
    errors = Errors(GRID)
    add(errors, ["yes", "no", "no"], ["yes", "yes", None], DE=[0, 1], FR=[2])
    add(errors, ["yes", "yes"], ["no", "yes"], DE=[0])
    assert errors.counts == {"": (2, 4), "country=DE": (2, 3), "country=FR": (0, 0)}


@pytest.mark.parametrize("left_out", [PREDICTION, LABEL])
def test_a_table_without_predictions_or_without_labels_knows_no_errors(left_out: object) -> None:
    texts: tuple[CategoryGrid, ...] = tuple(one for one in GRID.texts if one.column != left_out)
    assert counted(["yes"], ["no"], Grid(GRID.numbers, texts)) == {}

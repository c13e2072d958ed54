"""Rows and labels of the same id come together out of two samples, whatever parts and order they came in."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from service.messages import LABEL, PREDICTION, Batch, Stream, TextColumn
from service.sketches import label_sample, sample
from service.sketches.codec import pane_from_bytes, pane_to_bytes
from service.sketches.grids import Grid, default_number_grid
from service.sketches.join import JoinedRows, join
from service.sketches.label_sample import LABEL_SALT
from service.sketches.pane import PaneSketch
from tests.sketches.rows import AMOUNT, GRID, LABELLED, Row, batch_of, labels_of, merged, sketch_of

ANSWERS: list[Any] = ["yes", "no", "perhaps", None]
TRUTHS: list[Any] = ["yes", "no", "maybe", "never", None]
CLASSES = {"maybe", "no", "yes"}


def events(n: int, chance: random.Random) -> list[Row]:
    """Inferences with an id; `truth` is what a label event would say of them."""
    return [
        {"id": f"p-{chance.randrange(10**12)}", "offset": i, "amount": chance.gauss(0, 1), "score": i,
         "answer": chance.choice(ANSWERS), "truth": chance.choice(TRUTHS)}
        for i in range(n)
    ]  # fmt: skip


def in_parts(rows: list[Row], parts: int, chance: random.Random) -> list[list[Row]]:
    """The rows, shuffled, in so many parts."""
    rows = chance.sample(rows, len(rows))
    ends = sorted([0, len(rows), *(chance.randrange(len(rows) + 1) for _ in range(parts - 1))])
    return [rows[a:b] for a, b in pairwise(ends) if a < b]


def sketches_of(rows: list[Row], labelled: list[Row], parts: int, chance: random.Random) -> list[PaneSketch]:
    """Sketches of panes: each holds some of the rows, and some of the labels, of other rows mostly."""
    return [
        *(sketch_of(batch_of(part), grid=LABELLED) for part in in_parts(rows, parts, chance)),
        *(sketch_of(labels_of(part), grid=LABELLED) for part in in_parts(labelled, parts + 1, chance)),
    ]


def joined(sketch: PaneSketch) -> JoinedRows:
    return join(sketch.grid, [sketch.sample], [sketch.label_sample])


def rank(row: Row) -> int:
    return xxhash.xxh3_64_intdigest(row["id"].encode())


def text(place: float, classes: tuple[str, ...]) -> str | None:
    return None if np.isnan(place) else classes[int(place)]


def said(found: JoinedRows) -> list[tuple[object, ...]]:
    """Hash, amount, answer and truth of each joined row."""
    amounts = found.values[found.columns.index(AMOUNT)]
    answers, truths = (
        [text(p, found.classes) for p in places] for places in (found.predictions, found.labels)
    )
    return list(zip(found.priorities.tolist(), amounts.tolist(), answers, truths, strict=True))


def plain_join(rows: list[Row], labelled: list[Row]) -> list[tuple[object, ...]]:
    """By a dictionary of the ids with the smallest hashes on either side."""
    kept = sorted(rows, key=rank)[: sample.SIZE]
    truths = {row["id"]: row["truth"] for row in sorted(labelled, key=rank)[: label_sample.SIZE]}
    return [
        (rank(row), row["amount"], row["answer"] if row["answer"] in {"no", "yes"} else None,
         truths[row["id"]] if truths[row["id"]] in CLASSES else None)
        for row in kept if row["id"] in truths
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("n", "share"), [(1, 1.0), (50, 0.5), (400, 0.0), (600, 0.3), (1_500, 1.0)])
def test_samples_of_any_parts_join_as_a_dictionary_of_ids_does(n: int, share: float, seed: int) -> None:
    chance = random.Random(seed)
    rows = events(n, chance)
    labelled = [row for row in rows if chance.random() < share] + events(n // 3 + 1, chance)
    sketches = sketches_of(rows, labelled, chance.randint(1, 5), chance)
    assert said(joined(merged(sketches, LABELLED))) == plain_join(rows, labelled)
    chance.shuffle(sketches)
    reread = [pane_from_bytes(pane_to_bytes(sketch), LABELLED) for sketch in sketches]
    assert said(joined(merged(reread, LABELLED))) == plain_join(rows, labelled)


def test_when_all_is_labelled_every_sampled_row_is_joined() -> None:
    rows = events(5_000, random.Random(1))
    found = joined(merged(sketches_of(rows, rows, 3, random.Random(2)), LABELLED))
    assert len(found.labels) == sample.SIZE
    assert found.classes == ("maybe", "no", "yes")


def test_samples_of_several_panes_side_by_side_join_more_rows() -> None:
    rows = events(1_000, random.Random(1))
    sketches = sketches_of(rows, rows, 4, random.Random(2))
    found = join(LABELLED, [one.sample for one in sketches], [one.label_sample for one in sketches])
    pairs = {rank(row): row for row in rows}
    assert len(found.labels) > 2 * sample.SIZE
    assert [pairs[hashed]["amount"] for hashed in found.priorities.tolist()] == found.values[0].tolist()
    truths = [pairs[hashed]["truth"] for hashed in found.priorities.tolist()]
    assert [text(p, found.classes) for p in found.labels] == [t if t in CLASSES else None for t in truths]


def test_an_id_that_comes_twice_on_either_side_joins_nothing() -> None:
    one, two, three = events(3, random.Random(1))
    rows = sketch_of(batch_of([one, two, three, {**one, "amount": 9.0}]), grid=LABELLED)
    rows.add(labels_of([one, two, three, {**two, "truth": "maybe"}]), slice(None))
    assert joined(rows).priorities.tolist() == [rank(three)]


def test_rows_and_labels_without_an_id_join_nothing() -> None:
    rows = [{"offset": i, "amount": 1.0, "answer": "yes", "truth": "no"} for i in range(9)]
    sketch = sketch_of(batch_of(rows), labels_of(rows), grid=LABELLED)
    assert len(sketch.sample.priorities) == 9
    assert (len(sketch.label_sample.priorities), len(joined(sketch).labels)) == (0, 0)


def test_the_answers_decide_between_rows_that_are_else_the_same() -> None:
    rows = [{"id": "p-1", "amount": 1.0, "score": 0.5, "answer": answer} for answer in ("yes", "no", None)]
    first, last = (sketch_of(batch_of(order), grid=LABELLED) for order in (rows, rows[::-1]))
    assert pane_to_bytes(first) == pane_to_bytes(last)


def numbers_batch(stream: Stream, values: list[float]) -> Batch:
    n = len(values)
    ids = np.arange(1, n + 1, dtype=np.uint64) ^ (LABEL_SALT if stream is Stream.LABEL else np.uint64(0))
    none = TextColumn(np.zeros(n, np.int32), ("",))
    return Batch("m", 1, stream, np.arange(n), np.arange(n), ids, none, np.array([values]), ())


def test_predictions_and_labels_that_are_numbers_are_joined_as_numbers() -> None:
    grid = Grid((default_number_grid(PREDICTION), default_number_grid(LABEL)))
    sketch = sketch_of(
        numbers_batch(Stream.INFERENCE, [1.5, 2.5, np.nan]),
        numbers_batch(Stream.LABEL, [10.0, np.nan, 30.0, 40.0]), grid=grid,
    )  # fmt: skip
    found = joined(pane_from_bytes(pane_to_bytes(sketch), grid))
    assert found.predictions.tolist() == pytest.approx([1.5, 2.5, np.nan], nan_ok=True)
    assert found.labels.tolist() == pytest.approx([10.0, np.nan, 30.0], nan_ok=True)
    assert (found.classes, found.columns) == ((), (PREDICTION,))


def test_predictions_of_another_kind_than_the_labels_are_not_compared() -> None:
    grid = Grid((default_number_grid(LABEL),), (GRID.texts[1],))
    assert grid.texts[0].column == PREDICTION
    answers = TextColumn(np.array([0, 1], np.int32), ("yes", "no"))
    batch = numbers_batch(Stream.INFERENCE, [0.0, 0.0])
    inferences = Batch(
        "m",
        1,
        batch.stream,
        batch.offsets,
        batch.ts_ms,
        batch.ids,
        batch.versions,
        np.empty((0, 2)),
        [answers],
    )
    found = joined(sketch_of(inferences, numbers_batch(Stream.LABEL, [1.0, 2.0]), grid=grid))
    assert found.labels.tolist() == [1.0, 2.0]
    assert np.isnan(found.predictions).all()


def test_a_grid_without_predictions_and_labels_joins_nothing() -> None:
    sketch = sketch_of(batch_of(events(5, random.Random(1))))
    found = joined(sketch)
    assert (found.values.shape, len(found.predictions), found.classes) == ((2, 0), 0, ())


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.integers(0, 900), st.sampled_from(TRUTHS)), min_size=1, max_size=900),
    st.randoms(use_true_random=False),
)
def test_labels_in_any_batches_and_parts_give_the_same_bytes(
    pairs: list[tuple[int, Any]], chance: random.Random
) -> None:
    rows: list[Row] = [{"id": str(number), "truth": truth} for number, truth in pairs]
    at_once = sketch_of(labels_of(rows), grid=LABELLED)
    parts = in_parts(rows, 4, chance)
    assert pane_to_bytes(sketch_of(*map(labels_of, parts), grid=LABELLED)) == pane_to_bytes(at_once)
    alone = (sketch_of(labels_of(part), grid=LABELLED) for part in parts)
    assert pane_to_bytes(merged(alone, LABELLED)) == pane_to_bytes(at_once)
    assert len(at_once.label_sample.priorities) == min(len(rows), label_sample.SIZE)

"""A reference can be learned from live panes, counted on whatever grid."""

from __future__ import annotations

import numpy as np
import pytest

from service.messages import LABEL, PREDICTION, Batch, Column, ExtraColumn, Missing, Role, Stream, TextColumn
from service.monitor import Task
from service.reference.describe import as_document
from service.reference.learning import Parts, profile_from_sketch
from service.reference.profile import profile_from_bytes, profile_to_bytes
from service.sketches.grids import Grid, default_number_grid
from service.sketches.pane import PaneSketch
from tests.reference.tables import OUTPUTS, built, feature, mixed_columns, summary, write_csv

N = 20_000


def batch(numbers=(), extras=None, stream=Stream.INFERENCE) -> Batch:
    ids = np.random.default_rng(3).integers(1, 2**63, N).astype(np.uint64)
    return Batch(
        "m", 1, stream, np.arange(N), 1_700_000_000_000 + np.arange(N), ids,
        TextColumn(np.zeros(N, np.int32), ("",)), np.array(numbers, float).reshape(-1, N), (), extras or {},
    )  # fmt: skip


def learned(task=Task.NONE, grid=None, **parts):
    sketch = PaneSketch(grid or Grid())
    sketch.add(batch(**parts), slice(None))
    return profile_from_sketch("learned", "m", task, sketch)


@pytest.mark.parametrize("mean", [10.0, -3.0])
def test_quantiles_learned_from_a_log_grid_are_within_one_of_its_bins(mean) -> None:
    values = np.random.default_rng(1).normal(mean, 4, N)
    grid = Grid((default_number_grid(feature("x")),))
    made = learned(grid=grid, numbers=[values])
    edges = grid.numbers[0].edges
    for share, learned_value in zip(
        (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99), summary(made, "x").quantiles, strict=True
    ):
        bin_of = [
            np.searchsorted(edges, v, side="right") for v in (learned_value, np.quantile(values, share))
        ]
        assert abs(int(bin_of[0]) - int(bin_of[1])) <= 1
    assert made.sketch.numbers.counts.sum() == N


@pytest.mark.parametrize("top", [2, 12, 40])
def test_a_column_of_integers_is_learned_on_its_integers(top) -> None:
    values = np.random.default_rng(1).integers(0, top, N)
    made = learned(grid=Grid((default_number_grid(feature("x")),)), numbers=[values])
    counted = made.sketch.numbers.column_counts(0)
    starts = made.grid.numbers[0].edges[np.flatnonzero(counted) - 1]
    assert starts.tolist() == list(range(top))
    assert summary(made, "x").integer


def test_a_frequent_value_that_the_kept_rows_show_gets_a_bin_of_its_own() -> None:
    rng = np.random.default_rng(1)
    values = np.where(rng.random(N) < 0.4, 12.5, rng.uniform(11, 14, N))
    made = learned(grid=Grid((default_number_grid(feature("x")),)), numbers=[values])
    edges, counts = made.grid.numbers[0].edges, made.sketch.numbers.column_counts(0)
    assert counts[np.searchsorted(edges, 12.5, side="right")] == pytest.approx(0.4 * N, rel=0.35)


def test_a_reference_learned_from_a_sketch_on_quantile_edges_has_its_quantiles(tmp_path) -> None:
    known = built(write_csv(tmp_path / "t.csv", mixed_columns(5_000)), **OUTPUTS)
    made = profile_from_sketch("again", "m", Task.BINARY, known.sketch)
    for one in known.columns:
        again = summary(made, one.column.name)
        assert (again.low, again.high, again.top, again.missing) == (one.low, one.high, one.top, one.missing)
        assert again.quantiles == pytest.approx(one.quantiles, rel=0.05, abs=0.05 * (one.std or 0))


def test_extras_become_columns_of_the_kind_that_most_of_their_rows_have() -> None:
    x = np.random.default_rng(1).lognormal(3, 1, N)
    colour = TextColumn((np.arange(N) % 3).astype(np.int32), ("red", "blue", int(Missing.NULL)))
    extras = {feature("x"): ExtraColumn(x, None), feature("colour"): ExtraColumn(None, colour)}
    made = learned(extras=extras)
    assert summary(made, "x").numeric
    assert summary(made, "colour").top == (("blue", 6_667), ("red", 6_667))
    assert summary(made, "colour").missing[Missing.NULL] == 6_666
    assert summary(made, "x").mean == pytest.approx(x.mean(), rel=0.05)


def test_two_classes_learned_from_numbers_are_exact() -> None:
    answers = (np.arange(N) % 4 == 0).astype(float)
    made = learned(Task.BINARY, extras={PREDICTION: ExtraColumn(answers, None)})
    assert summary(made, "prediction").top == (("0", 15_000), ("1", 5_000))


def test_labels_of_a_regression_stay_numbers() -> None:
    made = learned(Task.REGRESSION, extras={LABEL: ExtraColumn(np.arange(N) / 7, None)}, stream=Stream.LABEL)
    assert made.grid.number_at == {LABEL: 0}
    assert (made.rows, made.sketch.labels) == (N, N)


def test_a_learned_profile_can_be_saved_and_shown() -> None:
    made = learned(
        grid=Grid((default_number_grid(feature("x")),)), numbers=[np.random.default_rng(1).normal(size=N)]
    )
    assert profile_to_bytes(profile_from_bytes(profile_to_bytes(made))) == profile_to_bytes(made)
    assert as_document(made)["blocks"] == 0
    assert made.first_ms == 1_700_000_000_000


def test_an_empty_sketch_makes_an_empty_profile() -> None:
    made = profile_from_sketch("none", "m", Task.NONE, PaneSketch(Grid((default_number_grid(feature("x")),))))
    assert (made.rows, made.first_ms, summary(made, "x").low) == (0, None, None)


# ---------------------------------------------------------------- parts
def sketch_of(values, grid, extras=None) -> PaneSketch:
    n = len(values)
    sketch = PaneSketch(grid)
    ids = np.random.default_rng(n).integers(1, 2**63, n).astype(np.uint64)
    versions = TextColumn(np.zeros(n, np.int32), ("",))
    numbers = np.array([values], float) if grid.numbers else np.empty((0, n))
    rows = Batch(
        "m", 1, Stream.INFERENCE, np.arange(n), np.arange(n), ids, versions, numbers, (), extras or {}
    )
    sketch.add(rows, slice(None))
    return sketch


def parted(columns, grid, parts=10):
    """A profile of consecutive parts of a column."""
    blocks = [sketch_of(values, grid) for values in np.array_split(columns, parts)]
    whole = PaneSketch(grid)
    for block in blocks:
        whole.merge(block)
    return profile_from_sketch("p", "m", Task.NONE, whole, Parts(blocks, {"x=1": blocks[0]}))


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(1).normal(10, 4, N),
        np.random.default_rng(1).integers(0, 40, N),
        np.where(np.random.default_rng(1).random(N) < 0.4, 12.5, np.random.default_rng(2).uniform(11, 14, N)),
    ],
    ids=["smooth", "integers", "one frequent value"],
)
def test_parts_are_on_the_grid_of_the_whole_and_add_up_to_it(values) -> None:
    """Whatever is made of a bin's rows is made alike of the whole and of its parts: no part only seems to differ."""
    made = parted(values, Grid((default_number_grid(feature("x")),)))
    assert made.ordered
    assert [block.inferences for block in made.blocks] == [N // 10] * 10
    whole = made.sketch.numbers.column_counts(0)
    summed = sum(block.numbers.column_counts(0) for block in made.blocks)
    # Parts are rounded one by one: no bin is off by more than one row a part.
    assert np.abs(summed - whole).max() <= 10
    moved = [np.abs(b.numbers.column_counts(0) / (N / 10) - whole / N).sum() / 2 for b in made.blocks]
    by_chance = np.sqrt(2 / np.pi) * np.sqrt(whole / N / (N / 10)).sum() / 2
    assert np.mean(moved) < 1.3 * by_chance
    assert (
        made.segments["x=1"].numbers.column_counts(0).tolist()
        == made.blocks[0].numbers.column_counts(0).tolist()
    )


def test_a_part_without_a_column_of_the_whole_has_it_absent() -> None:
    grid = Grid()
    colour = TextColumn(np.zeros(100, np.int32), ("red",))
    with_it = sketch_of(np.zeros(100), grid, {feature("colour"): ExtraColumn(None, colour)})
    without = sketch_of(np.zeros(50), grid)
    whole = PaneSketch(grid)
    whole.merge(with_it)
    whole.merge(without)
    made = profile_from_sketch("p", "m", Task.NONE, whole, Parts([with_it, without]))
    first, second = made.blocks
    assert first.categories.column_counts(0).tolist() == [100]
    assert (second.categories.column_counts(0).tolist(), second.categories.missing[0][Missing.ABSENT]) == (
        [0],
        50,
    )


def test_parts_hold_no_raw_row_and_can_be_saved() -> None:
    made = parted(np.random.default_rng(1).normal(size=N), Grid((default_number_grid(feature("x")),)))
    assert profile_to_bytes(profile_from_bytes(profile_to_bytes(made))) == profile_to_bytes(made)
    assert all(
        len(part.sample.priorities) == 0 for part in (made.sketch, *made.blocks, *made.segments.values())
    )


def test_the_columns_of_rules_are_not_learned() -> None:
    grid = Grid((default_number_grid(feature("x")), default_number_grid(Column(Role.RULE, "sum"))))
    sketch = PaneSketch(grid)
    sketch.add(batch([np.ones(N), np.zeros(N)]), slice(None))
    assert profile_from_sketch("p", "m", Task.NONE, sketch).grid.number_at.keys() == {feature("x")}

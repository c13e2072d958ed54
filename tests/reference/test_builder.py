"""A reference counts a table exactly, whatever its format, in one pass."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import zstandard
from pyarrow import parquet

from service.configuration import ModelVersion
from service.intake.assembly import Assembly
from service.messages import LABEL, PREDICTION, SCORE, Missing, Stream
from service.monitor import Monitor, Task
from service.reference.builder import build_reference
from service.reference.profile import profile_to_bytes
from service.reference.regrid import regrid_counts
from service.reference.specification import ReferenceSpec
from service.sketches.pane import PaneSketch
from tests.reference.tables import OUTPUTS, built, feature, mixed_columns, summary, write_csv, written

DATA = Path(__file__).parents[2] / "service" / "demo" / "data"


@pytest.fixture
def columns():
    return mixed_columns(5_000)


@pytest.fixture
def bank(tmp_path, columns):
    return write_csv(tmp_path / "bank.csv", columns, ";")


@pytest.mark.parametrize("name", ["age", "balance", "pdays"])
def test_the_counts_in_bins_are_those_of_numpy(bank, columns, name) -> None:
    made = built(bank, **OUTPUTS)
    place = made.grid.number_at[feature(name)]
    edges = np.concatenate([[-np.inf], made.grid.numbers[place].edges, [np.inf]])
    expected = np.histogram(columns[name].astype(float), edges)[0]
    assert made.sketch.numbers.column_counts(place).tolist() == expected.tolist()


@pytest.mark.parametrize("name", ["age", "balance", "pdays", "score"])
def test_moments_and_quantiles_are_those_of_numpy_within_the_stated_resolution(bank, columns, name) -> None:
    values = columns[{"score": "p"}.get(name, name)].astype(float)
    made = summary(built(bank, **OUTPUTS), name)
    clipped = np.clip(values, values.mean() - 128 * values.std(), values.mean() + 128 * values.std())
    assert made.mean == pytest.approx(clipped.mean(), abs=values.std() / 1024)
    assert made.std == pytest.approx(clipped.std(), rel=2e-3)
    assert (made.low, made.high) == (values.min(), values.max())
    below = np.array([(values <= q).mean() for q in made.quantiles])
    above = np.array([(values >= q).mean() for q in made.quantiles])
    shares = np.array([0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
    assert (below >= shares - 1 / 200).all()
    assert (above >= 1 - shares - 1 / 200).all()


def test_categories_missing_cells_and_facts_are_exact(tmp_path) -> None:
    table = written(tmp_path / "t.csv", "n,c,k\n1,x,5\n,y,5\n3,,5\n3,x,5\n")
    made = built(table)
    assert summary(made, "n").missing[Missing.NULL] == 1
    assert summary(made, "n").integer
    assert summary(made, "n").distinct == 2
    assert summary(made, "c").top == (("x", 2), ("y", 1))
    assert summary(made, "c").missing_ratio == 0.25
    assert summary(made, "k").constant


def test_a_table_of_mixed_columns_is_understood(bank) -> None:
    made = built(bank, **OUTPUTS)
    assert made.task is Task.BINARY
    assert {one.column.name for one in made.columns if one.numeric} == {"age", "balance", "pdays", "score"}
    assert summary(made, "job").top[-1][0] == "retired; gone"
    assert summary(made, "pdays").low == -1
    assert (made.rows, made.sketch.inferences, made.sketch.labels) == (5_000, 5_000, 5_000)
    assert made.warnings == ()


def test_no_raw_row_is_kept(bank) -> None:
    made = built(bank, **OUTPUTS)
    for sketch in (made.sketch, *made.blocks):
        assert len(sketch.sample.priorities) == len(sketch.label_sample.priorities) == 0


def test_which_columns_move_together_is_kept(bank) -> None:
    made = built(bank, **OUTPUTS)
    moments = made.sketch.moments
    assert (moments.rows, [column.name for column in moments.columns]) == (
        5_000, ["age", "balance", "pdays", "score"],
    )  # fmt: skip
    assert sum(block.moments.rows for block in made.blocks) == sum(block.inferences for block in made.blocks)
    table = mixed_columns(5_000)
    expected = np.corrcoef(table["age"], table["pdays"])
    assert moments.correlation()[np.ix_([0, 2], [0, 2])] == pytest.approx(expected, abs=1e-3)


def test_the_same_file_gives_the_same_bytes_and_so_does_a_compressed_one(tmp_path, bank) -> None:
    packed = tmp_path / "bank.csv.gz"
    packed.write_bytes(gzip.compress(bank.read_bytes()))
    tight = tmp_path / "bank.csv.zst"
    tight.write_bytes(zstandard.compress(bank.read_bytes()))
    expected = profile_to_bytes(built(bank, **OUTPUTS))
    assert [profile_to_bytes(built(path, **OUTPUTS)) == expected for path in (bank, packed, tight)] == [
        True
    ] * 3


def test_parquet_and_csv_of_the_same_rows_give_the_same_profile(tmp_path, columns) -> None:
    columns["age"] = pa.array(columns["age"], mask=np.arange(5_000) % 10 == 0)
    columns["member"] = np.arange(5_000) % 3 == 0
    columns["when"] = 1_700_000_000_000 + np.arange(5_000) * 60_000
    as_csv = write_csv(tmp_path / "t.csv", columns)
    parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    made = [profile_to_bytes(built(p, time="when", **OUTPUTS)) for p in (as_csv, tmp_path / "t.parquet")]
    assert made[0] == made[1]


@pytest.mark.parametrize("unit", ["ms", "us"])
def test_a_parquet_file_may_hold_its_times_as_timestamps(tmp_path, unit) -> None:
    when = pa.array([1_700_000_000_000, 1_700_000_060_000]).cast(pa.timestamp("ms")).cast(pa.timestamp(unit))
    parquet.write_table(pa.table({"x": [1.5, 2.5], "when": when}), tmp_path / "t.parquet")
    made = built(tmp_path / "t.parquet", time="when")
    assert (made.first_ms, made.last_ms) == (1_700_000_000_000, 1_700_000_060_000)


def test_streaming_beyond_the_buffer_counts_as_all_at_once_does_on_the_same_grid(bank) -> None:
    whole, streamed = built(bank, **OUTPUTS), built(bank, head_rows=1_000, **OUTPUTS)
    assert streamed.rows == whole.rows
    assert len(streamed.blocks) == len(whole.blocks)
    for one in whole.columns:
        other = summary(streamed, one.column.name)
        assert (other.rows, other.missing, other.distinct) == (one.rows, one.missing, one.distinct)
        assert (other.low, other.high, other.integer, other.top) == (one.low, one.high, one.integer, one.top)
    place, there = whole.grid.number_at[SCORE], streamed.grid.number_at[SCORE]
    edges = streamed.grid.numbers[there].edges
    moved = regrid_counts(
        whole.grid.numbers[place].edges, whole.sketch.numbers.column_counts(place), 0.0, 1.0, edges
    )
    assert (
        np.abs(np.cumsum(moved) - np.cumsum(streamed.sketch.numbers.column_counts(there))).max() < 5_000 / 50
    )


def test_a_text_that_comes_after_the_buffer_in_a_column_of_numbers_is_counted_and_told(tmp_path) -> None:
    rows = [*(str(i) for i in range(100)), "n/a", "oops"]
    made = built(written(tmp_path / "t.csv", "x\n" + "\n".join(rows) + "\n"), head_rows=50)
    assert summary(made, "x").missing[Missing.WRONG_TYPE] == 2
    assert made.warnings == (
        "2 of 102 rows hold no number in 'x', though the first 50 rows do: they count as wrong_type",
    )


def test_blocks_are_consecutive_equally_long_and_at_most_64(tmp_path) -> None:
    made = built(write_csv(tmp_path / "t.csv", {"x": np.arange(10_000)}))
    assert {block.inferences for block in made.blocks} == {256}
    assert [float(block.numbers.low[0]) for block in made.blocks] == [256.0 * i for i in range(39)]
    assert not made.ordered


def test_the_blocks_of_a_file_of_unordered_times_follow_time(tmp_path) -> None:
    when = np.random.default_rng(1).permutation(1_000)
    columns = {"x": when, "when": 1_700_000_000 + when}
    made = built(write_csv(tmp_path / "t.csv", columns), time="when")
    assert made.ordered
    assert [float(block.numbers.low[0]) for block in made.blocks] == [32.0 * i for i in range(31)]
    assert (made.first_ms, made.last_ms) == (1_700_000_000_000, 1_700_000_999_000)


def test_times_that_go_back_after_the_buffer_are_told(tmp_path) -> None:
    columns = {"x": np.arange(200), "when": 1_700_000_000 - np.arange(200)}
    made = built(write_csv(tmp_path / "t.csv", columns), head_rows=100, time="when")
    assert not made.ordered
    assert "the times go back" in made.warnings[0]


@pytest.mark.parametrize(
    ("label", "prediction", "task"),
    [
        ([0, 1, 1, 0], [1, 0, 1, 0], Task.BINARY),
        (["yes", "no", "no", "yes"], ["yes", "no", "no", "yes"], Task.BINARY),
        ([0, 1, 2, 0], [1, 0, 1, 0], Task.MULTICLASS),
        ([1, 2, 3, 4], [1.5, 2.5, 3.5, 4.5], Task.REGRESSION),
        ([0.5, 1.0, 2.0, 7.0], [1, 1, 2, 7], Task.REGRESSION),
        ([True, False, True, False], ["true", "true", "true", "false"], Task.BINARY),
    ],
)
def test_the_task_follows_from_label_and_prediction(tmp_path, label, prediction, task) -> None:
    path = write_csv(tmp_path / "t.csv", {"x": [1, 2, 3, 4], "y": label, "p": prediction})
    made = built(path, label="y", prediction="p")
    assert made.task is task
    as_numbers = {LABEL, PREDICTION} <= made.grid.number_at.keys()
    assert as_numbers == (task is Task.REGRESSION)


def test_a_table_without_answers_has_no_task(tmp_path) -> None:
    assert built(written(tmp_path / "t.csv", "x\n1\n2\n")).task is Task.NONE


@pytest.mark.parametrize("spelled", [("1", "0"), ("1.0", "0.0"), ("1.00", "0e3"), ("+1", "-0")])
def test_classes_are_spelled_as_the_intake_spells_those_of_events(tmp_path, spelled) -> None:
    table = written(tmp_path / "t.csv", "x,y\n1,{}\n2,{}\n3,{}\n".format(*spelled, spelled[0]))
    assert summary(built(table, label="y"), "label").top == (("1", 2), ("0", 1))


@pytest.mark.parametrize("live", [[1, 0, 1], [1.0, 0.0, 1.0], ["1", "0", "1"]])
def test_live_answers_fall_into_the_categories_of_the_reference(tmp_path, live) -> None:
    made = built(written(tmp_path / "t.csv", "x,p\n1,1.0\n2,0.0\n3,1.0\n"), prediction="p")
    assembly = Assembly(ModelVersion(Monitor("bank"), made.grid), Stream.INFERENCE, 3)
    assembly.put(PREDICTION, live)
    column = assembly.texts[made.grid.text_at[PREDICTION]]
    assert {column.values[code] for code in column.codes} == set(made.grid.texts[0].categories)


def test_rows_without_a_label_are_in_no_labels_count(tmp_path) -> None:
    made = built(written(tmp_path / "t.csv", "x,y\n1,a\n2,\n3,b\n"), label="y")
    assert (made.sketch.inferences, made.sketch.labels) == (3, 2)
    assert sum(summary(made, "label").missing) == 0


def test_id_time_version_and_excluded_columns_are_no_features(tmp_path) -> None:
    table = written(tmp_path / "t.csv", "id,t,v,junk,x\n1,2024-01-01,7,a,1\n2,2024-01-02,7,b,2\n")
    made = built(table, id="id", time="t", version="v", exclude=("junk",))
    assert [one.column for one in made.columns] == [feature("x")]


def test_progress_ends_at_the_whole(bank) -> None:
    told: list[tuple[int, int]] = []
    build_reference(bank, ReferenceSpec("bank", "b"), lambda done, total: told.append((done, total)))
    assert told[-1] == (bank.stat().st_size,) * 2
    assert all(done <= total for done, total in told)


@pytest.mark.parametrize(
    ("file", "spec", "rows", "task"),
    [
        ("elec2.csv.gz", {"label": "class"}, 45_312, Task.BINARY),
        (
            "bikeshare_hour.csv.gz",
            {"label": "cnt", "time": "dteday", "id": "instant"},
            17_379,
            Task.REGRESSION,
        ),
    ],
)
def test_the_streams_of_the_demo_are_read_without_a_warning(file, spec, rows, task) -> None:
    made = built(DATA / file, **spec)
    assert (made.rows, made.task, made.warnings) == (rows, task, ())


def test_the_sketch_of_all_rows_is_that_of_its_blocks_and_the_rest(tmp_path) -> None:
    made = built(write_csv(tmp_path / "t.csv", {"x": np.arange(64)}))
    whole = PaneSketch(made.grid)
    for block in made.blocks:
        whole.merge(block)
    assert whole.numbers.counts.tolist() == made.sketch.numbers.counts.tolist()

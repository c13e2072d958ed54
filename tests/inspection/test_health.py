"""Answers beside a reference: what is usual is said to be so, and what is not is told in a word, with its rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from service.inspection.health import NO_REFERENCE, HealthLine, HealthReport, health_of
from service.inspection.health_rows import AnsweredSpan
from service.messages import LATENCY, PREDICTION, SCORE, Batch, Column, Role, Stream, TextColumn
from service.monitor import Task
from service.sketches.grids import CategoryGrid, Grid, category_grid, number_grid
from service.sketches.pane import PaneSketch

AMOUNT, COUNTRY = Column(Role.FEATURE, "amount"), Column(Role.FEATURE, "country")
N = 4_000


class Rows:
    """Answers of a model: classes, scores, latencies, and the amounts and countries they were asked with."""

    def __init__(self, seed: int, n: int = N) -> None:
        random = np.random.default_rng(seed)
        self.amounts = np.round(random.uniform(0, 1_000, n), 3)
        self.scores = random.beta(2, 2, n)
        self.says = np.where(self.scores > 0.5, "yes", "no")
        self.latencies = random.lognormal(3, 0.5, n)
        self.countries = np.repeat("DE", n)
        self.versions = np.zeros(n, np.int64)


def grid(*extra: CategoryGrid) -> Grid:
    rows = Rows(0)
    numbers = ((AMOUNT, rows.amounts), (SCORE, rows.scores), (LATENCY, rows.latencies))
    classes = category_grid(PREDICTION, {"no": 1, "yes": 1})
    return Grid(tuple(number_grid(column, values) for column, values in numbers), (classes, *extra))


GRID = grid()


def sketch(rows: Rows, on: Grid = GRID) -> PaneSketch:
    made = PaneSketch(on)
    by_column = {
        AMOUNT: rows.amounts, SCORE: rows.scores, LATENCY: rows.latencies, PREDICTION: rows.says,
        COUNTRY: rows.countries,
    }  # fmt: skip
    numbers = np.stack([by_column[one.column].astype(np.float64) for one in on.numbers])
    texts = [_texts(by_column[one.column]) for one in on.texts]
    n = len(rows.amounts)
    zeros = np.zeros(n, np.int64)
    ids = np.arange(1, n + 1).astype(np.uint64)
    made.add(
        Batch("m", 1, Stream.INFERENCE, zeros, zeros, ids, _texts(np.repeat("1", n)), numbers, texts),
        slice(None),
    )
    return made


def _texts(values: np.ndarray) -> TextColumn:
    distinct, codes = np.unique(values, return_inverse=True)
    return TextColumn(codes.astype(np.int32), tuple(distinct.tolist()))


def span(rows: Rows, on: Grid = GRID) -> AnsweredSpan:
    """All rows were kept."""
    by_column = {AMOUNT: rows.amounts, SCORE: rows.scores, LATENCY: rows.latencies, PREDICTION: rows.says}
    numbers = np.stack([by_column[one.column] for one in on.numbers])
    classes = np.array([on.texts[on.text_at[PREDICTION]].index.get(says, np.nan) for says in rows.says])
    return AnsweredSpan(sketch(rows, on), numbers, classes, rows.versions, 1, 1)


def lines(report: HealthReport) -> dict[str, HealthLine]:
    return {line.name: line for line in report.lines}


def measured(rows: Rows, **changes: Any) -> dict[str, HealthLine]:
    usual: dict[str, Any] = {"reference": sketch(Rows(1)), "task": Task.BINARY}
    return lines(health_of(span(rows), **usual | changes))


def test_traffic_like_the_references_is_as_usual_in_every_measure() -> None:
    told = measured(Rows(2))
    compared = [line for line in told.values() if line.reference is not None]
    assert len(compared) == 7
    assert {line.word for line in compared} == {"as usual"}
    assert {line.n for line in compared} == {N}
    assert all(line.low <= line.value <= line.high for line in compared if line.value is not None)


def test_one_answer_to_everything_is_said_to_be_stuck() -> None:
    rows = Rows(3)
    rows.says = np.repeat("no", N)
    told = measured(rows)
    assert told["commonest_answer"].value == 1.0
    assert told["commonest_answer"].word.startswith("stuck")
    assert (told["answer_entropy"].value, told["answer_entropy"].word) == (0.0, "lower than usual")


def test_a_model_that_always_answered_alike_is_not_stuck() -> None:
    rows, usual = Rows(3), Rows(4)
    rows.says = usual.says = np.repeat("no", N)
    assert measured(rows, reference=sketch(usual))["commonest_answer"].word == "as usual"


def test_scores_that_saturate_are_more_confident_than_usual() -> None:
    rows = Rows(5)
    rows.scores = np.where(np.arange(N) % 2 == 0, np.round(rows.scores), rows.scores)
    told = measured(rows)
    assert told["saturated_scores"].value == pytest.approx(0.5, abs=0.01)
    assert told["saturated_scores"].word == told["mean_confidence"].word == "higher than usual"
    assert told["saturated_scores"].p_value < 1e-6
    assert told["commonest_answer"].word == "as usual"


def test_answers_that_take_longer_are_slower_than_usual() -> None:
    rows = Rows(6)
    rows.latencies = 2 * rows.latencies
    told = measured(rows)
    assert {told[f"latency_p{p}"].word for p in (50, 95, 99)} == {"slower than usual"}
    assert told["latency_p95"].value == pytest.approx(np.quantile(rows.latencies, 0.95), rel=0.05)
    rows.latencies = rows.latencies / 4
    assert measured(rows)["latency_p50"].word == "faster than usual"


def test_few_slow_answers_are_as_usual_as_long_as_chance_may_have_made_them() -> None:
    rows = Rows(17, 12)
    rows.latencies = np.concatenate([np.full(5, 15.0), np.full(7, 30.0)])
    line = measured(rows)["latency_p50"]
    assert line.value > 1.25 * line.reference
    assert line.word == "as usual"


def test_a_small_difference_is_as_usual_however_many_rows_show_it() -> None:
    rows = Rows(7, 200_000)
    rows.says = np.where(rows.scores > 0.49, "yes", "no")
    line = measured(rows, reference=sketch(Rows(8, 200_000)))["commonest_answer"]
    assert line.p_value < 0.001
    assert line.word == "as usual"


def test_equal_inputs_with_two_answers_are_found_in_what_was_kept() -> None:
    rows = Rows(9)
    rows.amounts[1_000:1_200] = rows.amounts[:200]
    rows.says[1_000:1_200] = rows.says[:200]
    rows.says[1_000:1_050] = np.where(rows.says[:50] == "yes", "no", "yes")
    told = measured(rows)["contradicted_duplicates"]
    assert told.n == pytest.approx(200, abs=20)
    assert told.value == pytest.approx(0.25, abs=0.03)
    assert (told.word, told.reference_reason) == ("some differ", NO_REFERENCE)


def test_two_versions_may_answer_one_input_differently() -> None:
    rows = Rows(10)
    rows.amounts[:] = 5.0
    assert measured(rows)["contradicted_duplicates"].value == 1.0
    rows.versions = (rows.says == "yes").astype(np.int64)
    assert measured(rows)["contradicted_duplicates"].value == 0.0


def test_near_inputs_are_those_that_fall_between_the_same_quantiles_of_the_reference() -> None:
    rows = Rows(11)
    rows.says = np.where(rows.amounts > 500, "yes", "no")
    told = measured(rows)["contradicted_near_duplicates"]
    assert told.n == 32
    assert told.value <= 1 / 32
    rows.says = np.where(np.arange(N) % 2 == 0, "yes", "no")
    assert measured(rows)["contradicted_near_duplicates"].value == 1.0


def test_where_categories_differ_it_is_said_that_kept_rows_do_not_have_them() -> None:
    on, rows = grid(category_grid(COUNTRY, {"DE": 1, "FR": 1})), Rows(12)
    same = lines(health_of(span(rows, on), sketch(rows, on), Task.BINARY))["contradicted_near_duplicates"]
    assert "country" not in same.word
    rows.countries = np.where(np.arange(N) % 2 == 0, "DE", "FR")
    told = lines(health_of(span(rows, on), sketch(rows, on), Task.BINARY))["contradicted_near_duplicates"]
    assert told.word == "some differ, by numbers alone: country not compared"


def test_without_a_reference_there_are_values_and_no_verdicts() -> None:
    told = measured(Rows(13), reference=None)
    assert told["commonest_answer"].value is not None
    assert {line.reference_reason for line in told.values()} == {NO_REFERENCE}
    assert told["contradicted_near_duplicates"].reason == NO_REFERENCE
    assert {told[name].word for name in ("commonest_answer", "mean_confidence", "latency_p50")} == {""}


def test_a_model_without_scores_features_and_latencies_says_what_is_missing() -> None:
    bare = Grid((), (category_grid(PREDICTION, {"no": 1, "yes": 1}),))
    rows = Rows(14)
    made = AnsweredSpan(sketch_of_answers(rows, bare), np.empty((0, N)), np.zeros(N), rows.versions, 1, 1)
    told = lines(health_of(made, sketch_of_answers(Rows(15), bare), Task.BINARY))
    assert told["commonest_answer"].word == "as usual"
    assert {told[name].reason for name in ("mean_confidence", "saturated_scores", "latency_p99")} == {
        "no_rows"
    }
    assert told["contradicted_duplicates"].reason == "no_number_features"


def sketch_of_answers(rows: Rows, on: Grid) -> PaneSketch:
    made, n = PaneSketch(on), len(rows.says)
    zeros, ids = np.zeros(n, np.int64), np.arange(1, n + 1).astype(np.uint64)
    batch = Batch(
        "m",
        1,
        Stream.INFERENCE,
        zeros,
        zeros,
        ids,
        _texts(np.repeat("1", n)),
        np.empty((0, n)),
        [_texts(rows.says)],
    )
    made.add(batch, slice(None))
    return made


def test_numbers_that_are_predicted_are_stuck_when_one_of_them_is_all() -> None:
    numbers = np.random.default_rng(16).normal(size=N)
    on = Grid((number_grid(AMOUNT, numbers), number_grid(PREDICTION, numbers)))
    report = health_of(of_numbers(np.repeat(3.25, N), on), of_numbers(numbers, on).sketch, Task.REGRESSION)
    told = lines(report)
    assert (told["commonest_answer"].value, told["commonest_answer"].n) == (1.0, N)
    assert told["commonest_answer"].word.startswith("stuck")
    assert "answer_entropy" not in told
    healthy = lines(health_of(of_numbers(numbers, on), of_numbers(numbers, on).sketch, Task.REGRESSION))
    assert healthy["commonest_answer"].value == 1 / N
    assert healthy["contradicted_near_duplicates"].value == 0.0


def of_numbers(answers: np.ndarray, on: Grid) -> AnsweredSpan:
    inputs = np.random.default_rng(16).normal(size=N)
    columns = {AMOUNT: inputs, PREDICTION: answers}
    numbers = np.stack([columns[one.column] for one in on.numbers])
    made, zeros = PaneSketch(on), np.zeros(N, np.int64)
    ids = np.arange(1, N + 1).astype(np.uint64)
    made.add(
        Batch("m", 1, Stream.INFERENCE, zeros, zeros, ids, _texts(np.repeat("1", N)), numbers, []),
        slice(None),
    )
    return AnsweredSpan(made, numbers, np.full(N, np.nan), zeros, 1, 1)

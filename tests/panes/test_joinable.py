"""Which rows are left to be joined, with their slices, and that polls and restarts do not change them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from service.configuration import Configuration, ModelVersion
from service.messages import LABEL, PREDICTION, JoinRows, Stream
from service.monitor import LabelPolicy, Monitor, Task
from service.panes.joinable import is_joined
from service.sketches.grids import Grid, category_grid, default_number_grid
from tests.panes.logs import Stored, opened, part_of, records

T, PANE = 1_795_305_070_000, 10_000
CLASSES = Grid(
    (), (category_grid(PREDICTION, {"yes": 1, "no": 1}), category_grid(LABEL, {"yes": 1, "no": 1}))
)
NUMBERS = Grid((default_number_grid(PREDICTION), default_number_grid(LABEL)))
UNKNOWN = Grid()
BINARY = Monitor("churn", task=Task.BINARY, pane_ms=PANE, segments=("country",))


def configured(grid: Grid = CLASSES, **changes: Any) -> Configuration:
    return Configuration({"churn": (ModelVersion(dataclasses.replace(BINARY, **changes), grid),)}, 1)


def prediction(
    key: str, says: Any, second: float = 0.0, country: str = "DE", **fields: Any
) -> dict[str, Any]:
    return {
        "type": "prediction", "model": "churn", "version": "7", "id": key, "ts": T + round(second * 1_000),
        "features": {"country": country}, "prediction": says,
    } | fields  # fmt: skip


def label(key: str, says: Any, second: float = 0.0) -> dict[str, Any]:
    return {"type": "label", "model": "churn", "id": key, "ts": T + round(second * 1_000), "label": says}


def left(events: list[Any], configuration: Configuration, cuts: tuple[int, ...] = ()) -> list[JoinRows]:
    """What the checkpoints hold; at each cut there is one, and a restart."""
    log, found, stored = records(events, T), list[JoinRows](), Stored()
    for start, end in zip((0, *cuts), (*cuts, len(events)), strict=True):
        pipeline = opened(configuration, stored)
        pipeline.take(part_of(log, start, end))
        checkpoint = pipeline.checkpoint()
        assert [len(one) for one in checkpoint.joins] == [len(one) for one in pipeline.checkpoint().joins]
        found += checkpoint.joins
        stored.write(checkpoint)
        pipeline.committed()
        assert pipeline.checkpoint().joins == ()
    return found


def rows_of(parts: list[JoinRows], stream: Stream) -> list[tuple[Any, ...]]:
    """Time, class, number, score and slices of each row."""
    return sorted(
        (
            int(one.times_ms[i]) - T,
            one.classes[one.class_codes[i]] if one.class_codes[i] >= 0 else None,
            str(one.values[i]),
            str(one.scores[i]),
            one.slices[one.slice_codes[i]],
        )
        for one in parts
        if one.stream is stream
        for i in range(len(one))
    )  # fmt: skip


def test_a_prediction_is_left_with_its_pane_class_score_and_slices() -> None:
    found = left(
        [prediction("a", {"label": "yes", "score": 0.8}, 3), prediction("b", "no", 12, "FR")], configured()
    )
    assert rows_of(found, Stream.INFERENCE) == [
        (0, "yes", "nan", "0.8", ("7", "country=DE")),
        (PANE, "no", "nan", "nan", ("7", "country=FR")),
    ]


def test_a_label_has_the_hash_of_its_prediction_and_its_own_time() -> None:
    found = left([prediction("a", "yes"), label("a", "no", 7)], configured())
    assert rows_of(found, Stream.LABEL) == [(7_000, "no", "nan", "nan", ())]
    assert found[0].ids.tolist() == found[1].ids.tolist()


@pytest.mark.parametrize("grid", [CLASSES, NUMBERS, UNKNOWN], ids=["classes", "numbers", "unknown"])
def test_a_number_that_is_a_class_is_called_as_its_text(grid: Grid) -> None:
    found = left(
        [prediction("a", 1), prediction("b", 1.0, 1), label("a", 0, 2), label("b", "1", 3)], configured(grid)
    )
    assert [row[1] for row in rows_of(found, Stream.INFERENCE)] == ["1", "1"]
    assert [row[1] for row in rows_of(found, Stream.LABEL)] == ["0", "1"]


def test_a_regression_leaves_numbers_and_nothing_else() -> None:
    found = left(
        [prediction("a", 2.5), prediction("b", "many", 1), label("a", 2, 2), label("b", None, 3)],
        configured(NUMBERS, task=Task.REGRESSION),
    )
    assert [row[1:3] for row in rows_of(found, Stream.INFERENCE)] == [(None, "2.5")]
    assert [row[1:3] for row in rows_of(found, Stream.LABEL)] == [(None, "2.0")]


@pytest.mark.parametrize(
    "event",
    [
        prediction("a", None),
        prediction("", "yes"),
        {"type": "features", "model": "churn", "id": "a", "ts": T, "features": {"country": "DE"}},
    ],
    ids=["no answer", "no id", "features"],
)
def test_rows_without_an_answer_or_an_id_are_not_joined(event: dict[str, Any]) -> None:
    assert left([event], configured()) == []


def test_a_bare_probability_of_a_binary_model_is_its_score_and_other_fractions_are_no_answer() -> None:
    found = left([prediction("a", 0.25), prediction("b", 2.5, 1), label("a", 0.5, 2)], configured(NUMBERS))
    assert [row[1:4] for row in rows_of(found, Stream.INFERENCE)] == [(None, "nan", "0.25")]
    assert rows_of(found, Stream.LABEL) == []


def test_a_model_without_a_task_joins_nothing() -> None:
    assert left([prediction("a", "yes"), label("a", "no")], configured(task=Task.NONE)) == []


def test_a_repeated_prediction_is_left_once_and_a_repeated_label_again() -> None:
    events = [prediction("a", "yes"), prediction("a", "yes"), label("a", "no", 5), label("a", "yes", 6)]
    found = left(events, configured())
    assert len(rows_of(found, Stream.INFERENCE)) == 1
    assert [row[1] for row in rows_of(found, Stream.LABEL)] == ["no", "yes"]


def test_a_label_that_is_late_is_joined_and_a_late_prediction_is_not() -> None:
    behind = [prediction("x", "no", 3_600), prediction("a", "yes", 0), label("a", "no", 1)]
    found = left(behind, configured())
    assert len(rows_of(found, Stream.INFERENCE)) == 1
    assert len(rows_of(found, Stream.LABEL)) == 1


def test_polls_and_restarts_leave_the_same_rows() -> None:
    random = np.random.default_rng(6)
    events = [
        one
        for i in range(120)
        for one in (
            prediction(
                f"p{i}", {"label": ["yes", "no"][i % 2], "score": i / 120}, i / 4, ["DE", "FR", "GB"][i % 3]
            ),
            label(f"p{random.integers(120)}", ["yes", "no"][i % 3 % 2], i / 4),
        )
    ]
    once, often = left(events, configured()), left(events, configured(), (7, 60, 61, 200))
    for stream in Stream:
        assert rows_of(once, stream) == rows_of(often, stream)
        assert len(rows_of(once, stream)) == 120


def test_a_sample_takes_the_same_ids_on_both_sides_and_its_share_of_them() -> None:
    ids = np.random.default_rng(1).integers(1, 2**64, 20_000, np.uint64)
    tenth = dataclasses.replace(BINARY, labels=LabelPolicy(sample=0.1))
    third = dataclasses.replace(BINARY, labels=LabelPolicy(sample=0.3))
    assert is_joined(ids, tenth).mean() == pytest.approx(0.1, abs=0.01)
    assert not (is_joined(ids, tenth) & ~is_joined(ids, third)).any()
    found = left([one for i in range(300) for one in (prediction(f"{i}", "yes"), label(f"{i}", "no"))],
                 configured(labels=LabelPolicy(sample=0.1)))  # fmt: skip
    by_stream = {
        stream: {id_ for one in found if one.stream is stream for id_ in one.ids.tolist()}
        for stream in Stream
    }
    assert by_stream[Stream.LABEL] == by_stream[Stream.INFERENCE]
    assert 10 < len(by_stream[Stream.LABEL]) < 60

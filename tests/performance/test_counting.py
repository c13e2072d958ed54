"""Outcomes are what numpy counts, a correction takes the old label back, and only like is merged with like."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from service.configuration import ModelVersion
from service.errors import FormatError
from service.messages import LABEL, WindowKey
from service.monitor import LabelPolicy, Monitor, Task, WindowSpec
from service.performance.changes import Changes
from service.performance.counting import Arrays, BinaryCounting, Counting, added, counting_of, difference
from service.performance.outcome_codec import outcomes_from_bytes, outcomes_to_bytes
from service.performance.slices import said, slices_of
from service.performance.windows import outcomes_by_slice, performance_of, windows_with
from service.sketches.grids import Grid, category_grid, number_grid

NAMES = {1: "no", 2: "yes", 3: "maybe", 9: "rare"}
NONE = np.zeros(0)


def counting(task: Task, *classes: str, positive: str | None = None) -> Counting:
    texts = (category_grid(LABEL, dict.fromkeys(classes, 1)),) if classes else ()
    numbers = (number_grid(LABEL, np.linspace(0, 10, 200)),) if task is Task.REGRESSION else ()
    monitor = Monitor("churn", task=task, labels=LabelPolicy(positive=positive))
    made = counting_of(ModelVersion(monitor, Grid(numbers, texts)))
    assert made is not None
    return made


def changes(labels: Any, classes: Any, **columns: Any) -> Changes:
    n = len(labels)
    nothing = np.full(n, np.nan)
    usual = Changes(
        np.zeros(n, np.int64), np.ones(n, np.int32), np.asarray(classes, np.int32), nothing, nothing,
        np.asarray(labels, np.int32), nothing, np.zeros(n, np.int32), np.zeros(n, np.int32), nothing,
    )  # fmt: skip
    return usual._replace(**{name: np.asarray(column) for name, column in columns.items()})


def metric(counted: Counting, outcomes: Arrays, name: str) -> float | None:
    return next(one.value for one in counted.metrics(outcomes) if one.name == name)


@pytest.mark.parametrize(
    ("classes", "declared", "positive"),
    [
        (("no", "yes"), None, "yes"),
        (("churn", "stay"), None, "stay"),
        (("churn", "stay"), "churn", "churn"),
        ((), None, "yes"),
        (("0", "1"), None, "1"),
    ],
)
def test_the_positive_class_is_as_declared_or_called_or_the_last_of_a_pair(
    classes: tuple[str, ...], declared: str | None, positive: str
) -> None:
    counted = counting(Task.BINARY, *classes, positive=declared)
    names = {1: "other", 2: positive}
    outcomes = counted.count(changes([2, 2, 1], [2, 1, 1]), names)
    assert metric(counted, outcomes, "recall") == 0.5
    assert metric(counted, outcomes, "precision") == 1.0


def test_a_correction_takes_back_what_counted_before() -> None:
    counted = counting(Task.BINARY, "no", "yes")
    scores = [0.2, 0.7, 0.9]
    before = difference(counted, changes([1, 1, 2], [1, 2, 2], scores=scores), NAMES)
    corrected = changes([2], [2], scores=[0.7], is_counted=[1], labels_before=[1])
    now = added(before, difference(counted, corrected, NAMES))
    plain = counted.count(changes([1, 2, 2], [1, 2, 2], scores=scores), NAMES)
    assert {name: one.tolist() for name, one in now.items()} == {
        name: one.tolist() for name, one in plain.items()
    }


def test_several_classes_are_confused_and_rare_ones_are_the_tail() -> None:
    counted = counting(Task.MULTICLASS, "no", "yes", "maybe")
    outcomes = counted.count(changes([1, 2, 3, 9, 9], [1, 2, 1, 9, 0]), NAMES)
    assert metric(counted, outcomes, "accuracy") == pytest.approx(3 / 4)
    assert counting_of(ModelVersion(Monitor("churn", task=Task.MULTICLASS), Grid())) is None


def test_a_regression_is_measured_by_its_errors_and_corrected_too() -> None:
    counted = counting(Task.REGRESSION)
    given, truth = np.array([1.0, 2.0, 3.0]), np.array([1.5, 2.0, 5.0])
    outcomes = difference(counted, changes([0, 0, 0], [0, 0, 0], values=given, label_values=truth), NAMES)
    assert metric(counted, outcomes, "mae") == pytest.approx(np.abs(given - truth).mean())
    fixed = changes([0], [0], values=[3.0], label_values=[3.0], is_counted=[1], values_before=[5.0])
    outcomes = added(outcomes, difference(counted, fixed, NAMES))
    assert metric(counted, outcomes, "mae") == pytest.approx(0.5 / 3)


@pytest.mark.parametrize("task", [Task.BINARY, Task.MULTICLASS, Task.REGRESSION])
def test_outcomes_come_back_from_their_bytes_and_those_counted_in_another_way_do_not(task: Task) -> None:
    counted = counting(task, "no", "yes")
    outcomes = counted.count(
        changes([1, 2], [2, 2], scores=[0.3, 0.6], values=[1, 2], label_values=[2, 3]), NAMES
    )
    data = outcomes_to_bytes(counted, outcomes)
    found = outcomes_from_bytes(data, counted)
    assert found is not None
    assert {name: one.tolist() for name, one in found.items()} == {
        n: one.tolist() for n, one in outcomes.items()
    }
    assert outcomes_from_bytes(data, counting(Task.BINARY, positive="stay")) is None
    with pytest.raises(FormatError):
        outcomes_from_bytes(data[:-1], counted)


def test_changes_are_parted_by_pane_and_slices() -> None:
    some = changes([1, 2, 1, 2], [1, 1, 1, 1], start_ms=[60, 0, 60, 0], slices=[1, 1, 2, 1])
    parted = {place: rows.labels.tolist() for place, rows in some.by_place()}
    assert parted == {(0, 1): [2, 2], (60, 1): [1], (60, 2): [1]}


def test_a_window_is_measured_by_version_and_segment() -> None:
    counted = counting(Task.BINARY, "no", "yes")
    names = {
        **NAMES,
        5: said(("7", "country=DE")),
        6: said(("7", "country=FR")),
        7: said(("8", "country=DE")),
    }
    right, wrong = (counted.count(changes([2], [says]), NAMES) for says in (2, 1))
    window = WindowKey("churn", "", "", "5m", 0, 300_000)
    slices = outcomes_by_slice({(0, 5): right, (60, 5): wrong, (0, 6): right, (0, 7): wrong}, names)
    told = performance_of(window, slices, counted)
    found = {(one.key.version, one.key.segment): one.metrics[0].n for one in told}
    assert found == {
        ("7", ""): 3,
        ("7", "country=DE"): 2,
        ("7", "country=FR"): 1,
        ("8", ""): 1,
        ("8", "country=DE"): 1,
    }
    accuracies = {
        (one.key.version, one.key.segment): m.value
        for one in told
        for m in one.metrics
        if m.name == "accuracy"
    }
    assert accuracies["7", ""] == pytest.approx(2 / 3)
    assert accuracies["8", "country=DE"] == 0


def test_windows_are_told_that_hold_a_pane_have_ended_and_were_not_told() -> None:
    # pane              60
    # 120s every 60s    [0, 120) [60, 180)
    # 300s              [0, 300)
    specs = [WindowSpec(120, 60), WindowSpec.tumbling(300)]
    slides, tumbles = (spec.name for spec in specs)
    assert windows_with({60: 60}, specs, 1_000) == {(120, slides), (180, slides), (300, tumbles)}
    assert windows_with({60: 60}, specs, 299) == {(120, slides), (180, slides)}
    assert windows_with({60: 180}, specs, 1_000) == {(300, tumbles)}


def test_a_list_of_slices_is_no_class() -> None:
    assert slices_of(said(("7", "country=\u2028"))) == ("7", "country=\u2028")
    assert slices_of('["7"]') is None


def test_what_counts_differently_has_another_identity() -> None:
    made = [
        counting(Task.BINARY, "no", "yes"), counting(Task.BINARY, "a", "b"), counting(Task.MULTICLASS, "a", "b"),
        counting(Task.MULTICLASS, "a", "c"), counting(Task.REGRESSION),
    ]  # fmt: skip
    assert len({one.identity for one in made}) == len(made)
    assert dataclasses.is_dataclass(made[0])


def test_classes_of_which_nobody_says_which_is_positive_are_not_counted() -> None:
    names = {1: "stayed", 2: "churned", 3: "No", 4: "TRUE"}
    counted = BinaryCounting(None)
    nobody = counted.count(changes([1, 2, 2], [2, 2, 1]), names)
    assert {m.n for m in counted.metrics(nobody)} == {0}
    some = counted.count(changes([3, 4, 4, 2], [3, 3, 4, 4]), names)
    assert {m.name: m.value for m in counted.metrics(some)}["accuracy"] == pytest.approx(2 / 3)
    named = BinaryCounting("churned")
    accuracy = {m.name: m.value for m in named.metrics(named.count(changes([1, 2, 2], [2, 2, 1]), names))}
    assert accuracy["accuracy"] == pytest.approx(1 / 3)

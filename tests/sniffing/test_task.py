"""The task of a model, told by how its predictions and labels are written."""

from __future__ import annotations

from typing import Any

import pytest

from service.monitor import Task
from service.sniffing.found import PredictionForm
from service.sniffing.task import form_of
from tests.sniffing.records import label, model_in, prediction

SHARES = [n / 40 for n in range(40)]
VALUES = [100.5 + n for n in range(40)]


@pytest.mark.parametrize(
    ("predictions", "labels", "task"),
    [
        ([], [], Task.NONE),
        ([{"label": "yes", "score": s} for s in SHARES], [], Task.BINARY),
        (["yes", "no"] * 20, [], Task.BINARY),
        ([0, 1] * 20, [], Task.BINARY),
        ([True, False] * 20, [], Task.BINARY),
        (["a", "b", "c"] * 10, [], Task.MULTICLASS),
        ([{"scores": {"a": 0.1, "b": 0.2, "c": 0.7}}] * 10, [], Task.MULTICLASS),
        ([{"value": v} for v in VALUES], [], Task.REGRESSION),
        (VALUES, [], Task.REGRESSION),
        (SHARES, ["yes", "no"] * 20, Task.BINARY),
        (VALUES, VALUES, Task.REGRESSION),
        ([], ["x", "y", "z"], Task.MULTICLASS),
        ([{}] * 5, [], Task.NONE),
    ],
)
def test_the_task_follows_from_predictions_and_labels(
    predictions: list[Any], labels: list[Any], task: Task
) -> None:
    events = [prediction(n, one, x=1) for n, one in enumerate(predictions)] or [prediction(0, x=1)]
    found = model_in(*events, *(label(n, one) for n, one in enumerate(labels)))
    assert found.task is task
    assert found.task_why


@pytest.mark.parametrize(
    ("written", "forms"),
    [
        (0.5, {PredictionForm.NUMBER}),
        ("yes", {PredictionForm.TEXT}),
        (True, {PredictionForm.TEXT}),
        (None, {PredictionForm.NONE}),
        ([], {PredictionForm.NONE}),
        ({"label": "a", "score": 0.1, "other": 3}, {PredictionForm.LABEL, PredictionForm.SCORE}),
        ({"score": None}, {PredictionForm.NONE}),
    ],
)
def test_the_forms_of_a_prediction(written: Any, forms: set[PredictionForm]) -> None:
    assert form_of(written) == forms

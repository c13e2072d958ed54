"""The two models of the demo: what they are fitted on, what they answer, and how they are watched."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from service.demo.small_model import Design, design_for, fit_logistic, fit_ridge, logistic
from service.demo.tables import Features, FloatArray, Table, TextArray, bike_rentals, power_price
from service.monitor import SECOND_MS, LabelPolicy, Monitor, Task, WindowSpec

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BIKE_RENTALS = "bike-rentals"
POWER_PRICE = "power-price"
CHANNELS = ("app", "web", "kiosk")
MARKETS = ("spot", "day-ahead")
WINDOW_MS = 5 * SECOND_MS
_UP = "up"


@dataclass(frozen=True)
class Answers:
    """Predictions of some rows; `scores` are probabilities of "up", for the binary model only."""

    predictions: FloatArray | TextArray
    scores: FloatArray | None = None


@dataclass(frozen=True)
class DemoModel:
    """A fitted model and the table it was fitted on.

    `tags` are given to its events at random, and are its segments: a segment is scored against the whole
    reference, so that by season the winter would ring all year.
    """

    name: str
    version: str
    task: Task
    table: Table
    tags: Mapping[str, tuple[str, ...]]
    design: Design
    weights: FloatArray

    def answer(self, features: Features) -> Answers:
        """What the model says to these features, right or wrong."""
        raw = self.design.matrix(_inputs(features)) @ self.weights
        if self.task is Task.REGRESSION:
            return Answers(np.maximum(np.round(raw, 1), 0.0))
        scores = np.round(logistic(raw), 4)
        return Answers(np.where(scores > 0.5, _UP, "down"), scores)

    def monitor(self) -> Monitor:
        """Short panes and windows, so that a minute shows what takes a day elsewhere."""
        return Monitor(
            self.name, self.task, reference=self.name, pane_ms=SECOND_MS, segments=tuple(self.tags),
            windows=(WindowSpec.tumbling(WINDOW_MS), WindowSpec.tumbling(30 * SECOND_MS)),
            allowed_lateness_ms=10 * SECOND_MS, disorder_ms=SECOND_MS, idle_after_ms=5 * SECOND_MS,
            labels=LabelPolicy(positive=_UP if self.task is Task.BINARY else None),
        )  # fmt: skip

    def write_training_table(self, path: Path) -> None:
        """The rows that the model was fitted on and its answers, for `driftbell reference build`."""
        features = self.table.features.rows(self.table.first_part)
        answers, label = self.answer(features), self.table.label[self.table.first_part]
        columns = {**features.numbers, **features.texts, "label": label, "prediction": answers.predictions}
        if answers.scores is not None:
            columns["score"] = answers.scores
        with path.open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file)
            lines.writerow(columns)
            lines.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))


def fit_models() -> tuple[DemoModel, DemoModel]:
    """Both models, each fitted on the first part of its table."""
    bikes, power = bike_rentals(), power_price()
    bike_features, bike_label = _training(bikes)
    power_features, power_label = _training(power)
    bike_design, power_design = design_for(bike_features), design_for(power_features)
    rentals = fit_ridge(bike_design.matrix(bike_features), np.asarray(bike_label, np.float64))
    rises = fit_logistic(power_design.matrix(power_features), (power_label == _UP).astype(np.float64))
    return (
        DemoModel(BIKE_RENTALS, "3", Task.REGRESSION, bikes, {"channel": CHANNELS}, bike_design, rentals),
        DemoModel(POWER_PRICE, "7", Task.BINARY, power, {"market": MARKETS}, power_design, rises),
    )


def _training(table: Table) -> tuple[Features, FloatArray | TextArray]:
    return _inputs(table.features.rows(table.first_part)), table.label[table.first_part]


def _inputs(features: Features) -> Features:
    """The features as a model sees them: the hour is a category, on working days another than else."""
    if "hr" not in features.numbers:
        return features
    numbers = {name: column for name, column in features.numbers.items() if name != "hr"}
    hours = np.char.add(
        np.char.mod("%d h, working day ", features.numbers["hr"]), features.texts["workingday"]
    )
    return Features(numbers, {**features.texts, "hour": hours})

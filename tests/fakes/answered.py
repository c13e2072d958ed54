"""A model whose predictions and labels went the whole way: counted in panes by a collector, joined by an evaluator."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Engine

from service.monitor import MINUTE_MS, LabelPolicy, Monitor, Task, WindowSpec
from service.realized import realize
from service.reference.builder import build_reference
from service.reference.profile import profile_to_bytes
from service.reference.specification import ReferenceSpec
from service.store.configuration import StoredReference, apply_monitors, load_configuration
from service.store.results import lease
from tests.fakes.collecting import Bench

MODEL = "churn"
T = 1_795_305_600_000  # 2026-11-22T00:00:00Z
MINUTES = 30


@dataclass
class Traffic:
    """n rows over half an hour: what came in, what was answered, and what was true; `weak` rows are often wrong.

    Rows without a country or an amount (None, NaN) do not speak of it.
    """

    random: np.random.Generator
    n: int = 3_000
    wrong: float = 0.1
    weak_wrong: float = 0.5
    weak_country: str = "DE"
    amount: np.ndarray = field(init=False)
    country: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.amount = np.round(self.random.uniform(0, 80, self.n), 2)
        self.country = self.random.choice(["DE", "FR", "PL"], self.n).astype(object)
        self.age = self.random.integers(18, 90, self.n)
        self.score = np.round(self.random.beta(2, 2, self.n), 4)
        self.version = np.repeat("7", self.n)
        self.latency = np.round(self.random.lognormal(3, 0.5, self.n), 2)

    @property
    def weak(self) -> np.ndarray:
        return (self.amount >= 40) & (self.country == self.weak_country)

    @property
    def says(self) -> np.ndarray:
        return np.where(self.score > 0.5, "yes", "no")

    @property
    def truth(self) -> np.ndarray:
        is_wrong = self.random.random(self.n) < np.where(self.weak, self.weak_wrong, self.wrong)
        other = np.where(self.says == "yes", "no", "yes")
        return np.where(is_wrong, other, self.says)

    @property
    def ts(self) -> np.ndarray:
        return T + np.arange(self.n) * MINUTES * MINUTE_MS // self.n

    def table(self, path: Path) -> Path:
        """The rows as a table of training data."""
        columns = {
            "amount": self.amount, "age": self.age, "country": self.country, "said": self.says, "score": self.score,
            "churned": self.truth,
        }  # fmt: skip
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
        return path

    def predictions(self) -> list[bytes]:
        """The rows as events."""
        return [
            _bytes(
                type="prediction", id=f"p-{i}", ts=int(self.ts[i]), version=str(self.version[i]),
                features={"amount": self.amount[i], "age": int(self.age[i]), "country": self.country[i]},
                prediction={"label": str(self.says[i]), "score": float(self.score[i])},
                latency_ms=float(self.latency[i]),
            )
            for i in range(self.n)
        ]  # fmt: skip

    def labels(self) -> list[bytes]:
        """What was true of all but a tenth of them, hours later."""
        came = self.random.random(self.n) < 0.9
        truth, ts = self.truth, self.ts
        return [
            _bytes(type="label", id=f"p-{i}", ts=int(ts[i]) + 120 * MINUTE_MS, label=str(truth[i]))
            for i in np.flatnonzero(came).tolist()
        ]


def _bytes(**event: Any) -> bytes:
    return json.dumps({"model": MODEL, **event}).encode()


def monitor(**changes: Any) -> Monitor:
    """What is watched."""
    usual: dict[str, Any] = {
        "task": Task.BINARY, "windows": (WindowSpec.tumbling(5 * MINUTE_MS),), "segments": ("country",),
        "reference": "churn-ref", "labels": LabelPolicy(positive="yes"),
    }  # fmt: skip
    return Monitor(MODEL, **usual | changes)


def run(engine: Engine, reference: Traffic, live: Traffic, folder: Path, **changes: Any) -> None:
    """Store a reference and the monitor, and all that comes of live traffic."""
    spec = ReferenceSpec(MODEL, "churn-ref", label="churned", prediction="said", score="score")
    profile = build_reference(reference.table(folder / "reference.csv"), spec)
    stored = StoredReference(profile.name, MODEL, profile.grid, profile.rows, profile_to_bytes(profile))
    apply_monitors(engine, [monitor(**changes)], [stored], 0)
    bench = Bench(engine)
    bench.clock.seconds = T / 1000
    predictions, labels = live.predictions(), live.labels()
    bench.log.append([*predictions, *labels], [-1] * (len(predictions) + len(labels)))
    bench.collector().read_all()
    with lease(engine, MODEL, "me") as held:
        assert held is not None
        while realize(engine, held, load_configuration(engine), None):
            pass

"""A small part of the demo's electricity data: a log, a reference and a monitor, for game days."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from service.demo.models import DemoModel, fit_models
from service.demo.references import build_profile
from service.monitor import HOUR_MS, MINUTE_MS, Budget, Monitor, WindowSpec
from service.reference.profile import profile_to_bytes
from tests.injection.logs import START_MS

MODEL = "power-price"
A_WINDOW = 200


def power_model() -> DemoModel:
    """The fitted model."""
    return fit_models()[1]


def monitor() -> Monitor:
    """Hourly windows of two hundred events."""
    return Monitor(
        MODEL, reference=MODEL, windows=(WindowSpec.tumbling(HOUR_MS),), pane_ms=15 * MINUTE_MS,
        allowed_lateness_ms=2 * HOUR_MS, disorder_ms=0, budget=Budget(1.0), segments=("market",),
    )  # fmt: skip


def write_power_log(path: Path, model: DemoModel, windows: int = 12) -> Path:
    """Rows drawn at random, so that nothing drifts, each with its label an hour later."""
    random = np.random.default_rng(5)
    count = windows * A_WINDOW
    drawn = random.integers(0, model.table.later, count)
    features = model.table.features.rows(drawn)
    answers = model.answer(features)
    scores = answers.scores
    assert scores is not None
    events = []
    for at in range(count):
        ts = START_MS + at * (HOUR_MS // A_WINDOW)
        events.append((ts, {
            "type": "prediction", "model": MODEL, "version": "7", "id": f"e-{at}", "ts": ts,
            "features": {name: float(column[at]) for name, column in features.numbers.items()},
            "prediction": {"label": str(answers.predictions[at]), "score": float(scores[at])},
            "tags": {"market": "spot" if at % 3 else "day-ahead"},
        }))  # fmt: skip
        truth = str(model.table.label[drawn[at]])
        events.append(
            (
                ts + HOUR_MS,
                {"type": "label", "model": MODEL, "id": f"e-{at}", "ts": ts + HOUR_MS, "label": truth},
            )
        )
    in_order = sorted(events, key=lambda pair: pair[0])
    path.write_text("".join(json.dumps(event) + "\n" for _, event in in_order))
    return path


def write_game(folder: Path, windows: int = 12) -> Path:
    """Log, reference and monitors in a folder, as a user has them."""
    model = power_model()
    write_power_log(folder / "log.jsonl", model, windows)
    (folder / "power.profile").write_bytes(profile_to_bytes(build_profile(model)))
    document = {
        "task": "binary", "reference": "power.profile", "windows": ["1h"], "pane": "15m", "allowed_lateness": "2h",
        "disorder": "0s", "segments": ["market"],
    }  # fmt: skip
    (folder / "monitors.yaml").write_text(json.dumps({"models": {MODEL: document}}))
    return folder

"""Small logs, and what a replay of them says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from service.monitor import Budget, Monitor, WindowSpec
from service.reference.builder import build_reference
from service.reference.profile import ReferenceProfile
from service.reference.specification import ReferenceSpec
from service.replay import Tally
from service.wiring import make_replay

MINUTE = 60_000
START_MS = 20_000 * 24 * 60 * MINUTE
FIVE = WindowSpec.tumbling(5 * MINUTE)
MONITOR = Monitor(
    "churn",
    reference="churn-1",
    windows=(FIVE,),
    allowed_lateness_ms=10 * MINUTE,
    disorder_ms=0,
    budget=Budget(1.0, 86_400_000),
)

Event = dict[str, Any]
Line = Mapping[str, Any]


def reference_of(folder: Path, rows: int = 4_000, seed: int = 1, model: str = "churn") -> ReferenceProfile:
    """A table of amounts, countries and scores, counted. France pays three more."""
    rng = np.random.default_rng(seed)
    country = rng.choice(["DE", "FR"], rows, p=[0.7, 0.3])
    amount = rng.normal(0, 1, rows) + 3.0 * (country == "FR")
    score = rng.random(rows)
    table = folder / f"{model}-{seed}.csv"
    lines = [f"{a:.6f},{c},{s:.6f}" for a, c, s in zip(amount, country, score, strict=True)]
    table.write_text("amount,country,score\n" + "\n".join(lines) + "\n")
    return build_reference(table, ReferenceSpec(model, f"{model}-1", score="score"))


def event(
    number: int, minute: float, shift: float = 0.0, model: str = "churn", version: str = "1", **features: Any
) -> Event:
    """One prediction, its values drawn by its number."""
    rng = np.random.default_rng(number)
    country = "FR" if rng.random() < 0.3 else "DE"
    amount = float(rng.normal(0, 1)) + 3.0 * (country == "FR") + shift
    return {
        "type": "prediction", "model": model, "version": version, "id": f"p-{number}",
        "ts": START_MS + int(minute * MINUTE), "features": {"amount": amount, "country": country, **features},
        "prediction": {"score": float(rng.random())},
    }  # fmt: skip


def label(number: int, minute: float, model: str = "churn") -> Event:
    """The label of a prediction, that late."""
    return {
        "type": "label",
        "model": model,
        "id": f"p-{number}",
        "ts": START_MS + int(minute * MINUTE),
        "label": "yes",
    }


def steady(minutes: Iterable[int], a_minute: int = 20, first: int = 0, **same: Any) -> list[Event]:
    """So many events in each of these minutes."""
    return [event(first + 100 * m + i, m + i / a_minute, **same) for m in minutes for i in range(a_minute)]


def write_log(path: Path, events: Iterable[Event]) -> Path:
    """JSON Lines, in this order."""
    path.write_text("".join(json.dumps(one) + "\n" for one in events))
    return path


def replayed(
    log: Path,
    monitors: Sequence[Monitor],
    profiles: Mapping[str, ReferenceProfile],
    partitions: int = 1,
    poll: int = 10_000,
) -> tuple[list[Line], Tally]:
    """The lines of a replay, and its counts."""
    lines: list[Line] = []
    run = make_replay(monitors, profiles, log, partitions, lines.append)
    run.poll_records = poll
    tally = run.run()
    return lines, tally


def of_kind(lines: Iterable[Line], kind: str) -> list[Line]:
    """Windows, findings or alerts."""
    return [line for line in lines if line["kind"] == kind]


def minute_of(text: str) -> float:
    """Minutes since the log's start."""
    from datetime import datetime

    return (datetime.fromisoformat(text).timestamp() * 1000 - START_MS) / MINUTE


def final(lines: Iterable[Line]) -> dict[tuple[Any, ...], Any]:
    """The last word on each window: the lines of its highest revision, which replaces those before, without it."""
    told = [line for line in lines if line["kind"] != "alert"]
    highest: dict[tuple[Any, ...], int] = {}
    for line in told:
        window = line["model"], line["window"], line["end"]
        highest[window] = max(line["revision"], highest.get(window, 0))
    said = {}
    for line in told:
        if line["revision"] == highest[line["model"], line["window"], line["end"]]:
            about = tuple(
                str(line.get(name))
                for name in (
                    "kind",
                    "model",
                    "version",
                    "segment",
                    "window",
                    "end",
                    "role",
                    "feature",
                    "method",
                )
            )
            said[about] = {name: value for name, value in line.items() if name != "revision"}
    return said


def last_states(lines: Iterable[Line]) -> dict[str, Line]:
    """The last line of each alert."""
    return {line["id"]: line for line in lines if line["kind"] == "alert"}

"""Two versions of one model as collectors and evaluators leave them: panes of an hour, and labelled outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, insert

from detectors.performance.binary_counts import BinaryOutcomes
from service.intake.cells import extra_column
from service.messages import LATENCY
from service.monitor import HOUR_MS, Monitor, Task, WindowSpec
from service.performance.counting import BinaryCounting
from service.performance.slices import said
from service.sketches.codec import pane_to_bytes
from service.store.configuration import StoredReference, apply_monitors
from service.store.engine import transaction
from service.store.outcomes import add_outcomes
from service.store.tables import join_name, pane
from tests.sketches.rows import GRID, batch_of, sketch_of

MODEL, SEGMENTS = "churn", ("country=DE", "country=FR")
MONITOR = Monitor(
    MODEL, task=Task.BINARY, pane_ms=HOUR_MS, windows=(WindowSpec.tumbling(HOUR_MS),), reference="churn",
    segments=("country",),
)  # fmt: skip
T = 1_795_305_600_000  # 2026-11-22T00:00:00Z


def configure(engine: Engine) -> None:
    """A model whose answers are yes or no with a score, in panes of an hour."""
    apply_monitors(engine, [MONITOR], [StoredReference("churn", MODEL, GRID, 1, b"")], T)


def add_pane(connection: Connection, version: str, hour: int, rows: int, **changes: Any) -> None:
    """One hour's inferences of a version, half of them of each country; `yes` of them are so, `latency_ms` slow."""
    usual: dict[str, Any] = {"yes": 0.5, "latency_ms": 10.0, "partition": 0}
    chosen = usual | changes
    random = np.random.default_rng([hour, int(chosen["yes"] * 1_000)])
    scores = np.clip(random.normal(chosen["yes"], 0.1, rows), 0, 1)
    for segment, part in (("", slice(None)), *((name, slice(i, None, 2)) for i, name in enumerate(SEGMENTS))):
        said_yes = random.permutation(np.arange(rows) < chosen["yes"] * rows)[part]
        events = [
            {"score": float(score), "answer": "yes" if yes else "no", "ts": T + hour * HOUR_MS, "offset": i}
            for i, (score, yes) in enumerate(zip(scores[part], said_yes, strict=True))
        ]
        slow = {LATENCY: extra_column([chosen["latency_ms"]] * len(events))}
        sketch = sketch_of(replace(batch_of(events), extras=slow))
        values = {
            "topic": "t", "partition": chosen["partition"], "model": MODEL, "version": version, "segment": segment,
            "start_ms": T + hour * HOUR_MS, "end_ms": T + (hour + 1) * HOUR_MS, "grid_id": GRID.id,
            "inferences": len(events), "labels": 0, "last_ms": T + hour * HOUR_MS + HOUR_MS - 1,
            "sketch": pane_to_bytes(sketch),
        }  # fmt: skip
        connection.execute(insert(pane).values(values))


def name_slices(connection: Connection, *versions: str) -> dict[tuple[str, str], int]:
    """Numbers of each version with each segment, as rows of outcomes have them."""
    pairs = [(version, segment) for version in versions for segment in SEGMENTS]
    numbers = {pair: number for number, pair in enumerate(pairs, 1)}
    rows = [{"model": MODEL, "number": number, "name": said(pair)} for pair, number in numbers.items()]
    connection.execute(insert(join_name), rows)
    return numbers


def add_labels(
    connection: Connection, number: int, hour: int, wrong: int, rows: int, *, decided: bool = True
) -> None:
    """So many labelled predictions of one list of slices, all of them yes at 0.75, so many of them wrong."""
    labels = (np.arange(rows) >= wrong).astype(np.int64)
    decisions = np.full(rows, 1 if decided else 2)
    outcomes = BinaryOutcomes.zeros().add(labels, np.full(rows, 0.75), decisions).to_arrays()
    add_outcomes(connection, MODEL, BinaryCounting(None), {(T + hour * HOUR_MS, number): outcomes})


def side_by_side(
    engine: Engine, wrong: Mapping[str, int], hours: int = 10, rows: int = 500
) -> dict[tuple[str, str], int]:
    """Versions that are both live for so many hours, with so many errors an hour in each country; their numbers."""
    configure(engine)
    with transaction(engine) as connection:
        numbers = name_slices(connection, *wrong)
        for version, errors in wrong.items():
            for hour in range(hours):
                add_pane(connection, version, hour, 40)
                for segment in SEGMENTS:
                    add_labels(connection, numbers[version, segment], hour, errors, rows)
    return numbers

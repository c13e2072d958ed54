"""What comes out of Kafka, panes, Postgres and /metrics equals what plain numpy computes from the same rows."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.monitor import Monitor, WindowSpec
from service.reference.builder import build_reference
from service.reference.profile import ReferenceProfile
from service.reference.specification import ReferenceSpec
from service.sketches.codec import pane_from_bytes
from tests.flow.stack import Stack, running
from tests.flow.streams import ELECTRICITY, Table, prediction_events, read_electricity, write_csv

pytestmark = pytest.mark.postgres

PANE_MS, WINDOW_MS, MODEL = 60_000, 300_000, "power-price"
REFERENCE_ROWS, LIVE_ROWS, PARTITIONS = 15_000, 9_000, 4


@pytest.fixture(params=["kafka-python", "confluent"])
def stack(request: pytest.FixtureRequest, database: str, any_broker: Any, tmp_path: Path) -> Any:
    topic = any_broker.new_topic(PARTITIONS)
    with running(
        Stack(database, any_broker.bootstrap_servers, topic, tmp_path, client=request.param)
    ) as made:
        made.broker = any_broker
        yield made


def test_rows_and_metrics_equal_a_plain_computation(stack: Any, tmp_path: Path) -> None:
    table = read_electricity()
    live = table.part(REFERENCE_ROWS, REFERENCE_ROWS + LIVE_ROWS)
    profile = build_reference(
        write_csv(table.part(0, REFERENCE_ROWS), tmp_path / "reference.csv"),
        ReferenceSpec(MODEL, "power", exclude=("class",)),
    )
    monitor = Monitor(
        model=MODEL,
        reference="power",
        pane_ms=PANE_MS,
        windows=(WindowSpec.tumbling(WINDOW_MS),),
        disorder_ms=0,
    )
    stack.prepare([monitor], [profile])
    ts = event_times()
    send(stack, live, ts)
    stack.start("run")

    closed = list(range(int(ts[0]) // WINDOW_MS * WINDOW_MS + WINDOW_MS, watermark(ts) + 1, WINDOW_MS))
    stack.wait_until(lambda: position(stack) >= closed[-1], "all closed windows are evaluated", 90)

    assert stack.consumed()["accepted"] == LIVE_ROWS
    assert window_events(stack) == {end: int(((ts >= end - WINDOW_MS) & (ts < end)).sum()) for end in closed}
    check_counts(stack, live, profile)
    check_findings(stack, live, ts, profile, closed[-1])


def event_times() -> np.ndarray[Any, np.dtype[np.int64]]:
    """An hour of events that ended just now."""
    end = time.time_ns() // 1_000_000
    return np.linspace(end - 3_600_000, end, LIVE_ROWS).astype(np.int64)


def send(stack: Any, live: Table, ts: np.ndarray[Any, np.dtype[np.int64]]) -> None:
    events = list(prediction_events(live, ELECTRICITY, ts.tolist(), MODEL))
    for partition in range(PARTITIONS):
        stack.broker.topics.produce(stack.topic, events[partition::PARTITIONS], partition=partition)


def watermark(ts: np.ndarray[Any, np.dtype[np.int64]]) -> int:
    """The lowest of the partitions' highest event times."""
    return int(min(ts[partition::PARTITIONS].max() for partition in range(PARTITIONS)))


def position(stack: Any) -> int:
    rows = stack.rows("SELECT position_ms FROM evaluation WHERE position_ms IS NOT NULL")
    return rows[0][0] if rows else 0


def window_events(stack: Any) -> dict[int, int]:
    rows = stack.rows("SELECT end_ms, sum(inferences) FROM window_result WHERE segment = '' GROUP BY 1")
    return {end: int(n) for end, n in rows if n}


def check_counts(stack: Any, live: Table, profile: ReferenceProfile) -> None:
    """The sum of all stored panes has numpy's histogram on the same edges."""
    merged = None
    for (data,) in stack.rows("SELECT sketch FROM pane WHERE segment = ''"):
        sketch = pane_from_bytes(data, profile.grid)
        if merged is None:
            merged = sketch
        else:
            merged.merge(sketch)
    assert merged is not None
    for i, grid in enumerate(profile.grid.numbers):
        values = live.columns[grid.column.name]
        expected = np.bincount(np.searchsorted(grid.edges, values, side="right"), minlength=grid.bins)
        np.testing.assert_array_equal(merged.numbers.column_counts(i), expected)
        assert (merged.numbers.low[i], merged.numbers.high[i]) == (values.min(), values.max())


def check_findings(stack: Any, live: Table, ts: Any, profile: ReferenceProfile, end: int) -> None:
    """In the newest window the Kolmogorov-Smirnov distance is that of the two step functions at the grid's edges."""
    inside = (ts >= end - WINDOW_MS) & (ts < end)
    shown = {
        dict(labels)["feature"]: value
        for labels, value in stack.series("driftbell_score", method="ks").items()
    }
    for grid in profile.grid.numbers:
        name = grid.column.name
        values, reference = (
            np.sort(live.columns[name][inside]),
            np.sort(read_electricity().columns[name][:REFERENCE_ROWS]),
        )
        below = [np.searchsorted(side, grid.edges, side="left") / len(side) for side in (values, reference)]
        expected = float(np.abs(below[0] - below[1]).max())
        stored = stack.rows(
            "SELECT value FROM finding WHERE feature = %s AND method = 'ks' AND end_ms = %s AND segment = ''",
            name,
            end,
        )
        assert stored[0][0] == pytest.approx(expected, abs=1e-12)
        assert shown[name] == pytest.approx(expected, abs=1e-12)

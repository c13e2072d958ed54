"""A collector that is killed in mid-stream, again and again, loses nothing and counts nothing twice."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest

from service.monitor import Monitor
from service.sketches.codec import pane_from_bytes
from service.sketches.grids import Grid
from tests.flow.stack import Stack, running

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

KILLS, PARTITIONS, EVENTS, REPEATED = 10, 4, 60_000, 3_000


def test_ten_kills_leave_exact_counts(database: str, embedded_broker: Any, tmp_path: Path) -> None:
    topic = embedded_broker.new_topic(PARTITIONS)
    stack = Stack(database, embedded_broker.bootstrap_servers, topic, tmp_path, client="confluent")
    stack.settings = {"COMMIT_RECORDS": "500", "COMMIT_INTERVAL": "50ms", "KAFKA_SESSION_TIMEOUT": "6s"}
    stack.prepare([Monitor(model="m", pane_ms=60_000)])
    send(embedded_broker, topic)
    chance = random.Random(7)
    with running(stack):
        for kill in range(KILLS):
            process = stack.start("collect")
            target = EVENTS * (kill + 1) // (KILLS + 2)
            stack.wait_until(
                lambda target=target: sum(stack.consumed().values()) >= target, f"progress before kill {kill}"
            )
            time.sleep(chance.uniform(0.0, 0.2))
            process.kill()
            process.wait(10)
        stack.start("collect")
        stack.wait_until(lambda: sum(stack.consumed().values()) == EVENTS + REPEATED, "the rest is read", 90)

    assert stack.consumed() == {
        "accepted": EVENTS,
        "duplicate": REPEATED,
        "late": 0,
        "dead": 0,
        "tombstone": 0,
        "lost": 0,
    }
    assert stack.rows("SELECT sum(inferences)::bigint FROM pane WHERE segment = ''") == [(EVENTS,)]
    sketches = [pane_from_bytes(data, Grid()) for (data,) in stack.rows("SELECT sketch FROM pane")]
    assert sum(sum(e.numbers.counts.sum() for e in s.extras.values()) for s in sketches) == EVENTS


def send(broker: Any, topic: str) -> None:
    """Events in order, a part of them sent again later in the same partition."""
    start = time.time_ns() // 1_000_000 - 600_000
    for partition in range(PARTITIONS):
        mine = [event(i, start) for i in range(partition, EVENTS, PARTITIONS)]
        again = mine[: REPEATED // PARTITIONS]
        broker.topics.produce(topic, [*mine[:5_000], *again, *mine[5_000:]], partition=partition)


def event(i: int, start: int) -> bytes:
    body = {
        "type": "prediction",
        "model": "m",
        "id": f"e{i}",
        "ts": start + 5 * i,
        "features": {"x": i * 0.5},
    }
    return json.dumps(body).encode()

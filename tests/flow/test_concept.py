"""The concept flips in one market, a tenth of the traffic: from bytes in Kafka to an alert that names the market."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.monitor import LabelPolicy, Monitor, Task, WindowSpec
from tests.flow.stack import Stack, running

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]

MODEL, MINUTE_MS = "loans", 60_000
WINDOW_MS, ROWS, WINDOWS, FLIP = 30 * MINUTE_MS, 300, 110, 55
MONITOR = Monitor(
    MODEL, task=Task.BINARY, windows=(WindowSpec.tumbling(WINDOW_MS),), idle_after_ms=2_000, segments=("country",),
    labels=LabelPolicy(positive="yes"),
)  # fmt: skip


@pytest.fixture
def stack(database: str, embedded_broker: Any, tmp_path: Path) -> Iterator[Any]:
    topics = [embedded_broker.new_topic(2), embedded_broker.new_topic(1)]
    made: Any = Stack(database, embedded_broker.bootstrap_servers, topics[0], tmp_path)
    made.settings["KAFKA_TOPICS"] = ",".join(topics)
    made.topics, made.broker = topics, embedded_broker
    with running(made):
        made.prepare([MONITOR])
        yield made


class World:
    """Two markets; in France, a tenth of the traffic, the model is wrong more often from one window on."""

    def __init__(self, flips: bool) -> None:
        random, n = np.random.default_rng(5), ROWS * WINDOWS
        end = time.time_ns() // 1_000_000 // WINDOW_MS * WINDOW_MS
        self.ts = end - WINDOW_MS * WINDOWS + np.arange(n) * WINDOW_MS // ROWS
        self.country = np.where(np.arange(n) % 10 == 0, "FR", "DE")
        self.says = np.where(random.random(n) < 0.4, "yes", "no")
        late = np.arange(n) >= FLIP * ROWS
        self.rates = np.where(flips & late & (self.country == "FR"), 0.115, 0.02)
        wrong = random.random(n) < self.rates
        self.truth = np.where(wrong, np.where(self.says == "yes", "no", "yes"), self.says)
        self.delays = random.integers(1, 25 * MINUTE_MS, n)
        self.flip_ms = int(self.ts[FLIP * ROWS])

    def predictions(self) -> list[bytes]:
        return [
            _bytes(type="prediction", id=f"p-{i}", ts=int(ts), version="1", features={"country": country},
                   prediction={"label": says})
            for i, (ts, country, says) in enumerate(zip(self.ts, self.country, self.says, strict=True))
        ]  # fmt: skip

    def labels(self) -> list[bytes]:
        at = self.ts + self.delays
        return [_bytes(type="label", id=f"p-{i}", ts=int(at[i]), label=self.truth[i]) for i in np.argsort(at)]


def _bytes(**event: Any) -> bytes:
    return json.dumps({"model": MODEL, **event}).encode()


def run(stack: Any, world: World) -> None:
    """Everything is read, joined and judged."""
    predictions, labels = world.predictions(), world.labels()
    for number in range(2):
        stack.broker.topics.produce(stack.topics[0], predictions[number::2], partition=number)
    stack.broker.topics.produce(stack.topics[1], labels, partition=0)
    stack.start("run")
    last = int(world.ts[-1]) - 4 * WINDOW_MS
    stack.wait_until(
        lambda: (stack.rows("SELECT max(judged_ms) FROM performance_course")[0][0] or 0) >= last,
        "all ripe windows are judged",
        120,
    )


def test_the_average_holds_and_the_one_market_that_fails_rings(stack: Any) -> None:
    world = World(flips=True)
    run(stack, world)
    accuracy = dict(
        stack.rows(
            "SELECT end_ms, value FROM performance WHERE segment = '' AND metric = 'accuracy' AND basis = 'realized'"
        )
    )
    before = [a for end, a in accuracy.items() if end <= world.flip_ms]
    after = [a for end, a in accuracy.items() if end > world.flip_ms]
    assert 0 < np.mean(before) - np.mean(after) <= 0.012
    fired = stack.rows(
        "SELECT cause, segment, severity, since_ms, summary FROM alert WHERE fired_ms IS NOT NULL"
    )
    assert [row[:3] for row in fired] == [("subgroup_gap", "country=FR", "page")]
    assert world.flip_ms <= fired[0][3]
    assert "for country=FR: the model is wrong in" in fired[0][4]
    sent = stack.rows("SELECT message ->> 'cause', message ->> 'state' FROM outbox ORDER BY id")
    assert sent[0] == ("subgroup_gap", "firing")

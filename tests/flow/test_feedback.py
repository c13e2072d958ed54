"""From the log to the feedback topic: ids, features and answers as they were sent, however often a collector dies."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xxhash
from kafka import KafkaConsumer

from service.monitor import MINUTE_MS, FeedbackPolicy, Monitor, Task, WindowSpec
from service.reference.profile import ReferenceProfile
from tests.flow.stack import Stack, running
from tests.reference.tables import built, write_csv

pytestmark = [pytest.mark.postgres, pytest.mark.kafka, pytest.mark.slow]

MODEL, HOUR_MS = "churn", 3_600_000
ROWS, PARTITIONS, PER_DAY, KILLS = 6_000, 3, 2_000, 4
WINDOW_MS = 5 * MINUTE_MS
MONITOR = Monitor(
    MODEL, task=Task.BINARY, reference=MODEL, windows=(WindowSpec.tumbling(WINDOW_MS),), idle_after_ms=1_000,
    feedback=FeedbackPolicy(PER_DAY, uncertain=0.6, surprising=0.0, random=0.4),
)  # fmt: skip


@pytest.fixture
def stack(database: str, embedded_broker: Any, tmp_path: Path) -> Iterator[Any]:
    made: Any = Stack(
        database, embedded_broker.bootstrap_servers, embedded_broker.new_topic(PARTITIONS), tmp_path
    )
    made.broker, made.feedback = embedded_broker, embedded_broker.new_topic(1)
    made.settings["FEEDBACK_TOPIC"] = made.feedback
    with running(made):
        made.prepare([MONITOR], [known_features(tmp_path)])
        yield made


def known_features(path: Path) -> ReferenceProfile:
    """A reference of the features that may be kept."""
    amounts = [i / 4 for i in range(ROWS)]
    countries = ["DE" if i % 3 else None for i in range(ROWS)]
    made = built(write_csv(path / "rows.csv", {"amount": amounts, "country": countries}))
    return replace(made, name=MODEL, model=MODEL)


def sent_events() -> dict[str, dict[str, Any]]:
    """An hour of predictions, some hours ago, by their ids."""
    random = np.random.default_rng(5)
    end = time.time_ns() // 1_000_000 - 4 * HOUR_MS
    times = np.linspace(end - HOUR_MS, end, ROWS).astype(np.int64).tolist()
    scores = random.random(ROWS).round(3).tolist()
    return {
        f"order-{i}": {
            "type": "prediction", "model": MODEL, "version": "7", "id": f"order-{i}", "ts": times[i],
            "features": {"amount": i / 4, "country": "DE" if i % 3 else None, "customer_id": f"c-{i}"},
            "prediction": {"label": "yes" if scores[i] > 0.3 else "no", "score": scores[i]},
        }
        for i in range(ROWS)
    }  # fmt: skip


def told(stack: Any, most: int) -> list[dict[str, Any]]:
    """What the feedback topic has."""
    consumer = KafkaConsumer(
        stack.feedback, bootstrap_servers=stack.bootstrap_servers, group_id=None, enable_auto_commit=False,
        auto_offset_reset="earliest", consumer_timeout_ms=2_000,
    )  # fmt: skip
    try:
        records = [record for record, _ in zip(consumer, range(most + 1), strict=False)]
    finally:
        consumer.close()
    assert {record.key for record in records} == {MODEL.encode()}
    return [json.loads(record.value) for record in records]


def test_what_to_label_reaches_the_topic_as_it_was_sent_whatever_dies(stack: Any) -> None:
    events, random = sent_events(), np.random.default_rng(6)
    values = [json.dumps(event).encode() for event in events.values()]
    for number in range(PARTITIONS):
        stack.broker.topics.produce(stack.topic, values[number::PARTITIONS], partition=number)
    for _ in range(KILLS):
        process = stack.start("collect")
        time.sleep(float(random.uniform(1.0, 2.5)))
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    stack.start("collect")
    stack.wait_until(lambda: sum(stack.consumed().values()) >= ROWS, "all is read", 90)
    assert stack.rows("SELECT count(*), count(DISTINCT inference_id) FROM feedback_candidate") == [
        (ROWS, ROWS)
    ]

    last_end = max(event["ts"] for event in events.values()) // WINDOW_MS * WINDOW_MS + WINDOW_MS
    ready = (
        "SELECT max(chosen_ms), (SELECT count(*) FROM feedback WHERE sent_at IS NULL) FROM feedback_course"
    )
    evaluator = stack.start("evaluate")
    stack.wait_until(lambda: stack.rows(ready) == [(last_end, 0)], "all is chosen and sent", 90)
    evaluator.send_signal(signal.SIGTERM)
    assert evaluator.wait(10) == 0
    chosen = stack.rows(
        "SELECT inference_id, kind, end_ms FROM feedback WHERE sent_at IS NOT NULL ORDER BY id"
    )
    records = told(stack, len(chosen))

    assert [(one["inference_id"], one["kind"], one["end_ms"]) for one in records] == chosen
    assert {one["kind"] for one in records} == {"uncertain", "random"}, "no other was asked for"
    assert len({one["inference_id"] for one in records}) == len(records) <= 2 * PER_DAY
    for one in records:
        event = events[one["inference_id"]]
        known = {name: event["features"][name] for name in ("amount", "country")}
        assert (one["features"], one["answer"], one["ts_ms"]) == (known, event["prediction"], event["ts"])
    for end in {one["end_ms"] for one in records}:
        hashes = sorted(
            xxhash.xxh3_64_intdigest(name.encode())
            for name, event in events.items()
            if end - WINDOW_MS <= event["ts"] < end
        )
        by_chance = [
            one["inference_id"] for one in records if (one["kind"], one["end_ms"]) == ("random", end)
        ]
        assert (
            sorted(xxhash.xxh3_64_intdigest(name.encode()) for name in by_chance) == hashes[: len(by_chance)]
        )

"""Traffic of a model that nobody has told driftbell of, and a stack whose topic it is in."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np

from tests.flow.stack import Stack, running

if TYPE_CHECKING:
    from tests.servers.fixtures import Broker

MODEL = "churn"
EVERY_SECONDS = 0.05
AT_ONCE = 10
PARTITIONS = 2


def events(random: np.random.Generator, first: int, count: int, now_ms: int) -> Iterator[bytes]:
    """Predictions of one moment, with an id among their features that says nothing of them."""
    for n in range(first, first + count):
        yield json.dumps({
            "type": "prediction", "model": MODEL, "version": "1", "id": f"p-{n}", "ts": now_ms,
            "features": {
                "amount": float(random.normal(20, 5)), "age": int(random.integers(18, 90)),
                "country": str(random.choice(["DE", "FR", "IT"])), "session": f"s{random.integers(1 << 40)}",
            },
            "prediction": {"label": "yes", "score": float(random.random())},
        }).encode()  # fmt: skip


def training_table(path: Path) -> Path:
    """What the model was trained on, as a newcomer would have it."""
    random = np.random.default_rng(7)
    rows = (
        f"{random.normal(20, 5)},{random.integers(18, 90)},{random.choice(['DE', 'FR', 'IT'])}"
        for _ in range(2_000)
    )
    path.write_text("amount,age,country\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


class Traffic:
    """Ten events every 50 ms, on both partitions, until it is ended."""

    def __init__(self, topic: str, broker: Broker) -> None:
        from kafka import KafkaProducer

        self._topic, self._random, self._sent = topic, np.random.default_rng(3), 0
        self._producer: Any = KafkaProducer(bootstrap_servers=broker.bootstrap_servers, linger_ms=5)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(EVERY_SECONDS):
            for value in events(self._random, self._sent, AT_ONCE, time.time_ns() // 1_000_000):
                self._producer.send(self._topic, value, partition=self._sent % PARTITIONS)
                self._sent += 1

    def end(self) -> None:
        """Send no more."""
        self._stop.set()
        self._thread.join(5)
        self._producer.close()


@contextmanager
def newcomer(database: str, broker: Broker, folder: Path) -> Iterator[Stack]:
    """An empty database, and a topic with traffic that has begun."""
    stack = Stack(database, broker.bootstrap_servers, broker.new_topic(PARTITIONS), folder)
    traffic = Traffic(stack.topic, broker)
    try:
        with running(stack):
            yield stack
    finally:
        traffic.end()


def is_answering(stack: Stack) -> bool:
    """Whether the pages are there."""
    try:
        return httpx.get(f"http://127.0.0.1:{stack.port}/readyz").status_code == 200
    except httpx.TransportError:
        return False

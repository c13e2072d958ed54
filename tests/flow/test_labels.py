"""Realized performance: labels come hours later, in any order, twice or never, and numpy computes the same."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from service.monitor import LabelPolicy, Monitor, Task, WindowSpec
from tests.flow.stack import Stack, running
from tests.flow.streams import Table, read_electricity

pytestmark = [pytest.mark.postgres, pytest.mark.kafka]

MODEL, HOUR_MS, MINUTE_MS = "power-price", 3_600_000, 60_000
ROWS, WINDOW_MS = 6_000, 5 * MINUTE_MS
KILLS = 10
MONITOR = Monitor(
    MODEL, task=Task.BINARY, windows=(WindowSpec.tumbling(WINDOW_MS),), idle_after_ms=2_000, segments=("day",),
    labels=LabelPolicy(positive="UP"),
)  # fmt: skip


@pytest.fixture
def stack(database: str, embedded_broker: Any, tmp_path: Path) -> Iterator[Any]:
    topics = [embedded_broker.new_topic(3), embedded_broker.new_topic(2)]
    made: Any = Stack(database, embedded_broker.bootstrap_servers, topics[0], tmp_path)
    made.settings["KAFKA_TOPICS"] = ",".join(topics)
    made.topics, made.broker = topics, embedded_broker
    with running(made):
        made.prepare([MONITOR])
        yield made


class Answers:
    """A fixed model of the price, what it said an hour long, and what came true."""

    def __init__(self) -> None:
        table: Table = read_electricity().part(20_000, 20_000 + ROWS)
        end = time.time_ns() // 1_000_000 - 4 * HOUR_MS
        self.ts = np.linspace(end - HOUR_MS, end, ROWS).astype(np.int64)
        self.scores = np.round(1 / (1 + np.exp(-20 * (table.columns["nswprice"] - 0.06))), 3)
        self.says = np.where(self.scores > 0.5, "UP", "DOWN")
        self.truth = np.where(table.columns["class"] == 1, "UP", "DOWN")
        self.days = np.where(np.arange(ROWS) % 7 < 5, "work", "rest")

    def predictions(self) -> list[bytes]:
        return [
            _bytes(type="prediction", id=f"p-{i}", ts=int(self.ts[i]), version="1", features={"day": self.days[i]},
                   prediction={"label": self.says[i], "score": self.scores[i]})
            for i in range(ROWS)
        ]  # fmt: skip

    def labels(self, random: np.random.Generator) -> tuple[list[bytes], np.ndarray]:
        """Hours late, shuffled, every tenth twice, a twentieth never; and which came at all."""
        came = random.random(ROWS) >= 0.05
        places = np.flatnonzero(came)
        places = random.permutation(np.concatenate([places, places[::10]]))
        late = random.integers(0, 3 * HOUR_MS, ROWS)
        made = [
            _bytes(type="label", id=f"p-{i}", ts=int(self.ts[i] + late[i]), label=self.truth[i])
            for i in places
        ]
        return made, came

    def accuracies(self, came: np.ndarray, day: str | None = None) -> dict[int, tuple[int, float]]:
        """Labelled rows and accuracy by the end of the window of the prediction."""
        known = came if day is None else came & (self.days == day)
        ends = self.ts // WINDOW_MS * WINDOW_MS + WINDOW_MS
        right = self.says == self.truth
        return {
            int(end): (int(of.sum()), float(right[of].mean()))
            for end in np.unique(ends)
            if (of := known & (ends == end)).any()
        }


def _bytes(**event: Any) -> bytes:
    return json.dumps({"model": MODEL, **event}).encode()


def told(stack: Any, segment: str = "", metric: str = "accuracy") -> Mapping[int, tuple[int, float]]:
    rows = stack.rows(
        "SELECT end_ms, n, value FROM performance WHERE segment = %s AND metric = %s AND basis = 'realized'",
        segment, metric,
    )  # fmt: skip
    return {end: (n, value) for end, n, value in rows}


def send(stack: Any, topic: str, events: list[bytes], partitions: int) -> None:
    for number in range(partitions):
        stack.broker.topics.produce(topic, events[number::partitions], partition=number)


@pytest.mark.parametrize("labels_first", [False, True], ids=["labels behind", "labels first"])
def test_late_labels_in_any_order_restate_the_windows_of_their_predictions(
    stack: Any, labels_first: bool
) -> None:
    answers = Answers()
    labels, came = answers.labels(np.random.default_rng(3))
    parts = [(stack.topics[0], answers.predictions(), 3), (stack.topics[1], labels, 2)]
    send(stack, *parts[1 if labels_first else 0])
    stack.start("run")
    stack.wait_until(
        lambda: sum(stack.consumed().values()) >= len(parts[labels_first][1]), "the first are read"
    )
    send(stack, *parts[0 if labels_first else 1])
    wanted = answers.accuracies(came)
    stack.wait_until(lambda: {e: n for e, (n, _) in told(stack).items()} == {e: n for e, (n, _) in wanted.items()},
                     "all labels are joined", 90)  # fmt: skip
    assert told(stack) == {end: (n, pytest.approx(value, abs=1e-12)) for end, (n, value) in wanted.items()}
    for day in ("work", "rest"):
        assert told(stack, f"day={day}") == {
            end: (n, pytest.approx(value, abs=1e-12))
            for end, (n, value) in answers.accuracies(came, day).items()
        }


@pytest.mark.slow
def test_ten_kills_in_the_middle_of_the_join_count_each_label_once(stack: Any) -> None:
    answers, random = Answers(), np.random.default_rng(4)
    labels, came = answers.labels(random)
    for topic, events, partitions in (
        (stack.topics[0], answers.predictions(), 3),
        (stack.topics[1], labels, 2),
    ):
        send(stack, topic, events, partitions)
    for _ in range(KILLS):
        process = stack.start("run")
        time.sleep(float(random.uniform(1.5, 5)))
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    stack.start("run")
    wanted = {end: n for end, (n, _) in answers.accuracies(came).items()}
    stack.wait_until(
        lambda: {e: n for e, (n, _) in told(stack).items()} == wanted, "all labels are joined", 120
    )
    assert told(stack) == {
        end: (n, pytest.approx(value, abs=1e-12)) for end, (n, value) in answers.accuracies(came).items()
    }
    stack.wait_until(
        lambda: stack.rows("SELECT count(*) FROM join_inbox") == [(0,)], "repeats are joined, too"
    )
    assert stack.rows("SELECT count(*) FROM waiting_prediction WHERE label_ms IS NOT NULL") == [
        (int(came.sum()),)
    ]

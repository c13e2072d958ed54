"""However much comes at once, memory stays where it was: names, categories, widths, bombs, and a database that lags."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from kafka import KafkaProducer

from service.intake.learning import MOST_LEARNED_MODELS
from service.messages import UnknownModels
from service.monitor import Monitor
from tests.faults.sizes import PATIENCE_SECONDS, by_size
from tests.flow.stack import Stack, running
from tests.servers.fixtures import Broker

pytestmark = [pytest.mark.postgres, pytest.mark.kafka, pytest.mark.slow]

MIB = 2**20
MOST_MEMORY_BYTES = 512 * MIB
MOST_SERIES = 10_000
NAMES = by_size(4_000, 100_000)
CATEGORIES = by_size(20_000, 1_000_000)
BOMB_RECORDS = by_size(96, 512)
SLOW_SECONDS = by_size(8.0, 120.0)
FEWEST_READINGS = (
    20  # of memory, however slow the machine is: it takes some batches until all buffers are there
)
PAGE_SECONDS = by_size(8.0, 1.0)


def event(model: str, ts_ms: int, features: dict[str, Any], number: int) -> bytes:
    body = {
        "type": "prediction", "model": model, "version": "1", "id": str(number), "ts": ts_ms, "features": features,
    }  # fmt: skip
    return json.dumps(body).encode()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def run(database: str, statements: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(statements.encode())


def memory_bytes(process: subprocess.Popen[bytes], what: str) -> int:
    """`VmRSS`, what a process holds now, or `VmHWM`, the most that it ever held."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    [kibibytes] = re.findall(rf"{what}:\s+(\d+) kB", status)
    return int(kibibytes) * 1024


def made(database: str, broker: Broker, folder: Path, *, partitions: int = 1) -> Stack:
    return Stack(database, broker.bootstrap_servers, broker.new_topic(partitions), folder)


def test_ever_new_models_and_categories_fill_neither_memory_nor_the_metrics_page(
    database: str, embedded_broker: Broker, tmp_path: Path
) -> None:
    stack = made(database, embedded_broker, tmp_path, partitions=2)
    stack.settings = {"UNKNOWN_MODELS": UnknownModels.LEARN.value}
    stack.prepare([Monitor("known")])
    start = now_ms() - 600_000
    logs = [names_and_categories(partition, start) for partition in range(2)]
    for partition, values in enumerate(logs):
        embedded_broker.topics.produce(stack.topic, values, partition=partition)

    with running(stack):
        collectors = [stack.start("collect") for _ in range(2)]
        evaluator, server = stack.start("evaluate"), stack.start("serve")
        total = sum(map(len, logs))
        stack.wait_until(lambda: sum(stack.consumed().values()) >= total, "all is read", 3 * PATIENCE_SECONDS)
        for process in (*collectors, evaluator, server):
            assert memory_bytes(process, "VmHWM") <= MOST_MEMORY_BYTES
        series, seconds = stack.wait_until(lambda: page(stack), "the page answers")
        assert series <= MOST_SERIES + 200  # and those of the process itself
        assert seconds <= PAGE_SECONDS

    learned = stack.rows("SELECT count(DISTINCT model) FROM model_version WHERE origin = 'learned'")
    assert learned == [(MOST_LEARNED_MODELS,)]
    consumed = stack.consumed()
    refused = stack.rows("SELECT count(*) FROM dead_letter WHERE reason = 'unknown_model'")[0][0]
    wide = stack.rows("SELECT count(*) FROM dead_letter WHERE reason = 'too_wide'")[0][0]
    assert (refused, wide) == (NAMES - MOST_LEARNED_MODELS, 2)
    assert consumed["dead"] == refused + wide
    assert consumed["accepted"] == total - refused - wide
    assert "further ones are not learned" in stack.logs()


def names_and_categories(partition: int, start: int) -> list[bytes]:
    """Half of the names, each in one event, and between them events of a known model with ever new categories."""
    names, categories = NAMES // 2, CATEGORIES // 2
    each = categories // names
    values = []
    for i in range(names):
        ts = start + i * 60_000 // names
        values.append(event(f"model-{partition}-{i}", ts, {"x": i}, i))
        values += [
            event("known", ts, {"kind": f"{partition}-{k}", "x": k % 7}, k)
            for k in range(i * each, (i + 1) * each)
        ]
    wide = event("known", start, {f"f{i}": i for i in range(10_000)}, -1)
    return [*values[: len(values) // 2], wide, *values[len(values) // 2 :]]


def page(stack: Stack) -> tuple[int, float]:
    """How many series the metrics page has, and how long it takes."""
    began = time.perf_counter()
    count = len(stack.metrics())
    return count, time.perf_counter() - began


def test_a_batch_that_inflates_a_thousandfold_is_read_to_its_end_in_little_memory(
    database: str, any_broker: Broker, tmp_path: Path
) -> None:
    stack = made(database, any_broker, tmp_path)
    stack.prepare([Monitor("known")])
    produce_bomb(any_broker, stack.topic)
    with running(stack):
        collector = stack.start("collect")
        stack.wait_until(lambda: sum(stack.consumed().values()) >= BOMB_RECORDS + 3, "the bomb is read", 120)
        assert memory_bytes(collector, "VmHWM") <= MOST_MEMORY_BYTES
        assert collector.poll() is None
    consumed = stack.consumed()
    assert (consumed["accepted"], consumed["dead"], consumed["lost"]) == (BOMB_RECORDS + 2, 1, 0)
    letters = stack.rows('SELECT "offset", reason, size, length(value) FROM dead_letter')
    assert letters == [(BOMB_RECORDS + 1, "too_large", 40 * MIB, 4_096)]


def produce_bomb(broker: Broker, topic: str) -> None:
    """One compressed batch of good events of nearly a mebibyte each, with a value of 40 MiB at their end."""
    blank = " " * (MIB - 400)
    producer = KafkaProducer(
        bootstrap_servers=broker.bootstrap_servers, compression_type="gzip", linger_ms=60_000,
        batch_size=2_000 * MIB, max_request_size=1_000 * MIB, enable_idempotence=False,
    )  # fmt: skip
    start = now_ms()
    for i in range(BOMB_RECORDS):
        producer.send(topic, event("known", start, {"x": i}, i)[:-1] + blank.encode() + b"}", partition=0)
    producer.send(topic, event("known", start, {"x": 1}, -1), partition=0)
    producer.send(topic, b"\0" * 40 * MIB, partition=0)
    producer.send(topic, event("known", start, {"x": 1}, -2), partition=0)
    producer.flush()
    producer.close()


SLOW = """
    CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(0.7); RETURN NEW; END $$;
    CREATE TRIGGER slow BEFORE UPDATE OF next_offset ON source_partition
        FOR EACH ROW WHEN (NEW.next_offset <> OLD.next_offset) EXECUTE FUNCTION dawdle();
"""


def test_while_the_database_is_slower_than_the_input_the_rest_waits_in_kafka(
    database: str, embedded_broker: Broker, tmp_path: Path
) -> None:
    stack = made(database, embedded_broker, tmp_path)
    stack.settings = {"COMMIT_INTERVAL": "50ms", "COMMIT_RECORDS": "1000"}
    stack.prepare([Monitor("known")])
    run(database, SLOW)
    sent = 0
    with running(stack):
        collector = stack.start("collect")
        memory, most_lag = [], 0
        ends = time.monotonic() + SLOW_SECONDS
        while time.monotonic() < ends or len(memory) < FEWEST_READINGS:
            ts = now_ms()
            values = [event("known", ts, {"x": i % 9, "kind": "a"}, i) for i in range(sent, sent + 20_000)]
            embedded_broker.topics.produce(stack.topic, values)
            sent += len(values)
            memory.append(memory_bytes(collector, "VmRSS"))
            most_lag = max(most_lag, sent - sum(stack.consumed().values()))
        run(database, "DROP TRIGGER slow ON source_partition")
        stack.wait_until(lambda: sum(stack.consumed().values()) >= sent, "it catches up", PATIENCE_SECONDS)
        assert memory_bytes(collector, "VmHWM") <= MOST_MEMORY_BYTES
        collector.send_signal(signal.SIGTERM)
        assert collector.wait(60) == 0
    settled = memory[len(memory) // 2 :]
    assert max(settled) <= 1.05 * settled[0] + 32 * MIB
    assert most_lag > sent // 4
    assert stack.consumed()["accepted"] == sent
    assert stack.rows("SELECT owner_epoch FROM source_partition") == [(1,)]

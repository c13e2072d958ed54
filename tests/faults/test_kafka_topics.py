"""What befalls a topic while it is read (retention, deletion, a new topic of its name, growth) is seen and counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from service.collector import Collector
from service.intake.kafka_settings import KafkaSettings
from service.metrics import PipelineMetrics
from service.store.checkpoint import PostgresCheckpoints
from service.store.configuration import apply_monitors
from tests.fakes.collecting import counts, options, partition_row
from tests.faults.outages import MONITOR, record
from tests.faults.sizes import PATIENCE_SECONDS, by_size
from tests.servers.logs import CLIENTS

pytestmark = [pytest.mark.postgres, pytest.mark.apache_kafka, pytest.mark.slow]
both_clients = pytest.mark.parametrize("client", ["kafka-python", "confluent"])

RECORDS = 300
TRIALS_OF_EACH_LENGTH = by_size(1, 7)
NOTICED_SECONDS, GROWN_SECONDS = 20.0, 30.0
MARGIN_SECONDS = 5.0
"""What a slow machine may add to a limit that the code keeps by its intervals."""


class Reading:
    """A collector in this process on a real topic, with the settings that a user's collector has."""

    def __init__(self, engine: Engine, broker: Any, client: str, partitions: int) -> None:
        self.engine, self.broker = engine, broker
        self.topic = broker.new_topic(partitions)
        apply_monitors(engine, [MONITOR], [], 0)
        self._client = client
        self.start()

    def start(self) -> None:
        """Join as a process would that has just been started."""
        settings = KafkaSettings(self.broker.bootstrap_servers, (self.topic,), f"group-{self.topic}")
        self.metrics = PipelineMetrics(CollectorRegistry())
        self.collector = Collector(
            CLIENTS[self._client](settings),
            PostgresCheckpoints(self.engine),
            options(),
            self.metrics,
            time.monotonic,
        )
        self.collector.prepare()

    def stop(self) -> None:
        self.collector.drain()
        self.collector.source.close()

    def fill(self, records: int, first: int = 0, partition: int = 0) -> None:
        start = time.time_ns() // 1_000_000 - 600_000
        values = [record(partition, n, start + n * 10) for n in range(first, first + records)]
        self.broker.topics.produce(self.topic, values, partition=partition)

    def turn_until(self, done: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS) -> float:
        """Turn the loop until it is so; gives the seconds it took."""
        began = time.monotonic()
        while not done():
            assert time.monotonic() - began < seconds, f"{what}: not within {seconds:.0f} s"
            self.collector.step()
        return time.monotonic() - began

    def turn_for(self, seconds: float) -> None:
        """Turn the loop for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.collector.step()

    def stored(self, partition: int = 0) -> int:
        rows = self.rows()
        return rows[partition]["next_offset"] if partition in rows else -1

    def halted(self, partition: int = 0) -> str:
        rows = self.rows()
        return (rows[partition]["halted"] or "") if partition in rows else ""

    def rows(self) -> dict[int, dict[str, Any]]:
        return {number: partition_row(self.engine, number) for number in self.numbers()}

    def numbers(self) -> list[int]:
        with self.engine.connect() as connection:
            return [n for (n,) in connection.exec_driver_sql("SELECT partition FROM source_partition")]


@contextmanager
def reading(engine: Engine, broker: Any, client: str, partitions: int = 1) -> Iterator[Reading]:
    made = Reading(engine, broker, client, partitions)
    for number in range(partitions):
        made.fill(RECORDS, partition=number)
    try:
        made.turn_until(lambda: all(made.stored(n) == RECORDS for n in range(partitions)), "all is read")
        yield made
    finally:
        made.stop()


@both_clients
def test_what_retention_took_is_counted_exactly(
    apache_kafka: Any, engine: Engine, client: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Offsets:  0 .. 299 read | 300 .. 399 taken | 400 .. 499 left."""
    with reading(engine, apache_kafka, client) as made:
        made.stop()
        made.fill(200, first=RECORDS)
        apache_kafka.topics.delete_records(made.topic, before=RECORDS + 100)
        made.start()
        made.turn_until(lambda: made.stored() == RECORDS + 200, "the rest is read")
        assert counts(engine)["lost"] == 100
        assert sum(counts(engine).values()) == RECORDS + 200
        assert made.metrics.registry.get_sample_value("driftbell_records_lost_total") == 100
        assert "100 records are lost" in caplog.text


@both_clients
@pytest.mark.parametrize("records", [RECORDS // 2, RECORDS, RECORDS * 2], ids=["shorter", "equal", "longer"])
def test_a_topic_made_anew_is_noticed_every_time(
    apache_kafka: Any, engine: Engine, client: str, records: int
) -> None:
    """Nothing of the new one may be taken for the old one's continuation."""
    for _ in range(TRIALS_OF_EACH_LENGTH):
        with reading(engine, apache_kafka, client) as made:
            apache_kafka.topics.delete(made.topic)
            apache_kafka.topics.create(made.topic)
            made.fill(records, first=10_000)
            made.turn_until(made.halted, "it is noticed", NOTICED_SECONDS + MARGIN_SECONDS)
            assert "made" in made.halted() or "another topic" in made.halted()
            assert made.stored() == RECORDS
        with engine.begin() as connection:
            connection.exec_driver_sql("TRUNCATE source_partition, pane, pane_ids, dead_letter")


@both_clients
def test_a_topic_that_is_gone_ends_no_collector(apache_kafka: Any, engine: Engine, client: str) -> None:
    """One client halts it, the other has it taken away by the group; either way nobody claims to read it."""
    with reading(engine, apache_kafka, client) as made:
        apache_kafka.topics.delete(made.topic)
        made.turn_until(
            lambda: made.halted() or made.rows()[0]["owner"] is None,
            "it is noticed",
            NOTICED_SECONDS + MARGIN_SECONDS,
        )
        made.turn_for(2 * options().look_seconds)
        assert made.stored() == RECORDS


@pytest.mark.parametrize("client", by_size(["kafka-python"], ["kafka-python", "confluent"]))
def test_new_partitions_are_read_from_their_first_record(
    apache_kafka: Any, engine: Engine, client: str
) -> None:
    with reading(engine, apache_kafka, client, partitions=4) as made:
        apache_kafka.topics.grow(made.topic, 8)
        for number in range(8):
            made.fill(50, first=RECORDS, partition=number)
        seconds = made.turn_until(
            lambda: made.numbers() and len(made.numbers()) == 8,
            "they are claimed",
            GROWN_SECONDS + MARGIN_SECONDS,
        )
        ends = {n: RECORDS + 50 if n < 4 else 50 for n in range(8)}
        made.turn_until(lambda: {n: made.stored(n) for n in range(8)} == ends, "all is read")
        assert all(sum(counts(engine, n).values()) == ends[n] for n in range(8))
        assert seconds <= GROWN_SECONDS + MARGIN_SECONDS

"""A topic that is deleted halts its own rows, with the reason, and holds up no other topic of the collector."""

from __future__ import annotations

import time
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine

from service.collector import Collector
from service.intake.kafka_settings import KafkaSettings
from service.metrics import PipelineMetrics
from service.store.checkpoint import PostgresCheckpoints
from service.store.configuration import apply_monitors
from tests.fakes.collecting import options
from tests.faults.outages import MONITOR, record
from tests.servers.logs import CLIENTS

pytestmark = [pytest.mark.postgres, pytest.mark.apache_kafka, pytest.mark.slow]

HALTED_SECONDS, LATER_SECONDS, STILL_SECONDS = 25.0, 20.0, 4.0


@pytest.mark.parametrize("client", CLIENTS)
def test_a_deleted_topic_is_halted_and_the_other_one_read_on(
    apache_kafka: Any, engine: Engine, client: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Also long after, when a halted partition would be looked at again."""
    gone, other = apache_kafka.new_topic(1), apache_kafka.new_topic(1)
    apply_monitors(engine, [MONITOR], [], 0)
    source = CLIENTS[client](KafkaSettings(apache_kafka.bootstrap_servers, (gone, other), f"group-{gone}"))
    collector = Collector(
        source, PostgresCheckpoints(engine), options(), PipelineMetrics(CollectorRegistry()), time.monotonic
    )

    def row(topic: str) -> dict[str, Any]:
        with engine.connect() as connection:
            query = f"SELECT * FROM source_partition WHERE topic = '{topic}'"
            return dict(connection.exec_driver_sql(query).mappings().one_or_none() or {"next_offset": -1})

    def write(topic: str, first: int) -> None:
        start = time.time_ns() // 1_000_000 - 600_000
        apache_kafka.topics.produce(topic, [record(0, first, start + first)])

    def turn_until(done: Any, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, caplog.text[-3000:]
            collector.step()

    collector.prepare()
    try:
        for topic in (gone, other):
            write(topic, 0)
        turn_until(lambda: row(gone)["next_offset"] == row(other)["next_offset"] == 1, HALTED_SECONDS)
        apache_kafka.topics.delete(gone)
        turn_until(lambda: row(gone)["halted"], HALTED_SECONDS)
        assert "its topic cannot be read any more: Kafka has no topic" in row(gone)["halted"]
        end, written = time.monotonic() + LATER_SECONDS, 1
        while time.monotonic() < end:
            write(other, written)
            written += 1
            turn_until(lambda: row(other)["next_offset"] == written, STILL_SECONDS)  # noqa: B023 - called at once
        assert row(gone)["next_offset"] == 1
        assert "is away" not in caplog.text
        assert caplog.text.count("not found in cluster metadata") <= 2
    finally:
        collector.drain()
        source.close()

"""Records are appended to the partition that is named, and each one's fate is known."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from service.errors import Unavailable
from service.intake.kafka_log_writer import KafkaLogWriter
from service.intake.kafka_settings import KafkaSettings
from service.intake.kafka_writer import KafkaWriter
from service.intake.log_writer import NewRecord
from service.messages import Partition
from tests.flow.stack import free_port

NOW_MS = time.time_ns() // 1_000_000
FAR_MS = NOW_MS + 2 * 365 * 86_400_000


def settings(bootstrap_servers: str) -> KafkaSettings:
    return KafkaSettings(
        bootstrap_servers, ("any",), "none", request_timeout_ms=5_000, connect_timeout_ms=2_000
    )


@pytest.fixture
def writer(any_broker: Any) -> Iterator[KafkaLogWriter]:
    made = KafkaLogWriter(settings(any_broker.bootstrap_servers))
    yield made
    made.close()
    made.close()


def stored(broker: Any, partition: Partition, count: int) -> list[Any]:
    """The first so many records of a partition, with their headers."""
    place, found = TopicPartition(*partition), []
    consumer = KafkaConsumer(
        bootstrap_servers=broker.bootstrap_servers, group_id=None, enable_auto_commit=False
    )
    try:
        consumer.assign([place])
        consumer.seek(place, 0)
        deadline = time.monotonic() + 20
        while len(found) < count and time.monotonic() < deadline:
            found += consumer.poll(500).get(place, [])
    finally:
        consumer.close()
    return found


def test_a_record_is_appended_with_its_key_bytes_time_and_headers(
    any_broker: Any, writer: KafkaLogWriter
) -> None:
    here = Partition(any_broker.new_topic(3), 2)
    records = [
        NewRecord(
            here, b"key", b"\x00\xff" * 10, NOW_MS - 86_400_000, (("__driftbell.replayed.topic", b"t"),)
        ),
        NewRecord(here, None, b"", NOW_MS),
        NewRecord(here, None, b"x" * 900_000, None),
    ]
    assert writer.write(records) == [None, None, None]
    first, second, third = stored(any_broker, here, 3)
    assert (first.key, first.value, first.timestamp) == (b"key", b"\x00\xff" * 10, NOW_MS - 86_400_000)
    assert list(first.headers) == [("__driftbell.replayed.topic", b"t")]
    assert (second.value, len(third.value)) == (b"", 900_000)


def test_a_partition_that_is_not_there_is_told_of_its_record_only(
    any_broker: Any, writer: KafkaLogWriter
) -> None:
    topic = any_broker.new_topic(1)
    here, nowhere = Partition(topic, 0), Partition(topic, 7)
    told = writer.write([NewRecord(nowhere, None, b"a", NOW_MS), NewRecord(here, None, b"b", NOW_MS)])
    assert told[1] is None
    assert "Unrecognized partition 7" in str(told[0])
    assert [record.value for record in stored(any_broker, here, 1)] == [b"b"]


@pytest.mark.apache_kafka
def test_what_the_broker_refuses_takes_no_other_record_with_it(apache_kafka: Any) -> None:
    here = Partition(apache_kafka.new_topic(1), 0)
    writer = KafkaLogWriter(settings(apache_kafka.bootstrap_servers))
    values = [(b"a", NOW_MS), (b"from the future", FAR_MS), (b"b", NOW_MS), (b"x" * 17_000_000, NOW_MS)]
    told = writer.write([NewRecord(here, None, value, ts_ms) for value, ts_ms in values])
    writer.close()
    assert [one is None for one in told] == [True, False, True, False]
    assert "Kafka did not take it" in str(told[1])
    assert sorted(record.value for record in stored(apache_kafka, here, 2)) == [b"a", b"b"]


def test_a_broker_that_is_away_is_said() -> None:
    writer = KafkaLogWriter(settings(f"127.0.0.1:{free_port()}"), wait_seconds=2)
    with pytest.raises(Unavailable, match="Kafka is away while writing dead letters"):
        writer.write([NewRecord(Partition("t", 0), None, b"a", NOW_MS)])
    writer.close()


@pytest.mark.apache_kafka
def test_a_flush_does_not_pass_over_what_the_broker_refused(apache_kafka: Any) -> None:
    topic = apache_kafka.new_topic(1)
    writer = KafkaWriter(settings(apache_kafka.bootstrap_servers))
    writer.send(topic, b"from the future", timestamp_ms=FAR_MS)
    with pytest.raises(Unavailable, match="did not take all records"):
        writer.flush()
    writer.send(topic, b"now", timestamp_ms=NOW_MS)
    writer.flush()
    writer.close()

"""Records are appended to the feedback topic, and nobody is held up for long by a topic that is away."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition

from service.errors import TooLarge, Unavailable
from service.intake.feedback_topic import LARGEST_REQUEST, KafkaFeedbackTopic
from service.intake.kafka_settings import KafkaSettings
from service.messages import Partition
from tests.flow.stack import free_port
from tests.intake.test_kafka_log_writer import stored


def settings(bootstrap_servers: str) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers, ("any",), "none", connect_timeout_ms=2_000)


@pytest.fixture
def opened() -> Iterator[list[KafkaFeedbackTopic]]:
    made: list[KafkaFeedbackTopic] = []
    yield made
    for one in made:
        one.close()
        one.close()


@pytest.mark.kafka
def test_records_are_there_with_their_keys_when_writing_returns(
    embedded_broker: Any, opened: list[KafkaFeedbackTopic]
) -> None:
    topic = embedded_broker.new_topic(1)
    opened.append(KafkaFeedbackTopic(settings(embedded_broker.bootstrap_servers), topic))
    opened[0].write([(b"churn", b"{}"), (b"fraud", b"[]")])
    opened[0].write([(b"churn", b"{1}")])
    records = stored(embedded_broker, Partition(topic, 0), 3)
    assert [(one.key, one.value) for one in records] == [
        (b"churn", b"{}"),
        (b"fraud", b"[]"),
        (b"churn", b"{1}"),
    ]


@pytest.mark.kafka
def test_records_of_a_model_are_in_one_partition(
    embedded_broker: Any, opened: list[KafkaFeedbackTopic]
) -> None:
    topic = embedded_broker.new_topic(3)
    opened.append(KafkaFeedbackTopic(settings(embedded_broker.bootstrap_servers), topic))
    opened[0].write([(b"churn", b"%d" % i) for i in range(20)])
    consumer = KafkaConsumer(bootstrap_servers=embedded_broker.bootstrap_servers, group_id=None)
    try:
        ends = consumer.end_offsets([TopicPartition(topic, number) for number in range(3)])
    finally:
        consumer.close()
    assert sum(end > 0 for end in ends.values()) == 1


@pytest.mark.apache_kafka
def test_of_each_record_it_is_known_whether_the_topic_has_it(
    apache_kafka: Any, opened: list[KafkaFeedbackTopic]
) -> None:
    """Small records that are refused because they were sent with a large one are sent again apart from it."""
    topic = f"small-{uuid.uuid4().hex}"
    apache_kafka.topics.create(topic, 1, {"max.message.bytes": "2000"})
    opened.append(KafkaFeedbackTopic(settings(apache_kafka.bootstrap_servers), topic))
    small = [(b"churn", b"%03d" % i + random.randbytes(500)) for i in range(20)]
    records = [*small[:10], (b"churn", random.randbytes(3_000)), *small[10:]]
    outcomes = opened[0].write(records)
    assert [type(one) for one in outcomes] == [type(None)] * 10 + [TooLarge] + [type(None)] * 10
    assert [one.value for one in stored(apache_kafka, Partition(topic, 0), 20)] == [
        value for _, value in small
    ]


@pytest.mark.kafka
def test_a_record_that_no_request_can_hold_is_known_without_a_broker(
    embedded_broker: Any, opened: list[KafkaFeedbackTopic]
) -> None:
    topic = embedded_broker.new_topic(1)
    opened.append(KafkaFeedbackTopic(settings(embedded_broker.bootstrap_servers), topic))
    large, small = opened[0].write([(b"churn", bytes(LARGEST_REQUEST)), (b"churn", b"{}")])
    assert isinstance(large, TooLarge)
    assert small is None


def test_a_broker_that_is_away_is_trouble(opened: list[KafkaFeedbackTopic]) -> None:
    opened.append(KafkaFeedbackTopic(settings(f"127.0.0.1:{free_port()}"), "feedback", 1.0))
    with pytest.raises(Unavailable):
        opened[0].write([(b"churn", b"{}")])

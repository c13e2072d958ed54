"""A broker tells of topics and rights, and nothing is changed by asking."""

from __future__ import annotations

import pytest

from service.embedded.broker import free_port
from service.errors import Unavailable
from service.intake.kafka_python_survey import survey_topics
from service.intake.kafka_settings import KafkaSettings
from tests.servers.fixtures import Broker

WITHIN_MS = 5_000


def settings_of(broker: Broker, topic: str) -> KafkaSettings:
    return KafkaSettings(broker.bootstrap_servers, (topic,), "doctors")


def test_a_topic_is_told_with_its_partitions_and_one_that_is_not_there_with_what_to_do(
    any_broker: Broker,
) -> None:
    topic = any_broker.new_topic(2)
    any_broker.topics.produce(topic, [b"1", b"2"], partition=1)
    seen = survey_topics(settings_of(any_broker, topic), [topic, f"{topic}-none"], WITHIN_MS)
    found, missing = seen.topic(topic), seen.topic(f"{topic}-none")
    assert found is not None
    assert missing is not None
    assert (found.trouble, found.leaderless, dict(found.starts)) == ("", (), {0: 0, 1: 0})
    assert sorted(found.ends) == [0, 1]
    assert "Kafka has no topic" in missing.trouble
    assert seen.group_trouble == ""
    assert f"{topic}-none" not in any_broker.topics._admin.list_topics()


@pytest.mark.apache_kafka
def test_extent_rights_and_retention_are_those_that_the_broker_has(apache_kafka: Broker) -> None:
    topic, compacted = apache_kafka.new_topic(), apache_kafka.new_topic()
    apache_kafka.topics._admin.alter_configs([_resource(topic, {"retention.ms": "3600000"})])
    apache_kafka.topics._admin.alter_configs([_resource(compacted, {"cleanup.policy": "compact"})])
    apache_kafka.topics.produce(topic, [b"1", b"2", b"3"])
    apache_kafka.topics.delete_records(topic, before=1)
    seen = survey_topics(settings_of(apache_kafka, topic), [topic, compacted], WITHIN_MS)
    found, other = seen.topic(topic), seen.topic(compacted)
    assert found is not None
    assert other is not None
    assert (dict(found.starts), dict(found.ends)) == ({0: 1}, {0: 3})
    assert (found.retention_ms, found.compacted) == (3_600_000, False)
    assert found.rights is None or "READ" in found.rights
    assert (other.retention_ms, other.compacted) == (None, True)


def _resource(topic: str, options: dict[str, str]) -> object:
    from kafka.admin import ConfigResource

    return ConfigResource("TOPIC", topic, options)


def test_a_broker_that_is_away_is_unavailable_within_the_time() -> None:
    away = KafkaSettings(f"127.0.0.1:{free_port()}", ("log",), "doctors")
    with pytest.raises(Unavailable, match="Kafka is away while connecting to it"):
        survey_topics(away, ["log"], 1_000)

"""How the fast client's error messages are sorted, beside records of the same poll."""

from __future__ import annotations

import logging

import pytest
from confluent_kafka import KafkaError, Message

from service.errors import ConfigurationError
from service.intake.confluent import ConfluentSource
from service.intake.confluent_codes import corrupt_codes
from service.intake.kafka_settings import KafkaSettings
from service.messages import Partition

A, B = Partition("t", 0), Partition("t", 1)


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> ConfluentSource:
    """A source that has begun two partitions; no broker is behind it."""
    made = ConfluentSource(KafkaSettings("h:1", topics=("t",), group_id="g"))
    made._ownership.assign([A, B])
    for partition in (A, B):
        made._ownership.begin(partition, 0)
    monkeypatch.setattr(made, "begin", made._ownership.begin)
    return made


def record(partition: Partition, offset: int) -> Message:
    return Message(
        topic=partition.topic, partition=partition.number, offset=offset, value=b"v", timestamp=(1, 5)
    )


def trouble(partition: Partition, offset: int, code: int) -> Message:
    error = KafkaError(code, "what the client says")
    return Message(topic=partition.topic, partition=partition.number, offset=offset, error=error)


@pytest.mark.parametrize("code", corrupt_codes())
def test_what_follows_a_damaged_batch_is_not_handed_over(source: ConfluentSource, code: int) -> None:
    """The client may go on behind it; what is there would be read as if nothing were missing."""
    messages = [
        record(A, 0),
        record(B, 0),
        trouble(A, 1, code),
        record(A, 9),
        record(B, 1),
        trouble(A, 9, code),
    ]
    polled = source._sort_out(messages)
    assert {r.partition: r.offsets.tolist() for r in polled.records} == {A: [0], B: [0, 1]}
    assert [(c.partition, c.wanted) for c in polled.corrupt] == [(A, 1)]
    assert polled.corrupt[0].why == "offset 1 cannot be read: what the client says"
    assert source._ownership.begun() == {B: 2}


def test_what_nobody_knows_is_said_once_a_minute_and_stops_nothing(
    source: ConfluentSource, caplog: pytest.LogCaptureFixture
) -> None:
    strange = trouble(A, 0, KafkaError.KAFKA_STORAGE_ERROR)
    with caplog.at_level(logging.WARNING):
        for offset in range(3):
            polled = source._sort_out([strange, record(A, offset)])
            assert len(polled.records) == 1
    assert caplog.text.count("Kafka's client says: what the client says (KAFKA_STORAGE_ERROR)") == 1


def test_a_refusal_needs_a_person_and_loses_nothing(source: ConfluentSource) -> None:
    with pytest.raises(ConfigurationError, match="what the client says"):
        source._sort_out([record(A, 0), trouble(B, 0, KafkaError.TOPIC_AUTHORIZATION_FAILED)])
    assert source._ownership.begun() == {A: 0, B: 0}


def test_who_was_let_in_before_waits_to_be_let_in_again(source: ConfluentSource) -> None:
    refusals = [
        KafkaError(KafkaError._SSL, "SSL handshake failed: certificate verify failed"),
        KafkaError(KafkaError._TRANSPORT, "Receive failed: ssl/tls alert bad certificate"),
        KafkaError(KafkaError._AUTHENTICATION, "Authentication failed"),
    ]
    broken_off = KafkaError(KafkaError._SSL, "SSL handshake failed: Disconnected")
    assert all(map(source._needs_person, refusals))
    assert not source._needs_person(broken_off)
    source._was_let_in = True
    assert not any(map(source._needs_person, refusals))

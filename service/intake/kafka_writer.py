"""Writes records to Kafka: the demo's traffic, replays in real time, and dead letters."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from service.errors import Unavailable

if TYPE_CHECKING:
    from service.intake.kafka_settings import KafkaSettings
    from service.messages import Checkpoint, DeadLetter, Partition

log = logging.getLogger(__name__)


def client_options(settings: KafkaSettings) -> dict[str, Any]:
    """What every client that writes is made with."""
    return {
        "bootstrap_servers": settings.bootstrap_servers.split(","),
        "client_id": settings.client_id,
        **settings.kafka_python_security(),
    }


PRODUCER_OPTIONS = {
    "acks": "all",
    "allow_auto_create_topics": False,
    # An idempotent producer of kafka-python takes nothing more once the broker has refused a single record.
    "enable_idempotence": False,
    "max_in_flight_requests_per_connection": 1,  # so that a retry overtakes nothing
    "batch_size": 256 * 1024,
}


class KafkaWriter:
    """Sends records in batches; `flush` waits until the broker has them. Raises Unavailable."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._failure: BaseException | None = None
        try:
            self._producer = KafkaProducer(**client_options(settings), **PRODUCER_OPTIONS, linger_ms=20)
        except KafkaError as why:
            raise Unavailable(f"Kafka at {settings.bootstrap_servers} does not answer: {why}") from why

    def send(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        timestamp_ms: int | None = None,
        headers: Any = (),
    ) -> None:
        """Queue one record; its partition follows from the key."""
        try:
            sent = self._producer.send(
                topic, value=value, key=key, timestamp_ms=timestamp_ms, headers=list(headers)
            )
        except KafkaError as why:
            raise Unavailable(f"Kafka does not take records for {topic}: {why}") from why
        sent.add_errback(self._failed)

    def _failed(self, why: BaseException) -> None:
        self._failure = why

    def flush(self) -> None:
        """Wait until everything queued is stored."""
        try:
            self._producer.flush(timeout=30)
        except KafkaError as why:
            raise Unavailable(f"Kafka did not take all records: {why}") from why
        failure, self._failure = self._failure, None
        if failure is not None:
            raise Unavailable(f"Kafka did not take all records: {failure}") from failure

    def close(self) -> None:
        """Send what is queued and disconnect."""
        self._producer.close(timeout=10)


def create_topic(settings: KafkaSettings, topic: str, partitions: int) -> None:
    """Make a topic unless it is there (the demo only; a collector never makes one)."""
    admin = KafkaAdminClient(**client_options(settings))
    try:
        admin.create_topics([NewTopic(topic, partitions, 1)])
    except TopicAlreadyExistsError:
        pass
    finally:
        admin.close()


class KafkaDeadLetters:
    """`DeadLetterTopic` in Kafka."""

    def __init__(self, writer: KafkaWriter, topic: str) -> None:
        self._writer = writer
        self._topic = topic

    def send(self, checkpoint: Checkpoint) -> None:
        for letter in checkpoint.dead:
            try:
                self._writer.send(
                    self._topic,
                    letter.value,
                    key=letter.key or None,
                    headers=_headers(checkpoint.partition, letter),
                )
            except Unavailable as why:
                log.warning("%s; the table has the dead letters of this checkpoint", why)
                return

    def close(self) -> None:
        self._writer.close()


def _headers(partition: Partition, letter: DeadLetter) -> list[tuple[str, bytes]]:
    facts = {
        "topic": partition.topic, "partition": partition.number, "offset": letter.offset, "reason": letter.reason.value,
        "detail": letter.detail,
    }  # fmt: skip
    return [(f"__driftbell.errors.{name}", str(value).encode()) for name, value in facts.items()]

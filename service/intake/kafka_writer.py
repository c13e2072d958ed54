"""Writes records to Kafka: the demo's traffic, replays in real time, and dead letters."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from service.errors import Unavailable
from service.intake.kafka_settings import SECURITY_OPTIONS

if TYPE_CHECKING:
    from service.intake.kafka_settings import KafkaSettings
    from service.messages import Checkpoint, DeadLetter, Partition

log = logging.getLogger(__name__)


def _options(settings: KafkaSettings) -> dict[str, Any]:
    security = {SECURITY_OPTIONS[name]: value for name, value in settings.security.items()}
    return {
        "bootstrap_servers": settings.bootstrap_servers.split(","),
        "client_id": settings.client_id,
        **security,
    }


class KafkaWriter:
    """Sends records in batches; `flush` waits until the broker has them. Raises Unavailable."""

    def __init__(self, settings: KafkaSettings) -> None:
        try:
            self._producer = KafkaProducer(
                **_options(settings), acks="all", linger_ms=20, allow_auto_create_topics=False
            )
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
            self._producer.send(topic, value=value, key=key, timestamp_ms=timestamp_ms, headers=list(headers))
        except KafkaError as why:
            raise Unavailable(f"Kafka does not take records for {topic}: {why}") from why

    def flush(self) -> None:
        """Wait until everything queued is stored."""
        try:
            self._producer.flush(timeout=30)
        except KafkaError as why:
            raise Unavailable(f"Kafka did not take all records: {why}") from why

    def close(self) -> None:
        """Send what is queued and disconnect."""
        self._producer.close(timeout=10)


def create_topic(settings: KafkaSettings, topic: str, partitions: int) -> None:
    """Make a topic unless it is there (the demo only; a collector never makes one)."""
    admin = KafkaAdminClient(**_options(settings))
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

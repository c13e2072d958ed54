"""Appends to one topic through kafka-python, with a bound on how long that may take."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from service.errors import Unavailable
from service.intake.kafka_python_client import make_client, sorted_errors
from service.intake.kafka_writer import PRODUCER_OPTIONS, client_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.intake.kafka_settings import KafkaSettings

WAIT_SECONDS = 5.0
"""So long whoever sends is held up at most when it connects, finds the topic, and waits for the broker's word."""
LARGEST_REQUEST = 16 * 2**20


class KafkaFeedbackTopic:
    """`service.labelling.delivery.TopicWriter` in Kafka; connects on first use."""

    def __init__(self, settings: KafkaSettings, topic: str, wait_seconds: float = WAIT_SECONDS) -> None:
        self._settings = settings
        self._topic = topic
        self._wait_ms = int(wait_seconds * 1000)
        self._producer: Any = None

    def write(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        with sorted_errors(f"writing to the topic {self._topic}"):
            producer = self._open()
            sent = [producer.send(self._topic, value=value, key=key) for key, value in records]
            with suppress(KafkaTimeoutError):  # what is not done by then says so itself
                producer.flush(self._wait_ms / 1000)
            for promise in sent:
                if not promise.is_done:
                    raise Unavailable(f"Kafka has not confirmed in time that {self._topic} has a record")
                if promise.failed():
                    raise promise.exception

    def close(self) -> None:
        """Disconnect; safe to call twice."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError):
                producer.close(timeout=self._wait_ms / 1000)

    def _open(self) -> Any:
        if self._producer is None:
            self._producer = make_client(
                KafkaProducer,
                max_request_size=LARGEST_REQUEST,
                max_block_ms=self._wait_ms,
                delivery_timeout_ms=self._wait_ms,
                request_timeout_ms=self._wait_ms // 2,
                bootstrap_timeout_ms=self._wait_ms,
                metrics_enabled=False,
                **PRODUCER_OPTIONS,
                **client_options(self._settings),
            )
        return self._producer

"""Appends to one topic through kafka-python, with a bound on how long that may take."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from service.errors import ConfigurationError, TooLarge, Unavailable
from service.intake.kafka_python_client import make_client, sorted_errors
from service.intake.kafka_writer import PRODUCER_OPTIONS, client_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.errors import DriftbellError
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

    def write(self, records: Sequence[tuple[bytes, bytes]]) -> list[DriftbellError | None]:
        with sorted_errors(f"writing to the topic {self._topic}"):
            producer = self._open()
            sent = [self._send(producer, key, value) for key, value in records]
        self._await([one for one in sent if not isinstance(one, TooLarge)])
        return [one if isinstance(one, TooLarge) else self._why_not(one) for one in sent]

    def _send(self, producer: Any, key: bytes, value: bytes) -> Any:
        """A promise; the broker is not asked about a record that no request can hold."""
        try:
            return producer.send(self._topic, value=value, key=key)
        except MessageSizeTooLargeError as why:
            return self._too_large(why)

    def _await(self, promises: Sequence[Any]) -> None:
        """Until all are done or time is up. `flush` of kafka-python 3.0.12 fails when a batch was split."""
        until = time.monotonic() + self._wait_ms / 1000
        for promise in promises:
            with suppress(KafkaError):  # what is not done by then, or has failed, says so itself
                promise.get(max(0.0, until - time.monotonic()))

    def _why_not(self, promise: Any) -> DriftbellError | None:
        if not promise.is_done:
            return Unavailable(f"Kafka has not confirmed in time that {self._topic} has a record")
        if isinstance(promise.exception, MessageSizeTooLargeError | RecordListTooLargeError):
            return self._too_large(promise.exception)  # what was sent together was split before
        try:
            with sorted_errors(f"writing to the topic {self._topic}"):
                if promise.failed():
                    raise promise.exception
        except (Unavailable, ConfigurationError) as why:
            return why
        return None

    def _too_large(self, why: Exception) -> TooLarge:
        return TooLarge(f"the topic {self._topic} takes no record of that size: {why}")

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

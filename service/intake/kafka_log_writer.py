"""Appends records to Kafka's partitions through kafka-python, and knows of each whether the broker has it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kafka import KafkaProducer
from kafka.errors import InvalidRecordError, InvalidTimestampError, KafkaError, KafkaTimeoutError

from service.intake.kafka_python_client import make_client, sorted_errors
from service.intake.kafka_writer import PRODUCER_OPTIONS, client_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.intake.kafka_settings import KafkaSettings
    from service.intake.log_writer import NewRecord

LARGEST_REQUEST = 110 * 2**20
"""The broker's own limit on a record decides, not the client's: the largest event that can be configured fits."""
WAIT_SECONDS = 30.0
_REFUSALS = (InvalidRecordError, InvalidTimestampError)


class KafkaLogWriter:
    """A `LogWriter` over one producer, which connects on first use."""

    def __init__(self, settings: KafkaSettings, wait_seconds: float = WAIT_SECONDS) -> None:
        self._settings = settings
        self._wait_seconds = wait_seconds
        self._producer: Any = None

    def write(self, records: Sequence[NewRecord]) -> Sequence[str | None]:
        with sorted_errors("writing dead letters to their topics again"):
            sent = self._send_all(records)
            for at, promise in enumerate(sent):
                # The broker refuses a whole batch for one bad record: the good ones are taken on their own.
                if len(records) > 1 and _is_refused(promise):
                    sent[at] = self._send_all(records[at : at + 1])[0]
        return [one if isinstance(one, str) else _trouble(one) for one in sent]

    def _send_all(self, records: Sequence[NewRecord]) -> list[Any]:
        producer = self._open()
        sent = [_send(producer, record) for record in records]
        with suppress(KafkaTimeoutError):  # what is not done by then says so itself
            producer.flush(self._wait_seconds)
        return sent

    def close(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError):
                producer.close(timeout=self._wait_seconds)

    def _open(self) -> Any:
        if self._producer is None:
            self._producer = make_client(
                KafkaProducer,
                max_request_size=LARGEST_REQUEST,
                max_block_ms=int(self._wait_seconds * 1000),
                delivery_timeout_ms=int(self._wait_seconds * 1000),
                request_timeout_ms=int(self._wait_seconds * 1000) // 2,
                bootstrap_timeout_ms=self._settings.connect_timeout_ms,
                metrics_enabled=False,
                **PRODUCER_OPTIONS,
                **client_options(self._settings),
            )
        return self._producer


def _send(producer: Any, record: NewRecord) -> Any:
    """The client's promise, or why it does not even try."""
    try:
        return producer.send(
            record.partition.topic, value=record.value, key=record.key, partition=record.partition.number,
            timestamp_ms=record.timestamp_ms, headers=list(record.headers),
        )  # fmt: skip
    except KafkaTimeoutError:
        raise
    except (KafkaError, ValueError) as why:  # too large a record, a partition that is not there
        return f"Kafka does not take it: {why}"


def _is_refused(promise: Any) -> bool:
    if isinstance(promise, str) or not promise.failed():
        return False
    why = promise.exception
    return isinstance(why, _REFUSALS) or type(why) is KafkaError  # so the client calls the good ones' failure


def _trouble(promise: Any) -> str | None:
    if not promise.is_done:
        return "Kafka has not confirmed it in time; it may be in the log all the same"
    return f"Kafka did not take it: {promise.exception}" if promise.failed() else None

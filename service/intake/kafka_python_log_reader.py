"""Reads stretches of Kafka's partitions through kafka-python, without a group."""

from __future__ import annotations

import time
from contextlib import suppress
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, LogTruncationError, OffsetOutOfRangeError

from service.intake.kafka_problems import UNKNOWN_TOPIC, away, check_topics
from service.intake.kafka_python_client import make_client, sorted_errors
from service.intake.kafka_python_records import use_rows
from service.intake.source import Bounds, Records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from service.intake.kafka_settings import KafkaSettings
    from service.messages import Partition

POLL_MS = 500
POLL_RECORDS = 5_000
QUIET_POLLS = 6
"""After so many empty answers in a row the log's end is asked for: the embedded broker tells too low an end."""
PATIENCE_SECONDS = 60.0
"""So long a log that has more may bring nothing."""


class KafkaPythonLogReader:
    """A `LogReader` over one kafka-python consumer. The topics and the group of its settings are not used."""

    def __init__(self, settings: KafkaSettings, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._consumer: Any = None
        self._brings_rows = False

    def partitions(self, topic: str) -> Sequence[int]:
        with sorted_errors("asking for a topic's partitions"):
            found = self._open().partitions_for_topic(topic)
        if not found:
            check_topics({topic: UNKNOWN_TOPIC})
        return sorted(found)

    def bounds(self, partition: Partition) -> Bounds:
        place, timeout_ms = TopicPartition(*partition), self._settings.connect_timeout_ms
        with sorted_errors("asking for a partition's extent"):
            consumer = self._open()
            start = consumer.beginning_offsets([place], timeout_ms=timeout_ms)[place]
            return Bounds(start, consumer.end_offsets([place], timeout_ms=timeout_ms)[place])

    def read(self, partition: Partition, start: int, end: int) -> Iterator[Records]:
        if start >= end:
            return
        place = TopicPartition(*partition)
        with sorted_errors("reading a partition"):
            consumer = self._open()
            consumer.assign([place])
            consumer.seek(place, start)
        position, quiet, moved_at = start, 0, self._monotonic()
        while position < end:
            with sorted_errors("reading a partition"):
                rows = self._fetch(place)
                reached = consumer.position(place)
            if reached > position:
                position, quiet, moved_at = reached, 0, self._monotonic()
            else:
                quiet += 1
            if wanted := rows[: _count_below(rows, end)]:
                yield self._lift(partition, wanted)
                moved_at = self._monotonic()  # the caller's time is not the log's
            if quiet and quiet % QUIET_POLLS == 0:
                if position >= self.bounds(partition).end:
                    return
                self._check_patience(partition, position, moved_at)

    def _check_patience(self, partition: Partition, position: int, moved_at: float) -> None:
        if self._monotonic() - moved_at > PATIENCE_SECONDS:
            where = f"partition {partition.number} of {partition.topic}"
            raise away("reading a partition", f"{where} brings nothing from offset {position} on")

    def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with suppress(KafkaError):
                consumer.close(autocommit=False)

    def _open(self) -> Any:
        if self._consumer is None:
            settings = self._settings
            self._consumer = make_client(
                KafkaConsumer,
                bootstrap_servers=settings.bootstrap_servers.split(","),
                client_id=f"{settings.client_id}-reader",
                group_id=None,
                auto_offset_reset="none",
                enable_auto_commit=False,
                allow_auto_create_topics=False,
                isolation_level="read_committed",
                request_timeout_ms=settings.request_timeout_ms,
                bootstrap_timeout_ms=settings.connect_timeout_ms,
                reconnect_backoff_max_ms=2_000,
                max_partition_fetch_bytes=settings.max_partition_fetch_bytes,
                fetch_max_bytes=settings.fetch_max_bytes,
                metrics_enabled=False,
                **settings.kafka_python_security(),
            )
            self._brings_rows = use_rows(self._consumer)
        return self._consumer

    def _fetch(self, place: Any) -> Sequence[Any]:
        """Offset, timestamp, key, value of the next records; what retention took meanwhile is passed over."""
        try:
            found = self._consumer.poll(POLL_MS, POLL_RECORDS).get(place, ())
        except (OffsetOutOfRangeError, LogTruncationError):
            start = self._consumer.beginning_offsets([place])[place]
            if start > self._consumer.position(place):
                self._consumer.seek(place, start)
            return ()
        return found if self._brings_rows else [(r.offset, r.timestamp, r.key, r.value) for r in found]

    def _lift(self, partition: Partition, rows: Sequence[Any]) -> Records:
        return Records(
            partition=partition,
            offsets=np.fromiter(map(itemgetter(0), rows), np.int64, len(rows)),
            timestamps_ms=np.fromiter(map(itemgetter(1), rows), np.int64, len(rows)),
            values=list(map(itemgetter(3), rows)),
            keys=list(map(itemgetter(2), rows)),
        )


def _count_below(rows: Sequence[Any], end: int) -> int:
    """How many of the rows, which are in order, have offsets before the end."""
    count = len(rows)
    while count and rows[count - 1][0] >= end:
        count -= 1
    return count

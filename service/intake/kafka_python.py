"""Reads Kafka through kafka-python, the pure-Python client: the default."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
from kafka import (
    ConsumerRebalanceListener,
    KafkaAdminClient,
    KafkaConsumer,
    OffsetAndMetadata,
    TopicPartition,
)
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import KafkaError, LogTruncationError, NoOffsetForPartitionError, OffsetOutOfRangeError

from service.intake.kafka_problems import check_topics
from service.intake.kafka_python_client import make_client, sorted_errors
from service.intake.kafka_python_records import UnreadableError, use_rows
from service.intake.ownership import Ownership
from service.intake.source import Assignment, Bounds, Corrupt, Gap, Polled, Records
from service.intake.stall import StallWatch
from service.messages import Partition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from service.intake.kafka_settings import KafkaSettings

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_MS = 5_000
WATCH_EVERY_SECONDS = 1.0
POLL_SLICE_SECONDS = 0.1


class KafkaPythonSource:
    """A `Source` over one kafka-python consumer.

    While the broker is away `poll` brings nothing and the client reconnects by itself;
    `start`, `bounds` and `topic_id` raise `Unavailable`.
    """

    def __init__(self, settings: KafkaSettings, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._ownership = Ownership()
        self._watch = StallWatch(settings.stall_seconds)
        self._watched_at = monotonic()
        self._consumer: Any = None
        self._admin: Any = None
        self._brings_rows = False
        self._paused = False
        self.restarts = 0  # how often the stall watchdog made the consumer anew

    def start(self) -> None:
        with sorted_errors("connecting to it"):
            if self._admin is None:
                self._admin = make_client(
                    KafkaAdminClient,
                    bootstrap_servers=self._settings.bootstrap_servers.split(","),
                    client_id=f"{self._settings.client_id}-admin",
                    request_timeout_ms=self._settings.request_timeout_ms,
                    bootstrap_timeout_ms=self._settings.connect_timeout_ms,
                    **self._settings.kafka_python_security(),
                )
            described = self._admin.describe_topics(list(self._settings.topics))
            check_topics({topic["name"]: topic["error_code"] for topic in described})
            self._open()

    def poll(self, timeout_seconds: float, max_records: int) -> Polled:
        with sorted_errors("reading its topics", self._consumer):
            try:
                fetched = self._fetch(timeout_seconds, max_records)
            except OffsetOutOfRangeError as error:
                return self._gaps(dict.fromkeys(error.args[0]))
            except LogTruncationError as error:
                return self._gaps(error.divergent_offsets)
            except UnreadableError as error:
                return self._stop(error)
            except NoOffsetForPartitionError:
                return Polled()  # assigned an instant ago; the listener gives it a position
            except BaseException as error:
                self._restore_positions()
                if isinstance(error, KeyError):  # the client's own race with a rebalance
                    return Polled()
                raise
            self._restart_if_stalled()
            return Polled(records=self._lift(fetched)) if fetched else Polled()

    def changes(self) -> Assignment:
        return self._ownership.take()

    def begin(self, partition: Partition, offset: int) -> None:
        if not self._ownership.begin(partition, offset):
            return
        with suppress(ValueError, KeyError):  # taken away in this instant: `changes` will tell
            self._consumer.seek(TopicPartition(*partition), offset)
            if not self._paused:
                self._consumer.resume(TopicPartition(*partition))

    def end(self, partition: Partition) -> None:
        self._ownership.end(partition)
        with suppress(KeyError):
            self._consumer.pause(TopicPartition(*partition))

    def pause(self) -> None:
        self._paused = True
        for partition in self._ownership.begun():
            with suppress(KeyError):
                self._consumer.pause(TopicPartition(*partition))

    def resume(self) -> None:
        self._paused = False
        for partition in self._ownership.begun():
            with suppress(KeyError):
                self._consumer.resume(TopicPartition(*partition))

    def bounds(self, partition: Partition) -> Bounds:
        stood_at = self._ownership.orphaned_at(partition)
        if stood_at is not None:
            return Bounds(stood_at, stood_at, stood_at)
        place = TopicPartition(*partition)
        timeout_ms = self._settings.connect_timeout_ms
        with sorted_errors("asking for a partition's extent", self._consumer):
            start = self._consumer.beginning_offsets([place], timeout_ms=timeout_ms)[place]
            end = self._consumer.end_offsets([place], timeout_ms=timeout_ms)[place]
        self._watch.learn_end(partition, end)
        # The embedded broker tells too low an end; what we have read is there for certain.
        return Bounds(start, max(end, self._ownership.read_until(partition)), self._reached(partition))

    def _reached(self, partition: Partition) -> int:
        """Where the client goes on: past markers and aborted records, which it never hands over."""
        if self._ownership.next_offset(partition) is None:
            return 0
        with suppress(KafkaError, KeyError):
            return self._consumer.position(TopicPartition(*partition), timeout_ms=0) or 0
        return 0

    def topic_id(self, topic: str) -> UUID | None:
        with sorted_errors("asking for a topic's identity", self._admin):
            described = self._admin.describe_topics([topic])
            check_topics({found["name"]: found["error_code"] for found in described})
        self._ownership.free(topic)
        identity = described[0].get("topic_id")
        return None if identity is None else UUID(str(identity))

    def acknowledge(self, offsets: Mapping[Partition, int]) -> None:
        places = {
            TopicPartition(*partition): OffsetAndMetadata(offset, "", -1)
            for partition, offset in offsets.items()
            if self._ownership.is_owned(partition)
        }
        if places and self._consumer is not None:
            with suppress(KafkaError):
                self._consumer.commit_async(places, callback=lambda *_: None)

    def close(self) -> None:
        self._close_consumer()
        admin, self._admin = self._admin, None
        if admin is not None:
            with suppress(KafkaError):
                admin.close()

    def _open(self) -> None:
        settings = self._settings
        self._consumer = make_client(
            KafkaConsumer,
            bootstrap_servers=settings.bootstrap_servers.split(","),
            client_id=settings.client_id,
            group_id=settings.group_id,
            partition_assignment_strategy=[CooperativeStickyAssignor],
            auto_offset_reset="none",
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            isolation_level="read_committed",
            metadata_max_age_ms=settings.metadata_max_age_ms,
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=settings.heartbeat_interval_ms,
            request_timeout_ms=settings.request_timeout_ms,
            bootstrap_timeout_ms=settings.connect_timeout_ms,
            reconnect_backoff_max_ms=2_000,
            max_partition_fetch_bytes=settings.max_partition_fetch_bytes,
            fetch_max_bytes=settings.fetch_max_bytes,
            metrics_enabled=False,
            **settings.kafka_python_security(),
        )
        self._brings_rows = use_rows(self._consumer)
        self._consumer.subscribe(
            topics=list(settings.topics), listener=_Rebalances(self._consumer, self._ownership)
        )
        for topic in settings.topics:
            self._consumer.partitions_for_topic(topic)  # a leader that does not know them assigns none

    def _close_consumer(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with suppress(KafkaError):
                consumer.close(autocommit=False, timeout_ms=CLOSE_TIMEOUT_MS)
        self._ownership.lose_all()

    def _fetch(self, timeout_seconds: float, max_records: int) -> Mapping[Any, Sequence[Any]]:
        """Poll the client in slices, so that a new assignment need not wait for the end of the timeout."""
        deadline = self._monotonic() + timeout_seconds
        while True:
            left = deadline - self._monotonic()
            slice_ms = int(1000 * max(0.0, min(left, POLL_SLICE_SECONDS)))
            fetched: Mapping[Any, Sequence[Any]] = self._consumer.poll(slice_ms, max_records)
            self._mend_join()
            if fetched or left <= POLL_SLICE_SECONDS or self._ownership.has_news():
                return fetched

    def _mend_join(self) -> None:
        """Make the client go on with a join that outlasted its poll.

        kafka-python 3.0.12 forgets it if a change of metadata started it: the member then owns nothing
        and sends no heartbeats, for ever.
        """
        coordinator: Any = getattr(self._consumer, "_coordinator", None)
        if getattr(coordinator, "rejoining", False) and not getattr(coordinator, "rejoin_needed", True):
            coordinator.request_rejoin()

    def _lift(self, fetched: Mapping[Any, Sequence[Any]]) -> list[Records]:
        """Turn the client's records into columns; what was not asked for is dropped here."""
        lifted = []
        for place, found in fetched.items():
            partition = Partition(place.topic, place.partition)
            wanted = self._ownership.next_offset(partition)
            if wanted is None:
                continue
            rows = found if self._brings_rows else [(r.offset, r.timestamp, r.key, r.value) for r in found]
            count = len(rows)
            offsets = np.fromiter(map(itemgetter(0), rows), np.int64, count)
            self._ownership.advance(partition, wanted, int(offsets[-1]) + 1)
            lifted.append(
                Records(
                    partition=partition,
                    offsets=offsets,
                    timestamps_ms=np.fromiter(map(itemgetter(1), rows), np.int64, count),
                    values=list(map(itemgetter(3), rows)),
                    keys=list(map(itemgetter(2), rows)),
                )
            )
        return lifted

    def _gaps(self, places: Mapping[Any, Any]) -> Polled:
        """Ask for the extent of partitions that want what the log has not; they stop until the next seek.

        A log that was cut off and has grown again ends, for us, where it was cut: `places` says that if it is known.
        """
        gaps = []
        for place, cut in places.items():
            partition = Partition(place.topic, place.partition)
            wanted = self._ownership.next_offset(partition)
            if wanted is not None:
                extent = self.bounds(partition)  # if this fails, the next poll meets the gap again
                end = extent.end if cut is None else min(extent.end, cut.offset)
                gaps.append(Gap(partition, wanted, extent.start, end))
        for gap in gaps:
            self.end(gap.partition)
        return Polled(gaps=gaps)

    def _stop(self, error: UnreadableError) -> Polled:
        """Nothing more of a partition whose next record cannot be read; the client has moved no other one."""
        partition = Partition(error.place.topic, error.place.partition)
        wanted = self._ownership.next_offset(partition)
        if wanted is None:
            return Polled()
        self.end(partition)
        return Polled(corrupt=[Corrupt(partition, wanted, f"offset {wanted} cannot be read: {error}")])

    def _restore_positions(self) -> None:
        """After an error: the client may have moved on past records that it never gave us."""
        for partition, offset in self._ownership.begun().items():
            with suppress(ValueError, KeyError):
                self._consumer.seek(TopicPartition(*partition), offset)

    def _restart_if_stalled(self) -> None:
        now = self._monotonic()
        if now - self._watched_at < WATCH_EVERY_SECONDS:
            return
        self._watched_at = now
        if self._paused:
            self._watch.rest()
            return
        places = {}
        for partition in self._ownership.begun():
            place = TopicPartition(*partition)
            with suppress(KafkaError, KeyError):
                end = self._consumer.highwater(place)
                position = self._consumer.position(place, timeout_ms=0)
                if end is not None and position is not None:
                    places[partition] = (position, end)
        if self._watch.is_stalled(now, places):
            self.restarts += 1
            log.error("the Kafka client brings nothing although the log goes on; making a new one")
            self._watch.restart()
            self._close_consumer()
            self._open()


class _Rebalances(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no types
    """Runs on the client's I/O thread, so it only notes what happened and keeps new partitions still."""

    def __init__(self, consumer: Any, ownership: Ownership) -> None:
        self._consumer = consumer
        self._ownership = ownership

    def on_partitions_assigned(self, assigned: Sequence[Any]) -> None:
        for place in assigned:
            self._consumer.pause(place)
            self._consumer.seek(place, 0)  # any will do: without one the client asks the group
        self._ownership.assign(assigned)

    def on_partitions_revoked(self, revoked: Sequence[Any]) -> None:
        gone = [place for place in revoked if not _knows(self._consumer, place.topic)]
        self._ownership.orphan(gone)
        self._ownership.revoke(place for place in revoked if place not in gone)

    def on_partitions_lost(self, lost: Sequence[Any]) -> None:
        self._ownership.revoke(lost, lost=True)


def _knows(consumer: Any, topic: str) -> bool:
    """Whether the topic is in the cluster by the newest metadata; the client's own question would ask the broker."""
    return bool(consumer._client.cluster.partitions_for_topic(topic))  # noqa: SLF001 - see above

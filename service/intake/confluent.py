"""Reads Kafka through confluent-kafka (librdkafka), faster than the default: the extra `fast`."""

from __future__ import annotations

import logging
import time
from base64 import urlsafe_b64decode
from collections import defaultdict
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np

from service.errors import ConfigurationError
from service.intake.confluent_codes import (
    corrupt_codes,
    gap_codes,
    is_refusal,
    person_codes,
    topic_codes,
    unknown_codes,
)
from service.intake.kafka_problems import NO_ERROR, away, check_topics, refused
from service.intake.ownership import Ownership
from service.intake.source import Assignment, Bounds, Corrupt, Gap, Polled, Records
from service.intake.stall import StallWatch
from service.messages import Partition

try:
    from confluent_kafka import (
        Consumer,
        KafkaError,
        KafkaException,
        Message,
        TopicCollection,
        TopicPartition,
    )
    from confluent_kafka.admin import AdminClient
except ImportError:
    INSTALLED = False
else:
    INSTALLED = True

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from service.intake.kafka_settings import KafkaSettings

log = logging.getLogger(__name__)

WATCH_EVERY_SECONDS = 1.0
READ_AHEAD = 4  # fetches in the queue: with one the loop waits for the broker a third of its time
POLL_SLICE_SECONDS = 0.1
GONE_SECONDS = 2.0
SAY_AGAIN_SECONDS = 60.0


class ConfluentSource:
    """A `Source` over one librdkafka consumer.

    Only begun partitions are assigned inside the client: the others are owned in the group, but not fetched.
    While the broker is away `poll` brings nothing and the client reconnects by itself;
    `start`, `bounds` and `topic_id` raise `Unavailable`.
    """

    def __init__(self, settings: KafkaSettings, monotonic: Callable[[], float] = time.monotonic) -> None:
        if not INSTALLED:
            message = "The fast Kafka client is not installed; install it with: pip install 'driftbell[fast]'"
            raise ConfigurationError(message)
        self._settings = settings
        self._monotonic = monotonic
        self._ownership = Ownership()
        self._watch = StallWatch(settings.stall_seconds)
        self._watched_at = monotonic()
        self._consumer: Consumer | None = None
        self._admin: AdminClient | None = None
        self._fetched: set[Partition] = set()
        # Where the client met the log's end, past what it never hands over.
        self._ends: dict[Partition, int] = {}
        self._extents: dict[Partition, tuple[int, int]] = {}
        self._trouble: KafkaError | None = None
        self._said_at: dict[int, float] = {}
        self._was_let_in = False
        self._paused = False
        self.restarts = 0  # how often the stall watchdog made the consumer anew

    def start(self) -> None:
        with self._sorted_errors("connecting to it"):
            if self._admin is None:
                self._admin = AdminClient(self._connection("admin"))
            check_topics({topic: self._describe(topic)[0] for topic in self._settings.topics})
            self._was_let_in = True
            self._open()

    def poll(self, timeout_seconds: float, max_records: int) -> Polled:
        with self._sorted_errors("reading its topics"):
            messages = self._consume(timeout_seconds, max_records)
            polled = (
                self._sort_out(messages)
                if any(map(Message.error, messages))
                else Polled(records=self._lift(messages))
            )
            self._restart_if_stalled()
            return polled

    def changes(self) -> Assignment:
        return self._ownership.take()

    def begin(self, partition: Partition, offset: int) -> None:
        if not self._ownership.begin(partition, offset):
            return
        self._unassign([partition])
        place = TopicPartition(partition.topic, partition.number, offset)
        self._running().incremental_assign([place])
        self._fetched.add(partition)
        if self._paused:
            self._running().pause([place])
        else:
            self._running().resume([place])

    def end(self, partition: Partition) -> None:
        self._ownership.end(partition)
        self._unassign([partition])

    def pause(self) -> None:
        self._paused = True
        self._running().pause(_places(self._fetched))

    def resume(self) -> None:
        self._paused = False
        self._running().resume(_places(self._fetched))

    def bounds(self, partition: Partition) -> Bounds:
        stood_at = self._ownership.orphaned_at(partition)
        if stood_at is not None:
            return Bounds(stood_at, stood_at, stood_at)
        with self._sorted_errors("asking for a partition's extent"):
            extent = self._extent(partition)
            if extent is None:
                raise away("asking for a partition's extent", "no answer in time")
        start, end = extent
        self._watch.learn_end(partition, end)
        # The embedded broker tells too low an end; what we have read is there for certain.
        end = max(end, self._ownership.read_until(partition))
        return Bounds(start, end, self._ends.get(partition, 0))

    def _extent(self, partition: Partition) -> tuple[int, int] | None:
        (place,) = _places([partition])
        timeout = self._settings.connect_timeout_ms / 1000
        try:
            extent = self._running().get_watermark_offsets(place, timeout=timeout, cached=False)
        except KafkaException as exception:
            # A topic that was deleted is still ours for some seconds; it must not make all of Kafka seem away.
            if exception.args[0].code() not in unknown_codes() or partition not in self._extents:
                raise
        else:
            if extent is None:
                return None
            self._extents[partition] = extent
        return self._extents[partition]

    def topic_id(self, topic: str) -> UUID | None:
        with self._sorted_errors("asking for a topic's identity"):
            code, identity = self._describe(topic)
            check_topics({topic: code})
        self._ownership.free(topic)
        return identity

    def acknowledge(self, offsets: Mapping[Partition, int]) -> None:
        places = [
            TopicPartition(partition.topic, partition.number, offset)
            for partition, offset in offsets.items()
            if self._ownership.is_owned(partition)
        ]
        if places and self._consumer is not None:
            with suppress(KafkaException, RuntimeError):
                self._consumer.commit(offsets=places, asynchronous=True)

    def close(self) -> None:
        self._close_consumer()
        self._admin = None

    def _running(self) -> Consumer:
        if self._consumer is None:
            message = "the source is closed"
            raise RuntimeError(message)
        return self._consumer

    def _connection(self, role: str) -> dict[str, Any]:
        return {
            "bootstrap.servers": self._settings.bootstrap_servers,
            "client.id": f"{self._settings.client_id}-{role}",
            "topic.metadata.refresh.interval.ms": self._settings.metadata_max_age_ms,
            "reconnect.backoff.max.ms": 2_000,
            "error_cb": self._note_trouble,
            "log_level": 0,  # its lines go to standard error otherwise; errors come through error_cb
            **self._settings.security,
        }

    def _open(self) -> None:
        settings = self._settings
        self._consumer = Consumer(
            {
                **self._connection("consumer"),
                "group.id": settings.group_id,
                "partition.assignment.strategy": "cooperative-sticky",
                "auto.offset.reset": "error",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "max.poll.interval.ms": max(300_000, settings.session_timeout_ms),
                "allow.auto.create.topics": False,
                "isolation.level": "read_committed",
                "check.crcs": True,  # by default a damaged batch is handed over as if it were good
                "session.timeout.ms": settings.session_timeout_ms,
                "heartbeat.interval.ms": settings.heartbeat_interval_ms,
                "fetch.message.max.bytes": settings.max_partition_fetch_bytes,
                "fetch.max.bytes": settings.fetch_max_bytes,
                "queued.max.messages.kbytes": READ_AHEAD * settings.fetch_max_bytes // 1024,
                "fetch.queue.backoff.ms": 10,  # by default a full queue costs a second
                "fetch.wait.max.ms": 100,
            }
        )
        self._consumer.subscribe(
            list(settings.topics),
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )

    def _on_assign(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        consumer.incremental_assign([])  # says that we decide: else the client would begin them by itself
        self._ownership.assign([(place.topic, place.partition) for place in places])

    def _on_revoke(self, _: Consumer, places: list[TopicPartition], *, lost: bool = False) -> None:
        partitions = [Partition(place.topic, place.partition) for place in places]
        gone = {topic for topic in {place.topic for place in places} if self._is_gone(topic)}
        self._ownership.orphan(partition for partition in partitions if partition.topic in gone)
        self._ownership.revoke((p for p in partitions if p.topic not in gone), lost=lost)
        self._unassign(partitions)

    def _is_gone(self, topic: str) -> bool:
        """Whether a topic was deleted, which takes its partitions away like any rebalance."""
        if self._consumer is None:
            return False
        try:
            return self._describe(topic, GONE_SECONDS)[0] == KafkaError.UNKNOWN_TOPIC_OR_PART
        except KafkaException:
            return False

    def _on_lost(self, consumer: Consumer, places: list[TopicPartition]) -> None:
        self._on_revoke(consumer, places, lost=True)

    def _unassign(self, partitions: Sequence[Partition]) -> None:
        fetched = [partition for partition in partitions if partition in self._fetched]
        for partition in partitions:
            self._ends.pop(partition, None)
        self._fetched.difference_update(fetched)
        if self._consumer is not None:
            # An empty one too: inside a rebalance it says that we have answered.
            self._consumer.incremental_unassign(_places(fetched))

    def _note_trouble(self, error: KafkaError) -> None:
        # That all brokers are down is said after each of them said why.
        if self._trouble is None or error.code() != KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 - a public code
            self._trouble = error

    def _describe(self, topic: str, timeout_seconds: float | None = None) -> tuple[int, UUID | None]:
        """A topic's error code and identity."""
        if self._admin is None:
            message = "the source is closed"
            raise RuntimeError(message)
        timeout = timeout_seconds or self._settings.connect_timeout_ms / 1000
        answers = self._admin.describe_topics(TopicCollection([topic]), request_timeout=timeout)
        try:
            described = answers[topic].result()
        except KafkaException as error:
            if error.args[0].code() in topic_codes():
                return error.args[0].code(), None
            raise
        identity = UUID(bytes=urlsafe_b64decode(f"{described.topic_id}=="))  # 16 bytes are 22 of its letters
        return NO_ERROR, identity if identity.int else None

    def _consume(self, timeout_seconds: float, max_records: int) -> list[Message]:
        """What is there, as soon as anything is: the client itself would wait until the batch is full."""
        deadline = self._monotonic() + timeout_seconds
        while True:
            left = deadline - self._monotonic()
            first = self._running().consume(1, max(0.0, min(left, POLL_SLICE_SECONDS)))
            if first:
                return first + (self._running().consume(max_records - 1, 0.0) if max_records > 1 else [])
            if left <= POLL_SLICE_SECONDS or self._ownership.has_news():
                return []

    def _lift(self, messages: Sequence[Message]) -> list[Records]:
        """Turn the client's messages into columns; what was not asked for is dropped here."""
        runs: dict[tuple[str | None, int | None], list[Message]] = defaultdict(list)
        if len(self._settings.topics) == 1:
            topic = self._settings.topics[0]
            for number, message in zip(map(Message.partition, messages), messages, strict=True):
                runs[topic, number].append(message)
        else:
            for message in messages:
                runs[message.topic(), message.partition()].append(message)
        return [records for place, run in runs.items() if (records := self._columns(place, run)) is not None]

    def _columns(self, place: tuple[str | None, int | None], run: Sequence[Message]) -> Records | None:
        partition = Partition(str(place[0]), place[1] or 0)
        wanted = self._ownership.next_offset(partition)
        if wanted is None:
            return None
        count = len(run)
        offsets = np.fromiter(map(Message.offset, run), np.int64, count)
        self._ownership.advance(partition, wanted, int(offsets[-1]) + 1)
        times = (time_ms if kind else -1 for kind, time_ms in map(Message.timestamp, run))
        return Records(
            partition=partition,
            offsets=offsets,
            timestamps_ms=np.fromiter(times, np.int64, count),
            values=list(map(Message.value, run)),
            keys=list(map(Message.key, run)),
        )

    def _sort_out(self, messages: Sequence[Message]) -> Polled:
        """Records, gaps and what cannot be read, from messages of which some are errors.

        The client goes on behind a damaged batch, so what follows an error of its partition is dropped here.
        Raises, with nothing lost, if one of them needs a person.
        """
        good: list[Message] = []
        extents: dict[Partition, Bounds] = {}
        broken: dict[Partition, str] = {}
        for message in messages:
            partition = Partition(message.topic() or "", message.partition() or 0)
            error = message.error()
            if error is None:
                if partition not in broken and partition not in extents:
                    good.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's public codes start so
                self._ends[partition] = message.offset() or 0
            elif error.code() in gap_codes():
                if partition not in extents and self._ownership.next_offset(partition) is not None:
                    extents[partition] = self._bounds_or_again(partition)
            elif error.code() in corrupt_codes():
                broken.setdefault(partition, error.str())
            elif self._needs_person(error):
                self._restore_positions()
                raise refused("reading its topics", error.str())
            else:
                self._wonder(error)
        records = self._lift(good)
        gaps = [gap for place in extents.items() if (gap := self._gap(*place)) is not None]
        corrupt = [
            Corrupt(partition, wanted, f"offset {wanted} cannot be read: {why}")
            for partition, why in broken.items()
            if (wanted := self._stop(partition)) is not None
        ]
        return Polled(records, gaps, corrupt)

    def _gap(self, partition: Partition, extent: Bounds) -> Gap | None:
        """What is missing of a partition, which ends.

        Behind a damaged batch the client may ask for an offset that no log has: then ours is there, and begun again.
        """
        wanted = self._stop(partition)
        if wanted is None:
            return None
        if extent.start <= wanted <= extent.end:
            self.begin(partition, wanted)
            return None
        return Gap(partition, wanted, extent.start, extent.end)

    def _bounds_or_again(self, partition: Partition) -> Bounds:
        try:
            return self.bounds(partition)
        except Exception:
            self._restore_positions()  # the gap is met again, and nothing of this batch is lost
            raise

    def _stop(self, partition: Partition) -> int | None:
        """End a partition; gives the offset that it wanted."""
        wanted = self._ownership.next_offset(partition)
        if wanted is not None:
            self.end(partition)
        return wanted

    def _wonder(self, error: KafkaError) -> None:
        """Say from time to time what the client says and gets over by itself."""
        now = self._monotonic()
        if now - self._said_at.get(error.code(), -SAY_AGAIN_SECONDS) >= SAY_AGAIN_SECONDS:
            self._said_at[error.code()] = now
            log.warning("Kafka's client says: %s (%s); it goes on by itself", error.str(), error.name())

    def _needs_person(self, error: KafkaError) -> bool:
        """Who was let in before may be let in again: certificates and passwords are changed on one side first."""
        return not self._was_let_in if is_refusal(error) else error.code() in person_codes()

    def _restore_positions(self) -> None:
        for partition, offset in self._ownership.begun().items():
            self.begin(partition, offset)

    def _restart_if_stalled(self) -> None:
        now = self._monotonic()
        if now - self._watched_at < WATCH_EVERY_SECONDS:
            return
        self._watched_at = now
        if self._paused:
            self._watch.rest()
            return
        places = {}
        begun = self._ownership.begun()
        for place in self._running().position(_places(begun)):
            partition = Partition(place.topic, place.partition)
            known = self._running().get_watermark_offsets(place, cached=True)
            if known is not None and known[1] >= 0:
                reached = max(place.offset, begun[partition], self._ends.get(partition, 0))
                places[partition] = (reached, known[1])
        if self._watch.is_stalled(now, places):
            self.restarts += 1
            log.error("the Kafka client brings nothing although the log goes on; making a new one")
            self._watch.restart()
            self._close_consumer()
            self._open()

    def _close_consumer(self) -> None:
        consumer, self._consumer = self._consumer, None
        self._fetched.clear()
        if consumer is not None:
            with suppress(KafkaException, RuntimeError):
                consumer.close()
        self._ownership.lose_all()

    @contextmanager
    def _sorted_errors(self, doing: str) -> Iterator[None]:
        """Raise what went wrong in the client as what the collector must do.

        What the client says of a call that failed is that time is up; why, its callback knows.
        """
        try:
            yield
        except KafkaException as exception:
            if self._admin is not None:
                self._admin.poll(0)  # else its callback is never called
            error, trouble = exception.args[0], self._trouble
            for reason in (error, trouble):
                if reason is not None and self._needs_person(reason):
                    raise refused(doing, reason.str()) from exception
            raise away(doing, (trouble or error).str()) from exception
        trouble, self._trouble = self._trouble, None
        if trouble is not None and self._needs_person(trouble):
            raise refused(doing, trouble.str())
        if trouble is not None:
            self._wonder(trouble)


def _places(partitions: Iterable[Partition]) -> list[TopicPartition]:
    return [TopicPartition(partition.topic, partition.number) for partition in partitions]

"""Decodes fetched batches into plain tuples: the client's own three objects a record cost thrice.

It leans on kafka-python's inner parts, so the version is pinned; where they are missing `use_rows` leaves the
client as it is.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from kafka.consumer.fetcher import Fetcher
from kafka.errors import AuthorizationError, CorruptRecordError, KafkaError, OffsetOutOfRangeError
from kafka.protocol.consumer import IsolationLevel

from service.intake.kafka_batch import Row, read_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LATEST_MAGIC = 2
POLL_BYTES = 64 * 2**20
"""So many inflated bytes end a poll: fetches hold compressed batches, of which a few could fill all memory."""
_NOT_OF_THE_BYTES = (AuthorizationError, KeyError, MemoryError, OffsetOutOfRangeError)


class UnreadableError(KafkaError):  # type: ignore[misc]  # kafka-python has no types
    """What the log holds at this place cannot be read: a damaged batch, or a partition that the broker fails at."""

    def __init__(self, place: Any, why: Exception) -> None:
        super().__init__(f"{type(why).__name__}: {why}")
        self.place = place


def use_rows(consumer: Any) -> bool:
    """Make `poll` of this consumer bring rows instead of ConsumerRecords; False if this client cannot."""
    fetcher: Any = getattr(consumer, "_fetcher", None)
    if not hasattr(fetcher, "PartitionRecords"):
        return False
    room = Room()
    fetcher.PartitionRecords = partial(RowRecords, room)
    fetcher._parse_fetched_data = partial(_parse, fetcher._parse_fetched_data)  # noqa: SLF001 - see the module
    fetcher._append = partial(_append_while_room, fetcher._append, room)  # noqa: SLF001 - see the module
    return True


@dataclass
class Room:
    """How many more bytes the poll at hand may inflate."""

    left: int = POLL_BYTES


def _append_while_room(
    append: Callable[..., int], room: Room, drained: Any, part: Any, most: int, update: Any
) -> int:
    """The client's own step of a poll; when the room is used up it says that all is there, which ends the poll."""
    if not drained:
        room.left = POLL_BYTES
    taken = append(drained, part, most, update)
    return most if room.left <= 0 else taken


def _parse(parse: Callable[[Any], Any], fetched: Any) -> Any:
    """The client's own look at one partition's answer; it does not say which partition its errors are of."""
    try:
        return parse(fetched)
    except _NOT_OF_THE_BYTES:
        raise
    except Exception as error:
        raise UnreadableError(fetched.topic_partition, error) from error


class RowRecords(Fetcher.PartitionRecords):  # type: ignore[misc]  # kafka-python has no types
    """The records of one partition in one answer."""

    def __init__(self, room: Room, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._room = room
        self._next_inline_exception: Exception | None = None
        self._rows: list[Row] = []
        self._taken = 0

    def take(self, n: int | None = None) -> list[Row]:
        """The next rows, at most `n` and what there is room for. Trouble waits if there are rows before it.

        Raises UnreadableError, after which nothing is left in here: who goes on fetches again.
        """
        trouble, self._next_inline_exception = self._next_inline_exception, None
        if trouble is not None:
            self.drain()
            raise trouble
        taken: list[Row] = []
        try:
            while self.record_iterator is not None and (n is None or len(taken) < n):
                if self._taken >= len(self._rows):
                    if taken and self._room.left <= 0:
                        break
                    self._rows = next(self.record_iterator, [])
                    self._taken = bisect_left(self._rows, self.fetch_offset, key=itemgetter(0))
                part = self._rows[self._taken : None if n is None else self._taken + n - len(taken)]
                if part:
                    taken += part
                    self._taken += len(part)
                    self.records_read += len(part)
                    self.next_fetch_offset = part[-1][0] + 1
        except MemoryError:
            raise
        except Exception as error:
            unreadable = UnreadableError(self.topic_partition, error)
            if not taken:
                self.drain()
                raise unreadable from error
            unreadable.__cause__ = error
            self._next_inline_exception = unreadable
        return taken

    def _maybe_skip_record(self, _: list[Row]) -> bool:
        return False  # `take` skips

    def _unpack_records(self, tp: Any, records: Any, *_: Any) -> Iterator[list[Row]]:
        """The rows of one batch after the other."""
        last = None
        while (batch := records.next_batch()) is not None:
            last = batch
            if self.check_crcs and not batch.validate_crc():
                message = f"Record batch of {tp} at offset {batch.base_offset} failed its checksum"
                raise CorruptRecordError(message)
            if batch.magic > LATEST_MAGIC:
                message = f"Record batch of {tp} at offset {batch.base_offset} is of the unknown format {batch.magic}"
                raise CorruptRecordError(message)
            if batch.magic != LATEST_MAGIC:
                yield self._old_rows(batch)
            elif self._is_visible(batch):
                self.bytes_read += batch.size_in_bytes
                for rows, size in read_batch(batch):
                    self._room.left -= size
                    yield rows
        if last is not None and last.magic == LATEST_MAGIC:
            self.next_fetch_offset = last.next_offset  # compaction may have taken the last record away
        self.drain()

    def _is_visible(self, batch: Any) -> bool:
        """Whether the batch holds records for us: no marker, and not of an aborted transaction."""
        self.leader_epoch = batch.leader_epoch
        visible = not batch.is_control_batch
        if self.isolation_level == IsolationLevel.READ_COMMITTED and batch.has_producer_id():
            self._consume_aborted_transactions_up_to(batch.last_offset)
            if self._contains_abort_marker(batch):
                self.aborted_producer_ids.discard(batch.producer_id)
            elif self._is_batch_aborted(batch):
                visible = False
        if not visible:
            self.next_fetch_offset = batch.next_offset
        return visible

    def _old_rows(self, batch: Any) -> list[Row]:
        """Message formats before Kafka 0.11, the client's way."""
        rows = []
        for record in batch:
            if self.check_crcs and not record.validate_crc():
                message = f"Record of {self.topic_partition} at offset {record.offset} failed its checksum"
                raise CorruptRecordError(message)
            self.bytes_read += record.size_in_bytes
            rows.append((record.offset, record.timestamp, record.key, record.value))
        return rows

"""Decodes fetched batches into plain tuples: the client's own three objects a record cost thrice.

It leans on kafka-python's inner parts, so the version is pinned; where they are missing `use_rows` leaves the
client as it is.
"""

from __future__ import annotations

from bisect import bisect_left
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError
from kafka.protocol.consumer import IsolationLevel

if TYPE_CHECKING:
    from collections.abc import Iterator

# offset, timestamp in ms, key, value
Row = tuple[int, int, bytes | None, bytes | None]
LATEST_MAGIC = 2
NO_BYTES = 1  # -1 as a zigzag number


def use_rows(consumer: Any) -> bool:
    """Make `poll` of this consumer bring rows instead of ConsumerRecords; False if this client cannot."""
    fetcher: Any = getattr(consumer, "_fetcher", None)
    if not hasattr(fetcher, "PartitionRecords"):
        return False
    fetcher.PartitionRecords = RowRecords
    return True


class RowRecords(Fetcher.PartitionRecords):  # type: ignore[misc]  # kafka-python has no types
    """The records of one partition in one answer."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._rows: list[Row] = []
        self._taken = 0

    def take(self, n: int | None = None) -> list[Row]:
        """The next rows, at most `n`. Trouble waits for the next call if there are rows before it."""
        self._maybe_raise_next_inline_exception()
        taken: list[Row] = []
        try:
            while self.record_iterator is not None and (n is None or len(taken) < n):
                if self._taken >= len(self._rows):
                    self._rows = next(self.record_iterator, [])
                    self._taken = bisect_left(self._rows, self.fetch_offset, key=itemgetter(0))
                part = self._rows[self._taken : None if n is None else self._taken + n - len(taken)]
                if part:
                    taken += part
                    self._taken += len(part)
                    self.records_read += len(part)
                    self.next_fetch_offset = part[-1][0] + 1
        except Exception as error:
            if not taken:
                raise
            self._next_inline_exception = error
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
            if batch.magic != LATEST_MAGIC:
                yield self._old_rows(batch)
            elif self._is_visible(batch):
                self.bytes_read += batch.size_in_bytes
                yield decode_rows(batch)
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


def decode_rows(batch: Any) -> list[Row]:
    """All records of a batch of format 2; their headers are passed over."""
    batch._maybe_uncompress()  # noqa: SLF001 - see the module
    buffer, at = bytes(batch._buffer), batch._pos  # noqa: SLF001
    append_time = batch.max_timestamp if batch.timestamp_type else None
    try:
        rows, at = _decode(buffer, at, batch.records_count, batch.base_offset, batch.first_timestamp)
    except IndexError as error:
        message = f"Record batch at offset {batch.base_offset} breaks off"
        raise CorruptRecordError(message) from error
    if at != len(buffer):
        message = f"Record batch at offset {batch.base_offset} is not as long as it says"
        raise CorruptRecordError(message)
    if append_time is not None:
        return [(offset, append_time, key, value) for offset, _, key, value in rows]
    return rows


def _decode(buffer: bytes, at: int, count: int, base_offset: int, base_time: int) -> tuple[list[Row], int]:
    """Record: length, attributes (1 byte), time and offset since the batch's, key, value, headers."""
    rows: list[Row] = []
    for _ in range(count):
        length, at = _varint(buffer, at)
        end = at + length
        time, at = _varint(buffer, at + 1)
        offset, at = _varint(buffer, at)
        key_size, at = (-1, at + 1) if buffer[at] == NO_BYTES else _varint(buffer, at)
        key = None
        if key_size >= 0:
            key = buffer[at : at + key_size]
            at += key_size
        value_size, at = _varint(buffer, at)
        value = None
        if value_size >= 0:
            value = buffer[at : at + value_size]
            at += value_size
        if at > end or length < 0:
            message = f"Record {offset} of the batch at offset {base_offset} is not as long as it says"
            raise CorruptRecordError(message)
        at = end
        rows.append((base_offset + offset, base_time + time, key, value))
    return rows, at


def _varint(buffer: bytes, at: int) -> tuple[int, int]:
    """A zigzag number of 7 bits a byte, and where the next thing begins."""
    byte = buffer[at]
    if byte < 128:
        return (byte >> 1) ^ -(byte & 1), at + 1
    result = byte & 127
    shift = 7
    while True:
        at += 1
        byte = buffer[at]
        if byte < 128:
            result |= byte << shift
            return (result >> 1) ^ -(result & 1), at + 1
        result |= (byte & 127) << shift
        shift += 7

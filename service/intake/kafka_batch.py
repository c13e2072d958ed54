"""Kafka's record batches of format 2, from bytes to plain tuples.

What a batch says of itself is not believed: numbers that do not fit are a CorruptRecordError, and what inflates to
more than should be in memory at once is read in pieces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kafka.errors import CorruptRecordError

from service.intake.inflation import Tape, corrupt_if_broken, inflate

if TYPE_CHECKING:
    from collections.abc import Iterator

# offset, timestamp in ms, key, value
Row = tuple[int, int, bytes | None, bytes | None]
_NO_BYTES = 1  # -1 as a zigzag number
_MOST_BITS = 63  # the tenth and last byte of a number of 64 bits begins here
_PIECE_BYTES, _PIECE_ROWS = 2**20, 1_000
_EARLIEST, _LATEST = -(2**63), 2**63 - 1


def decode_rows(batch: Any) -> list[Row]:
    """All records of a batch of format 2 that is not large; their headers are passed over."""
    return [row for rows, _ in read_batch(batch) for row in rows]


def read_batch(batch: Any) -> Iterator[tuple[list[Row], int]]:
    """The records of a batch, in pieces if it is large, with each piece's bytes. Raises CorruptRecordError."""
    frame = _frame_of(batch)
    with corrupt_if_broken(frame.base_offset):
        inflated = inflate(batch)
        if isinstance(inflated, bytes):
            yield _stamped(_decode(inflated, frame), frame), len(inflated)
            return
        for rows, size in _pieces(inflated, frame):
            yield _stamped(rows, frame), size


class _Frame(NamedTuple):
    """What the head of a batch says of its records. `append_time` replaces their own times, if it is given."""

    base_offset: int
    last_offset: int
    base_time: int
    append_time: int | None
    records: int


def _frame_of(batch: Any) -> _Frame:
    frame = _Frame(
        batch.base_offset, batch.last_offset, batch.first_timestamp,
        batch.max_timestamp if batch.timestamp_type else None, batch.records_count,
    )  # fmt: skip
    if not (0 <= frame.base_offset <= frame.last_offset < 2**62 and frame.records >= 0):
        message = f"Record batch at offset {frame.base_offset} has {frame.records} records up to {frame.last_offset}"
        raise CorruptRecordError(message)
    return frame


def _stamped(rows: list[Row], frame: _Frame) -> list[Row]:
    if frame.append_time is None:
        return rows
    return [(offset, frame.append_time, key, value) for offset, _, key, value in rows]


def _decode(buffer: bytes, frame: _Frame) -> list[Row]:
    """Record: length, attributes (1 byte), time and offset since the batch's, key, value, headers."""
    base_offset, last, base_time, _, count = frame
    rows: list[Row] = []
    before, at = base_offset - 1, 0
    for _ in range(count):
        length, at = _varint(buffer, at)
        end = at + length
        time, at = _varint(buffer, at + 1)
        offset, at = _varint(buffer, at)
        key_size, at = (-1, at + 1) if buffer[at] == _NO_BYTES else _varint(buffer, at)
        key = None
        if key_size >= 0:
            key = buffer[at : at + key_size]
            at += key_size
        value_size, at = _varint(buffer, at)
        value = None
        if value_size >= 0:
            value = buffer[at : at + value_size]
            at += value_size
        offset += base_offset
        time += base_time
        if at > end or length < 0 or not before < offset <= last or not _EARLIEST <= time <= _LATEST:
            message = (
                f"Record {len(rows)} of the batch at offset {base_offset} is not as long or where it says"
            )
            raise CorruptRecordError(message)
        at, before = end, offset
        rows.append((offset, time, key, value))
    if at != len(buffer):
        message = f"Record batch at offset {base_offset} is not as long as it says"
        raise CorruptRecordError(message)
    return rows


def _pieces(tape: Tape, frame: _Frame) -> Iterator[tuple[list[Row], int]]:
    """The same of a batch that inflates to more than should be in memory at once, with the bytes of each piece."""
    rows: list[Row] = []
    before, start = frame.base_offset - 1, 0
    for _ in range(frame.records):
        row = _read_record(tape, frame)
        offset, time = row[:2]
        if not before < offset <= frame.last_offset or not _EARLIEST <= time <= _LATEST:
            raise ValueError(f"record at offset {offset} is not where it says")
        before = offset
        rows.append(row)
        if tape.position - start >= _PIECE_BYTES or len(rows) >= _PIECE_ROWS:
            yield rows, tape.position - start
            rows, start = [], tape.position
    if not tape.is_at_end():
        raise ValueError("it is not as long as it says")
    yield rows, tape.position - start


def _read_record(tape: Tape, frame: _Frame) -> Row:
    length = tape.number()
    end = tape.position + length
    tape.skip(1)
    time, offset = frame.base_time + tape.number(), frame.base_offset + tape.number()
    key, value = tape.text(), tape.text()
    if length < 0 or tape.position > end:
        raise ValueError(f"record at offset {offset} is not as long as it says")
    tape.skip(end - tape.position)
    return offset, time, key, value


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
        if shift > _MOST_BITS:
            raise ValueError("a number of more than 64 bits")

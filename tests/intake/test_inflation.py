"""A batch that inflates a thousandfold is read to its last record in little memory; a broken one is one error."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from typing import Any

import lz4.frame
import pytest
import snappy
import zstandard
from kafka.errors import CorruptRecordError
from kafka.record import MemoryRecords
from kafka.record.default_records import DefaultRecordBatch
from kafka.record.memory_records import MemoryRecordsBuilder

from service.intake.decoder import Decoder
from service.intake.inflation import INFLATED_AT_ONCE
from service.intake.kafka_batch import decode_rows, read_batch
from service.intake.kafka_python_records import POLL_BYTES
from service.intake.limits import KEPT_VALUE_BYTES
from service.intake.source import Cut
from service.messages import Reason
from tests.intake.events import CONFIGURATION, NOW_MS, records
from tests.servers.fixtures import Broker
from tests.servers.logs import KafkaLog, Reader

MIB = 2**20
GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
COMPRESS: dict[int, Any] = {
    GZIP: gzip.compress, SNAPPY: snappy.compress, LZ4: lz4.frame.compress, ZSTD: zstandard.compress,
}  # fmt: skip
TAPED = [GZIP, LZ4, ZSTD]
HEADER = struct.Struct(">qiibIhiqqqhii")


def number(value: int) -> bytes:
    """A zigzag number of 7 bits a byte."""
    value = (value << 1) ^ (value >> 63)
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])


def sized(data: bytes | None) -> bytes:
    return number(-1) if data is None else number(len(data)) + data


def record(offset: int, value: bytes | None, key: bytes | None = None, time: int = 0) -> bytes:
    """One record of format 2."""
    body = b"\0" + number(time) + number(offset) + sized(key) + sized(value) + number(0)
    return number(len(body)) + body


def batch(data: bytes, count: int, codec: int = 0, *, last: int | None = None, base: int = 0) -> Any:
    """A batch that holds these bytes as its records; its checksum is not looked at here."""
    last = count - 1 if last is None else last
    head = HEADER.pack(
        base, len(data) + HEADER.size - 12, 0, 2, 0, codec, last, NOW_MS, NOW_MS, -1, -1, -1, count
    )
    return DefaultRecordBatch(head + data)


def packed(codec: int, *made: bytes) -> Any:
    """A compressed batch of these records."""
    return batch(COMPRESS[codec](b"".join(made)), len(made), codec)


@pytest.mark.parametrize("codec", TAPED)
def test_a_batch_too_large_for_memory_brings_the_same_rows_in_pieces(codec: int) -> None:
    values = [b"%d" % i + b"x" * (MIB // 2) for i in range(80)]
    large = packed(codec, *(record(i, v, b"k%d" % i, i) for i, v in enumerate(values)))
    pieces = [rows for rows, _ in read_batch(large)]
    assert len(pieces) > 30
    expected = [(i, NOW_MS + i, b"k%d" % i, v) for i, v in enumerate(values)]
    assert [row for rows in pieces for row in rows] == expected


@pytest.mark.parametrize("codec", TAPED)
def test_a_bomb_is_never_in_memory_as_a_whole(codec: int) -> None:
    compressed = bomb(codec, 400)
    assert len(compressed) < 2 * MIB
    tracemalloc.start()
    total = sum(len(rows) for rows, _ in read_batch(batch(compressed, 400, codec)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (total, peak < 4 * INFLATED_AT_ONCE) == (400, True)


def bomb(codec: int, mebibytes: int) -> bytes:
    """So many records of a mebibyte of zeros, compressed without ever being in memory."""
    made = (record(i, b"\0" * (MIB - 16)) for i in range(mebibytes))
    if codec != LZ4:
        return b"".join(map(COMPRESS[codec], made))
    compressor = lz4.frame.LZ4FrameCompressor()
    return b"".join([compressor.begin(), *map(compressor.compress, made), compressor.flush()])


@pytest.mark.parametrize("codec", TAPED)
def test_of_a_value_too_large_for_memory_there_is_the_start_and_the_size(codec: int) -> None:
    size = INFLATED_AT_ONCE + 7
    rows = decode_rows(packed(codec, record(0, b"a"), record(1, b"z" * size, b"key"), record(2, b"c")))
    assert [row[:3] for row in rows] == [(0, NOW_MS, None), (1, NOW_MS, b"key"), (2, NOW_MS, None)]
    cut = rows[1][3]
    assert isinstance(cut, Cut)
    assert (bytes(cut), cut.size) == (b"z" * KEPT_VALUE_BYTES, size)
    assert [row[3] for row in rows[::2]] == [b"a", b"c"]


def test_a_cut_value_is_a_dead_letter_of_its_whole_size() -> None:
    [letter] = Decoder(CONFIGURATION).decode(records([Cut(b"{", 10**9)])).dead
    assert (letter.reason, letter.size, letter.value) == (Reason.TOO_LARGE, 10**9, b"{")
    assert "1000000000 bytes" in letter.detail


BROKEN = {
    "gzip that is none": batch(b"junk", 1, GZIP),
    "gzip that breaks off": batch(gzip.compress(record(0, b"x" * 999))[:-9], 1, GZIP),
    "gzip with a broken body": batch(gzip.compress(b"x" * 99)[:12] + b"\xff" * 20, 1, GZIP),
    "snappy that is none": batch(b"\x05junk!", 1, SNAPPY),
    "snappy that declares 4 GiB": batch(b"\xff\xff\xff\xff\x0fa", 1, SNAPPY),
    "xerial of a negative block": batch(b"\x82SNAPPY\0\0\0\0\1\0\0\0\1" + b"\xff" * 4, 1, SNAPPY),
    "lz4 that is none": batch(b"junk", 1, LZ4),
    "lz4 that breaks off": batch(lz4.frame.compress(b"x" * 9_999)[:-9], 1, LZ4),
    "zstd that is none": batch(b"junk", 1, ZSTD),
    "zstd that breaks off": batch(zstandard.compress(record(0, b"x" * 999))[:-3], 1, ZSTD),
    "nothing": batch(b"", 1),
    "fewer records than it says": batch(record(0, b"x"), 2),
    "2 billion records": batch(record(0, b"x"), 2**31 - 1),
    "more records than it says": batch(record(0, b"x") + record(1, b"x"), 1, last=1),
    "a negative number of records": batch(b"", -1, last=0),
    "an offset after the last": batch(record(1, b"x"), 1),
    "an offset before the first": batch(record(-1, b"x"), 1),
    "an offset twice": batch(record(0, b"x") * 2, 2),
    "offsets that go back": batch(record(1, b"x") + record(0, b"x"), 2),
    "an offset of a hundred bits": batch(b"\x20\0\0" + b"\xff" * 14 + b"\1" + number(-1) * 2 + b"\0", 1),
    "a time over 64 bits": batch(record(0, b"x", time=2**63 - 1), 1),
    "a negative length": batch(number(-5) + b"\0" * 9, 1),
    "a value longer than its record": batch(number(7) + b"\0\0\0\1" + number(100) + b"x" * 100 + b"\0", 1),
    "a base offset below zero": batch(record(0, b"x"), 1, base=-(2**63)),
    "a base offset near the end": batch(record(0, b"x"), 1, base=2**63 - 1),
}  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_a_batch_that_cannot_be_read_is_one_error_that_the_client_knows(broken: Any) -> None:
    with pytest.raises(CorruptRecordError):
        decode_rows(broken)


@pytest.mark.parametrize(
    ("last", "more"),
    [(80, b""), (0, b""), (79, b"x"), (79, record(80, b"x"))],
    ids=["one too few", "offsets after the last", "bytes after the end", "a record after the end"],
)
def test_a_large_batch_is_held_to_what_it_says(last: int, more: bytes) -> None:
    data = b"".join(record(i, b"\0" * (MIB // 2)) for i in range(80)) + more
    with pytest.raises(CorruptRecordError):
        decode_rows(batch(zstandard.compress(data), 80 if last < 80 else 81, ZSTD, last=last))


@pytest.mark.parametrize("codec", range(5))
def test_what_the_client_itself_has_written_is_read_alike(codec: int) -> None:
    builder = MemoryRecordsBuilder(2, codec, 1 << 24, offset=3)
    for i in range(500):
        builder.append(NOW_MS + i, None, b"%d" % i * 20)
    builder.close()
    rows = decode_rows(MemoryRecords(builder.buffer()).next_batch())
    assert [(o, v) for o, _, _, v in rows] == [(3 + i, b"%d" % i * 20) for i in range(500)]


@pytest.mark.kafka
def test_a_poll_brings_no_more_than_there_is_room_for_and_the_next_ones_bring_the_rest(
    embedded_broker: Broker,
) -> None:
    """Compressed fetches of a few megabytes could fill all memory, and a poll asks for thousands of records."""
    log = KafkaLog(embedded_broker, "kafka-python", partitions=2)
    values = [b"%d" % i + b"\0" * MIB for i in range(90)]
    for partition in range(2):
        for start in range(0, 90, 30):
            embedded_broker.topics.produce(
                log.topic, values[start : start + 30], partition=partition, compression="gzip"
            )
    reader = Reader(log.source())
    reader.join(2)
    for partition in reader.owned:
        reader.source.begin(partition, 0)
    most = 0
    while sum(map(len, reader.values.values())) < 180:
        before = {partition: len(held) for partition, held in reader.values.items()}
        assert reader.poll(5.0)
        brought = [v for p, held in reader.values.items() for v in held[before.get(p, 0) :]]
        most = max(most, sum(map(len, brought)))
    reader.source.close()
    assert [reader.values[p] for p in sorted(reader.owned)] == [values, values]
    assert most <= POLL_BYTES + INFLATED_AT_ONCE

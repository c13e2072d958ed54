"""Any bytes as a Kafka record batch: rows where and as long as they say, or an error that the client knows."""

from __future__ import annotations

import struct
from typing import Any

from kafka.errors import KafkaError
from kafka.record.default_records import DefaultRecordBatch

from service.intake.kafka_batch import read_batch

HEADER = struct.Struct(">qiibIhiqqqhii")
FRAME = struct.Struct(">BBi")
MOST_ROWS = 100_000
NOW_MS = 1_795_305_072_000


def one_input(data: bytes) -> None:
    """Codec and time type (a byte), records (a byte), last offset; then the records. 255 leaves the header too."""
    batch = batch_of(data)
    if batch is None:
        return
    rows = 0
    before = batch.base_offset - 1
    try:
        for piece, size in read_batch(batch):
            assert size >= 0
            for offset, time, key, value in piece:
                assert before < offset <= batch.last_offset
                assert -(2**63) <= time < 2**63
                assert isinstance(key, bytes | None)
                assert isinstance(value, bytes | None)
                before = offset
            rows += len(piece)
            if rows > MOST_ROWS:  # a bomb of many tiny records is a matter of patience only
                return
        assert rows == batch.records_count
    except KafkaError:
        return


def batch_of(data: bytes) -> Any:
    """The batch that an input stands for; None for one that is too short."""
    if data[:1] == b"\xff":
        return DefaultRecordBatch(data[1:]) if len(data) > HEADER.size else None
    if len(data) < FRAME.size:
        return None
    attributes, count, last = FRAME.unpack_from(data)
    body = data[FRAME.size :]
    head = HEADER.pack(
        7, len(body) + HEADER.size - 12, 0, 2, 0, attributes & 0x0F, last, NOW_MS, NOW_MS, -1, -1, -1, count
    )
    return DefaultRecordBatch(head + body)

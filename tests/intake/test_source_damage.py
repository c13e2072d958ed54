"""A batch that is damaged on the broker's disk stops its own partition, at its own offset, and no other."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka.record.util import calc_crc32c

from service.intake.source import Source
from service.messages import Partition
from tests.servers import apache_kafka as apache
from tests.servers.fixtures import Broker
from tests.servers.logs import CLIENTS, KafkaLog, Reader, wait_until
from tests.servers.requirements import require_or_skip

pytestmark = pytest.mark.apache_kafka

BATCH = 10
HEAD_BYTES = 61
MAGIC_AT, CHECKSUM_AT, ATTRIBUTES_AT = 16, 17, 21


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where a broker of this module keeps its files."""
    require_or_skip(apache.has_java(), "Java", apache.INSTALL)
    made = tmp_path_factory.mktemp("damaged-kafka")
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def broker(folder: Path) -> Iterator[Broker]:
    """It reads what it sends from its files, whatever they hold."""
    with apache.ApacheKafka(folder) as server:
        made = Broker("apache", server.bootstrap_servers)
        yield made
        made.topics.close()


class Segment:
    """The file of partition 0, of which one batch is changed."""

    def __init__(self, folder: Path, topic: str) -> None:
        self._path = folder / "kafka-logs" / f"{topic}-0" / f"{0:020d}.log"
        self._whole = self._path.read_bytes()

    def damage(self, batch: int, change: Callable[[bytearray], None]) -> None:
        """Change the bytes of this batch; it keeps its length."""
        start = 0
        for _ in range(batch):
            start += 12 + self._length_at(start)
        changed = bytearray(self._whole[start : start + 12 + self._length_at(start)])
        change(changed)
        self._write(start, bytes(changed))

    def heal(self) -> None:
        """Make it what it was."""
        self._write(0, self._whole)

    def _length_at(self, start: int) -> int:
        (length,) = struct.unpack_from(">i", self._whole, start + 8)
        return int(length)

    def _write(self, at: int, data: bytes) -> None:
        with self._path.open("r+b") as file:
            file.seek(at)
            file.write(data)


def flip_a_bit(batch: bytearray) -> None:
    batch[-3] ^= 4


def of_another_time(batch: bytearray) -> None:
    batch[MAGIC_AT] = 9


def compressed_by_nobody_knows_what(batch: bytearray) -> None:
    batch[ATTRIBUTES_AT + 1] |= 7
    sign(batch)


def not_what_the_compression_says(batch: bytearray) -> None:
    batch[HEAD_BYTES:] = b"\x00" * (len(batch) - HEAD_BYTES)
    sign(batch)


def sign(batch: bytearray) -> None:
    """Give it the right checksum: its producer wrote it like this."""
    struct.pack_into(">I", batch, CHECKSUM_AT, calc_crc32c(bytes(batch[ATTRIBUTES_AT:])))


DAMAGES = [
    pytest.param("", flip_a_bit, id="flipped"),  # nothing but the checksum of the batch can tell
    pytest.param("gzip", flip_a_bit, id="flipped-gzip"),
    pytest.param("gzip", of_another_time, id="of-another-time"),
    pytest.param("gzip", compressed_by_nobody_knows_what, id="unknown-codec"),
    pytest.param("gzip", not_what_the_compression_says, id="no-gzip"),
]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(("codec", "change"), DAMAGES)
def test_only_the_damaged_partition_stands_still_until_it_is_healed(
    broker: Broker, folder: Path, client: str, codec: str, change: Callable[[bytearray], None]
) -> None:
    """Offsets of partition 0:  0 .. 9 good | 10 .. 19 damaged | 20 .. 29 good; all of partition 1 is good."""
    log = KafkaLog(broker, client, partitions=2)
    for start in range(0, 3 * BATCH, BATCH):
        values = [b"%d" % n for n in range(start, start + BATCH)]
        broker.topics.produce(log.topic, values, compression=codec or None)
    broker.topics.produce(log.topic, [b"x"] * 50, partition=1)
    segment = Segment(folder, log.topic)
    segment.damage(1, change)
    bad, other = Partition(log.topic, 0), Partition(log.topic, 1)
    source = log.source()
    try:
        reader = begun_at_the_start(source)
        wait_until(lambda: bool(reader.corrupt) and len(reader.offsets[other]) == 50, reader)
        assert reader.offsets[bad] == list(range(BATCH))
        assert [(one.partition, one.wanted) for one in reader.corrupt] == [(bad, BATCH)]
        assert "offset 10 cannot be read: " in reader.corrupt[0].why
        broker.topics.produce(log.topic, [b"y"] * 5, partition=1)
        reader.read(BATCH + 55)
        assert reader.idle(0.5) == 0
        assert len(reader.corrupt) == 1
        begin_until(lambda: len(reader.corrupt) == 2, source, reader, bad)
        segment.heal()
        begin_until(lambda: len(reader.offsets[bad]) == 3 * BATCH, source, reader, bad)
        assert reader.offsets[bad] == list(range(3 * BATCH))
        assert reader.values[bad] == [b"%d" % n for n in range(3 * BATCH)]
        assert reader.gaps == []  # librdkafka asks for absurd offsets behind some damages
    finally:
        source.close()


def begin_until(done: Callable[[], bool], source: Source, reader: Reader, partition: Partition) -> None:
    """As a collector does, which begins again whatever is told to be damaged: what was fetched before may be, still."""
    source.begin(partition, BATCH)
    told = len(reader.corrupt)

    def is_done() -> bool:
        nonlocal told
        if not done() and len(reader.corrupt) > told:
            told = len(reader.corrupt)
            source.begin(partition, BATCH)
        return done()

    wait_until(is_done, reader)


def begun_at_the_start(source: Source) -> Reader:
    """Reads all partitions from their first records."""
    reader = Reader(source)
    reader.join(2)
    for partition in reader.owned:
        source.begin(partition, 0)
    return reader

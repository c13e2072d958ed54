"""One suite for every reader of a log: what who verifies or replays may rely on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from kafka import KafkaProducer

from service.embedded.broker import free_port
from service.errors import ConfigurationError, Unavailable
from service.intake.file_log import FileLogSource
from service.intake.file_log_reader import FileLogReader
from service.intake.kafka_python_log_reader import KafkaPythonLogReader
from service.intake.kafka_settings import KafkaSettings
from service.intake.source import Bounds
from service.messages import Partition
from tests.fakes.log_reader import FakeLogReader
from tests.fakes.source import FakeLog
from tests.servers.logs import PATIENCE_SECONDS, FileLog, KafkaLog

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from service.intake.log_reader import LogReader
    from tests.servers.logs import Log

EMBEDDED = pytest.param("embedded_broker", marks=pytest.mark.kafka, id="embedded")
APACHE = pytest.param("apache_kafka", marks=pytest.mark.apache_kafka, id="apache")
every_log = pytest.mark.parametrize("log", ["file", "fake", EMBEDDED, APACHE], indirect=True)
every_exact_log = pytest.mark.parametrize("log", ["file", "fake", APACHE], indirect=True)
apache_only = pytest.mark.parametrize("log", [APACHE], indirect=True)


class InMemory:
    """A fake log, filled as the real ones."""

    def __init__(self) -> None:
        self.log = FakeLog(partitions=2)
        self.topic = self.log.topic

    def fill(self, values: Sequence[bytes], partition: int = 0) -> None:
        self.log.append(list(values), [-1] * len(values), partition)


@pytest.fixture
def log(request: pytest.FixtureRequest, tmp_path: Path) -> FileLog | KafkaLog | InMemory:
    """An empty log of two partitions."""
    if request.param == "file":
        return FileLog(tmp_path, partitions=2)
    if request.param == "fake":
        return InMemory()
    return KafkaLog(request.getfixturevalue(request.param), "kafka-python", partitions=2)


@pytest.fixture
def reader(log: FileLog | KafkaLog | InMemory, tmp_path: Path) -> Iterator[LogReader]:
    """A reader of that log."""
    made: LogReader
    if isinstance(log, KafkaLog):
        made = KafkaPythonLogReader(log.settings(log.topic))
    elif isinstance(log, FileLog):
        made = FileLogReader(tmp_path / "log")
    else:
        made = FakeLogReader(log.log)
    yield made
    made.close()


def numbered(count: int, first: int = 0) -> list[bytes]:
    """Values that tell their offset."""
    return [b'{"n":%d}' % number for number in range(first, first + count)]


def read(reader: LogReader, partition: Partition, start: int, end: int) -> dict[int, bytes | None]:
    """The values of a stretch by their offsets, which come in order."""
    pieces = list(reader.read(partition, start, end))
    assert all(len(piece) for piece in pieces)
    offsets = [int(o) for piece in pieces for o in piece.offsets]
    assert offsets == sorted(set(offsets))
    return dict(zip(offsets, [value for piece in pieces for value in piece.values], strict=True))


@every_log
def test_a_stretch_brings_its_records_and_no_others(log: Log, reader: LogReader) -> None:
    """[start, end), whatever else the partition and its neighbours hold."""
    log.fill(numbered(12_000), partition=0)
    log.fill(numbered(5, first=500), partition=1)
    place = Partition(log.topic, 0)
    assert read(reader, place, 11, 11_002) == dict(zip(range(11, 11_002), numbered(10_991, 11), strict=True))
    assert read(reader, place, 3, 4) == {3: b'{"n":3}'}
    assert read(reader, place, 4, 4) == {}
    assert list(read(reader, Partition(log.topic, 1), 0, 5).values()) == numbered(5, first=500)


@every_log
def test_a_stretch_beyond_the_logs_end_ends_there(log: Log, reader: LogReader) -> None:
    """What is not there is not waited for."""
    log.fill(numbered(30))
    place = Partition(log.topic, 0)
    assert list(read(reader, place, 20, 100)) == list(range(20, 30))
    assert read(reader, place, 50, 100) == {}
    assert list(read(reader, place, 0, 2)) == [0, 1]


@every_log
def test_it_tells_the_partitions_of_a_topic(log: Log, reader: LogReader) -> None:
    """By number; and a sentence where there is no such topic, which is not made by asking."""
    assert list(reader.partitions(log.topic)) == [0, 1]
    with pytest.raises(ConfigurationError, match="missing"):
        reader.partitions("missing")
    with pytest.raises(ConfigurationError, match="missing"):
        reader.partitions("missing")


@every_exact_log
def test_it_tells_the_extent(log: Log, reader: LogReader) -> None:
    """First offset, and the one after the last."""
    log.fill(numbered(30))
    assert reader.bounds(Partition(log.topic, 0)) == Bounds(0, 30)
    assert reader.bounds(Partition(log.topic, 1)) == Bounds(0, 0)


@every_log
def test_a_stretch_can_be_left_and_another_begun(log: Log, reader: LogReader) -> None:
    """Who has seen enough stops; nothing of it comes with the next stretch."""
    log.fill(numbered(6_000))
    place = Partition(log.topic, 0)
    assert next(iter(reader.read(place, 0, 6_000))).offsets[0] == 0
    assert read(reader, place, 10, 20) == dict(zip(range(10, 20), numbered(10, 10), strict=True))


def test_a_file_that_is_split_reads_as_its_source_does(tmp_path: Path) -> None:
    """Every line is in one partition, the same for tailing and for reading stretches."""
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"".join(b'{"id":"%d"}\n' % n for n in range(1_000)))
    reader, source = FileLogReader(path, 3), FileLogSource(path, 3)
    assert list(reader.partitions("log.jsonl")) == [0, 1, 2]
    source.start()
    for number in range(3):
        source.begin(Partition("log.jsonl", number), 0)
    tailed = {records.partition: list(records.values) for records in source.poll(0.0, 2_000).records}
    assert sum(map(len, tailed.values())) == 1_000
    for place, values in tailed.items():
        assert reader.bounds(place) == Bounds(0, len(values))
        assert list(read(reader, place, 7, len(values)).values()) == values[7:]


@pytest.mark.kafka
def test_tombstones_keys_and_times_come_as_they_are(embedded_broker: object) -> None:
    """Bytes as they were written."""
    log = KafkaLog(embedded_broker, "kafka-python", partitions=1)  # type: ignore[arg-type]
    log.broker.topics.produce(
        log.topic, [b"1", None], keys=[None, b"k"], timestamps_ms=[1_700_000_000_000, 1_700_000_000_001]
    )
    reader = KafkaPythonLogReader(log.settings(log.topic))
    (records,) = reader.read(Partition(log.topic, 0), 0, 2)
    reader.close()
    assert records.values == [b"1", None]
    assert records.keys[1] == b"k"
    assert np.array_equal(records.timestamps_ms, [1_700_000_000_000, 1_700_000_000_001])


@apache_only
def test_what_retention_took_is_passed_over(log: KafkaLog, reader: LogReader) -> None:
    """The extent says where the log starts now; a read from before begins there."""
    log.fill(numbered(30))
    log.broker.topics.delete_records(log.topic, 10)
    place = Partition(log.topic, 0)
    assert reader.bounds(place) == Bounds(10, 30)
    assert list(read(reader, place, 0, 30)) == list(range(10, 30))
    assert read(reader, place, 0, 10) == {}


@apache_only
def test_what_a_transaction_took_back_is_no_record(log: KafkaLog, reader: LogReader) -> None:
    """As the sources read: committed records only, and markers leave holes, at the end too."""
    producer = KafkaProducer(
        bootstrap_servers=log.broker.bootstrap_servers, transactional_id=f"id-{log.topic}"
    )
    producer.init_transactions()
    for number, commits in enumerate([True, False]):
        producer.begin_transaction()
        for value in numbered(5, 5 * number):
            producer.send(log.topic, value, partition=0)
        producer.flush()
        if commits:
            producer.commit_transaction()
        else:
            producer.abort_transaction()
    producer.close()
    place = Partition(log.topic, 0)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while reader.bounds(place) != Bounds(0, 12):  # the marker is written after the producer has its answer
        assert time.monotonic() < deadline, "the transaction never ended"
    assert list(read(reader, place, 0, 12)) == list(range(5))


@pytest.mark.kafka
def test_a_broker_that_is_away_is_said_so(embedded_broker: object) -> None:
    """Unavailable, so that who asked can ask again."""
    settings = KafkaSettings(f"127.0.0.1:{free_port()}", ("t",), "g", connect_timeout_ms=500)
    with pytest.raises(Unavailable):
        KafkaPythonLogReader(settings).bounds(Partition("t", 0))

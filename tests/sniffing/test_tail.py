"""The last records of a topic are read, of each partition as many, and never more than is bounded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from service.errors import ConfigurationError
from service.intake.source import Bounds, Records
from service.messages import Partition
from service.sniffing import tail
from service.sniffing.tail import sniff_topic
from tests.fakes.log_reader import FakeLogReader
from tests.fakes.source import FakeLog
from tests.sniffing.records import T0_MS, prediction, records_of


def filled(records: int, partitions: int = 2) -> FakeLog:
    log = FakeLog(partitions=partitions)
    for n in range(records):
        for partition in range(partitions):
            value = json.dumps(prediction(n, x=n)).encode()
            log.append([value], [T0_MS + 1_000 * n], partition)
    return log


class LowEnd(FakeLogReader):
    """A broker that tells the start of its last batch as the end, and hands batches over whole."""

    def bounds(self, partition: Partition) -> Bounds:
        extent = super().bounds(partition)
        return Bounds(extent.start, max(extent.start + 1, extent.end - 70)) if extent.end else extent

    def read(self, partition: Partition, start: int, end: int) -> Iterator[Records]:
        rows = self.log.records[partition.number][start:end]
        yield records_of([value for _, _, value in rows], partition.number, every_ms=10_000)


def looked_at(reader: Any, records: int) -> Any:
    return sniff_topic(reader, reader.log.topic, records)


def test_as_many_of_each_partition_from_its_end() -> None:
    found = looked_at(FakeLogReader(filled(500)), 200)
    assert (found.records, found.partitions, found.looked_at) == (200, 2, 2)
    (model,) = found.models
    assert model.features[0].low == 400.0
    assert model.features[0].high == 499.0


def test_the_rate_is_that_of_all_partitions_however_few_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tail, "MOST_PARTITIONS", 2)
    found = looked_at(FakeLogReader(filled(100, partitions=6)), 100)
    assert (found.partitions, found.looked_at) == (6, 2)
    assert found.models[0].rhythm.events_per_second == pytest.approx(6.0)


def test_an_end_that_is_told_too_low_hides_nothing() -> None:
    found = looked_at(LowEnd(filled(500)), 200)
    assert found.models[0].features[0].high == 499.0


def test_partitions_without_records_are_passed_over() -> None:
    assert looked_at(FakeLogReader(FakeLog(partitions=3)), 10).records == 0


def test_reading_ends_when_it_takes_too_long() -> None:
    now = iter(range(0, 10_000, 15))
    found = sniff_topic(
        FakeLogReader(filled(500)), FakeLog().topic, 1_000, monotonic=lambda: float(next(now))
    )
    assert 0 < found.records < 1_000


def test_partitions_that_end_in_markers_only_do_not_hold_it_up_together() -> None:
    """Each takes its time and gives nothing."""

    class Markers(FakeLogReader):
        def read(self, partition: Partition, start: int, end: int) -> Iterator[Records]:
            assert end > start
            clock[0] += 9.0
            return super().read(partition, start, start)

    clock = [0.0]
    found = sniff_topic(Markers(filled(5, partitions=8)), FakeLog().topic, 1_000, monotonic=lambda: clock[0])
    assert (found.partitions, found.looked_at, found.records) == (8, 3, 0)


def test_reading_ends_when_it_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "MOST_BYTES", 1_000)
    assert 0 < looked_at(FakeLogReader(filled(500)), 1_000).records <= 100


@pytest.mark.parametrize("topic", ["__consumer_offsets", "__x", "", "a b", "a/b", "x" * 250, "\x00", "t\n"])
def test_topics_of_kafka_s_own_and_what_is_no_name_are_refused(topic: str) -> None:
    with pytest.raises(ConfigurationError):
        sniff_topic(FakeLogReader(FakeLog(topic)), topic)


def test_a_topic_that_is_not_there_is_said_so() -> None:
    with pytest.raises(ConfigurationError, match="there is no topic"):
        sniff_topic(FakeLogReader(FakeLog()), "other")


def test_nothing_but_reading_is_asked_of_the_log() -> None:
    class Watched(FakeLogReader):
        def read(self, partition: Partition, start: int, end: int) -> Iterator[Records]:
            asked.append((partition.number, start))
            return super().read(partition, start, end)

    asked: list[tuple[int, int]] = []
    looked_at(Watched(filled(10)), 8)
    assert asked == [(0, 6), (1, 6)]

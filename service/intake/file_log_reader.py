"""Reads stretches of a file log: a new pass over the files for each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from service.errors import ConfigurationError
from service.intake.file_log import FileLogSource
from service.intake.source import Bounds, Records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from service.messages import Partition

POLL_RECORDS = 5_000


class FileLogReader:
    """A `LogReader` over the files of a `FileLogSource`, which says how they are partitioned."""

    def __init__(self, path: Path, partitions: int = 1, key: str = "id") -> None:
        self._path = path
        self._count = partitions
        self._key = key
        self._ends: dict[Partition, int] = {}

    def partitions(self, topic: str) -> Sequence[int]:
        source = self._started()
        numbers = sorted(place.number for place in source.changes().assigned if place.topic == topic)
        if not numbers:
            name = self._path.resolve().name
            raise ConfigurationError(f"The file log {self._path} is topic {name!r}, not {topic!r}.")
        return numbers

    def bounds(self, partition: Partition) -> Bounds:
        """Reads the log to its end, the first time."""
        if partition not in self._ends:
            last = 0
            for records in self._read(partition, 0):
                last = int(records.offsets[-1]) + 1
            self._ends[partition] = last
        return Bounds(0, self._ends[partition])

    def read(self, partition: Partition, start: int, end: int) -> Iterator[Records]:
        if start >= end:
            return
        for records in self._read(partition, start):
            count = int((records.offsets < end).sum())
            if count:
                yield _first(records, count)
            if count < len(records):
                return

    def close(self) -> None:
        self._ends = {}

    def _read(self, partition: Partition, start: int) -> Iterator[Records]:
        source = self._started()
        source.begin(partition, start)
        while found := source.poll(0.0, POLL_RECORDS).records:
            yield from found

    def _started(self) -> FileLogSource:
        source = FileLogSource(self._path, self._count, self._key, sleep=lambda _: None)
        source.start()
        return source


def _first(records: Records, count: int) -> Records:
    return replace(
        records, offsets=records.offsets[:count], timestamps_ms=records.timestamps_ms[:count],
        values=records.values[:count], keys=records.keys[:count],
    )  # fmt: skip
